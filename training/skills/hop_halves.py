"""Two hop encoders that each left out one half of the questions, as one that never saw what it is asked.

What an encoder says of questions it learned from is too good: a ranker trained on it would trust it too much.
Each half comes from `forage train skill hop --leave-out 0|1`; its card says which one it left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from index.gather import StateEncoder
from index.hop_encoder import HopEncoder, State
from index.types import Vectors
from training.skills.folds import fold_of, in_order


class Remembering:
    """An encoder that encodes each state once. Not for threads."""

    def __init__(self, encoder: StateEncoder) -> None:
        self._encoder = encoder
        self._known: dict[tuple[str, tuple[str, ...]], Vectors] = {}

    def encode_batch(self, states: Sequence[State]) -> Vectors:
        """Unit rows, in order."""
        keys = [(question, tuple(evidence)) for question, evidence in states]
        new = list(dict.fromkeys(key for key in keys if key not in self._known))
        for key, vector in zip(new, self._encoder.encode_batch(new), strict=True):
            self._known[key] = vector
        rows: Vectors = np.stack([self._known[key] for key in keys])
        return rows


class Halves:
    """Encodes each state with the encoder that its question was left out of."""

    def __init__(self, weights: Sequence[Path]) -> None:
        """InputError unless the cards say that every half of the questions was left out by one of them."""
        self._encoders = [HopEncoder(path) for path in in_order(weights, "hop", "Deep mode")]

    def encode_batch(self, states: Sequence[State]) -> Vectors:
        """Unit rows, in order."""
        rows = np.zeros((len(states), HopEncoder.dimension), dtype=np.float32)
        folds = np.array([fold_of(question) for question, _ in states])
        for fold, encoder in enumerate(self._encoders):
            at = np.flatnonzero(folds == fold)
            if len(at):
                rows[at] = encoder.encode_batch([states[int(i)] for i in at])
        return rows
