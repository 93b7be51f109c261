"""Answers that cannot be of the kind that is asked for."""

from __future__ import annotations

import pytest

from agent.answer_types import bare_count, plausible
from agent.concepts import other_words


@pytest.mark.parametrize(
    ("expects", "answer"),
    [
        ("person", "Ann Lee"),
        ("person", "50 Cent"),
        ("person", "Louis XIV"),
        ("number", "$60 million"),
        ("number", "thirty-two"),
        ("number", "every three years"),
        ("number", "hundreds of thousands"),
        ("number", "6 000"),
        ("date", "after the war"),
        ("thing", "PEP 304"),
        ("thing", "December 31"),
    ],
)
def test_what_may_be_stays(expects: str, answer: str) -> None:
    assert plausible(expects, answer)


@pytest.mark.parametrize(
    ("expects", "answer"),
    [
        ("person", "December 31"),
        ("person", "PEP 304"),
        ("number", "10K"),
        ("number", "Kestrel 3.11"),
        ("number", "operating income"),
        ("number", "662  18.2 %"),
        ("thing", "$ 1,330  $ 1,295"),
        ("thing", "53 %\nMembers"),
    ],
)
def test_what_cannot_be_does_not(expects: str, answer: str) -> None:
    assert not plausible(expects, answer)


def test_other_words_for_the_same_come_once_a_stem() -> None:
    assert other_words("worked") == ("employ", "employees", "staff")
    assert other_words("lighthouse") == ()


@pytest.mark.parametrize(
    ("question", "answer", "told"),
    [
        ("How many ships did the yard build in 1902?", "14 ships", "14"),
        ("About how many people live in Lume?", "nearly 4,210 people", "nearly 4,210"),
        (
            "How many millions of crowns did it cost?",
            "3 million crowns",
            "3 million crowns",
        ),  # a scale is no unit
        ("How many ships did the yard build?", "14 boats", "14 boats"),
        ("How deep is the lake?", "31 metres", "31 metres"),
        ("How many rooms has it?", "twelve rooms", "twelve rooms"),
    ],
)
def test_what_is_counted_need_not_be_said_again(question: str, answer: str, told: str) -> None:
    assert bare_count(question, answer) == told
