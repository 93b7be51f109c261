"""Fitting the judge to rows."""

import numpy as np
import pytest

from agent.judge import FEATURES
from index.errors import InputError
from training.judge_fit import calibration_error, fit
from training.judge_rows import Rows
from training.skills.ranker_data import DEV, TRAIN, spread


def made_rows(count: int, seed: int) -> list[Rows]:
    """Questions whose right chains are those with a high first feature."""
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        table = draw.random((6, len(FEATURES))).astype(np.float32)
        right = (table[:, 0] > 0.8).astype(np.float32)
        rows.append(Rows(f"set {number % 2}", f"question {number}", table, right, bool(right.any())))
    return rows


def test_it_learns_what_makes_an_answer_right() -> None:
    pytest.importorskip("lightgbm")
    weights, report = fit(made_rows(300, 1), seed=7)
    fresh = made_rows(100, 2)
    reachable = np.mean([row.right.any() for row in fresh])
    for choose in (weights.trees.score, weights.preferred):
        chosen = [row.right[int(choose(row.features).argmax())] for row in fresh]
        assert np.mean(chosen) > 0.85 * reachable
    assert report["all"]["auroc"] > 0.85
    assert set(report) >= {"all", "set 0", "set 1"}
    assert np.isfinite(weights.calibration).all()


def test_too_few_rows_are_told() -> None:
    with pytest.raises(InputError, match="at least 50"):
        fit(made_rows(10, 1))


def test_calibration_error_by_hand() -> None:
    said, right = np.array([0.95, 0.95, 0.15, 0.15]), np.array([1.0, 0.0, 0.0, 0.0])
    assert calibration_error(said, right) == pytest.approx(0.5 * 0.45 + 0.5 * 0.15)


def test_pools_to_learn_from_and_to_judge_by_share_no_world_and_no_split() -> None:
    assert not {pool.world for pool in TRAIN if pool.world} & {pool.world for pool in DEV if pool.world}
    assert all(pool.world != 7 for pool in (*TRAIN, *DEV))  # the bundled collection
    assert {pool.split for pool in TRAIN if pool.world is None} == {"train"}
    assert {pool.split for pool in DEV if pool.world is None} == {"dev"}


def test_spread_takes_evenly() -> None:
    assert spread(list(range(10)), 4) == [0, 3, 6, 9]
    assert spread([1, 2], 4) == [1, 2]
