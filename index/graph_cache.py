"""Corpus graphs kept in step with the store, one for each collection.

As with the dense cache the store is the truth: a graph remembers the generation it was made at, takes in new
passages and drops removed ones. A large graph is renewed in a thread of its own while the one before serves:
a new document is found by its text at once, and by its links a moment later. Snapshots on disk become current
by one atomic rename; a lost or damaged one is rebuilt.
"""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from index import graph_rows, knowledge
from index.extract import VERSION
from index.graph import CorpusGraph
from index.graph_growth import grown
from index.graph_rows import Edges
from index.link import Linker
from index.store import Store
from index.walks import prepare

log = logging.getLogger(__name__)
AT_ONCE = 20_000  # passages up to which a search waits for the renewal (measured: under 0.2 s)
FEW = 10  # a large graph is extended by up to a tenth of its passages at a time; by more it is made anew
MANY = 50  # a snapshot is written again when it lacks more than one in so many passages
SNAPSHOT_FROM = 2000  # passages below which reading the store is as fast


class GraphCache:
    """The graphs of a data folder. Safe for threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = store.data_dir / "cache" / "graph"
        self._lock = threading.Lock()  # guards `_held`; never held while a graph is built
        self._building: dict[int, threading.Lock] = {}
        self._held: dict[int, tuple[int, CorpusGraph, Linker, str]] = {}
        self._joined: tuple[tuple[int, ...], tuple[CorpusGraph, ...], CorpusGraph, Linker] | None = None

    def of(self, collection_ids: Sequence[int]) -> tuple[CorpusGraph, Linker]:
        """The graph of some collections, in blocks that no walk leaves; the last combination is kept."""
        if len(collection_ids) == 1:
            return self.current(collection_ids[0])
        parts = tuple(self.current(number)[0] for number in collection_ids)
        with self._lock:
            held = self._joined
        same = held is not None and held[0] == tuple(collection_ids)
        if held is not None and same and all(a is b for a, b in zip(held[1], parts, strict=True)):
            return held[2], held[3]
        made = CorpusGraph(graph_rows.joined([part.edges for part in parts]) if parts else graph_rows.empty())
        linker = Linker(made)
        with self._lock:
            self._joined = (tuple(collection_ids), parts, made, linker)
        return made, linker

    def current(self, collection_id: int) -> tuple[CorpusGraph, Linker]:
        """The graph of one collection to search now, with its linker."""
        generation = self._store.generation(collection_id)
        with self._lock:
            held = self._held.get(collection_id)
            building = self._building.setdefault(collection_id, threading.Lock())
        if held is None or (held[0] != generation and held[1].size <= AT_ONCE):
            held = self._renew(collection_id)
        elif held[0] != generation and not building.locked():
            threading.Thread(target=self._renew, args=(collection_id,), daemon=True).start()
        return held[1], held[2]

    def refresh(self, collection_id: int) -> None:
        """Save the graph's rows unless few are new: the last act of an ingest. A search then starts from them."""
        knowledge.backfill(self._store, collection_id)
        if not self._outdated(collection_id):
            return
        with self._store.reading():
            generation = self._store.generation(collection_id)
            recipe = self._recipe(collection_id)
            edges, _ = self._catch_up(collection_id, self._load(collection_id) or graph_rows.empty())
        if len(edges.passages) >= SNAPSHOT_FROM:
            self._save(collection_id, generation, edges, recipe)

    def _renew(self, collection_id: int) -> tuple[int, CorpusGraph, Linker, str]:
        with self._lock:
            building = self._building.setdefault(collection_id, threading.Lock())
        with building:
            with self._lock:
                held = self._held.get(collection_id)
            if held is not None and held[0] == self._store.generation(collection_id):
                return held
            knowledge.backfill(self._store, collection_id)
            with self._store.reading():
                generation, recipe = self._store.generation(collection_id), self._recipe(collection_id)
                same = held if held is not None and held[3] == recipe else None
                more = self._grow(collection_id, same[1]) if same else None
                if same and more:
                    held = (generation, more, Linker(more, same[2]), recipe)
                    with self._lock:
                        self._held[collection_id] = held
                    return held
                before = same[1].edges if same else self._load(collection_id) or graph_rows.empty()
                edges, dropped = self._catch_up(collection_id, before)
            if dropped and self._path(collection_id).is_file():
                self._save(
                    collection_id, generation, edges, recipe
                )  # what was deleted must not stay on the disk
            made = CorpusGraph(edges)
            prepare(made)
            held = (generation, made, Linker(made), recipe)
            with self._lock:
                self._held[collection_id] = held
            return held

    def _grow(self, collection_id: int, before: CorpusGraph) -> CorpusGraph | None:
        """A large graph with the few passages that have come since, or None where that is not all that happened.

        Ids are never used twice and only rise, so nothing has gone as long as the number of the old ones is the same.
        """
        if before.size <= AT_ONCE:
            return None
        read, last = self._store.connection.execute, int(before.edges.passages[-1])
        query = "SELECT count(*) FROM passages WHERE collection_id = ? AND id <= ?"
        if read(query, (collection_id, last)).fetchone()[0] != before.size:
            return None
        new = read(
            "SELECT p.id, d.rowid, d.extracted FROM passages p JOIN documents d ON d.id = p.document_id"
            " WHERE p.collection_id = ? AND p.id > ?",
            (collection_id, last),
        ).fetchall()
        if len(new) * FEW > before.size or any(row[2] != VERSION for row in new):
            return None
        found = " FROM {} x JOIN passages p ON p.id = x.passage_id WHERE p.collection_id = ? AND p.id > ?"
        mentions = read(
            "SELECT x.passage_id, x.entity, x.kind" + found.format("mentions"), (collection_id, last)
        )
        aliases = read("SELECT DISTINCT x.alias, x.entity" + found.format("aliases"), (collection_id, last))
        made = grown(before, [row[:2] for row in new], mentions, aliases)
        prepare(made)
        return made

    def _catch_up(self, collection_id: int, edges: Edges) -> tuple[Edges, bool]:
        """The rows brought to the store's state, and whether any were dropped."""
        connection = self._store.connection
        alive = connection.execute(
            "SELECT p.id, d.rowid FROM passages p JOIN documents d ON d.id = p.document_id"
            " WHERE p.collection_id = ? AND d.extracted = ?",
            (collection_id, VERSION),
        ).fetchall()
        aliases = connection.execute(
            "SELECT DISTINCT a.alias, a.entity FROM aliases a JOIN passages p ON p.id = a.passage_id"
            " WHERE p.collection_id = ?",
            (collection_id,),
        ).fetchall()
        ids = {row[0] for row in alive}
        held = set(edges.passages.tolist())
        gone = held - ids
        edges = graph_rows.without(edges, gone)
        new = [row for row in alive if row[0] not in held]
        if not new:
            return graph_rows.with_aliases(edges, aliases), bool(gone)
        first = min(row[0] for row in new)
        mentions = connection.execute(
            "SELECT m.passage_id, m.entity, m.kind FROM mentions m JOIN passages p ON p.id = m.passage_id"
            " WHERE p.collection_id = ? AND p.id >= ?",
            (collection_id, first),
        )
        return graph_rows.with_aliases(graph_rows.extended(edges, new, mentions), aliases), bool(gone)

    # ---- snapshots -----------------------------------------------------------------------------

    def _save(self, collection_id: int, generation: int, edges: Edges, recipe: str) -> None:
        edges = graph_rows.compacted(edges)
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f"{collection_id}-{uuid.uuid4().hex[:8]}.partial.npz"
        np.savez(
            partial,
            recipe=np.array(recipe),
            generation=np.array(generation),
            passages=edges.passages,
            documents=edges.documents,
            keys=np.frombuffer("\n".join(edges.keys).encode(), dtype=np.uint8),
            row=edges.row,
            column=edges.column,
            kind=edges.kind,
            count=edges.count,
        )
        os.replace(partial, self._path(collection_id))

    def _load(self, collection_id: int) -> Edges | None:
        path = self._path(collection_id)
        if not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as held:
                if str(held["recipe"]) != self._recipe(collection_id):
                    return None
                keys = held["keys"].tobytes().decode()
                return Edges(
                    held["passages"], held["documents"], tuple(keys.split("\n")) if keys else (), held["row"],
                    held["column"], held["kind"], held["count"],
                )  # fmt: skip
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            log.warning("graph snapshot of collection %s not usable, rebuilding: %s", collection_id, error)
            return None

    def _outdated(self, collection_id: int) -> bool:
        """Whether a snapshot is missing, holds what is gone, or lacks so much that catching up from it takes long."""
        try:
            with np.load(self._path(collection_id), allow_pickle=False) as held:
                current = str(held["recipe"]) == self._recipe(collection_id)
                passages = held["passages"] if current else np.zeros(0, np.int64)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return True
        if not len(passages):
            return True
        old, new = self._store.connection.execute(
            "SELECT count(*) FILTER (WHERE id <= ?1), count(*) FILTER (WHERE id > ?1) FROM passages"
            " WHERE collection_id = ?2",
            (int(passages[-1]), collection_id),
        ).fetchone()
        return bool(old != len(passages) or new * MANY > len(passages))

    def _recipe(self, collection_id: int) -> str:
        return knowledge.graph_recipe(self._store.connection, collection_id)

    def _path(self, collection_id: int) -> Path:
        return self._folder / f"{collection_id}.npz"
