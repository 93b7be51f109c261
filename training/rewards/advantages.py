"""Scores of siblings into advantages: GRPO's, and GDPO's in which every component is normalised by itself.

A plain sum hides which component differed and lets the loudest drown the rest; both forms were read in TRL. The floor
for flat groups and the rule that right answers stay on top are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from training.rewards.compose import Preset, Scored, compose
from training.rewards.contract import Episode, Score, unit
from training.rewards.registry import REWARDS

EPSILON = 1e-4
GROUP_FLOOR = 0.02  # a group whose rewards differ by less tells nothing
LIFT = 1e-6


def group_advantages(
    scores: Sequence[Score], *, scale: bool = True, floor: float = GROUP_FLOOR
) -> list[float]:
    """GRPO's advantage (r - mean) / (std + 1e-4) with Bessel's correction; None is excluded and gets 0.

    A group whose range is under `floor` gets zeros: dividing by a tiny deviation would blow noise up (0.91, 0.90,
    0.89, 0.90 would give 1.21, 0, -1.21, 0). `scale=False` is Dr. GRPO's r - mean.

    >>> [round(a, 4) for a in group_advantages([1, 0, 0, 0])]
    [1.4997, -0.4999, -0.4999, -0.4999]
    >>> group_advantages([0.91, 0.90, 0.905, None])
    [0.0, 0.0, 0.0, 0.0]
    """
    known = np.array([value for value in scores if value is not None], dtype=np.float64)
    if len(known) < 2 or np.ptp(known) < floor:
        return [0.0] * len(scores)
    spread = float(known.std(ddof=1)) + EPSILON if scale else 1.0
    return [0.0 if value is None else (value - float(known.mean())) / spread for value in scores]


def decoupled(
    columns: Mapping[str, Sequence[Score]],
    weights: Mapping[str, float] | None = None,
    floor: float = GROUP_FLOOR,
) -> list[float]:
    """GDPO's first stage for one group: each component normalised by itself, weighted, summed (read in TRL).

    Accuracy 1, 1, 0, 0 and format 1, 0, 1, 0. Zero spread is judged component by component.

    >>> [round(a, 4) for a in decoupled({"accuracy": [1, 1, 0, 0], "format": [1, 0, 1, 0]})]
    [1.7318, 0.0, 0.0, -1.7318]
    """
    total = np.zeros(len(next(iter(columns.values()), ())))
    for name, column in columns.items():
        total += (1.0 if weights is None else weights[name]) * np.array(group_advantages(column, floor=floor))
    return [float(value) for value in total]


def batch_normalise(groups: Sequence[Sequence[float]]) -> list[list[float]]:
    """GDPO's second stage: all groups' sums to mean 0 and deviation 1 together; zeros where nothing differs."""
    flat: npt.NDArray[np.float64] = np.array([value for group in groups for value in group], dtype=np.float64)
    if len(flat) < 2 or flat.std(ddof=1) == 0:
        return [[0.0] * len(group) for group in groups]
    mean, spread = float(flat.mean()), float(flat.std(ddof=1)) + EPSILON
    return [[(value - mean) / spread for value in group] for group in groups]


def keep_right_on_top(advantages: Sequence[float], is_right: Sequence[bool | None]) -> list[float]:
    """Lift all right answers by one constant so that each outranks every wrong one, then centre again.

    A sum of normalised components may rank a well-dressed wrong answer first; GDPO has no rule against it. Ours. Order
    among right and among wrong answers stays.

    >>> keep_right_on_top([1.0, 0.0, -1.0], [True, False, False])
    [1.0, 0.0, -1.0]
    >>> lifted = keep_right_on_top([1.0, 0.0], [False, True])
    >>> lifted[1] > lifted[0]
    True
    """
    up = [a for a, r in zip(advantages, is_right, strict=True) if r]
    down = [a for a, r in zip(advantages, is_right, strict=True) if r is False]
    if not up or not down or min(up) > max(down):
        return list(advantages)
    gap = max(down) - min(up) + max(LIFT, float(np.std(advantages)))
    lifted = np.array([a + gap if r else a for a, r in zip(advantages, is_right, strict=True)])
    return [float(value) for value in lifted - lifted.mean()]


def advantages(
    preset: Preset, groups: Sequence[Sequence[Episode]], *, decouple: bool = True
) -> list[list[float]]:
    """Advantages of episodes, one list a question: GDPO over the components, or GRPO over the totals.

    Decoupled: right or not and the gates count as components with weight 1, the others with their weights among right
    or wrong (a component is None for the other kind). An episode whose total is None, or whose gate closed, has
    no say in the components; a closed gate is ranked as wrong.
    """
    made, verdicts = [], []
    for episodes in groups:
        scored = compose(preset, episodes)
        verdict = [False if s.gated else s.right for s in scored]
        verdicts.append(verdict)
        if decouple:
            made.append(decoupled(*_columns(preset, scored)))
        else:
            made.append(group_advantages([s.total for s in scored]))
    if not decouple:
        return made
    if preset.sum:
        return batch_normalise(made)
    return [keep_right_on_top(a, v) for a, v in zip(batch_normalise(made), verdicts, strict=True)]


def _columns(preset: Preset, scored: Sequence[Scored]) -> tuple[dict[str, list[Score]], dict[str, float]]:
    columns: dict[str, list[Score]] = {
        "outcome": [
            None if s.right is None and not s.gated else float(bool(s.right) and not s.gated) for s in scored
        ]
    }
    if preset.sum:
        return {
            name: [None if s.gated else unit(REWARDS[name], s.raw[name]) for s in scored]
            for name in preset.sum
        }, dict(preset.sum)
    weights = {"outcome": 1.0}
    for kind, chosen in ((True, preset.right), (False, preset.wrong)):
        share = sum(chosen.values())
        for name, weight in chosen.items():
            key = f"{name} among {'right' if kind else 'wrong'}"
            columns[key] = [
                unit(REWARDS[name], s.raw[name]) if s.right is kind and not s.gated else None for s in scored
            ]
            weights[key] = weight / share
    return columns, weights
