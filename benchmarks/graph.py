"""The corpus graph measured: how it grows, how fast PageRank is, and what each part of it is worth.

    python -m benchmarks.graph                                    # growth to 100,000 passages, PageRank, ablation
    python -m benchmarks.graph --parts growth --million --json OUT
    python -m benchmarks.graph --parts ablation --limit 100       # needs FORAGE_DATA

Growth runs over generated passages (benchmarks/generated_corpus.py) with hashed word vectors of the encoder's
size, because encoding 100,000 texts would hide everything else; what encoding would add is printed from a
sample. Exponents are slopes of log time over log passages: 1 is linear.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.ablation import ablation, ablation_grids
from benchmarks.generated_corpus import GeneratedCorpus, WordHashEmbedder
from benchmarks.measure import (
    Replayed,
    alone,
    clock,
    facts,
    fill,
    folder_megabytes,
    peak_megabytes,
    spread,
    stop_with,
)
from index.encoders import load_embedder
from index.errors import InputError, StoreError
from index.faiss_index import DenseCache
from index.graph_cache import GraphCache
from index.pagerank import combine, personalised_pagerank, walk
from index.retrieve import CANDIDATES, Searcher
from index.store import Store
from index.types import Mode, Scope, Vectors
from index.walks import DAMPING, STEPS
from training import report

SIZES = (1000, 10_000, 100_000)
MODES: tuple[Mode, ...] = ("hybrid", "graph", "ranked")
PARTS = ("growth", "pagerank", "ablation")
COLLECTION = "made"
SCOPE = Scope(collections=(COLLECTION,))
CHANGES = 5  # documents added and deleted
ENCODED = 128
PATIENCE = 120.0  # seconds to wait for a renewed graph
NODES, EDGES, BATCH = 200_000, 2_000_000, 16
SMALL = 10  # networkx walks a graph so many times smaller


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", default=",".join(PARTS), help="which, joined by commas")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="passages, joined by commas")
    parser.add_argument("--million", action="store_true", help="grow to 1,000,000 passages (hours)")
    parser.add_argument("--questions", type=int, default=100, help="for each size and mode")
    parser.add_argument("--limit", type=int, help="ablation: only the first N questions of each pool")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    try:
        parts = report.choices(options.parts, "--parts", PARTS)
        sizes = report.whole_numbers(options.sizes, "--sizes") + ((1_000_000,) if options.million else ())
        grids: list[report.Grid] = []
        if "growth" in parts:
            found["growth"] = growth(sizes, options.questions, options.seed)
            grids += [growth_grid(found["growth"])]
        if "pagerank" in parts:
            found["pagerank"] = alone(pagerank, options.seed)
            grids += [pagerank_grid(found["pagerank"])]
        if "ablation" in parts:
            found["ablation"] = ablation(options.limit)
            grids += ablation_grids(found["ablation"])
    except InputError as error:
        stop_with(error)
    for grid in grids:
        report.show(grid, markdown=options.markdown)
    if options.json:
        report.write_json(report.open_output(options.json), {**found, **facts("graph", options)})


# ---- growth ------------------------------------------------------------------------------------


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


# ---- PageRank ----------------------------------------------------------------------------------


def pagerank(seed: int) -> dict[str, Any]:
    """Our power iteration over a large random graph, and beside networkx over a smaller one."""
    import networkx

    random = np.random.default_rng(seed)
    links = _random_graph(random, NODES, EDGES)
    back = sparse.csr_matrix(links.T)
    found: dict[str, Any] = {"nodes": NODES, "edges": int(links.nnz)}
    for count in (1, BATCH):
        resets = np.zeros((NODES, count), dtype=np.float32)
        for column in range(count):
            resets[random.integers(NODES, size=10), column] = 1.0
        for name, damping, steps in (("deep", DAMPING, STEPS), ("half", 0.5, 19)):
            ms = []
            for _ in range(3):
                began = clock()
                combine(walk(links, resets, steps, reversed_links=back), damping)
                ms.append((clock() - began) * 1000 / count)
            found[f"{name}_batch_{count}_ms"] = round(min(ms), 1)
    small = _random_graph(random, NODES // SMALL, EDGES // SMALL)
    drawn = networkx.from_scipy_sparse_array(small.T, create_using=networkx.DiGraph)
    reset = np.zeros((NODES // SMALL, 1), dtype=np.float32)
    reset[:10] = 1.0
    began = clock()
    ours = personalised_pagerank(small, reset, 0.5, 1e-6)[:, 0]
    found["small_ours_ms"] = round((clock() - began) * 1000, 1)
    began = clock()
    theirs = networkx.pagerank(drawn, alpha=0.5, personalization=dict.fromkeys(range(10), 1.0), tol=1e-12)
    found["small_networkx_ms"] = round((clock() - began) * 1000, 1)
    found["largest_difference"] = float(np.abs(ours - [theirs[at] for at in range(NODES // SMALL)]).max())
    return found


def _random_graph(random: np.random.Generator, nodes: int, edges: int) -> sparse.csr_matrix:
    ends = random.integers(nodes, size=(2, edges))
    made = sparse.coo_matrix(
        (random.random(edges, dtype=np.float32) + 0.1, ends), shape=(nodes, nodes)
    ).tocsr()
    made.sum_duplicates()
    return made


def pagerank_grid(found: dict[str, Any]) -> report.Grid:
    """Milliseconds a question."""
    small = f"{NODES // SMALL:,} nodes, {EDGES // SMALL:,} edges"
    rows = (
        (f"damping {DAMPING}, {STEPS} steps, one question", f"{found['deep_batch_1_ms']:.1f}"),
        (f"damping {DAMPING}, {STEPS} steps, {BATCH} together", f"{found[f'deep_batch_{BATCH}_ms']:.1f}"),
        ("damping 0.5, within 1e-6, one question", f"{found['half_batch_1_ms']:.1f}"),
        (f"damping 0.5, within 1e-6, {BATCH} together", f"{found[f'half_batch_{BATCH}_ms']:.1f}"),
        (f"{small}: ours", f"{found['small_ours_ms']:.1f}"),
        (f"{small}: networkx", f"{found['small_networkx_ms']:.1f}"),
        ("largest difference between the two", f"{found['largest_difference']:.1e}"),
    )
    return report.Grid(
        f"PageRank, {found['nodes']:,} nodes and {found['edges']:,} edges", ("", "ms a question"), rows
    )


if __name__ == "__main__":
    main()
