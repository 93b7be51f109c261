import numpy as np
import pytest

from index.trees import Trees, from_dump


def test_scores_like_the_library_that_grew_them() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    draw = np.random.default_rng(0)
    features = draw.normal(size=(800, 6)).astype(np.float32)
    gold = (features[:, 0] * features[:, 1] + 0.3 * features[:, 2] > 0).astype(np.float32)
    booster = lightgbm.train(
        {"objective": "binary", "verbosity": -1, "num_leaves": 15, "num_threads": 1},
        lightgbm.Dataset(features, gold),
        40,
    )
    ours = from_dump(booster.dump_model()["tree_info"])
    fresh = draw.normal(size=(500, 6)).astype(np.float32)
    assert ours.score(fresh) == pytest.approx(booster.predict(fresh, raw_score=True), abs=1e-4)
    again = Trees.from_arrays(ours.arrays("first"), "first")
    assert np.array_equal(again.score(fresh), ours.score(fresh))


def test_a_value_on_the_threshold_goes_left() -> None:
    tree = {
        "tree_structure": {
            "split_feature": 0,
            "threshold": 0.5,
            "left_child": {"leaf_value": -1.0},
            "right_child": {"leaf_value": 2.0},
        }
    }
    scores = from_dump([tree]).score(np.array([[0.5], [0.6]], dtype=np.float32))
    assert scores.tolist() == [-1.0, 2.0]


def test_no_rows_have_no_scores() -> None:
    tree = {"tree_structure": {"leaf_value": 1.0}}
    assert from_dump([tree]).score(np.zeros((0, 3), np.float32)).shape == (0,)


def test_two_ensembles_score_as_their_sum() -> None:
    split = {
        "split_feature": 1,
        "threshold": 0.5,
        "left_child": {"leaf_value": -1.0},
        "right_child": {"leaf_value": 2.0},
    }
    one, other = from_dump([{"tree_structure": split}]), from_dump([{"tree_structure": {"leaf_value": 0.25}}])
    rows = np.array([[0.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    assert one.with_more(other).score(rows).tolist() == [-0.75, 2.25]
    assert other.with_more(one).score(rows).tolist() == [-0.75, 2.25]
