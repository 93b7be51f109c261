"""Extraction by a model: what it says is checked word by word, and the rules take over where it fails."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import ModelError
from index.extract import RuleExtractor, Triplet
from index.extract_llm import ModelExtractor, parse
from index.graph_cache import GraphCache
from index.ingest import ingest_passages
from index.knowledge import extract_again, triplets_of
from index.store import Store
from index.types import Draft

TEXT = "the teal bridge was drawn by mira vell. It opened in 1887."
GOOD = {"entities": ["mira vell", "teal bridge"], "triplets": [["teal bridge", "drawn by", "mira vell"]]}


class Flat:
    """Vectors that say nothing, and no model to load."""

    name, dimension = "flat", 4

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.full((len(texts), 4), 0.5, dtype=np.float32)


class Scripted:
    """A model that replies from a list and keeps what it was asked."""

    def __init__(self, *replies: str | Exception) -> None:
        self.replies = list(replies)
        self.asked: list[str] = []

    def __call__(self, system: str, prompt: str) -> str:
        self.asked.append(prompt)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


def drafts(text: str = TEXT) -> list[Draft]:
    return [Draft(0, len(text), text, "")]


def test_names_without_capitals_are_found_where_they_stand() -> None:
    model = Scripted(json.dumps(GOOD))
    extractor = ModelExtractor(model)
    (found,) = extractor.extract("Bridges", TEXT, drafts())
    names = {m.key: TEXT[m.start : m.end] for _, m in found.mentions if m.kind == "name"}
    assert names == {"mira vell": "mira vell", "teal bridge": "teal bridge"}
    assert {m.key for _, m in found.mentions if m.kind == "date"} == {"1887"}  # the rules' figures stay
    assert found.triplets == (Triplet(0, "teal bridge", "drawn by", "mira vell"),)
    assert found.sentences == RuleExtractor().extract("Bridges", TEXT, drafts())[0].sentences
    assert extractor.mistakes == []
    assert TEXT in model.asked[0]


def test_a_fenced_reply_is_read() -> None:
    assert parse(f"```json\n{json.dumps(GOOD)}\n```")[0] == GOOD["entities"]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("Sure! Here are the entities: mira vell", "not JSON"),
        ('{"entities": ["mira vell"]}', "not an object with entities and triplets"),
        ('{"entities": "mira vell", "triplets": []}', "entities is not a list"),
        ('{"entities": [1], "triplets": []}', "entities is not a list"),
        ('{"entities": [], "triplets": [["a", "b"]]}', "triplets is not a list"),
        ('{"entities": [], "triplets": [], "note": "x"}', "not an object"),
        (json.dumps({"entities": ["a"] * 61, "triplets": []}), "more than 60"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_malformed_reply_leaves_the_passage_to_the_rules(reply: str, reason: str) -> None:
    extractor = ModelExtractor(Scripted(reply))
    assert extractor.extract("Bridges", TEXT, drafts()) == RuleExtractor().extract("Bridges", TEXT, drafts())
    (mistake,) = extractor.mistakes
    assert reason in mistake.reason
    assert (mistake.start, mistake.end) == (0, len(TEXT))
    assert mistake.reply == reply[:200]


def test_what_the_passage_does_not_hold_is_left_out_and_recorded() -> None:
    said = {
        "entities": ["mira vell", "Ada Kell", "ira", "!!"],
        "triplets": [
            ["mira vell", "met", "Ada Kell"],
            ["Bridges", "names", "mira vell"],
            ["x", "", "mira vell"],
        ],
    }
    extractor = ModelExtractor(Scripted(json.dumps(said)))
    (found,) = extractor.extract("Bridges", TEXT, drafts())
    assert [m.key for _, m in found.mentions if m.kind == "name"] == ["mira vell"]
    assert found.triplets == (Triplet(0, "bridges", "names", "mira vell"),)  # the title is named too
    assert [m.reason.split("'")[1] for m in extractor.mistakes[:2]] == ["Ada Kell", "ira"]
    assert len(extractor.mistakes) == 5


def test_a_model_that_fails_is_recorded_passage_by_passage() -> None:
    extractor = ModelExtractor(Scripted(ModelError("no answer"), json.dumps(GOOD)))
    two = [Draft(0, len(TEXT), TEXT, ""), Draft(0, len(TEXT), TEXT, "")]
    first, second = extractor.extract("Bridges", TEXT, two)
    assert first == RuleExtractor().extract("Bridges", TEXT, two)[0]
    assert second.triplets
    assert "no answer" in extractor.mistakes[0].reason


@given(st.one_of(st.text(), st.recursive(st.text() | st.integers(), lambda x: st.lists(x)).map(json.dumps)))
def test_any_reply_is_survived(reply: str) -> None:
    (found,) = ModelExtractor(Scripted(reply)).extract("Bridges", TEXT, drafts())
    assert all(0 <= m.start <= m.end <= len(TEXT) for _, m in found.mentions)


def test_a_collection_extracted_anew_has_a_new_graph(store: Store) -> None:
    rows = [{"id": "1", "title": "Bridges", "text": TEXT}]
    ingest_passages(store, rows, "c", embedder=Flat())
    number = store.collection_id("c")
    cache = GraphCache(store)
    assert "mira vell" not in cache.current(number)[0].columns
    assert extract_again(store, number, ModelExtractor(Scripted(json.dumps(GOOD)))) == 1
    for graphs in (cache, GraphCache(store)):  # one that holds the old graph, and a new one
        graph, _ = graphs.current(number)
        assert graph.frequency[graph.columns["mira vell"][0]] == 1
    ids = [p.id for p in store.passages_of(store.documents("c")[0].id)]
    assert triplets_of(store.connection, ids) == [(ids[0], 0, "teal bridge", "drawn by", "mira vell")]
    assert (
        GraphCache(store).current(number)[0].edges.keys == graph.edges.keys
    )  # a second look changes nothing
