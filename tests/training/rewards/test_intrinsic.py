import pytest

from training.rewards.contract import Episode, Evidence, Passage, Step
from training.rewards.intrinsic import (
    AnnotationQueue,
    ClassHead,
    HashHead,
    Head,
    Intrinsic,
    RankHead,
    count_factor,
    message,
    new_evidence,
)

GOOD = [
    "search mills of oster | 3 results",
    "search bridges of halden | 3 results",
    "read the mill record | 2 results",
]
BAD = ["search zzz | 0 results", "search qqq | 0 results", "wait and do nothing | 0 results"]


def test_count_vector() -> None:
    assert [count_factor(n) for n in (1, 2, 3, 4)] == pytest.approx([1, 0.125, 0.0370, 0.0156], abs=1e-4)


def test_a_loop_decays_with_the_cube() -> None:
    head, step = HashHead(), Step("search", query="mills")
    head.learn([message(step)], [True])
    assert Intrinsic(head).steps(Episode("q", steps=(step,) * 4)) == pytest.approx(
        [1, 0.125, 0.0370, 0.0156], abs=1e-4
    )
    assert Intrinsic(head)(Episode("q")) is None


def test_unseen_messages_are_zero_and_counted() -> None:
    head = HashHead()
    head.learn(["a"], [True])
    assert head.values(["a", "b"]) == [1.0, 0.0]
    assert head.coverage(["a", "b"]) == 0.5
    assert head.coverage([]) == 1.0


@pytest.mark.parametrize("head", [ClassHead(), RankHead()], ids=["classes", "ranks"])
def test_heads_generalise(head: Head) -> None:
    assert head.values(GOOD) == [0.0] * 3
    head.learn(GOOD + BAD, [True] * 3 + [False] * 3)
    good, bad = (
        head.values(["search towers of oster | 4 results"])[0],
        head.values(["search xyz | 0 results"])[0],
    )
    assert good > bad
    assert bad >= -0.5


def test_newest_first_and_each_once() -> None:
    head = HashHead()
    queue = AnnotationQueue(lambda text: text > "b", head)
    queue.add(["a", "b", "c", "a"])
    assert queue.annotate(2) == ["c", "b"]
    assert head.labels == {"c": True, "b": False}
    queue.add(["c", "d"])
    assert queue.annotate(5) == ["d", "a"]
    assert queue.annotate(5) == []


def test_rule_annotator() -> None:
    steps = (
        Step("search", query="one", results=(Passage("a"),)),
        Step("search", query="two", results=(Passage("a"),)),
        Step("search", query="three", results=(Passage("b"), Passage("c"))),
    )
    assert list(new_evidence(Episode("q", evidence=(Evidence("a"),), steps=steps)).values()) == [
        True,
        False,
        False,
    ]
    assert list(new_evidence(Episode("q", steps=steps)).values()) == [True, False, True]
