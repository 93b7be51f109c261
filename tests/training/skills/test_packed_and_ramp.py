"""Packed evidence and self-made questions: what is marked is the answer, what lacks a passage says so."""

import random
from pathlib import Path

import pytest

from index.errors import InputError
from index.ingest import ingest_passages
from index.store import Store
from training.skills import reader_packed as packing
from training.skills.collection import HELD_OUT, collection_texts
from training.skills.ramp import Unlabelled, cloze_question
from training.skills.reader_recipes import Asked, ReaderExample, Text

BRIDGE = Text(
    "Teal Bridge", "The Teal Bridge crosses the Orne. It was designed by Mira Vell in 1931. It is long."
)
VELL = Text("Mira Vell", "Mira Vell was an engineer. She was born in Harlow. She died in 1960.")
OTHERS = tuple(Text(f"Town {i}", f"Town {i} lies in the north. It has {i} mills.") for i in range(5))
ASKED = Asked(
    "Where was the designer of the Teal Bridge born?", ("Harlow",), (BRIDGE, VELL), context=OTHERS,
    sentences=(("Teal Bridge", "It was designed by Mira Vell in 1931."), ("Mira Vell", "She was born in Harlow.")),
)  # fmt: skip


def several(make: object, asked: Asked, count: int = 60) -> list[ReaderExample]:
    rng = random.Random(5)
    made = (make(asked, rng, 0.5) for _ in range(count))  # type: ignore[operator]
    return [one for one in made if one is not None]


def test_packed_evidence_holds_what_is_needed_and_marks_the_answer() -> None:
    for one in several(packing.packed, ASKED):
        assert one.enough is True and one.kind == "span"
        assert {one.text[a:b] for a, b in one.spans} == {"Harlow"}
        assert "designed by Mira Vell" in one.text and len(one.text) <= packing.ROOM + 200


def test_without_a_gold_passage_it_is_not_enough() -> None:
    made = several(packing.lacking, ASKED)
    assert {one.enough for one in made} == {False}
    assert {one.kind for one in made} == {"span", "none"}
    for one in made:
        assert (one.kind == "span") == ("Harlow" in one.text)


def test_yes_without_its_evidence_is_no_answer() -> None:
    closed = Asked("Is the Teal Bridge long?", ("yes",), (BRIDGE,), context=OTHERS)
    assert {one.kind for one in several(packing.packed, closed)} == {"yes"}
    assert {one.kind for one in several(packing.lacking, closed)} == {"none"}


def test_what_nothing_answers_and_what_search_tied() -> None:
    refused = Asked("Who owns the Teal Bridge?", (), (BRIDGE,), near=OTHERS)
    assert {(o.kind, o.enough) for o in several(packing.unanswered, refused)} == {("none", False)}
    tied = Asked(ASKED.question, ASKED.answers, (VELL,), OTHERS, partial=True)
    assert {o.enough for o in several(packing.packed, tied)} == {None}
    assert not several(packing.lacking, tied)


def test_self_made_questions_are_answered_by_what_is_shown() -> None:
    passages = Unlabelled.of([BRIDGE, VELL, *OTHERS])
    rng = random.Random(3)
    made = [one for _ in range(300) if (one := passages.cloze(rng.randrange(2), rng, 0.5)) is not None]
    spans = [one for one in made if one.kind == "span"]
    assert len(spans) > 100
    for one in spans:
        answers = {one.text[a:b] for a, b in one.spans}
        assert len(answers) == 1 and one.question.endswith("?")
        assert not answers <= set(one.question.rstrip("?").split())
    joined = [one for one in spans if "Teal Bridge" in one.text and "Harlow" in one.text]
    assert joined  # two passages that share a name, side by side


def test_a_cloze_question_leaves_its_answer_out() -> None:
    sentence = "The Teal Bridge was designed by Mira Vell in 1931."
    at = sentence.index("Mira Vell")
    for seed in range(20):
        assert "Vell" not in cloze_question(sentence, at, at + 9, random.Random(seed))


def test_a_collection_holds_documents_out(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    rows = [
        {"id": f"{i:02}", "title": f"Town {i}", "text": f"Town {i} lies in the north."} for i in range(40)
    ]
    ingest_passages(store, rows, "towns")
    store.close()
    learn, held_out = collection_texts(tmp_path, "towns")
    assert len(held_out) == 40 // HELD_OUT and len(learn) == 40 - len(held_out)
    assert not {t.title for t in learn} & {t.title for t in held_out}


def test_a_collection_too_small_is_refused(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    ingest_passages(store, [{"id": "a", "title": "A", "text": "One town lies here."}], "one")
    store.close()
    with pytest.raises(InputError, match="at least 20 passages"):
        collection_texts(tmp_path, "one")
