"""Which sentences of a chain are told, and who can gainsay an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from agent.chain import Chain, make_chain
from agent.inquiry import Inquiry
from agent.leads import common_ground, leading
from agent.matching import WordMatcher
from agent.reader import Evidence, Reader
from agent.spans import Candidate
from agent.thread import Thread
from index.encoders import MiniLMEmbedder
from index.ingest import ingest_passages
from index.retrieve import Searcher
from index.store import Store
from index.types import Scope

WORLD = {
    "Guide": "The ceiling of the Marl Chapel was painted by Ilse Varn in 1881.",
    "Diary": "Ilse Varn painted the ceiling of the Marl Chapel alone.",
    "Barns": "The ceiling of a barn is seldom painted, and then by the farmer.",
    "Ilse Varn": "Ilse Varn was born in Tarsholm.",
    "Sheds": "The ceiling of the shed was painted by Odo Prell.",
}
PAINTED = "Who painted the ceiling of the Marl Chapel?"
BORN = "Where was the painter of the Marl Chapel ceiling born?"

Asked = Callable[[str], tuple[Thread, dict[str, Evidence]]]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, embedder: MiniLMEmbedder) -> Iterator[Asked]:
    store = Store.open(tmp_path_factory.mktemp("leads"))
    rows = [{"id": title, "title": title, "text": text} for title, text in WORLD.items()]
    ingest_passages(store, rows, "leads", embedder=embedder)
    searcher = Searcher(store, embedder)
    reader = Reader(embedder, WordMatcher(embedder))

    def read(question: str) -> tuple[Thread, dict[str, Evidence]]:
        thread = Inquiry.open(question, searcher, Scope()).whole
        hits = searcher.search(question, len(WORLD), "dense")
        found = reader.read(thread.question, thread.weights, question, hits, 1)
        return thread, {one.passage.title: one for one in found}

    yield read
    store.close()


def chained(thread: Thread, answer: str, *links: Evidence) -> Chain:
    chain = make_chain(thread.question, thread.weights, links)
    return replace(chain, answers=(Candidate(answer, 0, len(answer), "read", 0.9),))


def titles(links: tuple[Evidence, ...]) -> list[str]:
    return [link.passage.title for link in links]


def test_a_sentence_that_only_shares_words_is_not_told(asked: Asked) -> None:
    thread, of = asked(PAINTED)
    chain = chained(thread, "Ilse Varn", of["Barns"], of["Guide"])
    assert titles(leading(thread, chain, "Ilse Varn")) == ["Guide"]


def test_the_way_to_an_answer_of_another_document_is_told(asked: Asked) -> None:
    thread, of = asked(BORN)
    chain = chained(thread, "Tarsholm", of["Guide"], of["Ilse Varn"])
    assert titles(leading(thread, chain, "Tarsholm")) == ["Guide", "Ilse Varn"]


def test_a_second_witness_is_told(asked: Asked) -> None:
    thread, of = asked(PAINTED)
    chain = chained(thread, "Ilse Varn", of["Guide"], of["Diary"])
    assert titles(leading(thread, chain, "Ilse Varn")) == ["Guide", "Diary"]


def test_who_speaks_of_something_else_gainsays_nothing(asked: Asked) -> None:
    thread, of = asked(PAINTED)
    assert common_ground(thread, of["Guide"], of["Diary"]) > 0.8
    assert common_ground(thread, of["Guide"], of["Sheds"]) < 0.6
