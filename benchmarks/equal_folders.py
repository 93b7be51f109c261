"""Every way in which two data folders that hold the same files are not the same, in words.

Vectors may differ in the last bits, because which passages share a batch depends on where an ingest was
stopped; results are therefore compared by score within TOLERANCE.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from index.retrieve import Searcher
from index.store import Store
from index.types import Embedder, Scope

# Not the learned modes: trees turn a last bit into a step, and rest on what is compared here.
TOLERANCE = {"bm25": 1e-6, "dense": 5e-3, "hybrid": 5e-2, "graph": 5e-2}
GRAPH_TABLES = {
    "sentences": 'number, t.start, t."end"',
    "mentions": 'sentence, t.start, t."end", entity, kind',
    "triplets": "sentence, subject, relation, object",
    "aliases": "alias, entity",
}
Ranking = list[tuple[tuple[str, int], float]]


def differences(clean: Path, killed: Path, queries: Sequence[str], embedder: Embedder) -> Iterator[str]:
    """Every way in which the killed data folder is not the clean one, in words."""
    ours, theirs = Store.open(clean), Store.open(killed)
    try:
        yield from _unsound(theirs)
        yield from _different_documents(ours, theirs)
        yield from _different_vectors(ours, theirs)
        yield from _different_graphs(ours, theirs)
        yield from _different_results(ours, theirs, queries, embedder)
    finally:
        ours.close()
        theirs.close()


def _unsound(store: Store) -> Iterator[str]:
    """Damage inside one data folder: the file, the lexical index against the passages, passages of nobody."""
    connection = store.connection
    if (found := connection.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
        yield f"database: {found}"
    try:
        connection.execute("INSERT INTO passages_text(passages_text, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        yield f"lexical index: {error}"
    query = "SELECT count(*) FROM passages WHERE document_id NOT IN (SELECT id FROM documents)"
    if orphans := connection.execute(query).fetchone()[0]:
        yield f"{orphans} passages belong to no document"


def _different_documents(clean: Store, killed: Store) -> Iterator[str]:
    ours, theirs = _documents(clean), _documents(killed)
    for source in sorted(ours.keys() ^ theirs.keys()):
        yield f"document only in the {'clean' if source in ours else 'killed'} folder: {source}"
    for source in sorted(ours.keys() & theirs.keys()):
        for what, mine, other in zip(
            ("record", "text", "passages"), ours[source], theirs[source], strict=True
        ):
            if mine != other:
                yield f"{what} of {source} differs"


def _documents(store: Store) -> dict[str, tuple[object, str, object]]:
    found: dict[str, tuple[object, str, object]] = {}
    for d in store.documents():
        record = (d.title, d.media_type, d.content_hash, d.size, d.pages, d.passages, d.status, d.error)
        passages = [(p.start, p.end, p.heading, p.text, p.page, p.page_end) for p in store.passages_of(d.id)]
        found[f"{d.collection}: {d.source}"] = (record, store.document_text(d.id), passages)
    return found


def _different_vectors(clean: Store, killed: Store) -> Iterator[str]:
    ours, theirs = _vectors(clean), _vectors(killed)
    gaps = [1 - float(ours[key] @ theirs[key]) for key in ours.keys() & theirs.keys()]
    if gaps and max(gaps) > TOLERANCE["dense"]:
        yield f"vectors differ by up to {max(gaps):.4f} in cosine"


def _vectors(store: Store) -> dict[tuple[str, int], np.ndarray]:
    rows = store.connection.execute(
        "SELECT d.source, p.start, p.vector FROM passages p JOIN documents d ON d.id = p.document_id"
    )
    found = {(row[0], row[1]): np.frombuffer(row[2], np.float16).astype(np.float32) for row in rows}
    return {key: vector / np.linalg.norm(vector) for key, vector in found.items()}


def _different_graphs(clean: Store, killed: Store) -> Iterator[str]:
    for table, columns in GRAPH_TABLES.items():
        rows = [
            set(
                store.connection.execute(
                    f"SELECT d.source, p.start, {columns} FROM {table} t JOIN passages p ON p.id = t.passage_id"
                    " JOIN documents d ON d.id = p.document_id"
                )
            )
            for store in (clean, killed)
        ]
        if rows[0] != rows[1]:
            yield f"{len(rows[0] ^ rows[1])} {table} differ"


def _different_results(
    clean: Store, killed: Store, queries: Sequence[str], embedder: Embedder
) -> Iterator[str]:
    ours, theirs = Searcher(clean, embedder), Searcher(killed, embedder)
    for mode in TOLERANCE:
        for query in queries:
            mine, other = _results(ours, query, mode), _results(theirs, query, mode)
            if not (_agree(mine, other, TOLERANCE[mode]) and _agree(other, mine, TOLERANCE[mode])):
                yield f"{mode} results for {query!r} differ"


def _results(searcher: Searcher, query: str, mode: str) -> Ranking:
    hits = searcher.search(query, 20, mode, Scope())  # type: ignore[arg-type]
    return [((hit.passage.source, hit.passage.start), hit.score) for hit in hits]


def _agree(mine: Ranking, other: Ranking, tolerance: float) -> bool:
    """Whether the ten best of `mine` are in the twenty of `other` with the same score. Equal scores may
    change places, and with them the last of the twenty."""
    scores = dict(other)
    last = other[-1][1] if other else 0.0
    return len(mine) == len(other) and all(
        abs(scores.get(key, last) - score) <= tolerance for key, score in mine[:10]
    )
