"""What actions are worth as far as a policy can see: values of explored questions without their hindsight.

An explored question tells exactly what each action brings there, also what nothing visible foretells: that just this
question's second search finds. Preferences made of such values contradict each other from question to question, and a
model that can tell the questions apart learns them by heart instead of the rule (docs/LOG.md). So each question's
values are predicted from the features by trees that never saw the question (cross-fitting).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.model_selection import GroupKFold

from training.policy.forest import Floats, Forest, softened

FOLDS = 5
TREES, LEAF = 60, 8  # situations of a leaf at least
SHARE = 20  # but no more than one for each so many questions: of few, large leaves see no boundary
TURNS = 3


def foreseen(forest: Forest, q: Floats, told: Sequence[int], seed: int) -> Floats:
    """`q` (S, A) with each legal action's value predicted from the features `told` (columns); -inf where illegal.

    An action that fewer than FOLDS questions allow keeps its own values.
    """
    made: Floats = np.full(q.shape, -np.inf)
    seen_features = forest.features[:, list(told)]
    # Large trees (many hops) must not outweigh the questions of few situations.
    weight = 1 / np.sqrt(np.bincount(forest.question, minlength=len(forest.trees)))[forest.question]
    leaf = max(2, min(LEAF, len(forest.trees) // SHARE))
    for action in range(q.shape[1]):
        rows = np.flatnonzero(forest.legal[:, action])
        groups = forest.question[rows]
        if len(np.unique(groups)) < FOLDS:
            made[rows, action] = q[rows, action]
            continue
        for seen, asked in GroupKFold(FOLDS).split(rows, groups=groups):
            model = ExtraTreesRegressor(TREES, min_samples_leaf=leaf, max_features=0.5, random_state=seed)
            model.fit(seen_features[rows[seen]], q[rows[seen], action], sample_weight=weight[rows[seen]])
            made[rows[asked], action] = model.predict(seen_features[rows[asked]])
    return made


def foreseen_choice(forest: Forest, told: Sequence[int], soften: float, seed: int) -> Floats:
    """The best choice (S, A) as far as it can be foreseen, softened: what imitation aims at without hindsight.

    Policy iteration: values of the choice so far, predicted from the features, give the next one. The first values are
    the oracle's, which count on finding what only it knows to be there.
    """
    choice = None
    for turn in range(TURNS):
        q, _ = forest.q_values(choice)
        choice = softened(foreseen(forest, q, told, (seed + turn) % 2**32), forest.legal, soften)
    assert choice is not None
    return choice
