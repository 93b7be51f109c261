"""The rows of the retrieval benchmark: the index each needs, and how each finds its ten best passages.

Our modes, the bm25s library, Chroma's own query over the same vectors, reciprocal rank fusion of our two text lists,
and networkx PageRank over the same graph from the same reset, without guidance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import Replayed, clock, fill, folder_megabytes, peak_megabytes, spread
from index.encoders import count_tokens
from index.errors import StoreError
from index.faiss_index import DenseCache
from index.graph_cache import GraphCache
from index.retrieve import CANDIDATES, MODES, Searcher
from index.store import Store
from index.types import Scope, Vectors
from index.walks import DAMPING, PRIOR, PRIOR_PASSAGES, walk_question
from training.metrics import all_gold_at_k, bootstrap, recall_at_k

ROWS = ("bm25s", "bm25", "dense", "chroma", "rrf", "hybrid", "networkx", "graph", "ranked")
KS = (2, 5, 10)
READ = 5  # passages whose tokens and completeness count
FUSED, RRF = 100, 60  # passages of each list; the constant of Cormack et al. 2009
COLLECTION = "pool"


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its vector and the ids of its gold passages."""

    text: str
    vector: Vectors
    gold: tuple[str, ...]


Find = Callable[[Question], Sequence[str]]  # ids of the ten best passages
Texts = Callable[[str], str]


def build(
    folder: Path, passages: Sequence[tuple[str, str, str]], vectors: Vectors, kind: str
) -> dict[str, float]:
    """Make one index below `folder`: seconds and bytes."""
    began = clock()
    graph = 0.0
    if kind == "chroma":
        collection = _chroma(folder)
        for at in range(0, len(passages), 5000):
            part = passages[at : at + 5000]
            collection.add(
                ids=[row[0] for row in part],
                documents=[f"{row[1]}\n{row[2]}" for row in part],
                embeddings=vectors[at : at + 5000],
            )
    else:
        store = Store.open(folder)
        took = fill(store, COLLECTION, passages, vectors, knowledge=kind == "graph")
        number = store.collection_id(COLLECTION)
        DenseCache(store, vectors.shape[1]).refresh(number)
        if kind == "graph":
            linked = clock()
            GraphCache(store).refresh(number)
            graph = took.extract + clock() - linked
        store.close()
    return {
        "index_seconds": round(clock() - began, 2),
        "graph_seconds": round(graph, 2),
        "index_megabytes": round(folder_megabytes(folder), 1),
    }


def search(name: str, folder: Path, asked: Sequence[Question]) -> dict[str, Any]:
    """One row: every question once, after one that warms the caches and is not counted."""
    try:
        find, texts = FINDERS.get(name, _mode)(name, folder, asked)
        find(asked[0])
    except StoreError as error:
        return {"missing": str(error)}
    values: dict[str, list[float]] = {}
    ms: list[float] = []
    for question in asked:
        began = clock()
        ids = find(question)
        ms.append((clock() - began) * 1000)
        ranked = [{key} for key in ids]
        for k in KS:
            values.setdefault(f"recall@{k}", []).append(recall_at_k(ranked, question.gold, k))
        values.setdefault(f"all_gold@{READ}", []).append(all_gold_at_k(ranked, question.gold, READ))
        sizes = count_tokens([texts(key) for key in ids[:READ]])
        values.setdefault("context_tokens", []).append(float(sum(sizes)))
    if name == "ranked":
        values["candidate_recall"] = candidate_recall(folder, asked)
    means = {key: bootstrap(found).to_dict() for key, found in values.items()}
    return {
        **{key: interval["mean"] for key, interval in means.items()},
        "intervals": means,
        "per_question": values[f"recall@{READ}"],
        "questions": len(asked),
        "ms": spread(ms),
        "peak_megabytes": round(peak_megabytes(), 0),
    }


def candidate_recall(folder: Path, asked: Sequence[Question]) -> list[float]:
    """Share of each question's gold among all that the ranker looks at: what no ranking of them can exceed."""
    searcher, scope = _searcher(folder, asked), Scope(collections=(COLLECTION,))
    gatherer, first = searcher.gatherer(), searcher.ranker().first
    found = []
    for question in asked:
        lists = searcher.text_lists(question.text, question.vector, CANDIDATES, scope)
        at = gatherer.situation(
            question.text, question.vector, lists, searcher.asked(question.text, scope), scope
        )
        grown, _ = gatherer.continued(at, first)
        ids = [int(grown.graph.edges.passages[row]) for row in grown.rows]
        sources = {passage.source for passage in searcher.store.passages(ids)}
        found.append(len(sources & set(question.gold)) / len(question.gold))
    return found


def _mode(name: str, folder: Path, asked: Sequence[Question]) -> tuple[Find, Texts]:
    searcher, scope = _searcher(folder, asked), Scope(collections=(COLLECTION,))
    assert name in MODES

    def find(question: Question) -> list[str]:
        hits = searcher.search(question.text, max(KS), name, scope)  # type: ignore[arg-type]
        return [hit.passage.source for hit in hits]

    return find, _texts(searcher.store)


def _fusion(name: str, folder: Path, asked: Sequence[Question]) -> tuple[Find, Texts]:
    searcher, scope = _searcher(folder, asked), Scope(collections=(COLLECTION,))

    def find(question: Question) -> list[str]:
        scores: dict[str, float] = {}
        for mode in ("bm25", "dense"):
            for hit in searcher.search(question.text, FUSED, mode, scope):  # type: ignore[arg-type]
                scores[hit.passage.source] = scores.get(hit.passage.source, 0.0) + 1 / (RRF + hit.rank)
        return sorted(scores, key=lambda key: (-scores[key], key))[: max(KS)]

    return find, _texts(searcher.store)


def _peer(name: str, folder: Path, asked: Sequence[Question]) -> tuple[Find, Texts]:
    from training.evaluate_retrieval import PeerRanker

    store = Store.open(folder)
    ranker = PeerRanker(store, COLLECTION)
    return lambda question: [p.source for p in ranker.rank(question.text, max(KS))[0]], _texts(store)


def _other(name: str, folder: Path, asked: Sequence[Question]) -> tuple[Find, Texts]:
    collection = _chroma(folder)
    held = collection.get(include=["documents"])
    texts = {key: text.split("\n", 1)[1] for key, text in zip(held["ids"], held["documents"], strict=True)}

    def find(question: Question) -> list[str]:
        found = collection.query(query_embeddings=[question.vector], n_results=max(KS), include=["distances"])
        return list(found["ids"][0])

    return find, texts.__getitem__


def _networkx(name: str, folder: Path, asked: Sequence[Question]) -> tuple[Find, Texts]:
    import networkx

    searcher, scope = _searcher(folder, asked), Scope(collections=(COLLECTION,))
    graph, linker = GraphCache(searcher.store).current(searcher.store.collection_id(COLLECTION))
    drawn = networkx.from_scipy_sparse_array(graph.links.T, create_using=networkx.DiGraph)
    sources = {p.id: p.source for d in searcher.store.documents() for p in searcher.store.passages_of(d.id)}

    def find(question: Question) -> list[str]:
        text = searcher.text_lists(question.text, question.vector, FUSED, scope)["hybrid"]
        links = linker.link(question.text)
        seeds = linker.seeds(links)
        strength = walk_question(graph, linker, question.text, np.zeros(graph.size, np.float32), {}).strength
        prior = PRIOR[1] + (PRIOR[0] - PRIOR[1]) * strength if seeds else 1.0
        total = sum(seeds.values())
        reset = {graph.size + column: (1 - prior) * weight / total for column, weight in seeds.items()}
        liked = dict(list(text.items())[:PRIOR_PASSAGES])
        whole = sum(liked.values()) or 1.0
        for key, score in liked.items():
            for row in graph.rows([key]).tolist():
                reset[row] = prior * score / whole
        ranks = networkx.pagerank(
            drawn, alpha=DAMPING, personalization=reset, weight="weight", max_iter=1000, tol=1e-9
        )
        best = sorted(range(graph.size), key=lambda row: -ranks[row])[: max(KS)]
        return [sources[int(graph.edges.passages[row])] for row in best]

    return find, _texts(searcher.store)


FINDERS: dict[str, Callable[[str, Path, Sequence[Question]], tuple[Find, Texts]]] = {
    "bm25s": _peer,
    "chroma": _other,
    "rrf": _fusion,
    "networkx": _networkx,
}


def _searcher(folder: Path, asked: Sequence[Question]) -> Searcher:
    return Searcher(Store.open(folder), Replayed({question.text: question.vector for question in asked}))


def _texts(store: Store) -> Texts:
    rows = store.connection.execute(
        "SELECT d.source, p.text FROM passages p JOIN documents d ON d.id = p.document_id"
    )
    return dict(rows.fetchall()).__getitem__


def _chroma(folder: Path) -> Any:
    import chromadb

    client = chromadb.PersistentClient(
        str(folder), settings=chromadb.config.Settings(anonymized_telemetry=False)
    )
    return client.get_or_create_collection(
        COLLECTION, metadata={"hnsw:space": "cosine"}, embedding_function=None
    )


def kind_of(name: str) -> str:
    """Which index a row searches."""
    if name == "chroma":
        return "chroma"
    return "graph" if name in ("networkx", "graph", "ranked") else "text"
