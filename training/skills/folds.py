"""Halves of the questions: what a skill says of questions it learned from is too good to train others on.

A skill trained without one half (`--leave-out 0|1`) speaks for that half, as one that never saw what it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, TypeVar

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
