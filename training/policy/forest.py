"""Many trees as arrays: values by backward induction, sampled paths, and the greedy path of a policy.

Arithmetic over all questions at once, so that a round of training takes seconds. Notation: S situations, A actions,
E endings, Q questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.policy.rewarding import Pricing, ending_values
from training.policy.trees import Tree
from training.rewards.compose import Preset

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
NOWHERE = -1  # child of an action that is not legal


@dataclass(frozen=True)
class Forest:
    """Trees with the value of every ending.

    `child[s, a]`: a situation (below S), an ending e as S + e, or NOWHERE.
    """

    trees: tuple[Tree, ...]
    actions: tuple[str, ...]
    features: npt.NDArray[np.float32]  # (S, f)
    vectors: npt.NDArray[np.float32]  # (Q, d); d may be 0
    child: Ints  # (S, A)
    question: Ints  # (S,) tree of a situation
    depth: Ints  # (S,)
    roots: Ints  # (Q,)
    endings: tuple[tuple[int, int], ...]  # (tree, place among its endings)
    values: Floats  # (E,)
    rewards: tuple[dict[str, float | None], ...]  # raw components of each ending
    right: npt.NDArray[np.bool_]  # (E,)

    @property
    def legal(self) -> npt.NDArray[np.bool_]:
        """(S, A)"""
        return np.asarray(self.child != NOWHERE)

    def q_values(self, policy: Floats | None, gamma: float = 1.0) -> tuple[Floats, Floats]:
        """Q (S, A) and V (S,) under action probabilities (S, A); under the best choice with None (the oracle).

        Q of an illegal action is -inf. Q(s, a) = value of the ending, or gamma * V(s').
        """
        n = len(self.child)
        q, v = np.full(self.child.shape, -np.inf), np.zeros(n)
        for depth in sorted(set(self.depth.tolist()), reverse=True):
            rows = np.flatnonzero(self.depth == depth)
            to, legal = self.child[rows], self.legal[rows]
            after = np.where(to >= n, self.values[np.clip(to - n, 0, None)], gamma * v[np.clip(to, 0, n - 1)])
            q[rows] = np.where(legal, after, -np.inf)
            v[rows] = (
                q[rows].max(axis=1)
                if policy is None
                else (policy[rows] * np.where(legal, after, 0.0)).sum(axis=1)
            )
        return q, v

    def sample(
        self, policy: Floats, rollouts: int, rng: np.random.Generator, roots: Ints | None = None
    ) -> list[list[Sampled]]:
        """`rollouts` paths from each root (default: of every question), one list a root."""
        found = []
        for root in self.roots if roots is None else roots:
            paths = []
            for _ in range(rollouts):
                at, steps = int(root), []
                while at < len(self.child):
                    chances = policy[at]
                    a = int(rng.choice(len(chances), p=chances / chances.sum()))
                    steps.append((at, a))
                    at = int(self.child[at, a])
                paths.append(Sampled(tuple(steps), at - len(self.child)))
            found.append(paths)
        return found

    def follow(self, choice: Ints) -> Ints:
        """The ending (Q,) that each question reaches when situation s chooses action choice[s] (S,)."""
        reached = []
        for root in self.roots:
            at = int(root)
            while at < len(self.child):
                at = int(self.child[at, choice[at]])
            reached.append(at - len(self.child))
        return np.array(reached, dtype=np.int64)

    def path_to(self, ending: int) -> tuple[str, ...]:
        """The actions that lead to an ending."""
        tree, place = self.endings[ending]
        return self.trees[tree].endings[place].path


@dataclass(frozen=True, slots=True)
class Sampled:
    """One sampled path: (situation, action) pairs and the ending reached."""

    steps: tuple[tuple[int, int], ...]
    ending: int


def plant(trees: Sequence[Tree], actions: Sequence[str], preset: Preset, pricing: Pricing) -> Forest:
    """Arrays of the trees. Raises ValueError for a tree in which a legal action leads nowhere."""
    index = {action: a for a, action in enumerate(actions)}
    rows: list[tuple[float, ...]] = []
    places: list[tuple[int, tuple[str, ...]]] = []
    endings: list[tuple[int, int]] = []
    for t, tree in enumerate(trees):
        for situation in tree.situations:
            places.append((t, situation.path))
            rows.append(situation.features)
        endings += [(t, e) for e in range(len(tree.endings))]
    at = {place: s for s, place in enumerate(places)}
    end_at = {(t, trees[t].endings[e].path): len(rows) + i for i, (t, e) in enumerate(endings)}
    child = np.full((len(rows), len(actions)), NOWHERE, dtype=np.int64)
    s = 0
    for t, tree in enumerate(trees):
        for situation in tree.situations:
            for action in situation.legal:
                to = (t, (*situation.path, action))
                if to not in at and to not in end_at:
                    raise ValueError(f"question {tree.id}: {'/'.join(to[1])} was not explored")
                child[s, index[action]] = at.get(to, end_at.get(to, NOWHERE))
            s += 1
    values, raw, right = [], [], []
    for tree in trees:
        scored = ending_values(tree, preset, pricing)
        values += [one.value for one in scored]
        raw += [one.raw for one in scored]
        right += [one.right for one in scored]
    width = len(trees[0].vector) if trees else 0
    return Forest(
        trees=tuple(trees),
        actions=tuple(actions),
        features=np.array(rows, dtype=np.float32).reshape(len(rows), -1),
        vectors=np.array([tree.vector for tree in trees], dtype=np.float32).reshape(len(trees), width),
        child=child,
        question=np.array([t for t, _ in places], dtype=np.int64),
        depth=np.array([len(path) for _, path in places], dtype=np.int64),
        roots=np.array([at[t, ()] for t in range(len(trees))], dtype=np.int64),
        endings=tuple(endings),
        values=np.array(values, dtype=np.float64),
        rewards=tuple(raw),
        right=np.array(right, dtype=bool),
    )


def greedy(probabilities: Floats) -> Ints:
    """The most probable action of each situation; ties go to the first in the order of actions."""
    return np.asarray(probabilities.argmax(axis=1), dtype=np.int64)


def softened(values: Floats, legal: npt.NDArray[np.bool_], temperature: float) -> Floats:
    """Softmax (S, A) of values over the legal actions."""
    top = np.where(legal, values, -np.inf).max(axis=1, keepdims=True)
    odds = np.where(legal, np.exp((np.where(legal, values, top) - top) / temperature), 0.0)
    made: Floats = odds / odds.sum(axis=1, keepdims=True)
    return made
