"""Search measured against its rivals on pools of labelled questions: quality, speed, index and memory in one run.

    python -m benchmarks.retrieval                                # the three multi-hop pools of FORAGE_DATA
    python -m benchmarks.retrieval --data DIR --limit 100 --json OUT

Each row runs in a process of its own with the questions' vectors given, so that milliseconds and memory are
those of the search; encoding is measured apart. Rivals: the bm25s library, Chroma's own query over the same
vectors, reciprocal rank fusion of our two text lists, and networkx PageRank over the same graph from the same
reset, without guidance (a sample of questions, for it is slow).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import (
    Replayed,
    alone,
    clock,
    data_root,
    facts,
    fill,
    folder_megabytes,
    peak_megabytes,
    spread,
    stop_with,
)
from index.encoders import count_tokens, load_embedder
from index.errors import InputError, StoreError
from index.faiss_index import DenseCache
from index.graph_cache import GraphCache
from index.retrieve import MODES, Searcher
from index.store import Store
from index.types import Scope, Vectors
from index.walks import DAMPING, PRIOR, PRIOR_PASSAGES, walk_question
from training import report
from training.benchmark_index import open_index
from training.data import load_corpus, load_questions, open_data, question_files
from training.metrics import all_gold_at_k, bootstrap, recall_at_k

POOLS = {"2wiki_distractor": "dev", "musique_distractor": "train,dev", "hotpotqa_distractor": "dev"}
ROWS = ("bm25s", "bm25", "dense", "chroma", "rrf", "hybrid", "networkx", "graph", "ranked")
KS = (2, 5, 10)
READ = 5  # passages whose tokens and completeness count
FUSED, RRF = 100, 60  # passages of each list; the constant of Cormack et al. 2009
SAMPLE = 20  # questions for networkx
ENCODED = 256  # passages whose encoding is timed
COLLECTION = "pool"


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its vector and the ids of its gold passages."""

    text: str
    vector: Vectors
    gold: tuple[str, ...]


Find = Callable[[Question], Sequence[str]]  # ids of the ten best passages


def main() -> None:
    """Measure every pool and print its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, action="append", help="a pool's folder; may be given again")
    parser.add_argument("--split", help="question files, joined by commas (default: dev; MuSiQue: both)")
    parser.add_argument("--limit", type=int, help="only the first N questions of each pool")
    parser.add_argument("--rows", default=",".join(ROWS), help="which, joined by commas")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    try:
        names = report.choices(options.rows, "--rows", ROWS)
        folders = options.data or [data_root() / name for name in POOLS]
        found = {}
        for folder in folders:
            pool = measure_pool(folder, options.split, options.limit, names)
            found[folder.name] = pool
            report.show(grid(folder.name, pool), markdown=options.markdown)
            print(note(pool), flush=True)
    except InputError as error:
        stop_with(error)
    if options.json:
        report.write_json(report.open_output(options.json), {"pools": found, **facts("retrieval", options)})


def measure_pool(folder: Path, split: str | None, limit: int | None, names: Sequence[str]) -> dict[str, Any]:
    """All rows over one pool: row -> values, with the costs of its indexes."""
    data, embedder = open_data(folder), load_embedder()
    files = question_files(data, split or POOLS.get(data.name, "dev"))
    examples = [e for e in load_questions(*files) if e.supporting][:limit]
    if not examples:
        raise InputError(f"No question of {data.name} names its passages, so there is nothing to measure.")
    corpus = load_corpus(data.root)
    with open_index(data, examples, embedder) as index:
        held = dict(
            index.store.connection.execute(
                "SELECT d.source, p.vector FROM passages p JOIN documents d ON d.id = p.document_id"
            )
        )
    vectors = np.stack([np.frombuffer(held[row.id], dtype=np.float16) for row in corpus]).astype(np.float32)
    passages = [(row.id, row.title, row.text) for row in corpus]
    asked, encode_ms = [], []
    embedder.embed([examples[0].question])
    for example in examples:
        began = clock()
        (vector,) = embedder.embed([example.question])
        encode_ms.append((clock() - began) * 1000)
        asked.append(Question(example.question, vector, example.supporting))
    sample = corpus[:: max(1, len(corpus) // ENCODED)]
    began = clock()
    embedder.embed([f"{row.title}\n{row.text}" for row in sample])
    encoding = (clock() - began) * len(corpus) / len(sample)
    with tempfile.TemporaryDirectory(prefix="forage-bench-") as work:
        costs = {kind: alone(build, Path(work) / kind, passages, vectors, kind) for kind in _kinds(names)}
        rows = {}
        for name in names:
            found = alone(
                search, name, Path(work) / _kind(name), asked[:SAMPLE] if name == "networkx" else asked
            )
            rows[name] = {**found, **costs[_kind(name)]}
    return {
        "questions": len(asked),
        "passages": len(corpus),
        "encoding_seconds": round(encoding, 1),
        "encode_ms": spread(encode_ms),
        "rows": rows,
    }


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
    means = {key: bootstrap(found).to_dict() for key, found in values.items()}
    return {
        **{key: interval["mean"] for key, interval in means.items()},
        "intervals": means,
        "questions": len(asked),
        "ms": spread(ms),
        "peak_megabytes": round(peak_megabytes(), 0),
    }


Texts = Callable[[str], str]


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
        prior = PRIOR[1] + (PRIOR[0] - PRIOR[1]) * strength if seeds.any() else 1.0
        reset = {
            graph.size + int(at): (1 - prior) * float(seeds[at] / seeds.sum()) for at in np.flatnonzero(seeds)
        }
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


def _kind(name: str) -> str:
    """Which index a row searches."""
    if name == "chroma":
        return "chroma"
    return "graph" if name in ("networkx", "graph", "ranked") else "text"


def _kinds(names: Sequence[str]) -> list[str]:
    return sorted({_kind(name) for name in names})


def grid(name: str, pool: dict[str, Any]) -> report.Grid:
    """The table of a pool."""
    columns = (
        "",
        "R@2",
        "R@5",
        "R@10",
        "all@5",
        "ms p50",
        "ms p95",
        "tokens",
        "index s",
        "index MB",
        "peak MB",
    )
    rows = []
    for row, found in pool["rows"].items():
        if "missing" in found:
            rows.append((row, *["-"] * 10))
            continue
        label = row if found["questions"] == pool["questions"] else f"{row} ({found['questions']} questions)"
        rows.append(
            (
                label,
                *[report.percent(found[f"recall@{k}"]) for k in KS],
                report.percent(found[f"all_gold@{READ}"]),
                report.number(found["ms"]["p50"]),
                report.number(found["ms"]["p95"]),
                report.number(found["context_tokens"], 0),
                report.number(found["index_seconds"]),
                report.number(found["index_megabytes"]),
                report.number(found["peak_megabytes"], 0),
            )
        )
    title = f"{name}: {pool['questions']} questions, {pool['passages']} passages"
    return report.Grid(title, columns, tuple(rows))


def note(pool: dict[str, Any]) -> str:
    """What the table leaves out: encoding."""
    graph = max((row.get("graph_seconds", 0.0) for row in pool["rows"].values()), default=0.0)
    encode = pool["encode_ms"]
    return (
        f"Apart from that: encoding a question {encode['p50']:.1f} ms (p95 {encode['p95']:.1f}), encoding the "
        f"passages {pool['encoding_seconds']:.0f} s (from a sample); extraction and graph {graph:.1f} s of the "
        f"index, {graph / pool['encoding_seconds']:.2f} times the encoding.\n"
    )


if __name__ == "__main__":
    main()
