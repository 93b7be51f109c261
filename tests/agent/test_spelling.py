"""Names typed a little differently: read as the documents write them, or left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.agent import Agent
from agent.config import Settings
from agent.followup import Rewriting
from agent.spelling import recapitalised, respelled
from index.encoders import MiniLMEmbedder
from index.ingest import ingest_passages
from index.retrieve import Searcher
from index.spelling import capitalised, near_spelling
from index.store import Store
from index.types import Scope


@pytest.fixture(scope="module")
def searcher(corpus_dir: Path, embedder: MiniLMEmbedder) -> Searcher:
    return Searcher(Store.open(corpus_dir), embedder)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("Tarshlom", "Tarsholm"),  # two letters exchanged
        ("Tarsholmm", "Tarsholm"),
        ("Tarsholm", ""),  # it stands there as it is
        ("Barsholm", ""),  # another first letter
        ("Tarquin", ""),  # too far
        ("Mora", ""),  # too short to tell from others
    ],
)
def test_the_spelling_of_the_documents(searcher: Searcher, typed: str, written: str) -> None:
    assert near_spelling(typed, searcher, Scope()) == written


def test_only_names_that_stand_nowhere_are_read_anew(searcher: Searcher) -> None:
    asked = Rewriting("Who was born in Tarshlom?", "as asked")
    meant = respelled(asked, searcher, Scope())
    assert meant.text == "Who was born in Tarsholm?"
    assert meant.why == "“Tarshlom” is written “Tarsholm” there"
    known = Rewriting("Who designed the Teal Bridge?", "as asked")
    assert respelled(known, searcher, Scope()) == known


def test_the_person_sees_how_it_was_read_and_can_insist(searcher: Searcher) -> None:
    agent = Agent(searcher, Settings(), None)
    assert agent.run("Where was Mirra Vel born?").asked == "Where was Mira Vel born?"
    record = agent.run("Who was born in Tarshlom?")
    assert record.asked == "Who was born in Tarsholm?"
    *_, insisted = agent.stream("Who was born in Tarshlom?", asked="Who was born in Tarshlom?")
    assert insisted.answer.abstained


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("who designed the teal bridge?", "who designed the Teal Bridge?"),
        ("WHO DESIGNED THE TEAL BRIDGE?", "who designed the Teal Bridge?"),
        ("where was mira vell's teacher born?", "where was Mira Vell's teacher born?"),
        ("Who designed the Teal Bridge?", "Who designed the Teal Bridge?"),
        ("what is a bridge?", "what is a bridge?"),
        ("WHAT IS NASA?", "WHAT IS NASA?"),
        ("", ""),
    ],
)
def test_names_typed_without_capitals_get_those_of_the_documents(
    searcher: Searcher, typed: str, written: str
) -> None:
    assert recapitalised(typed, searcher, Scope()) == written


def test_how_the_documents_write_words_of_a_question(searcher: Searcher) -> None:
    assert capitalised("teal bridge", searcher, Scope()) == "Teal Bridge"
    assert capitalised("foundation stone", searcher, Scope()) == ""
    assert capitalised("?!", searcher, Scope()) == ""
    assert searcher.named_share("teal bridge", Scope()) > searcher.named_share("bridge", Scope())


def test_capitals_change_neither_the_answer_nor_what_the_person_reads(searcher: Searcher) -> None:
    agent = Agent(searcher, Settings(), None)
    typed, written = (
        agent.run(q) for q in ("who designed the teal bridge?", "Who designed the Teal Bridge?")
    )
    assert typed.answer.short == written.answer.short != ""
    assert typed.asked == "who designed the Teal Bridge?"


def test_a_name_broken_over_two_lines_is_written_in_one(tmp_path: Path, embedder: MiniLMEmbedder) -> None:
    rows = [
        {
            "id": "a",
            "title": "Guide",
            "text": "We went to see the Copper\nLantern, and the Copper\nLantern was shut.",
        }
    ]
    store = Store.open(tmp_path)
    ingest_passages(store, rows, "lines", embedder=embedder)
    asked = recapitalised("when was the copper lantern shut?", Searcher(store, embedder), Scope())
    assert asked == "when was the Copper Lantern shut?"
    store.close()
