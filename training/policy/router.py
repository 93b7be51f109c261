"""The classifier router as a baseline (Adaptive-RAG style): one look at the question picks a fixed strategy.

Trained on the same explored questions as the policy, by the same features, but it decides only once, before any search.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from agent.policy import Policy
from training.policy.forest import Forest, Ints


@dataclass(frozen=True)
class Router:
    """Strategies by name, and the classifier of root features that picks one. Without one, the first always."""

    strategies: tuple[str, ...]
    model: Pipeline | None

    def endings(self, forest: Forest, reached: Mapping[str, Ints]) -> Ints:
        """The ending (Q,) of each question; `reached[strategy]` is where each strategy ends."""
        picked = np.zeros(len(forest.trees), dtype=np.int64)
        if self.model is not None:
            picked = np.asarray(self.model.predict(forest.features[forest.roots]), dtype=np.int64)
        table = np.stack([reached[name] for name in self.strategies])
        return np.asarray(table[picked, np.arange(len(picked))], dtype=np.int64)


def fit_router(forest: Forest, reached: Mapping[str, Ints]) -> Router:
    """A logistic regression of which strategy is worth most, weighed by how much that matters."""
    names = tuple(reached)
    worth = np.stack([forest.values[reached[name]] for name in names], axis=1)
    best, stake = worth.argmax(axis=1), np.ptp(worth, axis=1) + 1e-3
    if len(set(best.tolist())) < 2:
        return Router((names[int(best[0])],), None)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    model.fit(forest.features[forest.roots], best, logisticregression__sample_weight=stake)
    return Router(names, model)


def strategies(policies: Mapping[str, Policy], forest: Forest) -> dict[str, Ints]:
    """Where each fixed policy ends (Q,)."""
    from training.policy.contest import choices

    return {name: forest.follow(choices(policy, forest)) for name, policy in policies.items()}
