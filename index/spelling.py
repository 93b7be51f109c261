"""How a collection spells a name that a person typed a little differently."""

from __future__ import annotations

from collections.abc import Iterable

import regex
from rapidfuzz import process
from rapidfuzz.distance import OSA

from index.names import name_key
from index.retrieve import Searcher
from index.types import Scope

SHORTEST = 5  # letters of a word that may be misspelled: shorter ones have too many neighbours
LONG = 8  # letters from which two slips are allowed instead of one
LOOKED_AT = 20  # passages searched for the spelling as it is written there
_WORD = regex.compile(r"[\p{L}\p{M}]+")


def near_spelling(word: str, searcher: Searcher, scope: Scope) -> str:
    """The one name in the scope's documents spelled almost like `word`, as it is written there; "" for none or several.

    Almost: the same first letter, and one slip (a letter more, less, other, or two exchanged), two in long words.
    """
    key = name_key(word)
    if len(key) < SHORTEST or not key.isalpha():
        return ""
    slips = 1 if len(key) < LONG else 2
    words = {part for name in searcher.names(scope) for part in name.split() if part[0] == key[0]} - {key}
    near = process.extract(key, words, scorer=OSA.distance, score_cutoff=slips, limit=2)
    if not near or (len(near) > 1 and near[0][1] == near[1][1]):
        return ""
    found = near[0][0]
    passages = searcher.store.passages(list(searcher.words.search(found, LOOKED_AT, scope)))
    return _as_written(found, (passage.text for passage in passages))


def _as_written(key: str, texts: Iterable[str]) -> str:
    """The first capital word of the texts that has this key."""
    words = (word for text in texts for word in _WORD.findall(text))
    return next((word for word in words if word[0].isupper() and name_key(word) == key), "")
