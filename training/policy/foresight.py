"""What actions are worth as far as a policy can see: values of explored questions without their hindsight.

An explored question tells exactly what each action brings there, also what nothing visible foretells: that just this
question's second search finds. Preferences made of such values contradict each other from question to question, and a
model that can tell the questions apart learns them by heart instead of the rule (docs/LOG.md). So each question's
values are predicted from the features by trees that never saw the question (cross-fitting).
"""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.model_selection import GroupKFold

from training.policy.forest import Floats, Forest

FOLDS = 5
TREES, LEAF = 60, 8  # situations of a leaf at least


def foreseen(forest: Forest, q: Floats, seed: int) -> Floats:
    """`q` (S, A) with each legal action's value predicted from the situation's features; -inf stays where illegal.

    An action that fewer than FOLDS questions allow keeps its own values.
    """
    made: Floats = np.full(q.shape, -np.inf)
    # Large trees (many hops) must not outweigh the questions of few situations.
    weight = 1 / np.sqrt(np.bincount(forest.question, minlength=len(forest.trees)))[forest.question]
    for action in range(q.shape[1]):
        rows = np.flatnonzero(forest.legal[:, action])
        groups = forest.question[rows]
        if len(np.unique(groups)) < FOLDS:
            made[rows, action] = q[rows, action]
            continue
        for seen, asked in GroupKFold(FOLDS).split(rows, groups=groups):
            model = ExtraTreesRegressor(TREES, min_samples_leaf=LEAF, max_features=0.5, random_state=seed)
            model.fit(forest.features[rows[seen]], q[rows[seen], action], sample_weight=weight[rows[seen]])
            made[rows[asked], action] = model.predict(forest.features[rows[asked]])
    return made
