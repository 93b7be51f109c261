"""Halves of the questions: what a skill says of questions it learned from is too good to train others on.

A skill trained without one half (`--leave-out 0|1`) speaks for that half, as one that never saw what it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from index import delta
from index.errors import InputError
from training.skills.leaks import fold
from training.skills.mixture import Source

FOLDS = 2
Example = TypeVar("Example")


def fold_of(question: str) -> int:
    """The fold of a question, by its words alone: equal wherever the question turns up."""
    return int(sha256(fold(question).encode()).hexdigest()[:8], 16) % FOLDS


def without_fold(
    found: Sequence[Source[Any, Example]], left: int, kind: type[Any]
) -> list[Source[Any, Example]]:
    """The same sources without the questions of one fold: records of `kind`, which have a `question`."""
    return [
        replace(s, records=[r for r in s.records if not isinstance(r, kind) or fold_of(r.question) != left])
        for s in found
    ]


def in_order(weights: Sequence[Path], skill: str, learner: str) -> list[Path]:
    """The halves by the fold that each left out. InputError unless their cards say that every fold was left out by one.

    skill: reader or hop; learner: what learns from the halves, for the message.
    """
    by_fold = {delta.read_card(path).get("left_out_fold"): path for path in weights}
    if set(by_fold) != set(range(FOLDS)):
        raise InputError(
            f"{learner} learns from two {skill} files that each left out one half of the questions; given: "
            f"{', '.join(str(path) for path in weights) or 'none'}. Train them with "
            f"`forage train skill {skill} --leave-out 0 --out a` and `--leave-out 1 --out b`, "
            f"then give --half a/{skill}.safetensors --half b/{skill}.safetensors."
        )
    return [by_fold[at] for at in range(FOLDS)]
