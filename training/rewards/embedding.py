"""Cosines of the packaged encoder for rewards: cached by text, calibrated by collection.

A raw cosine is no probability and its floor differs by collection, so scores are stretched between what
unrelated and what related texts of the same kind reach (our formalisation). The cache makes a reward over
eight siblings cost one pass of the encoder.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from index.encoders import load_embedder
from index.types import Embedder, Vectors
from training.rewards.bounds import Mask, equal
from training.rewards.sentences import sentences as sentences_of

CACHED_TEXTS = 20_000
MIN_SPREAD = 0.1
WINDOW = 2  # sentences read together: the encoder cuts after 256 tokens


class CachedEmbedder:
    """An embedder that remembers texts. Safe for threads; what was not asked for longest is forgotten first."""

    def __init__(self, embedder: Embedder, size: int = CACHED_TEXTS) -> None:
        self._embedder, self._size = embedder, size
        self._known: dict[str, npt.NDArray[np.float32]] = {}
        self._stored: dict[str, npt.NDArray[np.float32]] = {}
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit rows of shape (len(texts), dimension)."""
        with self._lock:
            new = []
            for text in dict.fromkeys(texts):
                if text in self._known:
                    self._known[text] = self._known.pop(text)
                else:
                    new.append(text)
            for text, vector in zip(new, self._embedder.embed(new) if new else (), strict=True):
                self._known[text] = vector
            rows = [self._known[text] for text in texts]
            while len(self._known) > self._size:
                del self._known[next(iter(self._known))]
        return np.stack(rows) if rows else np.zeros((0, self._embedder.dimension), dtype=np.float32)

    def store(self, vectors: Mapping[str, npt.NDArray[np.float32]]) -> None:
        """Vectors of passages, by their text, that an index already holds (of title and text): for `passages`."""
        with self._lock:
            self._stored |= vectors
            while len(self._stored) > self._size:
                del self._stored[next(iter(self._stored))]

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Rows for whole passages: what an index holds, the rest encoded."""
        known = self.held(texts)
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known |= dict(zip(new, self.embed(new), strict=True))
        return (
            np.stack([known[text] for text in texts])
            if texts
            else np.zeros((0, self.dimension), dtype=np.float32)
        )

    def held(self, texts: Sequence[str]) -> dict[str, npt.NDArray[np.float32]]:
        """The vectors that an index gave, of those texts of which it did."""
        with self._lock:
            return {text: self._stored[text] for text in texts if text in self._stored}

    def unstored(self, texts: Sequence[str]) -> list[str]:
        """The passages whose vectors no index gave."""
        with self._lock:
            return [text for text in texts if text not in self._stored]

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._embedder.dimension

    def forget(self) -> None:
        """Everything: for measuring what new texts cost."""
        with self._lock:
            self._known.clear()
            self._stored.clear()


@cache
def shared() -> CachedEmbedder:
    """The one cache of this process over the packaged encoder."""
    return CachedEmbedder(load_embedder())


def warm(texts: Sequence[str]) -> None:
    """Encode texts in one batch, so that rewards which look at them one by one find them known."""
    shared().embed(texts)


def cosines(left: Sequence[str], right: Sequence[str]) -> npt.NDArray[np.float64]:
    """Cosine of every left text with every right text: shape (len(left), len(right))."""
    vectors = shared().embed([*left, *right]).astype(np.float64)
    return np.asarray(vectors[: len(left)] @ vectors[len(left) :].T)


def cosine(a: str, b: str) -> float:
    """Cosine of two texts, -1 to 1. An empty text is similar to nothing: 0."""
    return float(cosines([a], [b])[0, 0]) if a.strip() and b.strip() else 0.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Cosines of unrelated (`low`) and related (`high`) texts of one collection and kind of text.

    The defaults are ours, chosen for the packaged encoder and short English answers; fit your own with `fit`.
    """

    low: float = 0.2
    high: float = 0.9

    def __call__(self, value: float) -> float:
        """The cosine stretched to 0..1: at `low` 0, at `high` 1, and no steeper than 1 / MIN_SPREAD.

        >>> round(Calibration(0.2, 0.9)(0.55), 3)
        0.5
        """
        return min(max((value - self.low) / max(self.high - self.low, MIN_SPREAD), 0.0), 1.0)


def fit(unrelated: Sequence[tuple[str, str]], related: Sequence[tuple[str, str]]) -> Calibration:
    """Low = 95th percentile of the unrelated pairs' cosines, high = median of the related ones'.

    Raises ValueError where either list is empty.
    """
    if not unrelated or not related:
        raise ValueError("calibration needs unrelated and related pairs of texts")
    apart = [cosine(a, b) for a, b in unrelated]
    alike = [cosine(a, b) for a, b in related]
    return Calibration(float(np.quantile(apart, 0.95)), float(np.median(alike)))


@dataclass(frozen=True, slots=True)
class Parts:
    """Sentences and then the windows of them that are no sentence: "It was ..." needs the sentence before it.

    `members` numbers the sentences that each part is made of.
    """

    sentences: tuple[str, ...]
    texts: tuple[str, ...]
    members: tuple[range, ...]

    def same(self, wanted: Sequence[str]) -> Mask:
        """The parts (rows) that are equal to a wanted text and have its vector, which a window has not."""
        single = np.array([len(part) == 1 for part in self.members], dtype=bool)
        return np.asarray(equal(self.texts, wanted) & single[:, None])

    def needed(self, kept: npt.NDArray[np.bool_]) -> list[str]:
        """The sentences that the kept parts (a mask over `texts`) are made of."""
        rows = sorted({at for part, keep in zip(self.members, kept, strict=True) if keep for at in part})
        return [self.sentences[at] for at in rows]

    def vectors(self, kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """Unit vectors of the kept parts, shape (kept, dimension).

        A window's vector is the mean of its sentences' by length, which is what mean pooling gives but for the
        attention between them, and costs no pass of the encoder.
        """
        needed = self.needed(kept)
        known = dict(zip(needed, shared().embed(needed), strict=True))
        told = [
            [self.sentences[at] for at in part] for part, keep in zip(self.members, kept, strict=True) if keep
        ]
        return _mixed([(np.stack([known[text] for text in texts]), texts) for texts in told])


def parts(sentences: Sequence[str]) -> Parts:
    """The sentences and windows of a text.

    >>> parts(["a.", "b.", "c."]).texts
    ('a.', 'b.', 'c.', 'a. b.', 'b. c.')
    """
    texts = {sentence: range(at, at + 1) for at, sentence in reversed(list(enumerate(sentences)))}
    texts = {sentence: texts[sentence] for sentence in sentences}
    for at, window in enumerate(windows(sentences)):
        texts.setdefault(window, range(at, min(at + WINDOW, len(sentences))))
    return Parts(tuple(sentences), tuple(texts), tuple(texts.values()))


def text_vector(text: str) -> npt.NDArray[np.float64]:
    """Unit vector of a text of any length, by length the mean of its sentences': nothing is cut off."""
    return np.asarray(text_vectors([text])[0])


def text_vectors(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """`text_vector` of each text, shape (n, dimension); all their sentences are encoded in one pass."""
    read = [sentences_of(text) or [text] for text in texts]
    warm([sentence for told in read for sentence in told])
    return _mixed([(shared().embed(told), told) for told in read])


def passage_vectors(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """`text_vectors`, but for passages whose vectors an index gave: those keep them."""
    held = shared().held(texts)
    new = [text for text in dict.fromkeys(texts) if text not in held]
    known = {**held, **dict(zip(new, text_vectors(new), strict=True))}
    return np.array([known[text] for text in texts], dtype=np.float64).reshape(-1, shared().dimension)


def _mixed(parts: Sequence[tuple[Vectors, Sequence[str]]]) -> npt.NDArray[np.float64]:
    """The unit mean of each part's vectors, weighted by the lengths of their texts."""
    rows = np.zeros((len(parts), shared().dimension))
    for at, (vectors, texts) in enumerate(parts):
        weights = np.array([max(len(text), 1) for text in texts], dtype=np.float64)
        mixed = weights @ vectors.astype(np.float64) / weights.sum()
        rows[at] = mixed / max(float(np.linalg.norm(mixed)), 1e-12)
    return rows


def windows(sentences: Sequence[str], size: int = WINDOW) -> list[str]:
    """Runs of up to `size` neighbouring sentences, one starting at each sentence.

    >>> windows(["a.", "b.", "c."])
    ['a. b.', 'b. c.', 'c.']
    """
    return [" ".join(sentences[at : at + size]) for at in range(len(sentences))]
