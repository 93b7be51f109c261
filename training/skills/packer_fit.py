"""Grows the packer's ensembles, each after out-of-fold scores of those before it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.sentence_features import Floats, second_look
from index.trees import Trees
from training.skills.packer_data import Page
from training.skills.ranker import FOLDS, grow

ROUNDS = 200
SETTINGS = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 16,
    "max_depth": 5,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "verbosity": -1,
    "num_threads": 2,
}


def fit(learned: Sequence[Page], seed: int) -> tuple[Trees, Trees]:
    """Both ensembles; the second's looks come after first ensembles of other folds."""
    rows = [one.first for one in learned]
    looks = second_looks(learned, out_of_fold(learned, rows, seed))
    labels = [label(one) for one in learned]
    return (
        grow_trees(list(zip(rows, labels, strict=True)), seed),
        grow_trees(list(zip(looks, labels, strict=True)), seed),
    )


def second_looks(learned: Sequence[Page], scores: Sequence[Floats]) -> list[Floats]:
    """Each question's second look. scores: log-odds of first ensembles that never saw it."""
    return [second_look(one.offered, one.first, own) for one, own in zip(learned, scores, strict=True)]


def out_of_fold(learned: Sequence[Page], looks: Sequence[Floats], seed: int) -> list[Floats]:
    """Log-odds of each question's sentences by an ensemble that never saw it."""
    scores: list[Floats] = [np.zeros(0, np.float32)] * len(learned)
    for fold in range(FOLDS):
        model = grow_trees(
            [(look, label(one)) for look, one in zip(looks, learned, strict=True) if one.fold != fold], seed
        )
        for at, one in enumerate(learned):
            if one.fold == fold:
                scores[at] = model.score(looks[at])
    return scores


def label(one: Page) -> Floats:
    """1 for what is needed or holds the answer, shape (sentences,)."""
    return np.maximum(one.needed, one.holds)


def grow_trees(rows: Sequence[tuple[Floats, Floats]], seed: int) -> Trees:
    """Trees from looks and labels of some questions."""
    return grow(rows, [np.ones(len(y)) for _, y in rows], {**SETTINGS, "seed": seed}, ROUNDS)
