"""How a collection spells a name that a person typed a little differently, or without its capitals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import regex
from rapidfuzz import process
from rapidfuzz.distance import OSA

from index.names import name_key
from index.retrieve import Searcher
from index.stop_words import STOP_WORDS
from index.types import Scope

SHORTEST = 5  # letters of a word that may be misspelled: shorter ones have too many neighbours
LONG = 8  # letters from which two slips are allowed instead of one
LOOKED_AT = 20  # passages searched for the spelling as it is written there
CAPITAL = 0.6  # share of its places from which words that are written with capitals are a name
ALONE = 0.8  # the same for a single word, which may be a common one ("Time" the magazine)
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_OPENING = regex.compile(r"(?:^|[.!?:|\n\"“”'‘(\[*•–—-])\W*$")  # what stands before a capital of position


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


def capitalised(typed: str, searcher: Searcher, scope: Scope) -> str:
    """Words of a question as the scope's documents write them, where they write them as a name; else "".

    A name is written with a capital first and last, in most places where these words follow each other; of a single
    word the places count where no sentence and no title opens.
    """
    words = regex.findall(r"[\p{L}\p{M}\p{N}]+", typed)
    if not words:
        return ""
    pattern = regex.compile(
        r"(?<![\p{L}\p{N}])" + r"[\W_]{1,3}".join(map(regex.escape, words)) + r"(?![\p{L}\p{N}])", regex.I
    )
    passages = searcher.store.passages(list(searcher.words.search(typed, LOOKED_AT, scope)))
    texts = [text for passage in passages for text in (passage.title, passage.text)]
    seen: Counter[str] = Counter()
    for text in texts:
        for match in pattern.finditer(text):
            if len(words) > 1 or not _OPENING.search(text[max(0, match.start() - 3) : match.start()]):
                seen[" ".join(match.group().split())] += 1
    names = {written: count for written, count in seen.items() if _is_name(written)}
    wanted = CAPITAL if len(words) > 1 else ALONE
    if not names or sum(names.values()) < wanted * sum(seen.values()):
        return ""
    return max(names, key=lambda written: (names[written], written))


def _is_name(written: str) -> bool:
    words = [word for word in _WORD.findall(written) if word not in STOP_WORDS]
    return bool(words) and all(word[0].isupper() for word in (words[0], words[-1]))
