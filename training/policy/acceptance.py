"""Whether a round of training is kept: what it does to questions that it did not learn from.

Held-out questions say so where there are enough of them. A person's own thirty questions leave a handful, by which
chance decides; there the round is repeated without each part of the questions and scored on the part left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

from training.policy.scores import Scores

ENOUGH = 40  # held-out questions that can judge alone: one question is then worth at most 2.5 points
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """Mean change of value on questions not learned from, and on how many it was looked at."""

    change: float
    questions: int

    @property
    def accepted(self) -> bool:
        """A round is for the better or for nothing: with a tolerance for chance, rounds that harm a little pass one
        after the other, and three tries make chance likelier (docs/LOG.md)."""
        return self.change >= -1e-9

    def to_dict(self) -> dict[str, float | int | bool]:
        return {"accepted": self.accepted, "change": self.change, "judged_on": self.questions}


def verdict(after: Sequence[Scores], before: Sequence[Scores]) -> Verdict:
    """Over parts that were scored apart; each pair of the same questions."""
    values = [list(chain.from_iterable(one.columns["value"] for one in part)) for part in (after, before)]
    new, old = ([value or 0.0 for value in column] for column in values)
    gaps = [a - b for a, b in zip(new, old, strict=True)]
    return Verdict(sum(gaps) / len(gaps), len(gaps))


def folds(count: int) -> list[tuple[list[int], list[int]]]:
    """(places learned from, places left out) of `count` questions, FOLDS times or once for each question.

    >>> folds(3)
    [([1, 2], [0]), ([0, 2], [1]), ([0, 1], [2])]
    """
    many = min(FOLDS, count)
    return [
        ([at for at in range(count) if at % many != fold], list(range(fold, count, many)))
        for fold in range(many)
    ]


def cross_fitted(count: int, scored: Callable[[list[int], list[int]], tuple[Scores, Scores]]) -> Verdict:
    """`scored(learned, asked)` repeats a round on some questions and gives the scores after and before on others."""
    pairs = [scored(learned, asked) for learned, asked in folds(count)]
    return verdict([after for after, _ in pairs], [before for _, before in pairs])
