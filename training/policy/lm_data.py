"""Explored decisions as text for a language model: prompts of situations, rows of imitation, rows of preferences.

What the environment says stands in the prompts; the completion is one action and the model's end token, so that no
loss ever falls on the environment's words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.policy_text import Levels, State, conversation, following
from training.policy.forest import Floats, Forest
from training.policy.pairs import Pair

EXPLORING = (
    0.2  # share of a uniform policy in the paths that imitation learns from: mistakes lead where it never is
)


@dataclass(frozen=True)
class Wording:
    """How a forest's situations become text: the forest's features, the levels of those told, the model's end token."""

    features: tuple[str, ...]  # of the forest
    levels: Levels
    end: str

    def states(self, forest: Forest) -> list[State]:
        """(S) what is told of each situation."""
        told = tuple(self.levels.bounds)
        return [dict(zip(told, row, strict=True)) for row in forest.features[:, self.columns].tolist()]

    @property
    def columns(self) -> list[int]:
        """Where the told features stand among the forest's."""
        return columns(self.features, tuple(self.levels.bounds))

    def prompts(self, forest: Forest) -> list[str]:
        """(S) the conversation up to each situation's cue."""
        states = self.states(forest)
        made, s = [], 0
        for tree in forest.trees:
            place = {situation.path: s + n for n, situation in enumerate(tree.situations)}
            for situation in tree.situations:
                path = situation.path
                turns = [(states[place[path[:n]]], action) for n, action in enumerate(path)]
                made.append(conversation(tree.question, turns, states[place[path]], self.levels, self.end))
            s += len(tree.situations)
        return made

    def following(self, before: State, after: State) -> str:
        """What the environment says between two decisions."""
        return following(before, after, self.levels)


def columns(features: Sequence[str], told: Sequence[str]) -> list[int]:
    """Places of the told ones."""
    return [features.index(name) for name in told]


def levels_of(forest: Forest, features: Sequence[str], told: Sequence[str]) -> Levels:
    """Bounds from a forest's situations. A value counts once a question, lest questions of many hops, whose trees are
    large, set the bounds of all."""
    values = {}
    for name, at in zip(told, columns(features, told), strict=True):
        pairs = np.stack([forest.question, forest.features[:, at]], axis=1)
        values[name] = np.unique(pairs.astype(np.float64), axis=0)[:, 1]
    return Levels.of(values)


def imitation_rows(
    forest: Forest, prompts: Sequence[str], targets: Floats, rollouts: int, seed: int
) -> list[dict[str, str]]:
    """Prompt and completion for every situation that sampled paths visit; the action is drawn from `targets` (S, A)."""
    rng = np.random.default_rng(seed)
    even = forest.legal / forest.legal.sum(axis=1, keepdims=True)
    walked = forest.sample((1 - EXPLORING) * targets + EXPLORING * even, rollouts, rng)
    rows = []
    for tree, paths in zip(forest.trees, walked, strict=True):
        for s in [s for path in paths for s, _ in path.steps]:
            if rng.random() < tree.weight:
                action = forest.actions[int(rng.choice(len(forest.actions), p=targets[s]))]
                rows.append({"prompt": prompts[s], "completion": f" {action}"})
    return rows


def preference_rows(
    pairs: Sequence[Pair], prompts: Sequence[str], count: int, seed: int
) -> list[dict[str, str]]:
    """`count` pairs as prompt, chosen and rejected, drawn by how much their values differ: TRL's loss has no
    weights, and saving a search must not push as hard as being right."""
    weights = np.array([pair.gap * pair.weight for pair in pairs])
    drawn = np.random.default_rng(seed).choice(len(pairs), count, p=weights / weights.sum())
    return [
        {
            "prompt": prompts[pairs[at].situation],
            "chosen": f" {pairs[at].chosen}",
            "rejected": f" {pairs[at].rejected}",
        }
        for at in drawn.tolist()
    ]
