"""Answers that stand in a field of a header, a form or a row."""

from __future__ import annotations

import numpy as np
import pytest

from agent.designations import designations, holds, identifiers
from agent.fields import answer_of, field_in, fields_of, record_beside
from agent.question import analyse
from agent.statuses import verdict
from index.types import Hit, Passage

HEADER = """Proposal: 41
Title: Weighing of the mail
Author: Orla Fenn <orla@example.org>
Status: Withdrawn
Created: 05-Jun-2019

Abstract

This proposal asks for scales."""
SCHEDULE = """Release Manager and Crew

- 3.7 Release Manager: Nils Aro
- Windows installers: Tove Lind

3.7.0 schedule

- 3.7.0 candidate 1: 2018-06-12
- 3.7.0 final: 2018-06-27
- 3.7.1 final: 2018-10-20"""


def passage(text: str, title: str, number: int = 1) -> Passage:
    return Passage(
        id=number, document_id=f"d{number}", collection="c", title=title, source=f"{number}.md", heading="",
        text=text, start=0, end=len(text),
    )  # fmt: skip


def found(question: str, *passages: Passage) -> str | None:
    asked = analyse(question)
    held = field_in(asked, np.full(len(asked.terms), 1 / len(asked.terms), np.float32), passages)
    return None if held is None else answer_of(asked.expects, held.field.value)


MAIL, PARCELS = (
    passage(HEADER, "Weighing of the mail"),
    passage(
        HEADER.replace("41", "42").replace("mail", "parcels").replace("Withdrawn", "Final"),
        "Weighing of the parcels",
        2,
    ),
)
CREW = passage(SCHEDULE, "Kestrel 3.7 Release Schedule", 3)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the status of Proposal 41?", "Withdrawn"),
        ("What is the status of Proposal 42?", "Final"),
        ("What is the status of the weighing of the mail?", "Withdrawn"),
        ("Who wrote Proposal 41?", "Orla Fenn"),
        ("When was Proposal 41 created?", "05-Jun-2019"),
        ("Who was the release manager of Kestrel 3.7?", "Nils Aro"),
        ("Who makes the Windows installers of Kestrel 3.7?", "Tove Lind"),
        ("When was Kestrel 3.7.0 final released?", "2018-06-27"),
    ],
)
def test_the_field_that_is_asked_for(question: str, answer: str) -> None:
    assert found(question, MAIL, PARCELS, CREW) == answer


@pytest.mark.parametrize(
    "question",
    [
        "What is the status of Proposal 43?",  # no such record
        "What is the status of the proposal?",  # two records fit equally
        "Who was the release manager of Kestrel 3.8?",
        "When was Kestrel 3.7.2 final released?",
        "Why was Proposal 41 withdrawn?",  # no field holds a reason
        "Which proposal has the status Withdrawn, 41 or 42?",
        "What is Proposal 41?",  # a value that the question names itself
        "When was the author of Proposal 41 born?",
    ],
)
def test_no_field_where_none_answers(question: str) -> None:
    assert found(question, MAIL, PARCELS, CREW) is None


NOTES = passage(
    "Feature Name: barn_owl\nStart Date: 2015-08-14\nRFC PR: mill-lang/rfcs#2345\n"
    "Mill Issue: mill-lang/mill#27711\nMill-Version: 2.4\n\nSummary\n\n"
    "Allow the keeping of owls within barns, and report their eggs as they are laid.",
    "2345 barn owl",
    4,
)
BETAS = passage("beta 1: 25 Apr 2003\nbeta 2: 29 Jun 2003", "Kestrel 2.3 Release Schedule", 5)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the Mill issue of the RFC on keeping owls within barns?", "mill-lang/mill#27711"),
        ("When was the RFC about the keeping of owls opened?", "2015-08-14"),  # of a paper: when it began
        ("Which Mill version was the RFC on keeping owls in barns for?", "2.4"),  # "Mill-Version"
        ("Who proposed the proposal on weighing the mail?", "Orla Fenn"),
        ("On what date was the second beta of Kestrel 2.3 out?", "29 Jun 2003"),
        ("When was the RFC on keeping horses within barns opened?", None),
        ("When were the owls opened?", None),  # no paper
    ],
)
def test_what_stands_below_a_header_says_what_it_is_about(question: str, answer: str | None) -> None:
    assert found(question, NOTES, MAIL, BETAS) == answer


def test_a_record_that_says_it_itself_comes_before_one_whose_text_does() -> None:
    other = passage("Start Date: 2014-01-02\n\nWe weigh the mail, unlike the parcels.", "Scales", 6)
    assert found("When was the proposal on weighing the parcels created?", other, PARCELS) == "05-Jun-2019"


def test_a_definition_is_no_field() -> None:
    text = "Owls: the four oldest birds within the mill, consisting of Ada, Birk, Cora and Dag."
    assert found("Which is the oldest of the owls?", passage(text, "Glossary", 7)) is None


def test_rows_are_records_of_their_own() -> None:
    table = passage(
        "Name: Ada Birk; Born: 1931; Town: Ruhl\nName: Jon Vey; Born: 1947; Town: Asker", "Members"
    )
    assert found("In what year was Jon Vey born?", table) == "1947"
    assert found("In what year was Ada Birk born?", table) == "1931"


def test_offsets_point_at_the_value() -> None:
    for one in fields_of(HEADER):
        assert HEADER[one.start : one.end] == one.value


def test_prose_and_code_hold_no_fields() -> None:
    text = "See https://example.org: there it stands.\nif x:\n    return y\nHe said it at 10:30 today."
    assert [one.label for one in fields_of(text)] == []


def test_the_record_is_taken_from_beside_only_when_needed() -> None:
    asked = analyse("What is the status of Proposal 41?")
    weights = np.full(len(asked.terms), 1 / len(asked.terms), np.float32)
    hits = [Hit(CREW, 1.0, 1, "ranked")]
    beside = [Hit(MAIL, 3.0, 1, "bm25"), Hit(PARCELS, 2.0, 2, "bm25")]
    taken = record_beside(asked, weights, hits, beside)
    assert taken is not None and taken.passage.id == MAIL.id
    assert record_beside(asked, weights, [Hit(MAIL, 1.0, 1, "ranked")], beside) is None


def test_versions_and_numbers_say_which_one_is_meant() -> None:
    assert designations("Who managed Kestrel 3.11 in 2020?") == {"3.11"}
    assert designations("By 199 how many were connected?") == frozenset()
    assert designations("Who won in World War 2?") == frozenset()
    assert identifiers("RFC 12, i686-apple.") == {"12", "i686-apple"}
    assert holds("Kestrel 3.11 came", "3.11") and not holds("Kestrel 3.1 and 13.11.2", "3.11")


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("Was the proposal on weighing the mail rejected?", "Withdrawn"),
        ("Has the weighing of the parcels been finished?", "Final"),
        ("Was the weighing of the parcels accepted?", None),  # "Final" does not say
        ("Was the proposal on weighing the telegrams rejected?", None),  # no such record
        ("Why was the proposal on weighing the mail rejected?", None),
    ],
)
def test_a_status_answers_whether_it_holds(question: str, value: str | None) -> None:
    asked = analyse(question)
    held = field_in(asked, np.full(len(asked.terms), 1 / len(asked.terms), np.float32), (MAIL, PARCELS))
    assert (None if held is None else held.field.value) == value


@pytest.mark.parametrize(
    ("asked", "value", "said"),
    [
        ("rejected", "Withdrawn", "no"),
        ("withdrawn", "Withdrawn (2019)", "yes"),
        ("accepted", "Not accepted", ""),
        ("accepted", "Accepted, later rejected", ""),
        ("open", "Closed", "no"),
    ],
)
def test_outcomes_that_exclude_each_other_decide(asked: str, value: str, said: str) -> None:
    assert verdict(asked, value) == said
