"""What a policy achieves on explored questions, question by question, and whether two policies really differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from training.metrics import Interval, bootstrap, f1, paired_difference
from training.policy.forest import Forest, Ints
from training.rewards.boundary import f1_aware

MEASURES = (
    "right", "f1", "cost", "searches", "tokens", "seconds", "abstained", "abstain_right", "citation_precision", "value",
)  # fmt: skip
LESS_IS_BETTER = frozenset({"cost", "searches", "tokens", "seconds"})
Column = list[float | None]  # one number a question; None where it does not apply


@dataclass(frozen=True)
class Scores:
    """One policy over questions: columns by measure, and what it answered."""

    policy: str
    ids: tuple[str, ...]
    columns: Mapping[str, Column]
    paths: tuple[tuple[str, ...], ...]
    answers: tuple[str, ...]
    aware: float | None = (
        None  # F1 of "own knowledge suffices", claimed by answering unsearched; None without labels
    )
    abstention_f1: float | None = None

    def mean(self, measure: str) -> float | None:
        """Over the questions it applies to."""
        known = [value for value in self.columns[measure] if value is not None]
        return sum(known) / len(known) if known else None

    def interval(self, measure: str) -> Interval:
        """With its bootstrap interval."""
        return bootstrap([value for value in self.columns[measure] if value is not None])


def score_choices(forest: Forest, choice: Ints, units: Mapping[str, float], policy: str) -> Scores:
    """Follow one choice for each situation (S,) and score where it ends."""
    return score_endings(forest, forest.follow(choice), units, policy)


def score_endings(forest: Forest, reached: Ints, units: Mapping[str, float], policy: str) -> Scores:
    """Scores of the ending (Q,) that each question reached."""
    columns: dict[str, Column] = {name: [] for name in MEASURES}
    paths, answers = [], []
    for tree, ending_at in zip(forest.trees, reached.tolist(), strict=True):
        ending = tree.endings[forest.endings[ending_at][1]]
        said = "" if ending.abstained else ending.answer
        row: dict[str, float | None] = {
            "right": float(forest.right[ending_at]),
            "f1": f1(said, tree.golds) if tree.golds else None,
            "cost": sum(units.get(action, 0.0) for action in ending.path),
            "abstained": float(ending.abstained),
            "abstain_right": float(tree.answerable is False) if ending.abstained else None,
            "citation_precision": _precision(ending.cited, ending.supported, tree.evidence),
            "value": float(forest.values[ending_at]),
        }
        row |= {name: tree.spent(ending.path, name) for name in ("searches", "tokens", "seconds")}
        for name in MEASURES:
            columns[name].append(row[name])
        paths.append(ending.path)
        answers.append(said)
    # Abstaining without a search claims no knowledge: only an answer without a search does.
    relied = zip(columns["searches"], columns["abstained"], strict=True)
    searched = [bool(searches) or bool(gave_up) for searches, gave_up in relied]
    return Scores(
        policy,
        tuple(tree.id for tree in forest.trees),
        columns,
        tuple(paths),
        tuple(answers),
        _aware([tree.knows for tree in forest.trees], searched),
        abstention_f1([tree.answerable for tree in forest.trees], [a == 1 for a in columns["abstained"]]),
    )


def reward_means(forest: Forest, choice: Ints) -> dict[str, float]:
    """Mean of every reward component over the endings that one choice for each situation (S,) reaches."""
    sums: dict[str, list[float]] = {}
    for ending in forest.follow(choice):
        for name, value in forest.rewards[ending].items():
            if value is not None:
                sums.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in sums.items()}


def _precision(cited: Sequence[str], supported: Sequence[bool], gold: Sequence[str]) -> float | None:
    if not cited:
        return None
    good = [ok and (not gold or pid in gold) for pid, ok in zip(cited, supported, strict=True)]
    return sum(good) / len(good)


def _aware(knows: Sequence[bool | None], searched: Sequence[bool]) -> float | None:
    known = [(k, s) for k, s in zip(knows, searched, strict=True) if k is not None]
    return f1_aware([k for k, _ in known], [s for _, s in known]) if known else None


def abstention_f1(answerable: Sequence[bool | None], abstained: Sequence[bool]) -> float | None:
    """F1 of "has no answer", predicted by abstaining. None where no question lacks an answer.

    >>> abstention_f1([False, True], [True, True])
    0.6666666666666666
    """
    pairs = [(a, s) for a, s in zip(answerable, abstained, strict=True) if a is not None]
    due = sum(not a for a, _ in pairs)
    if not due:
        return None
    hits = sum(not a and s for a, s in pairs)
    return 2 * hits / (due + sum(s for _, s in pairs)) if hits else 0.0


def differences(ours: Scores, theirs: Scores) -> dict[str, Interval]:
    """Paired differences ours - theirs with 95 % intervals, over the questions where both measures apply.

    Raises ValueError where the two were not scored on the same questions.
    """
    if ours.ids != theirs.ids:
        raise ValueError("two policies can be compared on the same questions only")
    found = {}
    for name in MEASURES:
        both = [
            (a, b)
            for a, b in zip(ours.columns[name], theirs.columns[name], strict=True)
            if a is not None and b is not None
        ]
        found[name] = paired_difference([a for a, _ in both], [b for _, b in both])
    return found


def summary(scores: Scores) -> dict[str, float | None]:
    """Means of all measures with the two F1s."""
    found = {name: scores.mean(name) for name in MEASURES}
    return {**found, "f1_aware": scores.aware, "abstention_f1": scores.abstention_f1}


def gap_closed(ours: Scores, base: Scores, oracle: Scores, measure: str = "value") -> float | None:
    """Share of the distance from a baseline to the oracle that a policy covers; None where there is no distance."""
    a, b, c = (scores.mean(measure) for scores in (ours, base, oracle))
    if a is None or b is None or c is None or np.isclose(c, b):
        return None
    return (a - b) / (c - b)
