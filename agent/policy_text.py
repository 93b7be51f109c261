"""Situations and actions as text: the one wording that a language model is trained on and that it decides on live.

A question's decisions are one conversation: the question, the first situation, the action taken, what changed, the
next action. A feature is told as a level, one digit: from a few hundred questions a model does not learn to read
numbers spelled digit by digit. The levels' bounds come from the training questions and go with the model. An action
ends with the model's own end token; what stands between two actions is the environment's, never the model's to learn.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CUE = "action:"  # after it the model names its action
MOST = 10  # levels of a feature: one digit each
State = Mapping[str, float]  # feature -> value, in the order in which they are told
Turn = tuple[State, str]  # a situation and the action taken in it


@dataclass(frozen=True)
class Levels:
    """How values become levels: for each feature the bounds between its levels, rising."""

    bounds: Mapping[str, tuple[float, ...]]

    @classmethod
    def of(cls, columns: Mapping[str, npt.ArrayLike]) -> Levels:
        """Bounds for the values of each feature: halfway between them where there are few, else quantiles."""
        found = {}
        for name, column in columns.items():
            every = np.asarray(column, dtype=np.float64)
            values = np.unique(every.round(6))
            bounds = (values[1:] + values[:-1]) / 2
            if len(values) > MOST:
                bounds = np.unique(np.quantile(every, np.linspace(0, 1, MOST + 1)[1:-1]))
            found[name] = tuple(bounds.round(6).tolist())
        return cls(found)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Sequence[float]]) -> Levels:
        """The inverse of `dict(levels.bounds)` after JSON."""
        return cls({name: tuple(map(float, bounds)) for name, bounds in raw.items()})

    def level(self, name: str, value: float) -> int:
        """From 0 on; LookupError for a feature without bounds.

        >>> Levels({"sure": (0.2, 0.5)}).level("sure", 0.9)
        2
        """
        return bisect_left(self.bounds[name], value)

    def told(self, state: State, before: State | None = None) -> str:
        """The levels above 0, or those that changed."""
        said = {name: self.level(name, value) for name, value in state.items()}
        if before is None:
            said = {name: level for name, level in said.items() if level}
        else:
            said = {name: level for name, level in said.items() if level != self.level(name, before[name])}
        return " ".join(f"{name}={level}" for name, level in said.items()) or "unchanged"

    @property
    def words(self) -> list[str]:
        """All that can be told of a feature."""
        return [f"{name}={at}" for name, bounds in self.bounds.items() for at in range(len(bounds) + 1)]


def conversation(question: str, turns: Sequence[Turn], now: State, levels: Levels, end: str) -> str:
    """All that happened so far, up to the cue for the next action. `end`: the model's end token.

    >>> levels = Levels({"sure": (0.2, 0.5), "found": (0.5,)})
    >>> first, now = {"sure": 0.21, "found": 0.0}, {"sure": 0.9, "found": 1.0}
    >>> print(conversation("Who is it?", [(first, "deep")], now, levels, "<e>"))
    question: Who is it?
    state: sure=1
    action: deep<e>
    state: sure=2 found=1
    action:
    """
    parts = [opening(question, turns[0][0] if turns else now, levels, end)]
    states = [state for state, _ in turns] + [now]
    for (before, action), after in zip(turns, states[1:], strict=True):
        parts.append(taken(action, end) + following(before, after, levels))
    return "".join(parts)


def opening(question: str, state: State, levels: Levels, end: str) -> str:
    """The question and its first situation. A question cannot pose as a turn: it is one line, without `end`."""
    plain = " ".join(question.replace(end, " ").split()) if end else " ".join(question.split())
    return f"question: {plain}\nstate: {levels.told(state)}\n{CUE}"


def taken(action: str, end: str) -> str:
    """What the model itself writes: the action after the cue."""
    return f" {action}{end}"


def following(before: State, after: State, levels: Levels) -> str:
    """What the environment adds: the levels that changed."""
    return f"\nstate: {levels.told(after, before)}\n{CUE}"
