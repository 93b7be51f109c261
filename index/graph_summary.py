"""A collection's graph in numbers: how much there is, what comes up most, what hangs together.

The counts are SQL over the extracted rows and hold no graph in memory, so that a page can show them for a large
collection; how documents hang together needs the corpus graph itself. Dates, numbers and headings join passages
in the graph, but that two documents name the same year or have a section "History" says little: they count
neither among the top entities nor as a link between documents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csgraph

from index.extract import VERSION
from index.graph import CorpusGraph
from index.graph_rows import KINDS
from index.passage_knowledge import Named, spellings
from index.store import Store

LOOSE = ("date", "number", "heading")
TOP = 10


@dataclass(frozen=True, slots=True)
class TopEntity:
    """An entity and the documents that name it."""

    name: str
    documents: int


@dataclass(frozen=True, slots=True)
class GraphCounts:
    """What a collection's graph holds. `edges`: passage-entity pairs. `waiting`: documents not yet extracted."""

    documents: int
    passages: int
    entities: int
    mentions: int
    edges: int
    triplets: int
    waiting: int
    top: tuple[TopEntity, ...]


@dataclass(frozen=True, slots=True)
class LinkedDocument:
    """A document and how many of its entities other documents name too."""

    id: str
    title: str
    shared: int


@dataclass(frozen=True, slots=True)
class Connections:
    """How the documents hang together. `largest`: share of the passages in the largest component, 0 to 1."""

    components: int
    largest: float
    most_connected: tuple[LinkedDocument, ...]
    isolated: tuple[LinkedDocument, ...]  # some of those that share no entity with another document
    isolated_count: int  # all of them


def graph_counts(store: Store, collection: str, top: int = TOP) -> GraphCounts:
    """Counts of one collection by SQL; NotFoundError for an unknown one."""
    number = store.collection_id(collection)
    with store.reading():
        rows = store.connection.execute(
            "SELECT count(*), coalesce(sum(extracted <> ?), 0) FROM documents"
            " WHERE collection_id = ? AND status = 'ready'",
            (VERSION, number),
        )
        documents, waiting = rows.fetchone()
        edges, mentions = store.connection.execute(
            "SELECT count(*), coalesce(sum(times), 0) FROM (SELECT count(*) AS times FROM passages p"
            " JOIN mentions m ON m.passage_id = p.id WHERE p.collection_id = ? GROUP BY p.id, m.entity)",
            (number,),
        ).fetchone()
        passages = _one(store, "SELECT count(*) FROM passages p WHERE p.collection_id = ?", number)
        entities = _one(store, f"SELECT count(DISTINCT m.entity) FROM {_MENTIONS}", number)
        triplets = _one(
            store,
            "SELECT count(*) FROM passages p JOIN triplets t ON t.passage_id = p.id WHERE p.collection_id = ?",
            number,
        )
        best = _top(store, number, top)
    return GraphCounts(documents, passages, entities, mentions, edges, triplets, waiting, best)


def connections(store: Store, graph: CorpusGraph, top: int = TOP) -> Connections:
    """How the documents of one collection hang together, from its current graph (index.graph_cache)."""
    edges = graph.edges
    if not graph.size:
        return Connections(0, 0.0, (), (), 0)
    _, labels = csgraph.connected_components(graph.links, directed=False)
    parts = np.bincount(labels[: graph.size])
    documents, number = np.unique(edges.documents, return_inverse=True)
    named = ~np.isin(edges.kind, [KINDS.index(kind) for kind in LOOSE])
    pairs = np.unique(np.stack([number[edges.row[named]], edges.column[named]], axis=1), axis=0)
    shared_by = np.bincount(pairs[:, 1], minlength=len(edges.keys))
    shared = np.bincount(pairs[shared_by[pairs[:, 1]] > 1, 0], minlength=len(documents))
    most = [at for at in np.argsort(-shared, kind="stable")[:top].tolist() if shared[at]]
    alone = np.flatnonzero(shared == 0)
    return Connections(
        components=int((parts > 0).sum()),
        largest=float(parts.max() / graph.size),
        most_connected=_documents(store, documents[most], shared[most]),
        isolated=_documents(store, documents[alone[:top]], shared[alone[:top]]),
        isolated_count=len(alone),
    )


_MENTIONS = "passages p JOIN mentions m ON m.passage_id = p.id WHERE p.collection_id = ?"


def _one(store: Store, query: str, number: int) -> int:
    return int(store.connection.execute(query, (number,)).fetchone()[0])


def _top(store: Store, number: int, count: int) -> tuple[TopEntity, ...]:
    """Entities that most documents name, in the spelling of the first passage that names them."""
    marks = ",".join("?" * len(LOOSE))
    rows = store.connection.execute(
        f"SELECT m.entity, count(DISTINCT p.document_id) AS documents, min(p.id) FROM {_MENTIONS}"
        f" AND m.kind NOT IN ({marks}) GROUP BY m.entity ORDER BY documents DESC, m.entity LIMIT ?",
        (number, *LOOSE, count),
    ).fetchall()
    passages = {passage.id: passage for passage in store.passages([row[2] for row in rows])}
    named = [
        Named(*found)
        for key, _, first in rows
        for found in store.connection.execute(
            'SELECT passage_id, entity, kind, start, "end" FROM mentions WHERE passage_id = ? AND entity = ?',
            (first, key),
        )
    ]
    spelled = spellings(named, passages)
    return tuple(TopEntity(spelled[key], documents) for key, documents, _ in rows)


def _documents(
    store: Store, rows: npt.NDArray[np.int64], shared: npt.NDArray[np.int64]
) -> tuple[LinkedDocument, ...]:
    found = []
    for row, count in zip(rows.tolist(), shared.tolist(), strict=True):
        record = store.connection.execute(
            "SELECT id, title FROM documents WHERE rowid = ?", (row,)
        ).fetchone()
        if record is not None:  # else deleted since the graph was made
            found.append(LinkedDocument(record[0], record[1], count))
    return tuple(found)
