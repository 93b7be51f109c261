import json

import pytest
from scipy.stats import kendalltau

from agent.types import Completion
from training.rewards.contract import Episode
from training.rewards.principles import (
    FEATURES,
    compile_principle,
    judge_training_score,
    principle,
    principle_scores,
    principle_scores_with_model,
)

QUESTION = "Who designed the Teal Bridge?"
ANSWERS = [
    "Mira Vell [1].",
    "The Teal Bridge was designed by Mira Vell [1]. It opened in 1887.",
    "It may perhaps have been Mira Vell, who possibly designed the Teal Bridge, though other names might be thought of "
    "and nobody seems to know for certain what happened in those long years at the river.",
    "- Teal Bridge\n- Mira Vell\n- 1887",
    "I do not know.",
]


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("be concise and cite everything", {"brevity": 1.0, "citations": 1.0}),
        ("do not hedge", {"hedging": -1.0}),
        ("be detailed; use bullet points", {"brevity": -1.0, "structure": 1.0}),
        ("never refuse", {"abstention": -1.0}),
        ("Keep your reply as short as you can", {"brevity": 1.0}),
    ],
)
def test_compiled(text: str, weights: dict[str, float]) -> None:
    assert compile_principle(text).weights == weights


def test_what_cannot_be_measured_is_named() -> None:
    made = compile_principle("mention the moon of Jupiter; be concise")
    assert made.unsupported == ("mention the moon of Jupiter",)
    assert principle_scores("mention the moon of Jupiter", QUESTION, ANSWERS) == [None] * 5


def test_conflicts_are_named_and_cancel() -> None:
    made = compile_principle("be concise, be detailed")
    assert made.conflicting == ("brevity",)
    assert made.weights == {"brevity": 0.0}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("be concise", "be detailed"),
        ("show doubt", "be direct and confident"),
        ("cite sources", "do not cite sources"),
    ],
)
def test_the_opposite_reverses_the_ranking(one: str, other: str) -> None:
    a, b = principle_scores(one, QUESTION, ANSWERS), principle_scores(other, QUESTION, ANSWERS)
    assert kendalltau(a, b).statistic < -0.9


def test_another_wording_keeps_the_ranking() -> None:
    a = principle_scores("be concise and cite sources", QUESTION, ANSWERS)
    b = principle_scores("a short answer, give references", QUESTION, ANSWERS)
    assert kendalltau(a, b).statistic >= 0.8


def test_order_and_company_change_nothing() -> None:
    there = principle_scores("be concise", QUESTION, ANSWERS)
    assert principle_scores("be concise", QUESTION, ANSWERS[::-1]) == there[::-1]


def test_every_feature_stays_in_its_range() -> None:
    for feature in FEATURES:
        for answer in [*ANSWERS, "", "word " * 500]:
            assert 0.0 <= feature.measure(QUESTION, answer) <= 1.0


def test_episodes() -> None:
    made = [Episode(QUESTION, text=answer, principle="be concise") for answer in ANSWERS[:2]]
    assert principle(made) == pytest.approx([1 + 4 * (1 - 3 / 80), 1 + 4 * (1 - 13 / 80)])
    assert principle([Episode(QUESTION, text="x")]) == [None]
    assert principle([]) == []
    assert principle([Episode(QUESTION, principle="be concise", well_formed=False)]) == [1.0]


class Judge:
    """Answers by the length of each listed text, reading the prompt as a model would."""

    name = "judge"

    def complete(
        self, system: str, prompt: str, *, max_tokens: int = 512, deadline: float | None = None
    ) -> Completion:
        parts = prompt.split('<answer name="')[1:]
        scores = {
            part.split('"')[0]: 5 if "Mira Vell [1]." in part and len(part) < 60 else 9 for part in parts
        }
        return Completion(f"Here: {json.dumps(scores)}", 1, 1, "stop")


def test_a_model_scores_masked_and_shuffled_answers() -> None:
    first = principle_scores_with_model(Judge(), "anything at all", QUESTION, ANSWERS, seed=1)
    second = principle_scores_with_model(Judge(), "anything at all", QUESTION, ANSWERS, seed=2)
    assert first == second == [5.0] * 5  # clipped to the scale


def test_training_a_judge() -> None:
    assert judge_training_score([1, 3, 5], [1, 3, 5]) == 1.0
    assert judge_training_score([5, 3, 1], [1, 3, 5]) == pytest.approx(0.0)
    assert judge_training_score([3, 3, 3], [1, 3, 5]) < judge_training_score([2, 3, 4], [1, 3, 5])
    assert judge_training_score([1], [1]) == judge_training_score([1, 2], [1, 2], readable=False) == -0.5
