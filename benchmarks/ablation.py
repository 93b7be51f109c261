"""What each part of the graph is worth: the product's own code with one part taken out at a time.

Parts are taken out here, by changing constants and functions for the time of a measurement; the product has no
such options. The learned ranker was trained with every part, and is not trained again for a row without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from benchmarks.contexts import Found, collect, measure, packed, weigh
from benchmarks.measure import clock, data_root, spread
from index import gather, offered, walks
from index.association import Node
from index.encoders import load_embedder
from index.errors import StoreError
from index.graph import CorpusGraph
from index.retrieve import Searcher
from index.store import Store
from index.types import Mode, Scope
from index.walks import Walks
from training import report
from training.benchmark_index import open_index
from training.data import load_questions, open_data, question_files
from training.metrics import recall_at_k

POOLS = dict.fromkeys(("2wiki_distractor", "musique_distractor", "hotpotqa_distractor"), "dev")
MODES: tuple[Mode, ...] = ("graph", "ranked")
BUDGETS = (150, 250)
READ = 5


@contextmanager
def changed(owner: Any, **values: Any) -> Iterator[None]:
    """Attributes of a module or class set for a while."""
    before = {name: owner.__dict__[name] for name in values}
    for name, value in values.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


@contextmanager
def without_graph() -> Iterator[None]:
    """No walk finds anything: text search proposes and judges alone."""

    def nowhere(*given: Any, **named: Any) -> Walks:
        found = walks.walk_question(*given, **named)
        nothing = np.zeros_like(found.score)
        text = nothing.copy()
        for row, value in given[4].items():
            text[row] = value
        names = ("from_names", "from_names_shallow", "from_text", "direct", "second")
        zeros = dict.fromkeys(names, nothing)
        return replace(found, links=(), strength=0.0, score=text, ranking=text, **zeros)

    def no_way(graph: CorpusGraph, *_: Any) -> Any:
        return np.zeros(graph.size, dtype=np.float32)

    with changed(gather, walk_question=nowhere, walk_on=no_way, _titled=lambda at, bridges: []):
        yield


@contextmanager
def without_specificity() -> Iterator[None]:
    """Every entity counts as much as the rarest."""
    plain = cached_property(lambda graph: np.ones(len(graph.edges.keys), dtype=np.float32))
    plain.__set_name__(CorpusGraph, "rarity")
    with changed(CorpusGraph, rarity=plain):
        yield


@contextmanager
def whole() -> Iterator[None]:
    """Nothing taken out."""
    yield


SEARCH: Mapping[str, Callable[[], Any]] = {
    "everything": whole,
    "without graph": without_graph,
    "without specificity": without_specificity,
    "without passage prior": partial(changed, walks, PRIOR=(0.0, 0.0)),
    "without guidance by the question": partial(changed, walks, GAIN=0.0),
}


def _no_mass(drawn: Any, _: Any) -> dict[Node, float]:
    """In place of PageRank over the association graph: no passage gets any mass from it."""
    return dict.fromkeys(drawn, 0.0)


PACKING: Mapping[str, Callable[[], Any]] = {
    "everything": whole,
    "without triplets": partial(changed, offered, _triplets=lambda *_: ({}, [])),
    "without association graph": partial(changed, offered, rank=_no_mass),
}


def ablation(limit: int | None) -> dict[str, Any]:
    """Both tables over the multi-hop pools; packing without a ranker there is none."""
    search: dict[str, Any] = {}
    for name, split in POOLS.items():
        for mode in MODES:
            try:
                search.setdefault(mode, {})[name] = _searches(name, split, mode, limit)
            except StoreError as error:
                search.pop(mode, None)
                search.setdefault("missing", {})[mode] = str(error)
    return {"search": search, "packing": packing_ablation(limit) if "ranked" in search else {}}


def packing_ablation(limit: int | None) -> dict[str, Any]:
    """Packing with each part taken out: pool -> row -> budget -> values."""
    packing: dict[str, Any] = {}
    for name, split in POOLS.items():
        store, found = collect(data_root() / name, split, limit, "ranked")
        packing[name] = {row: _packings(store, found, part) for row, part in PACKING.items()}
        store.close()
    return packing


def _searches(name: str, split: str, mode: Mode, limit: int | None) -> dict[str, Any]:
    """Recall in the first five with each part taken out."""
    data, embedder = open_data(data_root() / name), load_embedder()
    examples = [e for e in load_questions(*question_files(data, split)) if e.supporting][:limit]
    rows: dict[str, Any] = {}
    with open_index(data, examples, embedder) as index:
        vectors, scope = (
            embedder.embed([e.question for e in examples]),
            Scope(collections=(index.collection,)),
        )
        for row, part in SEARCH.items():
            with part():
                searcher = Searcher(index.store, embedder)  # a new one: it holds graphs made with the part
                searcher.search_vector(examples[0].question, vectors[0], READ, mode, scope)
                recall, ms = [], []
                for example, vector in zip(examples, vectors, strict=True):
                    began = clock()
                    hits = searcher.search_vector(example.question, vector, READ, mode, scope)
                    ms.append((clock() - began) * 1000)
                    recall.append(recall_at_k([{h.passage.source} for h in hits], example.supporting, READ))
            rows[row] = {"recall@5": float(np.mean(recall)), "questions": len(recall), "ms": spread(ms)}
    return rows


def _packings(store: Store, found: list[Found], part: Callable[[], Any]) -> dict[str, Any]:
    with part():
        both = [(one, weigh(store, one)) for one in found]
        return {str(b): measure([(one, packed(weighed, b)) for one, weighed in both]) for b in BUDGETS}


def ablation_grids(found: dict[str, Any]) -> list[report.Grid]:
    """Recall of search, then answer and evidence recall of packing."""
    grids = []
    for mode, pools in found["search"].items():
        if mode == "missing":
            continue
        rows = [
            (row, *[report.percent(values[row]["recall@5"]) for values in pools.values()]) for row in SEARCH
        ]
        title = f"Ablation, {mode} mode: R@5" + ("; not trained again" if mode == "ranked" else "")
        grids.append(report.Grid(title, ("", *pools), tuple(rows)))
    for budget in BUDGETS if found["packing"] else ():
        rows = [
            (row, *[_packing_cell(values[row][str(budget)]) for values in found["packing"].values()])
            for row in PACKING
        ]
        title = f"Ablation, packing at {budget} tokens, not trained again: answer recall / evidence recall / tokens"
        grids.append(report.Grid(title, ("", *found["packing"]), tuple(rows)))
    return grids


def _packing_cell(values: Mapping[str, float | None]) -> str:
    recalls = [report.percent(values[name]) for name in ("answer_recall", "evidence_recall")]
    return f"{recalls[0]} / {recalls[1]} / {report.number(values['tokens'], 0)}"
