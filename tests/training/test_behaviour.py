"""Abstention and conflicts as measured: the arithmetic, on hand-made replies."""

import pytest

from training.evaluate_abstention import Reply, auroc, grids, result
from training.evaluate_conflicts import Told, scored
from training.evaluate_conflicts import result as conflict_result


def reply(probability: float, unanswerable: bool, right: bool, abstained: bool = False) -> Reply:
    return Reply("set", "id", unanswerable, abstained, probability, right, float(right), 1)


def test_rates_and_the_risk_coverage_curve() -> None:
    found = [
        reply(0.9, False, True), reply(0.8, True, False), reply(0.6, False, True), reply(0.2, False, False, True),
        reply(0.1, True, False, True),
    ]  # fmt: skip
    made = result(found, {})
    assert made["recall"]["mean"] == 0.5 and made["false_abstention"]["mean"] == pytest.approx(1 / 3)
    assert made["auroc"] == pytest.approx(4 / 6)
    risks = {point["coverage"]: point["risk"] for point in made["risk_coverage"]}
    assert (
        risks[0.2] == 0.0 and risks[0.4] == 0.5 and risks[0.6] == pytest.approx(1 / 3) and risks[1.0] == 0.6
    )
    at = {row["answer_at"]: row for row in made["thresholds"]}
    assert at[0.7]["recall"] == 0.5 and at[0.7]["false_abstention"] == pytest.approx(2 / 3)
    assert len(grids(made, "set")) == 3
    assert auroc([], [0.1]) is None


def test_told_answers_against_supported_and_false_ones() -> None:
    gold, wrong = ("3 May 1850", "1861"), ("1900",)
    assert scored(["1861", "3 May 1850"], gold, wrong) == {"supported": 1, "misinformation": 0, "strict": 1}
    assert scored(["1861", "1900"], gold, wrong) == {"supported": 0.5, "misinformation": 1, "strict": 0}
    assert scored([], gold, wrong) == {"supported": 0, "misinformation": 0, "strict": 0}
    said = {"agent": ("1861",), "majority": ("1900",), "any vote": ()}
    one = Told("q", said, {side: scored(told, gold, wrong) for side, told in said.items()}, gold, wrong)
    assert conflict_result([one], {})["agent_minus_majority"]["misinformation"]["mean"] == -1
