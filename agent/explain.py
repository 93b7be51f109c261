"""Why a decision fell as it did: which of the numbers it saw would have changed it.

Occlusion: a number is set to 0, as if it had not been seen, and the policy decides again. It works for every policy
that decides on numbers, and says nothing of one that is no longer the one of the record.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.policy import FEATURES, Policy, Situation
from agent.types import Decision


@dataclass(frozen=True, slots=True)
class Mattered:
    """One number of a decision."""

    feature: str
    value: float
    change: float  # of the chosen option's probability when the number is not seen; 0: unknown


def mattered(decision: Decision, policy: Policy | None = None, most: int = 6) -> tuple[Mattered, ...]:
    """The numbers that a decision hung on, the strongest first.

    With the policy that decided: those whose absence changes the probability of what it chose. Without it (another
    decision, another policy): the largest numbers, with change 0.
    """
    seen = decision.features
    if policy is not None and decision.name == "policy" and set(FEATURES) <= set(seen):
        values = tuple(seen[name] for name in FEATURES)
        base = policy.decide(Situation(values, decision.options)).probabilities.get(decision.chosen, 0.0)
        found = []
        for at, name in enumerate(FEATURES):
            if not values[at]:
                continue
            without = Situation((*values[:at], 0.0, *values[at + 1 :]), decision.options)
            change = policy.decide(without).probabilities.get(decision.chosen, 0.0) - base
            if abs(change) > 1e-6:
                found.append(Mattered(name, values[at], change))
        return tuple(sorted(found, key=lambda m: (-abs(m.change), m.feature))[:most])
    largest = sorted(seen.items(), key=lambda item: (-abs(item[1]), item[0]))
    return tuple(Mattered(name, value, 0.0) for name, value in largest[:most] if value)
