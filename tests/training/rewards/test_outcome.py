import numpy as np
import pytest

from training.rewards.contract import Episode
from training.rewards.guards import entity_guard, guard, names, negation_guard, quantities
from training.rewards.outcome import correct, exact, right, typed, word_f1
from training.rewards.sentences import is_claim, sentences
from training.rewards.typed import (
    bmas,
    date_match,
    interval_iou,
    number_match,
    similarity_parts,
    static_bmas,
    typed_answer,
)


def test_no_gold_is_none_not_zero() -> None:
    episode = Episode("q", answer="x")
    assert [f(episode) for f in (exact, word_f1, typed, correct)] == [None] * 4


def test_abstaining_or_unreadable_is_zero() -> None:
    for episode in (
        Episode("q", answer="x", golds=("x",), abstained=True),
        Episode("q", answer="x", golds=("x",), well_formed=False),
    ):
        assert [f(episode) for f in (exact, word_f1, typed, correct)] == [0.0] * 4


@pytest.mark.parametrize(
    ("answer", "gold", "expected"),
    [
        ("Mira Vell", "Mira Vell", True),
        ("not Mira Vell", "Mira Vell", False),  # F1 0.8, but negated
        ("Oster mill on 13 May 1850", "Oster mill on 12 May 1850", False),  # F1 0.83, another day
        ("Mira Vell of Oster", "Mira Vell", False),  # F1 2/3
        ("", "Mira Vell", False),
    ],
)
def test_right_needs_words_numbers_and_sense(answer: str, gold: str, expected: bool) -> None:
    assert right(Episode("q", answer=answer, golds=(gold,))) is expected


def test_a_due_abstention_is_right() -> None:
    assert right(Episode("q", abstained=True, answerable=False)) is True
    assert right(Episode("q", answer="x", answerable=False)) is False


@pytest.mark.parametrize(
    ("answer", "gold", "kind", "expected"),
    [
        ("Yes", "yes", "", 1.0),
        ("no", "yes", "", 0.0),
        ("B", "b", "choice", 1.0),
        ("172000 metres", "172 km", "", 1.0),
        ("172", "172 km", "", 0.0),  # without a unit it is another number
        ("not 172 km", "172 km", "", 0.5),
        ("104", "100", "chart", 1.0),
        ("106", "100", "chart", 0.0),
        ("1850-05-03", "3 May 1850", "", 1.0),
        ("May 1850", "3 May 1850", "", 2 / 3),
        ("1851", "3 May 1850", "", 0.0),
        ("10-20", "10-20", "interval", 1.0),
        ("no span", "10-20", "interval", 0.0),
        ("   ", "x", "", 0.0),
    ],
)
def test_typed(answer: str, gold: str, kind: str, expected: float) -> None:
    assert typed_answer(answer, gold, kind) == pytest.approx(expected)


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        typed_answer("x", "x", "colour")


def test_iou_by_hand() -> None:
    assert interval_iou((0, 10), (0, 10)) == 1.0
    assert interval_iou((0, 10), (10, 20)) == 0.0
    assert interval_iou((2, 4), (0, 8)) == 0.25
    assert interval_iou((4, 4), (0, 8)) == 0.0


def test_listing_numbers_does_not_help() -> None:
    assert number_match("1, 2, 3 and 4", "3") == 0.25
    assert date_match("sometime", "1850") == 0.0


def test_bmas_vector() -> None:
    matrix = np.array([[1, 0.2], [0.1, 0.6], [0.3, 0.4]])
    assert similarity_parts(matrix) == pytest.approx((0.6667, 0.8), abs=1e-4)
    assert bmas(matrix) == pytest.approx(0.7333, abs=1e-4)
    assert bmas(matrix, harmonic=True) == pytest.approx(0.7273, abs=1e-4)


def test_static_bmas() -> None:
    gold = "The Teal Bridge opened in 1887 over the Aske."
    assert static_bmas(gold, gold) == pytest.approx(1.0, abs=1e-5)
    assert static_bmas("The Teal Bridge opened in 1878 over the Aske.", gold) == 0.0
    assert static_bmas("Rye bread needs a hot oven.", gold) < 0.4
    assert static_bmas("", gold) == 0.0
    weighed = static_bmas("The bridge opened over the river.", gold, {"bridge": 5.0})
    assert weighed != static_bmas("The bridge opened over the river.", gold)


def test_guards() -> None:
    assert quantities("no numbers") == []
    assert names("It is in Tarsholm.") == ["tarsholm"]
    assert entity_guard("by Mira Vell in Oster", "Oster had Mira Vell.") == 1.0
    assert negation_guard("It isn't open.", "It is not open.") == 1.0
    assert guard("Vell Mira built it.", "Mira Vell built it.") == 0.0
    assert sentences("  ") == []
    assert is_claim("Mira Vell built it.")
