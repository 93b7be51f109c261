"""Guarded similarity of two texts sentence by sentence: a cosine alone sees neither numbers nor negation.

Sentences that the guards reject, or that equal texts have settled, are not encoded (`bounds`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from training.rewards.bounds import Mask, Values, axes, chosen, filled, unsettled
from training.rewards.embedding import Calibration, Parts, cosines, parts, shared
from training.rewards.guards import guard
from training.rewards.sentences import is_claim, sentences, stated, trigram_uniqueness, without_marks
from training.rewards.typed import bmas

ANSWERS = Calibration(0.2, 0.9)  # a sentence of an answer against one of a reference; ours
KEYWORDS = 0.5  # factor for a sentence that is a bare list of key words
_THOUGHT = re.compile(r"<think>.*?(?:</think>|$)", re.S)


def without_thought(text: str) -> str:
    """A text without its reasoning part: left in, it drowns the answer's meaning.

    >>> without_thought("<think>let me see</think> Oster")
    'Oster'
    """
    return _THOUGHT.sub("", text).strip()


def similarity(answer: str, reference: str, calibration: Calibration = ANSWERS) -> float:
    """Guarded similarity of two texts sentence by sentence, 0 to 1; 0.0 where one is empty.

    Each sentence takes its best partner (windows of two among them), calibrated and multiplied by the guards for
    numbers, names and negation; then the bidirectional mean, times the uniqueness of trigrams. Sentence by sentence,
    so that an error after the encoder's 256 tokens still counts; a headline that a sentence repeats is not judged
    apart. After the encoder-only reward for GRPO
    (arXiv 2509.13081): cosine from the abstract, everything around it ours.
    """
    read = guarded(answer, reference)
    if not read.left or not read.right:
        return 0.0
    found = np.zeros((0, 0))
    if read.needed.any():
        rows, columns = axes(read.needed)
        wanted = shared().embed(chosen(read.right, columns)).astype(np.float64)
        found = np.vectorize(calibration)(read.parts.vectors(rows) @ wanted.T)
    scores = filled(read.factors, read.same, read.needed, found, calibration(1.0))
    own = scores[[read.parts.texts.index(part) for part in read.left]]
    precision, recall = float(own.max(axis=1).mean()), float(scores.max(axis=0).mean())
    return (precision + recall) / 2 * trigram_uniqueness(answer)


@dataclass(frozen=True, slots=True)
class Guarded:
    """An answer beside a reference, before any vector: their sentences, the answer's parts, the factor of each part
    (row) against each sentence of the reference, the pairs that are equal, and those that need a cosine."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    parts: Parts
    factors: Values
    same: Mask
    needed: Mask


@lru_cache(maxsize=2_000)
def guarded(answer: str, reference: str) -> Guarded:
    """What `similarity` knows before it looks at a vector. Kept by text, for siblings often say the same."""
    left, right = sentences(without_marks(without_thought(answer))), sentences(reference)
    left = stated(left, reference)
    wide = parts(left)
    factors = np.array(
        [
            [guard(part, wanted) * (1.0 if is_claim(part) else KEYWORDS) for wanted in right]
            for part in wide.texts
        ],
        dtype=np.float64,
    ).reshape(len(wide.texts), len(right))
    same, own = wide.same(right), np.array([text in left for text in wide.texts], dtype=bool)
    return Guarded(tuple(left), tuple(right), wide, factors, same, unsettled(factors, same, own))


def similarity_texts(answer: str, reference: str) -> list[str]:
    """What `similarity` looks up."""
    read = guarded(answer, reference)
    rows, columns = axes(read.needed)
    return [*read.parts.needed(rows), *chosen(read.right, columns)]


def sentence_bmas(answer: str, reference: str, harmonic: bool = False) -> float:
    """Mixed-R1's BMAS over sentence vectors instead of tokens, without guards; 0 to 1 by clipping."""
    left, right = sentences(answer), sentences(reference)
    return min(max(bmas(cosines(left, right), harmonic), 0.0), 1.0) if left and right else 0.0
