"""Situations and actions as text: the one wording that a language model is trained on and that it decides on live.

A question's decisions are one conversation: the question, the first situation, the action taken, what changed, the
next action. Numbers are whole percents, so that two digits say what a decision can hang on. An action ends with the
model's own end token; what stands between two actions is the environment's and never the model's to learn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

CUE = "action:"  # after it the model names its action
State = Mapping[str, float]  # feature -> value, in the order in which they are told
Turn = tuple[State, str]  # a situation and the action taken in it


def conversation(question: str, turns: Sequence[Turn], now: State, end: str) -> str:
    """All that happened so far, up to the cue for the next action. `end`: the model's end token.

    >>> print(conversation("Who is it?", [({"sure": 0.21, "found": 0.0}, "deep")], {"sure": 0.9, "found": 1.0}, "<e>"))
    question: Who is it?
    state: sure 21
    action: deep<e>
    state: sure 90 found 100
    action:
    """
    parts = [opening(question, turns[0][0] if turns else now, end)]
    states = [state for state, _ in turns] + [now]
    for (before, action), after in zip(turns, states[1:], strict=True):
        parts.append(taken(action, end) + following(before, after))
    return "".join(parts)


def opening(question: str, state: State, end: str) -> str:
    """The question and its first situation. A question cannot pose as a turn: it is one line, without `end`."""
    plain = " ".join(question.replace(end, " ").split()) if end else " ".join(question.split())
    return f"question: {plain}\nstate: {_told(state)}\n{CUE}"


def taken(action: str, end: str) -> str:
    """What the model itself writes: the action after the cue."""
    return f" {action}{end}"


def following(before: State, after: State) -> str:
    """What the environment adds: the numbers that changed."""
    changed = {name: value for name, value in after.items() if _percent(value) != _percent(before[name])}
    return f"\nstate: {_told(changed, zeros=True)}\n{CUE}"


def _told(state: State, zeros: bool = False) -> str:
    told = [f"{name} {_percent(value)}" for name, value in state.items() if zeros or _percent(value)]
    return " ".join(told) or "unchanged"


def _percent(value: float) -> int:
    return round(100 * value)
