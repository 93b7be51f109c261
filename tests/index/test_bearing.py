"""Passages cut to what bears on a question: shorter, in place, and never nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.bearing import bearing
from index.encoders import MiniLMEmbedder, count_tokens
from index.retrieve import Searcher
from index.store import Store
from index.types import Hit, Mode, Scope

QUESTION = "Who designed the Teal Bridge?"
SCOPE = Scope()


@pytest.fixture(scope="module")
def searcher(corpus_dir: Path, embedder: MiniLMEmbedder) -> Searcher:
    return Searcher(Store.open(corpus_dir), embedder)


def tokens(hits: tuple[Hit, ...]) -> int:
    return sum(count_tokens([hit.passage.text for hit in hits]))


@pytest.mark.parametrize("mode", ["ranked", "deep"])
def test_shorter_and_true_to_the_document(searcher: Searcher, mode: Mode) -> None:
    whole = searcher.search(QUESTION, 8, mode)
    cut = bearing(searcher, QUESTION, whole, SCOPE, worth=0.1)
    assert 0 < tokens(cut) < tokens(whole)
    known = {hit.passage.id: hit for hit in whole}
    assert [hit.passage.id for hit in cut] == [key for key in known if key in {h.passage.id for h in cut}]
    for hit in cut:
        passage, before = hit.passage, known[hit.passage.id]
        assert searcher.store.document_text(passage.document_id)[passage.start : passage.end] == passage.text
        assert before.passage.start <= passage.start < passage.end <= before.passage.end
        assert (hit.score, hit.rank, hit.parts) == (before.score, before.rank, before.parts)
    assert "Mira Vell" in cut[0].passage.text


def test_what_is_worth_less_is_cut_more(searcher: Searcher) -> None:
    whole = searcher.search(QUESTION, 8, "ranked")
    sizes = [
        tokens(bearing(searcher, QUESTION, whole, SCOPE, worth)) for worth in (0.0, 0.005, 0.03, 0.1, 1.0)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == tokens(whole)
    assert sizes[-1] > 0  # one sentence stays


def test_what_is_not_rated_stays_whole(searcher: Searcher) -> None:
    for mode in ("bm25", "hybrid", "graph"):
        found = searcher.search(QUESTION, 8, mode)
        assert bearing(searcher, QUESTION, found, SCOPE, 0.1) == found
    assert bearing(searcher, QUESTION, (), SCOPE, 0.1) == ()
