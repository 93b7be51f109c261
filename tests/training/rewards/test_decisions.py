import pytest

from agent.mixture import banded, mix
from training.rewards.contract import Episode, Evidence, Passage, Step
from training.rewards.decisions import calibrated, stop_choice

GOLD = (Evidence("a"), Evidence("b"))


def _search(found: str, stop: float | None = None, accepted: bool | None = None) -> Step:
    return Step("search", results=tuple(Passage(key) for key in found), stop=stop, accepted=accepted)


def test_vectors() -> None:
    sure = Episode("q", answer="Oster", golds=("Oster",), confidence=0.8)
    assert calibrated(sure) == pytest.approx(0.96)
    assert calibrated(Episode("q", abstained=True, answerable=False, confidence=1.0)) == 1.0
    path = (_search("a", 0.2), _search("b", 0.9))
    assert stop_choice(Episode("q", evidence=GOLD, steps=path)) == pytest.approx(0.85)


def test_stating_the_true_share_pays_best() -> None:
    def expected(stated: float, true: float) -> float:
        right = calibrated(Episode("q", answer="x", golds=("x",), confidence=stated)) or 0
        wrong = calibrated(Episode("q", answer="y", golds=("x",), confidence=stated)) or 0
        return true * right + (1 - true) * wrong

    for true in (0.2, 0.5, 0.9):
        assert max(range(11), key=lambda tenth: expected(tenth / 10, true)) == round(true * 10)


def test_searching_on_after_all_was_found_costs() -> None:
    once = (_search("ab", accepted=True),)
    assert stop_choice(Episode("q", evidence=GOLD, steps=once)) == 1.0
    assert stop_choice(Episode("q", evidence=GOLD, steps=once * 3)) == pytest.approx(1 / 3)
    assert stop_choice(Episode("q", evidence=GOLD, steps=(_search("a", accepted=True),))) == 0.0


def test_none() -> None:
    assert calibrated(Episode("q", answer="x", golds=("x",))) is None
    assert calibrated(Episode("q", answer="x", confidence=1.0)) is None
    assert stop_choice(Episode("q", evidence=GOLD, steps=(_search("a"),))) is None
    assert stop_choice(Episode("q", steps=(_search("a", 0.5),))) is None


def test_the_bands_never_overlap() -> None:
    assert banded(1.0, False) < banded(0.0, None) + 1e-9 and banded(1.0, None) <= banded(0.0, True)
    assert mix({"a": 1.0}, {"a": [None, 1.0]}, 1) == 0.5
    assert mix({"a": 1.0, "b": 1.0}, {"a": [0.5, 0.0], "b": [1.0, 0.0]}, 0) == 0.75
