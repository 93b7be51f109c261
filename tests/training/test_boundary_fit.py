"""The gate's classifier: what it learns from, where its threshold lies, how both bodies are scored."""

from random import Random

import pytest

from agent.boundary import EXPECTED, RuleBoundary
from index.errors import InputError
from training.boundary_fit import MAX_LOST, Asked, fit, scores


def _asked(number: int, hopeless: bool, missing: float, absent: float = 0.0) -> Asked:
    signals = {
        "corpus_size": 0.5, "name_frequency": 0.2, "pair_frequency": 0.1, "rarest_word": 0.1, "absent_names": absent,
        "missing_words": missing, "connected": 1 - missing, "question_words": 0.5, "question_names": 0.33,
        **{f"wants_{kind}": float(kind == "thing") for kind in EXPECTED},
    }  # fmt: skip
    return Asked("here", "elsewhere" if hopeless else "here", str(number), signals, hopeless)


def _mixed(count: int = 200) -> list[Asked]:
    chance = Random(3)
    made = []
    for number in range(count):
        hopeless = number % 2 == 0
        missing = min(1.0, max(0.0, chance.gauss(0.6 if hopeless else 0.15, 0.15)))
        made.append(_asked(number, hopeless, missing))
    return made


def test_the_classifier_learns_and_gives_up_few_that_are_worth_a_search() -> None:
    asked = _mixed()
    learned, report = fit(asked)
    assert report["questions"] == 200 and report["hopeless"] == 100
    found = scores(learned, asked)
    assert found["answered"] <= 2 * MAX_LOST and found["foreign"] > 0.5
    assert found["f1_aware"] > scores(RuleBoundary(), asked)["f1_aware"] == 0.0, (
        "the rule sees no absent name"
    )


def test_f1_aware_counts_both_mistakes() -> None:
    asked = [
        _asked(0, True, 0.5, 1.0),
        _asked(1, True, 0.5),
        _asked(2, False, 0.5, 1.0),
        _asked(3, False, 0.5),
    ]
    found = scores(RuleBoundary(), asked)  # one hit, one false alarm, one miss
    assert found["f1_aware"] == 0.5 and found["answered"] == 0.5 and found["foreign"] == 0.5


def test_too_few_questions_are_refused() -> None:
    with pytest.raises(InputError, match="at least 50"):
        fit(_mixed(20))
    with pytest.raises(InputError, match="both kinds"):
        fit([_asked(number, True, 0.5) for number in range(60)])
