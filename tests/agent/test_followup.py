"""Follow-ups are made whole, questions that stand alone are left alone."""

import json
from pathlib import Path

import pytest

from agent.followup import rewrite
from agent.types import Turn

DIALOGUES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "examples" / "dialogues.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda d: d["id"])
def test_every_turn_of_the_dialogues_means_what_the_gold_says(dialogue: dict) -> None:
    history: tuple[Turn, ...] = ()
    for turn in dialogue["turns"]:
        made = rewrite(turn["question"], history)
        assert made.text == turn["standalone"]
        assert (made.kind == "follow-up") == turn["follow_up"]
        assert bool(made.why) == turn["follow_up"]
        short = (turn["answers"] or [""])[0]
        history = (*history, Turn(turn["standalone"], f"{short}. [1]", short))


def test_there_are_twenty_dialogues_with_switches_of_topic() -> None:
    assert len(DIALOGUES) == 20
    for dialogue in DIALOGUES:
        assert any(turn["follow_up"] for turn in dialogue["turns"])
    switches = sum(not t["follow_up"] for d in DIALOGUES for t in d["turns"][1:])
    assert switches >= 12


TEAL = Turn("Who designed the Teal Bridge?", "Mira Vell. [1]", "Mira Vell")


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("When was it opened?", "When was the Teal Bridge opened?"),
        ("And why?", None),  # not a fragment that the last question completes sensibly: see below
        ("When?", "When was the Teal Bridge designed?"),
        ("What about the Iron Bridge?", "Who designed the Iron Bridge?"),
        ("Did she also design the Iron Bridge?", "Did Mira Vell also design the Iron Bridge?"),
        ("Who taught her?", "Who taught Mira Vell?"),
        ("Who taught her to draw?", "Who taught Mira Vell to draw?"),
        ("What did her teacher design?", "What did Mira Vell's teacher design?"),
        ("and her teacher", "Who is the teacher of Mira Vell?"),
    ],
)
def test_one_turn_back(question: str, meant: str | None) -> None:
    made = rewrite(question, (TEAL,))
    assert made.text == (meant or "Why was the Teal Bridge designed?")


@pytest.mark.parametrize(
    "question",
    [
        "Hello!",
        "Thank you, that helped",
        "What documents do you have?",
        "How deep is Lake Bissyr?",
        "When did Jon Aldin found his press?",
        "Is it true that Tarsholm has a harbour?",
        "Who is the mayor of Tarsholm?",
        "Where is the library?",
    ],
)
def test_what_stands_alone_is_left_alone(question: str) -> None:
    assert rewrite(question, (TEAL,)).text == question


def test_without_a_history_nothing_changes() -> None:
    made = rewrite("When was it opened?", ())
    assert made.text == "When was it opened?" and made.kind == "as asked"


def test_of_two_candidates_the_documents_choose() -> None:
    based = Turn("Where is the Lantern Press?", "Tarsholm. [1]", "Tarsholm")

    def support(name: str, words: object) -> float:
        return 1.0 if name == "Tarsholm" and "inhabitants" in list(words) else 0.0  # type: ignore[call-overload]

    assert rewrite("How many inhabitants does it have?", (based,), support).text == (
        "How many inhabitants does Tarsholm have?"
    )
    assert rewrite("Who founded it?", (based,), support).text == "Who founded the Lantern Press?"


def test_records_without_a_bare_answer_still_work() -> None:
    old = Turn("Who founded Teal Works?", "Mira Vell founded Teal Works in 1850. [1]")
    assert rewrite("When was she born?", (old,)).text == "When was Mira Vell born?"
