"""Two readers that each left out one half of the questions: each question is read by the one that never saw it.

A reader is right far oftener about questions it learned from (F1 77 against 48 at the agent's end), so a judge or a
policy taught by such answers trusts it too much. Each half comes from `forage train skill reader --leave-out 0|1`; its
card says which one it left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent.reader_model import ReaderModel
from index import delta
from index.errors import InputError
from training.skills.folds import FOLDS, fold_of


class ReaderHalves:
    """The reader for each question."""

    def __init__(self, weights: Sequence[Path]) -> None:
        """InputError unless the cards say that every half of the questions was left out by one of them."""
        by_fold = {delta.read_card(path).get("left_out_fold"): path for path in weights}
        if set(by_fold) != set(range(FOLDS)):
            raise InputError(
                "The judge learns from two readers that each left out one half of the questions; given: "
                f"{', '.join(str(path) for path in weights)}. Train them with "
                "`forage train skill reader --leave-out 0 --out a` and `--leave-out 1 --out b`, "
                "then give --half a/reader.safetensors --half b/reader.safetensors."
            )
        self._models = [ReaderModel(by_fold[fold]) for fold in range(FOLDS)]

    def __call__(self, question: str) -> ReaderModel:
        """The reader that did not learn from this question."""
        return self._models[fold_of(question)]
