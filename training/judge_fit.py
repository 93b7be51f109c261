"""Fits the judge to its rows, and says how well it chooses, how calibrated it is, and what abstaining costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from agent.judge import FEATURES
from agent.judge_weights import JudgeWeights
from index.errors import InputError
from index.trees import Trees, from_dump
from training.judge_rows import Rows

FOLDS = 5
ROUNDS, MORE = 250, 150  # trees from nothing; trees added to a given ensemble
SETTINGS = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 16,
    "max_depth": 5,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "verbosity": -1,
    "num_threads": 2,
}
SMALL = {"num_leaves": 6, "max_depth": 3, "min_data_in_leaf": 40}  # of trees that mend: the rows are few
# Ensembles that prefer, summed: LightGBM's LambdaRank looking at so many of the first places. One alone depends much
# on its draw; three chose better together than any (docs/LOG.md).
CHOICES: tuple[dict[str, Any], ...] = (
    {"lambdarank_truncation_level": 5},
    {"lambdarank_truncation_level": 3, "learning_rate": 0.03, "num_leaves": 10, "num_iterations": 400},
    {"lambdarank_truncation_level": 1},
)


def fit(
    rows: Sequence[Rows], seed: int = 7, start: JudgeWeights | None = None, mend: bool = False
) -> tuple[JudgeWeights, dict[str, Any]]:
    """The judge, calibrated on its 5-fold choices, and a report on them. InputError with too few rows.

    start: a judge that learned from other rows (its trees may know fewer features). The new trees are grown from
    nothing and both are summed, which judges better than either; with `mend`, for few rows, MORE small trees mend the
    start's errors instead and its preference stays.
    """
    kept = [row for row in rows if len(row.right)]
    if len(kept) < 50 or len({bool(row.right.any()) for row in kept}) < 2:
        raise InputError(
            f"{len(kept)} looks at questions were taken; at least 50 are needed, some with a right answer and "
            "some without. Give more --minutes or more data."
        )
    asked = {question: at for at, question in enumerate(dict.fromkeys(row.question for row in kept))}
    place = np.random.default_rng(seed).permutation(len(asked)) % FOLDS  # all looks at a question in one fold
    folds = np.array([place[asked[row.question]] for row in kept])
    best, right = np.zeros(len(kept)), np.zeros(len(kept))
    for fold in range(FOLDS):
        learn = [row for row, at in zip(kept, folds, strict=True) if at != fold]
        grown = _grown(learn, seed, start, mend)
        for at in np.flatnonzero(folds == fold):
            best[at] = grown.trees.score(kept[at].features).max()
            right[at] = kept[at].right[int(grown.preferred(kept[at].features).argmax())]
    scale = LogisticRegression(C=1e6).fit(best[:, None], right)
    calibration = (float(scale.coef_[0, 0]), float(scale.intercept_[0]))
    stated = 1.0 / (1.0 + np.exp(-(calibration[0] * best + calibration[1])))
    report: dict[str, Any] = {
        "questions": len(asked),
        "looks": len(kept),
        "all": quality(stated, right, kept),
    }
    for name in dict.fromkeys(row.source for row in kept):
        own = np.array([row.source == name for row in kept])
        report[name] = quality(stated[own], right[own], [row for row in kept if row.source == name])
    return replace(_grown(kept, seed, start, mend), calibration=calibration), report


def quality(stated: np.ndarray, right: np.ndarray, rows: Sequence[Rows]) -> dict[str, Any]:
    """Share right, how many could be, AUROC, calibration error, and abstention at three thresholds."""
    answerable = np.array([row.answerable for row in rows])
    found: dict[str, Any] = {
        "n": len(right),
        "right": round(float(right.mean()), 3),
        "within_reach": round(float(np.mean([row.right.any() for row in rows])), 3),
        "auroc": round(float(roc_auc_score(right, stated)), 3) if 0 < right.sum() < len(right) else None,
        "ece": round(calibration_error(stated, right), 3),
    }
    for at in (0.2, 0.3, 0.4, 0.5):
        silent = stated < at
        found[f"below {at}"] = {
            "abstains_unanswerable": round(float(silent[~answerable].mean()), 3)
            if (~answerable).any()
            else None,
            "abstains_right": round(float(silent[right > 0].mean()), 3) if right.any() else None,
            "right_of_answered": round(float(right[~silent].mean()), 3) if (~silent).any() else None,
        }
    return found


def calibration_error(said: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: mean gap of stated and true share, weighted by the bins' sizes.

    >>> round(calibration_error(np.array([0.75, 0.75, 0.75, 0.75]), np.array([1, 1, 1, 0])), 3)
    0.0
    """
    at = np.minimum((said * bins).astype(int), bins - 1)
    gaps = [
        abs(said[at == b].mean() - right[at == b].mean()) * (at == b).mean()
        for b in range(bins)
        if (at == b).any()
    ]
    return float(sum(gaps))


def importance(trees: Trees) -> dict[str, int]:
    """How many splits use each feature."""
    inner = trees.left != np.arange(len(trees.left))
    counts = np.bincount(trees.feature[inner], minlength=len(FEATURES))
    return dict(sorted(zip(FEATURES, counts.tolist(), strict=True), key=lambda item: -item[1]))


def _grown(rows: Sequence[Rows], seed: int, start: JudgeWeights | None, mend: bool) -> JudgeWeights:
    if start is not None and mend:
        return JudgeWeights(_grow(rows, seed, start.trees), choice=start.choice)
    trees = _grow(rows, seed, None)
    return JudgeWeights(trees if start is None else start.trees.with_more(trees), choice=_prefer(rows, seed))


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise InputError(
            "Training the judge needs the package lightgbm. Run: pip install 'forage[train]'"
        ) from error
    return lightgbm


def _grow(rows: Sequence[Rows], seed: int, start: Trees | None) -> Trees:
    lightgbm = _lightgbm()
    features = np.concatenate([row.features for row in rows])
    right = np.concatenate([row.right for row in rows])
    weights = np.concatenate([np.full(len(row.right), 1.0 / len(row.right)) for row in rows])
    known = None if start is None else start.score(features)
    data = lightgbm.Dataset(features, right, weight=weights * len(weights) / weights.sum(), init_score=known)
    settings = {
        **SETTINGS,
        "seed": seed,
        "boost_from_average": start is None,
        **({} if start is None else SMALL),
    }
    booster = lightgbm.train(settings, data, ROUNDS if start is None else MORE)
    grown = from_dump(booster.dump_model()["tree_info"])
    return grown if start is None else start.with_more(grown)


def _prefer(rows: Sequence[Rows], seed: int) -> Trees | None:
    """Trees that rank the right chains of a look first; None where no look holds both kinds."""
    lightgbm = _lightgbm()
    mixed = [row for row in rows if row.right.any() and not row.right.all()]
    if not mixed:
        return None
    features = np.concatenate([row.features for row in mixed])
    right = np.concatenate([row.right for row in mixed]).astype(np.int32)
    sizes = [len(row.right) for row in mixed]
    found: Trees | None = None
    for at, own in enumerate(CHOICES):
        settings = {
            **SETTINGS,
            "objective": "lambdarank",
            "label_gain": [0, 1],
            "num_iterations": ROUNDS,
            "seed": seed + at,
            **own,
        }
        booster = lightgbm.train(settings, lightgbm.Dataset(features, right, group=sizes))
        grown = from_dump(booster.dump_model()["tree_info"])
        found = grown if found is None else found.with_more(grown)
    return found
