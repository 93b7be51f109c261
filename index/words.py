"""Words of a text, their stems, and how rare they are: what texts are compared by besides vectors."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import regex
import Stemmer

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_PLAIN = re.compile(r"[a-z0-9]+")  # the same in ASCII, in half the time


STEMS_KEPT = 200_000
_stemmer = Stemmer.Stemmer("english", 0)  # without its own cache, which costs more than it saves
_stems: dict[str, str] = {}


def stem(word: str) -> str:
    """English Snowball stem; PyStemmer keeps other alphabets as they are."""
    return _stemmed([word])[0]


def stems_of(text: str) -> list[str]:
    """Stems of a text's words in order, lower case.

    >>> stems_of("The founders' cities")
    ['the', 'founder', 'citi']
    """
    return _stemmed(words_of(text))


def _stemmed(words: list[str]) -> list[str]:
    global _stems
    known = _stems  # threads may begin a new one meanwhile
    new = [word for word in words if word not in known]
    if new:
        if len(known) > STEMS_KEPT:
            known = _stems = {}
            new = words
        known.update(zip(new, _stemmer.stemWords(new), strict=True))
    return [known[word] for word in words]


def words_of(text: str) -> list[str]:
    """A text's words in order, lower case."""
    lower = text.lower()
    return _PLAIN.findall(lower) if lower.isascii() else list(_WORD.findall(lower))


def weigh(counts: Sequence[int], total: int) -> np.ndarray:
    """Weight of each term from the number of passages that hold it: log-scaled rarity, sums to 1.

    >>> [round(float(one), 2) for one in weigh([1, 100], 100)]
    [0.86, 0.14]
    """
    rarity = np.array([math.log1p(max(total, 1) / (count + 0.5)) for count in counts], dtype=np.float32)
    return rarity / rarity.sum() if len(rarity) else rarity
