import math

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import RR, R

from training.metrics import (
    Interval,
    all_gold_at_k,
    bootstrap,
    exact_match,
    f1,
    mrr,
    normalize,
    paired_difference,
    recall_at_k,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  U.S. Navy!", "us navy"),
        ("An apple a day", "apple day"),
        ("Theodore's theatre", "theodores theatre"),  # articles only as whole words
        ("  \t ", ""),
        ("1,250 tons", "1250 tons"),
    ],
)
def test_normalize(text: str, expected: str) -> None:
    assert normalize(text) == expected


def test_exact_match_takes_any_gold_and_no_empty_answer() -> None:
    assert exact_match("eiffel Tower", ["Paris", "The Eiffel Tower."]) == 1.0
    assert exact_match("Eiffel", ["The Eiffel Tower"]) == 0.0
    assert exact_match("the", ["a"]) == 0.0  # both are nothing once normalised
    assert exact_match("Paris", []) == 0.0


def test_f1_by_hand() -> None:
    # Shared {mira, vell}: precision 2/4, recall 2/2.
    assert f1("Mira Vell of Oster", ["Mira Vell"]) == pytest.approx(2 / 3)
    # A repeated word counts as often as both have it: shared 1, precision 1/2, recall 1/1.
    assert f1("Paris Paris", ["Paris"]) == pytest.approx(2 / 3)
    # The best gold counts: 3/3 and 3/3.
    assert f1("river Moravica north", ["98 km", "North river Moravica"]) == 1.0
    assert f1("Paris", ["London"]) == 0.0
    assert f1("", ["London"]) == 0.0
    assert f1("Paris", []) == 0.0


def test_f1_of_yes_and_no_is_whole_or_nothing() -> None:
    assert f1("Yes", ["yes"]) == 1.0
    assert f1("no way", ["no"]) == 0.0
    assert f1("yes", ["yes he did"]) == 0.0
    assert f1("noanswer", ["no answer"]) == 0.0


RANKED = [{"x"}, {"a"}, {"y"}, {"b", "z"}]


def test_ranked_metrics_by_hand() -> None:
    gold = {"a", "b"}
    assert [recall_at_k(RANKED, gold, k) for k in (1, 2, 3, 4, 50)] == [0.0, 0.5, 0.5, 1.0, 1.0]
    assert [all_gold_at_k(RANKED, gold, k) for k in (3, 4)] == [0.0, 1.0]
    assert mrr(RANKED, gold) == 0.5
    assert mrr(RANKED, {"b"}) == 0.25
    assert mrr(RANKED, {"missing"}) == 0.0
    assert recall_at_k([], gold, 5) == 0.0


def test_recall_without_gold_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one gold"):
        recall_at_k(RANKED, set(), 5)


@settings(deadline=None)
@given(
    ranking=st.lists(st.sampled_from("abcdefgh"), unique=True),
    gold=st.sets(st.sampled_from("abcdefgh"), min_size=1),
)
def test_ranked_metrics_equal_ir_measures(ranking: list[str], gold: set[str]) -> None:
    relevant = {"q": dict.fromkeys(gold, 1)}
    run = {"q": {item: -float(rank) for rank, item in enumerate(ranking)}}
    oracle = ir_measures.calc_aggregate([R @ 2, R @ 5, RR], relevant, run)
    items = [{item} for item in ranking]
    assert recall_at_k(items, gold, 2) == pytest.approx(oracle[R @ 2])
    assert recall_at_k(items, gold, 5) == pytest.approx(oracle[R @ 5])
    assert mrr(items, gold) == pytest.approx(oracle[RR])


def test_bootstrap_of_four_values() -> None:
    # A resample of 0, 0, 1, 1 is all 0 with probability 1/16 = 6.25 % > 2.5 %.
    assert bootstrap([0, 0, 1, 1]) == Interval(0.5, 0.0, 1.0)


def test_bootstrap_agrees_with_the_normal_interval() -> None:
    values = [0.0, 1.0] * 200  # standard error .5 / sqrt(400) = .025
    found = bootstrap(values)
    assert found.mean == 0.5
    assert found.low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.005)
    assert found.high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.005)


def test_bootstrap_is_seeded_and_batches_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(3).random(50).tolist()
    whole = bootstrap(values, resamples=200)
    assert bootstrap(values, resamples=200) == whole
    assert bootstrap(values, resamples=200, seed=1) != whole
    monkeypatch.setattr("training.metrics._BATCH_CELLS", 7 * 50)  # 7 resamples at a time
    assert bootstrap(values, resamples=200) == whole


def test_bootstrap_of_nothing_and_of_equal_values() -> None:
    assert bootstrap([]).to_dict() == {"mean": None, "low": None, "high": None}
    assert bootstrap([0.25]) == Interval(0.25, 0.25, 0.25)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_interval_lies_inside_the_values(values: list[float]) -> None:
    found = bootstrap(values, resamples=50)
    assert found.low is not None
    assert found.high is not None
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9


def test_paired_difference_sees_what_unpaired_intervals_hide() -> None:
    theirs = [0.0, 1.0] * 50
    ours = [min(1.0, value + 0.1) for value in theirs]  # better on half of the questions by 0.1
    found = paired_difference(ours, theirs)
    assert found.mean == pytest.approx(0.05)
    assert found.low is not None
    assert found.low > 0
    low, high = bootstrap(ours).low, bootstrap(theirs).high
    assert low is not None
    assert high is not None
    assert low < high  # the two intervals alone overlap


def test_paired_difference_needs_the_same_questions() -> None:
    with pytest.raises(ValueError, match="3 against 2"):
        paired_difference([1, 1, 1], [0, 0])
    assert not math.isnan(paired_difference([1.0], [0.0]).mean or 0.0)
