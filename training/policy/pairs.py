"""Preference pairs of decisions: two actions from one same situation with clearly different value.

Iterative process-aware DPO after TeaRAG (arXiv 2511.05385): sample paths of the current policy, look at the situations
they visit, and prefer there the action whose continuations under that policy are worth more. TeaRAG pairs whole paths;
pairing single decisions from a shared state (SmartSearch does it at bad queries) says which decision was the mistake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.policy.forest import Floats, Forest, Sampled


@dataclass(frozen=True, slots=True)
class Pair:
    """One preference with its origin."""

    question: str  # id
    source: str
    path: tuple[str, ...]  # the shared state
    chosen: str
    rejected: str
    value_chosen: float
    value_rejected: float
    reason: str  # how the rejected action fails
    round: int
    policy: str  # that sampled it
    situation: int  # row in the forest
    weight: float = 1.0

    @property
    def gap(self) -> float:
        return self.value_chosen - self.value_rejected


def make_pairs(
    forest: Forest,
    sampled: Sequence[Sequence[Sampled]],
    q: Floats,
    *,
    margin: float,
    limit: int,
    number: int,
    policy: str,
) -> list[Pair]:
    """Pairs of the visited situations, the most visited first, at most `limit` a question.

    chosen: each action within `margin` of the best (of two that are equally good, the one a little cheaper would else
    take all the credit, and the other be forgotten where it is better); rejected: each legal action that is worth at
    least `margin` less, worst first. `q` (S, A): values under the sampling policy.
    """
    found: list[Pair] = []
    for tree, paths in zip(forest.trees, sampled, strict=True):
        visits = Counter(s for path in paths for s, _ in path.steps)
        mine: list[Pair] = []
        for s, _ in sorted(visits.items(), key=lambda item: (-item[1], item[0])):
            order = [a for a in np.argsort(-q[s], kind="stable") if forest.legal[s, a]]
            good = [a for a in order if q[s, order[0]] - q[s, a] < margin]
            path = _path_of(forest, s)
            for other in reversed(order):
                for one in good:
                    if q[s, one] - q[s, other] < margin:
                        continue
                    chosen, rejected = forest.actions[one], forest.actions[other]
                    mine.append(
                        Pair(tree.id, tree.source, path, chosen, rejected, float(q[s, one]), float(q[s, other]),
                             _reason(chosen, rejected), number, policy, s, tree.weight)
                    )  # fmt: skip
        found += mine[:limit]
    return found


def _path_of(forest: Forest, s: int) -> tuple[str, ...]:
    tree = int(forest.question[s])
    return forest.trees[tree].situations[s - int(forest.roots[tree])].path


_STOPS = ("answer", "memory")


def _reason(chosen: str, rejected: str) -> str:
    """What a person reads beside a pair.

    >>> _reason("deep", "answer")
    'stopped too early'
    """
    if rejected == "abstain":
        return "gave up although more was to be had"
    if chosen == "abstain":
        return "went on where nothing was to be had"
    if rejected in _STOPS and chosen not in _STOPS:
        return "stopped too early"
    if chosen in _STOPS and rejected not in _STOPS:
        return "searched although enough was known"
    return "searched at the wrong level"
