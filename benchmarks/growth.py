"""How the index grows: generated passages of rising number, built, searched and changed.

Passages come from benchmarks.generated_corpus with hashed word vectors of the encoder's size, because encoding
100,000 texts would hide everything else; what encoding would add is printed from a sample. Exponents are slopes of
log time over log passages: 1 is linear.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.generated_corpus import GeneratedCorpus, WordHashEmbedder
from benchmarks.measure import Replayed, alone, clock, fill, folder_megabytes, peak_megabytes, spread
from index.encoders import load_embedder
from index.errors import StoreError
from index.faiss_index import DenseCache
from index.graph_cache import GraphCache
from index.retrieve import CANDIDATES, Searcher
from index.store import Store
from index.types import Mode, Scope, Vectors
from training import report

MODES: tuple[Mode, ...] = ("hybrid", "graph", "ranked")
COLLECTION = "made"
SCOPE = Scope(collections=(COLLECTION,))
CHANGES = 5  # documents added and deleted
ENCODED = 128
PATIENCE = 1800.0  # seconds to wait for a renewed graph


def growth(sizes: Sequence[int], questions: int, seed: int) -> dict[str, Any]:
    """Every size in fresh processes: built, searched, changed. With fitted exponents over the sizes."""
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="forage-bench-") as folder:
            row = {"passages": size, **alone(built, Path(folder), size, seed)}
            row |= {mode: alone(searched, Path(folder), size, seed, mode, questions) for mode in MODES}
            row["change"] = alone(changed, Path(folder), size, seed)
        rows.append(row)
        print(f"{size} passages: {row}", flush=True)
    columns: dict[str, Callable[[dict[str, Any]], float | None]] = {
        "build_seconds": lambda row: row["build_seconds"],
        "graph_seconds": lambda row: row["graph_seconds"],
        "index_megabytes": lambda row: row["index_megabytes"],
        "build_peak_megabytes": lambda row: row["build_peak_megabytes"],
        "add_ms": lambda row: row["change"]["add_ms"],
        "delete_ms": lambda row: row["change"]["delete_ms"],
        **{f"{mode}_ms": (lambda row, mode=mode: row[mode].get("ms", {}).get("p50")) for mode in MODES},
        "search_peak_megabytes": lambda row: row["graph"]["peak_megabytes"],
    }
    exponents = {name: exponent(sizes, [value(row) for row in rows]) for name, value in columns.items()}
    return {"sizes": rows, "exponents": exponents, "encode_ms_a_passage": alone(encoding, seed)}


def exponent(sizes: Sequence[int], values: Sequence[float | None]) -> float | None:
    """Slope of log value over log size by least squares; None for fewer than two values."""
    known = [(size, value) for size, value in zip(sizes, values, strict=True) if value]
    if len(known) < 2:
        return None
    at, of = np.log([size for size, _ in known]), np.log([value for _, value in known])
    return round(float(np.polyfit(at, of, 1)[0]), 2)


def built(folder: Path, size: int, seed: int) -> dict[str, float]:
    """Fill a store and make its caches: seconds by stage."""
    corpus, embedder = GeneratedCorpus(size, seed), WordHashEmbedder()
    store = Store.open(folder)
    texts = ((p.id, p.title, p.text) for p in corpus.passages())
    took = fill(store, COLLECTION, texts, _vectors(corpus, embedder))
    number = store.collection_id(COLLECTION)
    began = clock()
    DenseCache(store, embedder.dimension).refresh(number)
    dense = clock() - began
    began = clock()
    cache = GraphCache(store)
    cache.refresh(number)
    linked = clock() - began
    megabytes, peak = folder_megabytes(folder), peak_megabytes()
    graph, _ = cache.current(number)
    store.close()
    return {
        "entities": len(graph.edges.keys),
        "extract_seconds": round(took.extract, 2),
        "commit_seconds": round(took.commit, 2),
        "dense_seconds": round(dense, 2),
        "graph_seconds": round(linked, 2),
        "build_seconds": round(took.extract + took.commit + dense + linked, 2),
        "index_megabytes": round(megabytes, 1),
        "build_peak_megabytes": round(peak),
    }


def _vectors(corpus: GeneratedCorpus, embedder: WordHashEmbedder) -> Iterator[Vectors]:
    for passage in corpus.passages():
        yield embedder.embed([passage.text])[0]


def searched(folder: Path, size: int, seed: int, mode: Mode, count: int) -> dict[str, Any]:
    """Questions in one mode: milliseconds without encoding, recall of the two passages, peak memory."""
    corpus, embedder = GeneratedCorpus(size, seed), WordHashEmbedder()
    asked = corpus.questions(count + 5)
    vectors = {question.text: embedder.embed([question.text])[0] for question in asked}
    searcher = Searcher(Store.open(folder), Replayed(vectors))
    began = clock()
    try:
        searcher.search(asked[0].text, 5, mode, SCOPE)
    except StoreError as error:
        return {"missing": str(error), "peak_megabytes": None}
    opened = clock() - began
    for question in asked[1:5]:  # SQLite's pages and the words of common passages come into memory
        searcher.search(question.text, 5, mode, SCOPE)
    ms, recall = [], []
    for question in asked[5:]:
        began = clock()
        hits = searcher.search(question.text, 5, mode, SCOPE)
        ms.append((clock() - began) * 1000)
        ids = {hit.passage.source for hit in hits}
        recall.append(len(ids & {question.first, question.second}) / len({question.first, question.second}))
    return {
        "ms": spread(ms),
        "recall@5": round(float(np.mean(recall)), 3),
        "first_search_seconds": round(opened, 2),
        "peak_megabytes": round(peak_megabytes()),
    }


def changed(folder: Path, size: int, seed: int) -> dict[str, Any]:
    """One document added and deleted, several times, in a folder that is being searched."""
    corpus, embedder = GeneratedCorpus(size, seed), WordHashEmbedder()
    new = [corpus.passage(10 * size + at) for at in range(CHANGES)]  # of titles that nothing names yet
    asked = [p.text.split(".")[0] + "?" for p in new]
    vectors = {text: embedder.embed([text])[0] for text in (*asked, *(p.text for p in new))}
    searcher = Searcher(Store.open(folder), Replayed(vectors))
    store = searcher.store
    watch = _Watch(searcher, vectors)
    searcher.search(asked[0], 5, "graph", SCOPE)
    before = watch.contents()
    times: dict[str, list[float]] = {"add": [], "linked": [], "delete": [], "unlinked": []}
    while_renewed: list[float] = []
    for passage, question in zip(new, asked, strict=True):
        began = clock()
        fill(store, COLLECTION, [(passage.id, passage.title, passage.text)], [vectors[passage.text]])
        found = {hit.passage.source for hit in searcher.search(question, 5, "hybrid", SCOPE)}
        times["add"].append(clock() - began)
        if passage.id not in found:
            raise RuntimeError(f"{passage.id} was added and not found")
        while_renewed += watch.until(question, size + 1)
        times["linked"].append(clock() - began)
        document = next(
            h for h in searcher.search(question, 5, "graph", SCOPE) if h.passage.source == passage.id
        )
        began = clock()
        store.delete_document(document.passage.document_id)
        gone = {hit.passage.source for hit in searcher.search(question, 5, "hybrid", SCOPE)}
        times["delete"].append(clock() - began)
        if passage.id in gone:
            raise RuntimeError(f"{passage.id} was deleted and still found")
        while_renewed += watch.until(question, size)
        times["unlinked"].append(clock() - began)
    return {
        **{f"{name}_ms": round(float(np.median(values)) * 1000, 1) for name, values in times.items()},
        "search_ms_while_renewed": spread(while_renewed) if while_renewed else None,
        "delete_exact": watch.contents() == before,
    }


class _Watch:
    """Looks at what a searcher holds."""

    def __init__(self, searcher: Searcher, vectors: dict[str, Vectors]) -> None:
        self._searcher, self._vectors = searcher, vectors

    def until(self, question: str, size: int) -> list[float]:
        """Wait until the graph that serves holds `size` passages; milliseconds of graph searches meanwhile."""
        ms, end = [], time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self._graph(question).graph.size == size:
                return ms
            began = clock()
            self._searcher.search(question, 5, "graph", SCOPE)
            ms.append((clock() - began) * 1000)
            time.sleep(0.02)
        raise RuntimeError(f"the graph did not reach {size} passages")

    def contents(self) -> tuple[object, ...]:
        """What must be the same after adding and deleting: rows of every table, edges by name."""
        question = next(iter(self._vectors))
        edges = self._graph(question).graph.edges
        counted = tuple(
            self._searcher.store.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("documents", "passages", "sentences", "mentions", "triplets", "aliases")
        )
        rows = np.lexsort((edges.kind, edges.column, edges.row))
        named = hash(tuple(edges.keys[column] for column in edges.column[rows].tolist()))
        return (
            *counted,
            named,
            edges.row[rows].tobytes(),
            edges.kind[rows].tobytes(),
            edges.count[rows].tobytes(),
        )

    def _graph(self, question: str) -> Any:
        lists = self._searcher.text_lists(question, self._vectors[question], CANDIDATES, SCOPE)
        return self._searcher.gatherer().walked(question, self._vectors[question], lists, SCOPE)


def encoding(seed: int) -> float:
    """Milliseconds that the real encoder takes for one generated passage, from a sample."""
    texts = [passage.text for passage in GeneratedCorpus(ENCODED, seed).passages()]
    embedder = load_embedder()
    embedder.embed(texts[:4])
    began = clock()
    embedder.embed(texts)
    return round((clock() - began) * 1000 / len(texts), 2)


def growth_grid(found: dict[str, Any]) -> report.Grid:
    """Sizes as columns, the fitted exponent last."""
    rows, exponents = found["sizes"], found["exponents"]

    def line(title: str, value: Callable[[dict[str, Any]], str], fitted: str = "") -> tuple[str, ...]:
        return (title, *[value(row) for row in rows], report.number(exponents.get(fitted), 2))

    def mode_line(mode: str) -> tuple[str, ...]:
        def value(row: dict[str, Any]) -> str:
            ms = row[mode].get("ms")
            return f"{ms['p50']:.1f} / {ms['p95']:.1f}" if ms else "-"

        return line(f"{mode}, ms p50 / p95", value, f"{mode}_ms")

    each = found["encode_ms_a_passage"]
    lines = (
        line("entities", lambda row: f"{row['entities']:,}"),
        line("build s (no encoding)", lambda row: f"{row['build_seconds']:.1f}", "build_seconds"),
        line("- extraction", lambda row: f"{row['extract_seconds']:.1f}"),
        line("- SQLite", lambda row: f"{row['commit_seconds']:.1f}"),
        line("- dense cache", lambda row: f"{row['dense_seconds']:.1f}"),
        line("- graph", lambda row: f"{row['graph_seconds']:.1f}", "graph_seconds"),
        line("encoding s (from a sample)", lambda row: f"{row['passages'] * each / 1000:.0f}"),
        line("index MB", lambda row: f"{row['index_megabytes']:.0f}", "index_megabytes"),
        line("peak MB, build", lambda row: f"{row['build_peak_megabytes']:.0f}", "build_peak_megabytes"),
        line("peak MB, graph search", lambda row: report.number(row["graph"]["peak_megabytes"], 0),
             "search_peak_megabytes"),
        *[mode_line(mode) for mode in MODES],
        line("R@5 graph, generated questions", lambda row: report.percent(row["graph"].get("recall@5"))),
        line("first graph search s", lambda row: report.number(row["graph"].get("first_search_seconds"), 2)),
        line("add a document ms, until found", lambda row: f"{row['change']['add_ms']:.0f}", "add_ms"),
        line("- until linked", lambda row: f"{row['change']['linked_ms']:.0f}"),
        line("delete ms, until gone", lambda row: f"{row['change']['delete_ms']:.0f}", "delete_ms"),
        line("delete exact", lambda row: "yes" if row["change"]["delete_exact"] else "NO"),
    )  # fmt: skip
    columns = ("passages", *[f"{row['passages']:,}" for row in rows], "exponent")
    return report.Grid("Growth over generated passages (hashed word vectors)", columns, lines)
