import random

import pytest

from training.rewards.actions import (
    RetrievalAction,
    expected_exploration,
    exploration,
    exploration_accuracy,
    exploration_score,
    partial_action_score,
    tool_call_score,
    tool_calls,
)
from training.rewards.contract import Call, Episode, Evidence, Passage, Step

GOLD = [Call("search", (("q", "x"), ("k", 5)))]


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        (GOLD, 3.0),
        ([Call("search", (("q", "x"), ("k", 7)))], 1.5),
        ([Call("search", (("q", "x"),))], 0.75),
        ([Call("find", (("q", "x"), ("k", 5)))], -3.0),
        ([*GOLD, Call("sum")], 2.25),
        (None, -3.0),
        ([], -3.0),
    ],
)
def test_toolrl_vector(predicted: list[Call] | None, expected: float) -> None:
    assert tool_call_score(predicted, GOLD) == pytest.approx(expected)


def test_calls_that_nobody_asked_for() -> None:
    assert tool_call_score([], []) == 0.0
    assert tool_call_score(GOLD, []) == -1.0
    assert tool_call_score(GOLD * 9, []) == -3.0
    assert tool_call_score(GOLD, [], released=True) == 0.0


def test_order_and_spelling_of_values_do_not_matter() -> None:
    gold = [Call("search", (("q", "a"),)), Call("search", (("q", "b"), ("k", 5)))]
    said = [Call("search", (("q", "b"), ("k", "5"))), Call("search", (("q", "a"),))]
    assert tool_call_score(said, gold) == tool_call_score(said[::-1], gold) == 3.0


def test_calls_of_episodes() -> None:
    assert tool_calls(Episode("q")) is None
    assert tool_calls(Episode("q", calls=tuple(GOLD), gold_calls=tuple(GOLD))) == 3.0
    assert tool_calls(Episode("q", calls=tuple(GOLD), gold_calls=tuple(GOLD), well_formed=False)) == -3.0


def test_every_success_beats_every_failure() -> None:
    gold = RetrievalAction("builder of the Oster Mill", frozenset({"Oster Mill"}))
    failures = [partial_action_score(gold, gold, False, judged=1.0), partial_action_score(gold, gold, False)]
    odd = RetrievalAction("zzz", frozenset({"other"}))
    assert max(failures) == 0.5 < partial_action_score(odd, gold, True) == 1.0
    assert partial_action_score(RetrievalAction("x", valid=False), gold, True) == 0.0


def test_equivalent_queries_earn_nearly_the_same() -> None:
    gold = RetrievalAction("who built the Oster Mill", frozenset({"Oster Mill"}))
    a = RetrievalAction("Oster Mill who built", frozenset({"Oster Mill"}))
    b = RetrievalAction("builder of Oster Mill", frozenset({"Oster Mill"}))
    assert abs(partial_action_score(a, gold, False) - partial_action_score(b, gold, False)) <= 0.1


@pytest.mark.parametrize(
    ("width", "rank", "expected"),
    [(1, 1, 1.0), (2, 1, 0.7071), (2, 2, 0.5), (4, 1, 0.5), (4, 4, 0.25),
     (1, None, -1.0), (2, None, -0.5), (4, None, -0.25), (8, None, -0.125)],
)  # fmt: skip
def test_aepo_vector(width: int, rank: int | None, expected: float) -> None:
    assert exploration_accuracy(width, rank) == pytest.approx(expected, abs=1e-4)


def test_expected_reward_at_the_best_width() -> None:
    assert expected_exploration(0.1, 16) == pytest.approx(0.0907, abs=1e-4)
    assert expected_exploration(0.1, 1) == pytest.approx(-0.8)
    assert expected_exploration(0.5, 3) == pytest.approx(0.3907, abs=1e-4)
    best = [
        max(range(1, 65), key=lambda n: expected_exploration(p, n)) for p in (0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
    ]  # noqa: B023
    assert best == [31, 16, 8, 5, 3, 2]


def test_width_copies_and_order() -> None:
    texts = [f"query about {name}" for name in ("mills", "bridges", "choirs", "lakes")]
    early, late = ([True, False, False, False], [False, False, False, True])
    assert exploration_score(texts, early) > exploration_score(texts, late)
    assert exploration_score(["a mill", "a mill"], [True, True]) == -1.0
    assert exploration_score([], []) == -1.0
    many = [f"{random.Random(n).random()}" for n in range(9)]
    assert exploration_score(many, [True] * 9) == -1.0
    assert exploration_score(texts, early, readable=False) == -1.0
    with pytest.raises(ValueError, match="rank"):
        exploration_accuracy(2, 3)


def test_exploration_of_episodes() -> None:
    steps = (
        Step("search", query="mills", results=(Passage("x"),)),
        Step("refine", query="Oster", results=(Passage("a"),)),
    )
    assert exploration(Episode("q", evidence=(Evidence("a"),), steps=steps)) == pytest.approx(1.5)
    assert exploration(Episode("q", evidence=(Evidence("z"),), steps=steps)) == pytest.approx(0.5)
    assert exploration(Episode("q", evidence=(Evidence("z"),))) is None
