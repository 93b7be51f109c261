"""Gold is exact: answers follow from the quotes, hops need their documents, what is unsaid is nowhere."""

import re
from collections import Counter

import pytest

from training.world import Question, World


@pytest.fixture(scope="module")
def world() -> World:
    return World.generate(19, 120)


@pytest.fixture(scope="module")
def questions(world: World) -> tuple[Question, ...]:
    return world.questions(60)


@pytest.fixture(scope="module")
def texts(world: World) -> dict[str, str]:
    return {
        document.id: document.text + " " + " ".join(document.meta.values()) for document in world.documents()
    }


def of(questions: tuple[Question, ...], *kinds: str) -> list[Question]:
    return [question for question in questions if question.type in kinds]


def names(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def test_every_type_is_served(questions: tuple[Question, ...]) -> None:
    counts = Counter(question.type for question in questions)
    assert counts == dict.fromkeys(("single", "two_hop", "three_hop", "comparison", "unanswerable"), 60)
    assert len({question.id for question in questions}) == len(questions)
    assert len({question.text for question in questions}) == len(questions)


def test_relations_are_spread(questions: tuple[Question, ...]) -> None:
    for kind, least in (("single", 35), ("two_hop", 40), ("three_hop", 40), ("unanswerable", 30)):
        assert len({question.relations for question in of(questions, kind)}) >= least, kind


def test_hops_and_facts_agree(world: World, questions: tuple[Question, ...]) -> None:
    for question in of(questions, "single", "two_hop", "three_hop"):
        assert question.hops == len(question.facts) == len(question.evidence)
        facts = [world.facts[fact] for fact in question.facts]
        assert all(left.object == right.subject for left, right in zip(facts, facts[1:], strict=False))
        assert tuple(fact.relation for fact in facts) == question.relations


def test_quotes_stand_in_their_documents(texts: dict[str, str], questions: tuple[Question, ...]) -> None:
    for question in questions:
        for place in question.evidence:
            cells = [cell.split(": ", 1)[-1] for cell in place.quote.split("; ")]
            assert place.quote in texts[place.document] or all(c in texts[place.document] for c in cells)


def test_the_answer_stands_in_the_last_quote(questions: tuple[Question, ...]) -> None:
    for question in of(questions, "single", "two_hop", "three_hop"):
        assert any(answer in question.evidence[-1].quote for answer in question.answers), question


def test_no_single_document_joins_question_and_answer(
    world: World, texts: dict[str, str], questions: tuple[Question, ...]
) -> None:
    """Checked on the plain texts, not on the generator's own bookkeeping."""
    for question in of(questions, "two_hop", "three_hop"):
        start = world.entities[world.facts[question.facts[0]].subject]
        last = world.facts[question.facts[-1]]
        answers = (
            [world.entities[last.object].name] if last.object else [last.value.text] if last.value else []
        )
        assert answers and start.name in question.text
        for text in texts.values():
            assert not (names(text, start.name) and any(names(text, answer) for answer in answers)), question
        assert len({place.document for place in question.evidence}) == question.hops


def test_inner_entities_are_not_given_away(world: World, questions: tuple[Question, ...]) -> None:
    for question in of(questions, "two_hop", "three_hop"):
        for fact in question.facts[:-1]:
            assert world.entities[world.facts[fact].object].name not in question.text


def test_comparisons_are_decided_by_their_facts(world: World, questions: tuple[Question, ...]) -> None:
    kinds = set()
    for question in of(questions, "comparison"):
        left, right = (world.facts[fact] for fact in question.facts)
        pair = [world.entities[fact.subject] for fact in (left, right)]
        assert all(entity.text in question.text for entity in pair)
        assert question.evidence[0].document != question.evidence[1].document
        if question.answers in (("yes",), ("no",)):
            assert question.answers == ("yes" if left.object == right.object else "no",)
        else:
            assert left.value and right.value and question.answers[0] in {entity.name for entity in pair}
            larger = pair[0] if left.value.order > right.value.order else pair[1]
            assert (question.answers[0] == larger.name) == _asks_for_more(question.text), question
        kinds.add(question.relations)
    assert len(kinds) >= 10


def _asks_for_more(text: str) -> bool:
    words = set(re.findall(r"[a-z]+", text.split(",")[0]))
    return bool(words & {"longer", "later", "more"}) and "held" not in words


def test_both_yes_and_no_occur(world: World) -> None:
    answers = {question.answers for question in of(world.questions(500), "comparison")}
    assert {("yes",), ("no",)} <= answers


def test_unsaid_facts_are_unsaid(
    world: World, texts: dict[str, str], questions: tuple[Question, ...]
) -> None:
    invented = 0
    for question in of(questions, "unanswerable"):
        assert not question.answerable and not question.answers and not question.evidence
        if not question.facts:
            invented += 1
            continue
        last = world.facts[question.facts[-1]]
        assert not world.stated(last.id)
        subject = world.entities[last.subject].name
        answer = world.entities[last.object].name if last.object else last.value.text if last.value else ""
        assert any(names(text, subject) for text in texts.values()), "a plausible question names what exists"
        assert not any(names(text, subject) and names(text, answer) for text in texts.values()), question
    assert invented == 15


def test_invented_things_are_named_nowhere(texts: dict[str, str], questions: tuple[Question, ...]) -> None:
    for question in of(questions, "unanswerable"):
        if not question.facts:
            coined = re.findall(r"(?<!^)\b[A-Z][a-z]{3,}\b", question.text)
            assert coined
            assert not any(names(text, coined[0]) for text in texts.values()) or coined[0] == "River"
            assert not any(" ".join(coined) in text for text in texts.values())


def test_contradicted_and_superseded_facts_keep_their_variants(world: World) -> None:
    questions = [question for question in world.questions(500) if question.variants]
    assert {question.type for question in questions} == {"single"}
    for question in questions:
        variant = question.variants[0]
        both = variant.value.text in question.answers
        assert both == (variant.kind == "contradicted")


def test_thousands_of_questions_come_quickly_and_differ() -> None:
    world = World.generate(2, 1500)
    questions = world.questions(1000)
    assert len(questions) == 5000
    assert len({question.text for question in questions}) > 4900
