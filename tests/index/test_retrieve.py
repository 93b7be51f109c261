import math
import random
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from index.encoders import MiniLMEmbedder, count_tokens
from index.errors import InputError
from index.faiss_index import DenseCache, FlatIndex
from index.ingest import ingest_passages
from index.lexical import query_terms
from index.retrieve import Searcher, fuse
from index.store import Store
from index.types import Scope


@pytest.fixture(scope="module")
def searcher(corpus_dir: Path, embedder: MiniLMEmbedder) -> Searcher:
    return Searcher(Store.open(corpus_dir), embedder)


def test_every_mode_finds_the_passage(searcher: Searcher) -> None:
    for mode in ("bm25", "dense", "hybrid"):
        hits = searcher.search("Who designed the Teal Bridge?", 3, mode)
        assert hits[0].passage.source == "bridge", mode
        assert [h.rank for h in hits] == list(range(1, len(hits) + 1))
        assert len({h.passage.id for h in hits}) == len(hits)


def test_meaning_without_shared_words(searcher: Searcher) -> None:
    assert (
        searcher.search("place of birth of a female civil engineer", 1, "dense")[0].passage.source == "vell"
    )


def test_document_scope_filters_inside_the_search(searcher: Searcher) -> None:
    wanted = next(d.id for d in searcher.store.documents() if d.source == "iron")
    for mode in ("bm25", "dense", "hybrid"):
        hits = searcher.search("bridge designed by Mira Vell", 10, mode, Scope(documents=(wanted,)))
        assert {h.passage.document_id for h in hits} == {wanted}


@pytest.mark.parametrize(
    "query", ['"; DROP TABLE passages; --', "NEAR(a b)", "title:x AND", "*", "???", "a" * 12_000]
)
def test_odd_queries_are_just_words(searcher: Searcher, query: str) -> None:
    for mode in ("bm25", "dense", "hybrid"):
        searcher.search(query, 3, mode)


def test_mistakes_are_told(searcher: Searcher) -> None:
    with pytest.raises(InputError, match="empty"):
        searcher.search("  ")
    with pytest.raises(InputError, match="Choose one of: bm25, dense, hybrid"):
        searcher.search("x", mode="magic")
    with pytest.raises(InputError, match="at least 1"):
        searcher.search("x", k=0)


def test_stop_words_go_unless_nothing_is_left() -> None:
    assert query_terms("What is the price of the tea?") == ["price", "tea"]
    assert query_terms("who is it") == ["who", "is", "it"]


def test_fusion_ignores_the_order_of_its_inputs() -> None:
    lexical, dense = {1: 3.0, 2: 1.0}, {2: 0.9, 3: 0.1}
    turned = fuse(dict(reversed(lexical.items())), dict(reversed(dense.items())))
    assert fuse(lexical, dense) == turned
    assert fuse({}, {}) == {}


def test_bm25_ranks_like_the_formula(store: Store) -> None:
    """FTS5 against BM25 written down (k1 1.2, b 0.75), one column at weight 1 each."""
    rng = random.Random(3)
    words = ["apple", "river", "stone", "lamp", "tower", "glass"]
    texts = [" ".join(rng.choices(words, k=rng.randint(4, 14))) for _ in range(40)]

    class Flat:
        name, dimension = "flat", 2

        def embed(self, texts: list[str]) -> np.ndarray:
            return np.ones((len(texts), 2), dtype=np.float32)

    ingest_passages(
        store, [{"id": str(n), "title": "", "text": t} for n, t in enumerate(texts)], "c", embedder=Flat()
    )
    found = Searcher(store, Flat()).search("apple tower", 40, "bm25")
    lengths = [len(t.split()) + 1 for t in texts]  # the scope word counts as a token
    mean = sum(lengths) / len(lengths)

    def score(number: int) -> float:
        counts, total = Counter(texts[number].split()), 0.0
        for term in ("apple", "tower"):
            held = sum(term in re.findall(r"\w+", t) for t in texts)
            idf = max(math.log((len(texts) - held + 0.5) / (held + 0.5)), 1e-6)
            f = counts[term]
            total += idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * lengths[number] / mean))
        return total

    for hit in found:
        assert hit.score == pytest.approx(score(int(hit.passage.source)), rel=1e-3, abs=1e-3)


def test_flat_index_agrees_with_a_scan_and_survives_saving(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    index = FlatIndex(16)
    index.add(list(range(100, 300)), rows)
    index.remove([110, 111, 999])
    query = rows[5:6]
    index.save(tmp_path / "x.faiss")
    for held in (index, FlatIndex.load(tmp_path / "x.faiss")):
        ids, scores = held.search(query, 10)
        order = [i for i in np.argsort(-(rows @ query[0]), kind="stable") + 100 if i not in (110, 111)][:10]
        assert ids[0].tolist() == order
        assert scores[0][0] == pytest.approx(1.0, abs=1e-5)
        assert set(held.search(query, 5, allowed=[120, 130])[0][0]) == {120, 130, -1}


def test_a_lost_or_damaged_cache_loses_nothing(
    tmp_path: Path, embedder: MiniLMEmbedder, corpus_dir: Path
) -> None:
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(corpus_dir, folder)
    query = "Where was Mira Vell born?"
    expected = [h.passage.source for h in Searcher(Store.open(folder), embedder).search(query, 5, "dense")]
    snapshots = list((folder / "cache" / "dense").glob("*.faiss"))
    assert snapshots
    for damage in (lambda p: p.write_bytes(b"rubbish"), lambda p: p.unlink()):
        for path in snapshots:
            damage(path)
        found = [h.passage.source for h in Searcher(Store.open(folder), embedder).search(query, 5, "dense")]
        assert found == expected


def test_another_process_sees_commits_at_the_next_search(tmp_path: Path, embedder: MiniLMEmbedder) -> None:
    reader, writer = Store.open(tmp_path), Store.open(tmp_path)
    searcher = Searcher(reader, embedder)
    ingest_passages(
        writer, [{"id": "1", "title": "Otter", "text": "Otters hold hands."}], "c", embedder=embedder
    )
    assert searcher.search("otters", mode="hybrid")[0].passage.source == "1"
    ingest_passages(
        writer, [{"id": "2", "title": "Lynx", "text": "A lynx has tufted ears."}], "c", embedder=embedder
    )
    assert searcher.search("tufted ears", mode="dense")[0].passage.source == "2"
    writer.delete_document(writer.documents("c")[0].id)
    assert {h.passage.source for h in searcher.search("otters", mode="hybrid")} == {"2"}


def test_vectors_are_unit_and_do_not_depend_on_the_batch(embedder: MiniLMEmbedder) -> None:
    texts = ["short", "a much longer sentence about bridges and rivers " * 20, "middle length text here", ""]
    together = embedder.embed(texts)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-3)
    alone = np.vstack([embedder.embed([t]) for t in texts])
    assert (together * alone).sum(axis=1).min() > 0.999
    assert embedder.embed([]).shape == (0, 384)
    assert count_tokens(["hello world", ""]) == [2, 0]


def test_refresh_writes_one_snapshot(tmp_path: Path, embedder: MiniLMEmbedder) -> None:
    store = Store.open(tmp_path)
    for number in range(3):
        row = {"id": str(number), "title": "T", "text": f"Text number {number}."}
        ingest_passages(store, [row], "c", embedder=embedder)
    DenseCache(store, 384).refresh(store.collection_id("c"))
    assert len(list((tmp_path / "cache" / "dense").glob("*.faiss"))) == 1
