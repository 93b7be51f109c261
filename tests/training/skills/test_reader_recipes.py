"""Marked spans are answers, and what is marked "none" does not hold one."""

import random
from pathlib import Path

import pytest

from training.skills import reader_recipes as recipes
from training.skills.card import Run
from training.skills.leaks import LeakAudit
from training.skills.near_passages import near_passages
from training.skills.reader_batches import sample
from training.skills.reader_data import HELD_OUT, calibration_set, sources
from training.skills.reader_recipes import Asked, Names, Text

MILL = Text(
    "Oster Mill", "The mill at Oster was built in 1901 by Mira Vell. " + "It stands there still. " * 60
)
VELL = Text("Mira Vell", "Mira Vell was an engineer who was born in the town of Halden.")
BREAD = Text("Rye bread", "Rye bread needs a sour dough and a very hot oven.")
ONE = Asked("Who built the mill at Oster in 1901?", ("Mira Vell",), (MILL,), near=(BREAD,), start=39)
TWO = Asked("Where was the builder of the mill at Oster born?", ("Halden",), (MILL, VELL), context=(BREAD,))


@pytest.mark.parametrize("progress", [0.0, 0.9])
def test_spans_are_the_answer_whatever_the_window(progress: float) -> None:
    for seed in range(40):
        rng = random.Random(seed)
        for asked, make in ((ONE, recipes.single), (TWO, recipes.chain), (TWO, recipes.side_by_side)):
            example = make(asked, rng, progress)
            assert example is not None and example.kind == "span"
            assert {example.text[a:b] for a, b in example.spans} == {asked.answers[0]}


def test_a_chain_ends_with_the_passage_that_answers() -> None:
    example = recipes.chain(TWO, random.Random(1), 0.9)
    assert example is not None
    assert example.text.startswith("Oster Mill\n") and "\nMira Vell\n" in example.text


def test_what_does_not_answer_is_none() -> None:
    for seed in range(40):
        rng = random.Random(seed)
        found = [
            recipes.near(ONE, rng, 0.9),
            recipes.broken_chain(TWO, rng, 0.9),
            recipes.insufficient(Asked("Who?", ("Halden",), (MILL,), context=(BREAD,)), rng, 0.9),
        ]
        for example in (one for one in found if one is not None):
            assert example.kind == "none" and not example.spans and "Halden" not in example.text


def test_swapped_names_change_the_question_only() -> None:
    names = Names.of(["When did Ada Brune leave Tarn?", "What burned in 1888?"])
    changed = [names.swapped(ONE, random.Random(seed), 0.5) for seed in range(20)]
    for example in (one for one in changed if one is not None):
        assert example.kind == "none" and example.question != ONE.question
        assert ("1888" in example.question) != ("Ada Brune" in example.question or "Tarn" in example.question)
    assert any(changed)


def test_near_passages_are_near_and_hold_no_answer() -> None:
    corpus = {
        "gold": {"title": "Oster Mill", "text": MILL.text},
        "close": {"title": "Halden mill", "text": "The mill at Halden was built in 1850 by Ada Brune."},
        "other": {"title": "Oster", "text": "Mira Vell built the mill at Oster."},
        "far": {"title": "Rye bread", "text": BREAD.text},
    }
    question = {"question": ONE.question, "answers": ["Mira Vell"], "supporting": ["gold"]}
    assert near_passages([question], corpus)[0][0] == "close"
    assert not {"gold", "other"} & set(near_passages([question], corpus)[0])


def test_an_answer_that_was_cut_off_gives_no_sample() -> None:
    text = "word " * 600 + "Mira Vell"
    example = recipes.ReaderExample("Who?", text, "span", ((len(text) - 9, len(text)),))
    assert sample(example) is None


def test_sources_without_a_data_folder_are_the_worlds() -> None:
    (worlds,) = sources(Run(Path("out"), None, 1.0), LeakAudit())
    kinds = {example.kind for example in worlds.records}
    assert worlds.name == "worlds" and kinds == {"span", "none"}
    for example in worlds.records[:300]:
        for start, end in example.spans:
            assert example.text[start:end].strip()


def test_calibration_questions_are_not_trained_on(sets: Path) -> None:
    audit = LeakAudit.of(sets)
    found = {one.name: one.records for one in sources(Run(sets, sets, 1.0), audit)}
    held_out = calibration_set(sets, audit)
    assert HELD_OUT > 1 and len(held_out) == 1
    assert len(found["squad2 unanswerable"]) == 1  # of two alike, one is held out
