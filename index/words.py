"""Words of a text, their stems, and how rare they are: what texts are compared by besides vectors."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import regex
import Stemmer

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_PLAIN = re.compile(r"[a-z0-9]+")  # the same in ASCII, in half the time


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """English Snowball stem; PyStemmer keeps other alphabets as they are."""
    return str(_stemmer().stemWord(word))


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


def stems_of(text: str) -> list[str]:
    """Stems of a text's words in order, lower case.

    >>> stems_of("The founders' cities")
    ['the', 'founder', 'citi']
    """
    return [stem(word) for word in words_of(text)]


def words_of(text: str) -> list[str]:
    """A text's words in order, lower case."""
    lower = text.lower()
    return _PLAIN.findall(lower) if lower.isascii() else list(_WORD.findall(lower))


def weigh(counts: Sequence[int], total: int) -> np.ndarray:
    """Weight of each term from the number of passages that hold it: log-scaled rarity, sums to 1.

    >>> weigh([1, 100], 100).round(2).tolist()
    [0.87, 0.13]
    """
    rarity = np.array([math.log1p(max(total, 1) / (count + 0.5)) for count in counts], dtype=np.float32)
    return rarity / rarity.sum() if len(rarity) else rarity
