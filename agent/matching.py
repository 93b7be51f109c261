"""How far a text covers the words of a question: equal stems, or close meaning by the encoder.

A question word counts as covered to a degree between 0 and 1. Words weigh by rarity in the collection,
so that "Halden" missing is a different thing from "main" missing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from agent.question import words
from index.types import Embedder, Vectors
from index.words import stem, weigh

SURE, UNLIKE = 0.82, 0.55  # cosines of two single words: same meaning, and nothing to do with each other
CACHED_WORDS = 50_000
CACHED_TEXTS = 8192


@lru_cache(maxsize=CACHED_TEXTS)  # one reading asks thousands of times about the same sentences
def stems(text: str) -> frozenset[str]:
    """Distinct stems of a text's words."""
    return frozenset(stem(word) for word in words(text))


class WordMatcher:
    """Degrees to which texts cover question words. Safe for threads; remembers word vectors."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._vectors: dict[str, Vectors] = {}
        self._lock = threading.Lock()

    def cover(
        self, terms: Sequence[str], texts: Sequence[str], names: frozenset[str] = frozenset()
    ) -> np.ndarray:
        """Degree of each term in each text: shape (len(texts), len(terms)), 0 to 1.

        names: stems of words that are parts of names; only the same word covers them, for "Quevolt" is
        close to "Lekerly" in no sense that matters.
        """
        degrees = np.zeros((len(texts), len(terms)), dtype=np.float32)
        if not terms or not texts:
            return degrees
        word_lists = [list(dict.fromkeys(words(text))) for text in texts]
        vocabulary = list(dict.fromkeys(word for found in word_lists for word in found))
        if not vocabulary:
            return degrees
        table = self._likeness(terms, vocabulary, names)
        at = {word: column for column, word in enumerate(vocabulary)}
        for row, found in enumerate(word_lists):
            if found:
                degrees[row] = table[:, [at[word] for word in found]].max(axis=1)
        return degrees

    def _likeness(self, terms: Sequence[str], vocabulary: Sequence[str], names: frozenset[str]) -> np.ndarray:
        """Degree of each term against each word: shape (len(terms), len(vocabulary))."""
        self._learn([*terms, *vocabulary])
        with self._lock:
            left = np.stack([self._vectors[t] for t in terms])
            right = np.stack([self._vectors[w] for w in vocabulary])
        degrees = np.clip((left @ right.T - UNLIKE) / (SURE - UNLIKE), 0.0, 0.9)
        word_stems = [stem(word) for word in vocabulary]
        for row, term in enumerate(terms):
            own = stem(term)
            exact = own in names or any(c.isdigit() for c in term)  # 1987 is not "close to" 1986
            for column, other in enumerate(word_stems):
                if own == other:
                    degrees[row, column] = 1.0
                elif exact or vocabulary[column][:1].isdigit():
                    degrees[row, column] = 0.0
        return np.asarray(degrees)

    def _learn(self, wanted: Iterable[str]) -> None:
        with self._lock:
            if len(self._vectors) > CACHED_WORDS:
                self._vectors.clear()
            new = [w for w in dict.fromkeys(wanted) if w not in self._vectors]
        if new:
            vectors = self._embedder.embed(new)
            with self._lock:
                self._vectors.update(zip(new, vectors, strict=True))


__all__ = ["WordMatcher", "stem", "stems", "weigh"]
