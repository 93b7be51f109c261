from dataclasses import replace

import pytest

from agent.types import Completion
from index.errors import ModelError
from training.rewards.citation import (
    carr,
    carr_scores,
    citation_f1,
    connected,
    rubric,
    rubric_share,
    rubrics_met,
    supported_share,
)
from training.rewards.contract import Citation, Episode
from training.rewards.hack_scenes import SCENES, blundering, honest, refusing, with_text, wrong
from training.rewards.rubrics import (
    answer_score,
    build_nuggets,
    distinct,
    nuggets,
    verifier_score,
)
from training.rewards.verifying import verify, verify_with_model

FACT = "The Teal Bridge was designed by Mira Vell."


def test_carr_vector() -> None:
    both = [True, True, False]
    assert carr_scores(both, [3 / 5, 4 / 5, 4 / 5]) == pytest.approx([0.925, 1.0, 0.0])
    assert carr_scores(both, [3 / 5, 4 / 5, 1.0], normalised=False) == pytest.approx([0.88, 0.94, 0.0])
    assert carr_scores([True], [0.0]) == pytest.approx([0.7])


def test_a_rubric_without_a_path_to_the_answer_does_not_count() -> None:
    names = [["<E0>", "<E1>"], ["<E2>", "<E3>"], ["<E1>", "<E4>"]]
    assert connected(names, [True, True, True]) == [True, False, True]
    assert connected(names, [False, True, True]) == [False, False, False]  # the chain is broken at its start
    assert rubric_share(names, [True, True, True]) == pytest.approx(2 / 3)
    assert rubric_share([], []) == 0.0


def test_rubrics_of_episodes() -> None:
    good = honest(SCENES[0])
    assert rubrics_met(good) == [True, True]
    assert rubric(good) == 1.0
    assert rubric(replace(good, citations=good.citations[:1])) == 0.0  # the link to the answer is not cited
    assert rubric(replace(good, citations=good.citations[1:])) == 0.5
    assert rubric(wrong(SCENES[0])) == 0.0
    assert rubric(replace(good, rubrics=())) is None
    assert rubric(replace(good, abstained=True)) == 0.0


def test_carr_of_a_group() -> None:
    good = honest(SCENES[0])
    group = [good, replace(good, citations=good.citations[1:]), wrong(SCENES[0]), blundering(SCENES[0])]
    assert carr(group) == pytest.approx([1.0, 0.85, 0.0, 0.7])
    assert carr([good, replace(good, rubrics=())]) == [None, None]


def test_citations() -> None:
    good = honest(SCENES[0])
    assert citation_f1(good) == 1.0
    assert citation_f1(replace(good, citations=())) == 0.0
    assert citation_f1(replace(good, citations=(Citation("unseen"),))) == 0.0
    refused = tuple(replace(c, supported=False) for c in good.citations)
    assert citation_f1(replace(good, citations=refused)) == 0.0
    assert citation_f1(replace(good, abstained=True)) is None
    assert supported_share(good) == 1.0
    assert supported_share(
        replace(good, citations=(*good.citations, Citation("noise0", supported=False)))
    ) == (pytest.approx(2 / 3))
    assert supported_share(Episode("q")) is None


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [("ssn", "ssn", 1.0), ("ssn", "sss", 0.51), ("sss", "nnn", 0.4167), ("ssp", "spp", 0.5722)],
)
def test_verifier_vector_as_released(gold: str, predicted: str, expected: float) -> None:
    assert verifier_score(gold, predicted, absent_counts=True) == pytest.approx(expected, abs=1e-4)


def test_absent_labels_are_no_merit() -> None:
    assert verifier_score("sss", "nnn") == 0.0
    assert verifier_score("sss", "sss") == pytest.approx(1.0)
    assert verifier_score("ss", "sss") == 0.0
    assert verifier_score("ssn", "ssn", repeated=True) == pytest.approx(0.1)
    assert verifier_score("ssn", "ssn", reasoning=False, readable=False) == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Mira Vell was the one who designed the Teal Bridge.", "support"),
        ("The Teal Bridge may have been designed by Mira Vell.", "partial_support"),
        ("The Teal Bridge was not designed by Mira Vell.", "not_support"),
        ("The Teal Bridge was designed by Jon Aldin.", "partial_support"),  # one of two names
        ("Rye bread needs a very hot oven.", "not_support"),
        ("Teal Bridge, Mira Vell, designed, Aske, 1887", "not_support"),
        ("", "not_support"),
    ],
)
def test_embedded_verifier(text: str, label: str) -> None:
    assert verify(text, [FACT]) == [label]


def test_near_copies_count_once() -> None:
    copies = (FACT, "The Teal Bridge was designed by Mira Vell!", "The River Aske is 172 km long.")
    assert len(distinct(copies)) == 2
    made = Episode("q", text=FACT, nuggets=copies)
    assert nuggets(made) == 0.5
    assert nuggets(Episode("q", text=FACT)) is None
    assert nuggets(replace(made, abstained=True)) == 0.0


def test_numbers_keep_facts_apart() -> None:
    assert len(distinct(["It opened in 1887.", "It opened in 1878."])) == 2


def test_answer_score_needs_nuggets() -> None:
    with pytest.raises(ValueError, match="nugget"):
        answer_score([])


def test_builder() -> None:
    passages = [f"{FACT} It is green.", "Rye bread needs a very hot oven.", "The Teal Bridge opened in 1887."]
    made = build_nuggets("Who designed the Teal Bridge?", passages, ["Mira Vell"])
    assert made == [FACT, "The Teal Bridge opened in 1887."]
    assert build_nuggets("Who?", ["nothing here"], []) == []


class Model:
    name = "fixed"

    def __init__(self, reply: str | None) -> None:
        self.reply = reply

    def complete(
        self, system: str, prompt: str, *, max_tokens: int = 512, deadline: float | None = None
    ) -> Completion:
        if self.reply is None:
            raise ModelError("no answer")
        return Completion(self.reply, 1, 1, "stop")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('Labels: ["support"]', ["support"]),
        ('["support", "support"]', None),
        ('["maybe"]', None),
        ("no list", None),
        (None, None),
    ],
)
def test_a_model_as_verifier(reply: str | None, expected: list[str] | None) -> None:
    assert verify_with_model(Model(reply), "a text", [FACT]) == expected


def test_citing_all_and_shuffling_cost_something_beside_the_published_form() -> None:
    scene = SCENES[3]
    good = honest(scene)
    everything = replace(good, citations=tuple(Citation(p, supported=True) for p in good.retrieved))
    mixed = with_text(good, good.answer, "1901 the in was Mill built Oster [1].")
    for changed, ours in ((everything, 0.5), (mixed, 0.0)):
        assert rubric(changed, published=True) == rubric(good) == 1.0
        assert rubric(changed) == pytest.approx(ours)


def test_an_answer_without_a_citation_supports_nothing() -> None:
    good = honest(SCENES[0])
    assert supported_share(replace(good, citations=())) == 0.0
    assert supported_share(refusing(SCENES[0])) is None
    assert supported_share(replace(good, citations=(Citation("gold0"),))) is None  # nobody checked
