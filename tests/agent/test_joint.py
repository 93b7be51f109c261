"""Evidence of several passages read together."""

from collections.abc import Iterator

import pytest

from agent.inquiry import Inquiry
from agent.joint import LEADS, joint_chains
from agent.matching import WordMatcher
from agent.reader import Reader
from agent.reader_model import load_reader
from index.encoders import MiniLMEmbedder
from index.retrieve import Searcher
from index.store import Store
from index.types import Scope

QUESTION = "Where was the designer of the Teal Bridge born?"


@pytest.fixture(scope="module")
def inquiry(corpus_dir: object, embedder: MiniLMEmbedder) -> Iterator[Inquiry]:
    store = Store.open(corpus_dir)  # type: ignore[arg-type]
    searcher = Searcher(store, embedder)
    made = Inquiry.open(QUESTION, searcher, Scope(), load_reader())
    goal = made.next_goal()
    assert goal is not None
    made.read(Reader(embedder, WordMatcher(embedder)), goal, searcher.search(QUESTION, 6, "ranked"))
    yield made
    store.close()


def test_a_look_becomes_a_chain_that_points_at_its_sentence(inquiry: Inquiry) -> None:
    thread, model = inquiry.whole, load_reader()
    assert model is not None
    chains = joint_chains(model, thread.question, thread.weights, thread.pool, thread.useful)
    assert chains and all(chain.joint and chain.reading is not None for chain in chains)
    for chain in chains:
        found, last = chain.answers[0], chain.last
        assert len(chain.links) <= LEADS + 1
        assert len({link.passage.id for link in chain.links}) == len(chain.links)
        if found.start >= 0:
            assert last.text[found.start : found.end] == found.text


def test_the_judge_sees_joint_chains_beside_the_others(inquiry: Inquiry) -> None:
    kinds = {one.chain.joint for one in inquiry.whole.judged}
    assert kinds == {True, False}
    assert all(one.features["joint_enough"] >= 0 for one in inquiry.whole.judged)


def test_without_evidence_there_is_nothing_to_read(inquiry: Inquiry) -> None:
    model, thread = load_reader(), inquiry.whole
    assert model is not None
    assert joint_chains(model, thread.question, thread.weights, [], {}) == []
