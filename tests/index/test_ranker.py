"""The learned ranker with the weights that ship, on collections small enough to check by eye."""

from pathlib import Path

import numpy as np
import pytest

from index import ranker
from index.encoders import MiniLMEmbedder
from index.errors import InputError, StoreError
from index.features import FIRST, SECOND, Asked, covered, rarest_covered, read
from index.hop_encoder import load_hop_encoder
from index.ingest import ingest_passages
from index.ranker import load_ranker
from index.retrieve import Searcher
from index.store import Store
from index.types import Scope


@pytest.fixture(scope="module")
def searcher(corpus_dir: Path, embedder: MiniLMEmbedder) -> Searcher:
    return Searcher(Store.open(corpus_dir), embedder)


def test_both_ends_of_a_bridge_are_found(searcher: Searcher) -> None:
    hits = searcher.search("Where was the designer of the Teal Bridge born?", 4, "ranked")
    assert {"bridge", "vell"} <= {hit.passage.source for hit in hits[:3]}
    assert all(0.0 <= hit.score <= 1.0 for hit in hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len({hit.passage.id for hit in hits}) == len(hits)
    assert hits[0].parts["ranked"] == hits[0].score


def test_the_same_question_has_the_same_ranking(searcher: Searcher) -> None:
    first, again = (searcher.search("Who designed the Teal Bridge?", 5, "ranked") for _ in range(2))
    assert [(h.passage.id, h.score) for h in first] == [(h.passage.id, h.score) for h in again]


def test_a_scope_of_documents_holds(searcher: Searcher) -> None:
    wanted = next(d.id for d in searcher.store.documents() if d.source == "iron")
    for mode in ("graph", "ranked"):
        hits = searcher.search("bridge designed by Mira Vell", 10, mode, Scope(documents=(wanted,)))  # type: ignore[arg-type]
        assert {hit.passage.document_id for hit in hits} == {wanted}


def test_a_scope_of_collections_holds(store: Store, embedder: MiniLMEmbedder) -> None:
    row = {"id": "1", "title": "Oster Mill", "text": "The Oster Mill was built by Ada Kell."}
    ingest_passages(store, [row], "mine", embedder=embedder)
    ingest_passages(store, [row | {"id": "2"}], "theirs", embedder=embedder)
    searcher = Searcher(store, embedder)
    alone = searcher.search("Who built the Oster Mill?", 5, "ranked", Scope(("mine",)))
    assert [hit.passage.source for hit in alone] == ["1"]
    both = searcher.search("Who built the Oster Mill?", 5, "ranked")
    assert {hit.passage.source for hit in both} == {"1", "2"}


def test_nothing_to_search_in(store: Store, embedder: MiniLMEmbedder) -> None:
    searcher = Searcher(store, embedder)
    assert searcher.search("Who?", 5, "ranked") == ()
    store.create_collection("empty")
    assert searcher.search("Who?", 5, "graph", Scope(("empty",))) == ()
    assert searcher.search("Who?", 5, "ranked", Scope(("empty",))) == ()
    with pytest.raises(InputError, match="empty"):
        searcher.search(" ", 5, "ranked")


def test_a_passage_newer_than_the_graph_is_found_by_its_text(
    store: Store, embedder: MiniLMEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"id": "old", "title": "Oster Mill", "text": "The Oster Mill was built by Ada Kell."},
        {"id": "new", "title": "Oster Weir", "text": "The Oster Weir was dug by Bo Finn in 1902."},
    ]
    ingest_passages(store, rows[:1], "c", embedder=embedder)
    searcher = Searcher(store, embedder)
    searcher.search("Who built the Oster Mill?", 1, "ranked")
    monkeypatch.setattr("index.graph_cache.AT_ONCE", 0)
    monkeypatch.setattr("index.graph_cache.GraphCache._renew", lambda *_: None)  # the renewal takes for ever
    ingest_passages(store, rows[1:], "c", embedder=embedder)
    found = searcher.search("Who dug the Oster Weir?", 2, "ranked")
    assert {hit.passage.source for hit in found} == {"old", "new"}


def test_missing_weights_are_told(searcher: Searcher) -> None:
    with pytest.raises(StoreError, match="--mode hybrid"):
        load_ranker("nothing", searcher.gatherer())


def test_features_are_as_many_as_their_names(searcher: Searcher) -> None:
    question, scope = "Where was the designer of the Teal Bridge born?", Scope()
    vector = searcher.embedder.embed([question])[0]
    lists = searcher.text_lists(question, vector, 50, scope)
    gatherer = searcher.gatherer()
    at = gatherer.situation(question, vector, lists, searcher.asked(question, scope), scope)
    assert at.first.shape == (len(at.rows), len(FIRST))
    first = load_ranker("ranker", gatherer).first
    grown, looks = gatherer.continued(at, first)
    assert looks.shape == (len(grown.rows), len(FIRST) + len(SECOND))
    assert np.isfinite(looks).all()


def test_words_covered_by_hand() -> None:
    asked = Asked(("mill", "oster"), np.array([0.25, 0.75], dtype=np.float32), False)
    passage = read("Oster", "A mill. A weir.")
    assert covered(asked, passage.body) == 1.0
    assert covered(asked, passage.body, frozenset({"oster"})) == 0.25
    assert rarest_covered(asked, passage.body) == 0.75
    assert len(passage.sentences) == 2


def test_wording_that_compares() -> None:
    assert ranker.compares("Which is older, the mill or the weir?")
    assert not ranker.compares("Who built the mill?")


def test_a_hop_encoder_proposes_and_judges(searcher: Searcher) -> None:
    question, scope = "Where was the designer of the Teal Bridge born?", Scope()
    vector = searcher.embedder.embed([question])[0]
    lists = searcher.text_lists(question, vector, 50, scope)
    asked = searcher.asked(question, scope)
    columns = [len(FIRST) + SECOND.index(name) for name in ("hop_cosine", "hop_next_cosine")]
    seen = {}
    for hop in (False, True):
        gatherer = searcher.gatherer(load_hop_encoder() if hop else None)
        at = gatherer.situation(question, vector, lists, asked, scope)
        grown, looks = gatherer.continued(at, load_ranker("ranker", gatherer).first)
        sources = searcher.store.passages([int(grown.graph.edges.passages[row]) for row in grown.rows])
        seen[hop] = ({p.source for p in sources}, looks[:, columns])
    assert (seen[False][1] == 0).all()
    assert (seen[True][1] != 0).any()
    assert seen[False][0] <= seen[True][0]
