"""Names typed a little differently: read as the documents write them, or left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.agent import Agent
from agent.config import Settings
from agent.followup import Rewriting
from agent.spelling import respelled
from index.encoders import MiniLMEmbedder
from index.retrieve import Searcher
from index.spelling import near_spelling
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
