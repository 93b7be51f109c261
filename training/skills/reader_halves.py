"""Two readers that each left out one half of the questions: each question is read by the one that never saw it.

A reader is right far oftener about questions it learned from (F1 77 against 48 at the agent's end), so a judge or a
policy taught by such answers trusts it too much. Each half comes from `forage train skill reader --leave-out 0|1`; its
card says which one it left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent.reader_model import ReaderModel
from training.skills.folds import fold_of, in_order


class ReaderHalves:
    """The reader for each question."""

    def __init__(self, weights: Sequence[Path]) -> None:
        """InputError unless the cards say that every half of the questions was left out by one of them."""
        self._models = [
            ReaderModel(path) for path in in_order(weights, "reader", "What is trained on answers")
        ]

    def __call__(self, question: str) -> ReaderModel:
        """The reader that did not learn from this question."""
        return self._models[fold_of(question)]
