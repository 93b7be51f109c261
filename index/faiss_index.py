"""Dense search: one FAISS flat index per collection, a cache rebuilt from the store.

The store's vectors are the truth. An index remembers the collection's generation it was made at; when
the generation has moved it takes in the new passages (ids only grow) and drops the removed ones. A
snapshot on disk saves reading all vectors at start-up: it is written to a new file and becomes current
by one atomic rename, so a crash leaves the old snapshot or the new one, and a lost one loses nothing.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from index.store import Store
from index.types import Vectors

log = logging.getLogger(__name__)
SNAPSHOT_STEP = 2000  # changed passages after which a search writes a new snapshot


class FlatIndex:
    """Exact inner-product search over ids; add, remove, filter, save, load. Not safe for threads."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def ids(self) -> np.ndarray:
        """Ids held, in storage order."""
        return np.asarray(faiss.vector_to_array(self._index.id_map))

    def add(self, ids: Sequence[int], vectors: Vectors) -> None:
        """Add unit rows of shape (len(ids), dimension)."""
        if len(ids):
            rows = np.ascontiguousarray(vectors, dtype=np.float32)
            self._index.add_with_ids(rows, np.asarray(ids, dtype=np.int64))

    def remove(self, ids: Iterable[int]) -> None:
        """Remove ids; unknown ones are ignored."""
        gone = np.fromiter(ids, dtype=np.int64)
        if len(gone):
            self._index.remove_ids(gone)

    def search(
        self, vectors: Vectors, k: int, allowed: Sequence[int] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ids and cosines, each of shape (rows, <= k), best first. `allowed` filters inside the search."""
        k = min(k, len(self))
        if k == 0:
            empty = np.zeros((len(vectors), 0))
            return empty.astype(np.int64), empty.astype(np.float32)
        parameters = None
        if allowed is not None:
            selector = faiss.IDSelectorBatch(np.asarray(allowed, dtype=np.int64))
            parameters = faiss.SearchParameters(sel=selector)
        scores, ids = self._index.search(
            np.ascontiguousarray(vectors, dtype=np.float32), k, params=parameters
        )
        return ids, scores

    def vectors(self, ids: Sequence[int]) -> dict[int, Vectors]:
        """Stored row of each id that is present."""
        found = {}
        for key in ids:
            try:
                found[key] = self._index.reconstruct(key)
            except RuntimeError:  # how FAISS says that it does not hold the id
                continue
        return found

    def cosines(self, vectors: Vectors) -> Vectors:
        """Cosines of all stored rows (storage order, `ids`) with some unit vectors, without copying the rows."""
        if not len(self):
            return np.zeros((0, len(vectors)), dtype=np.float32)
        storage = faiss.downcast_index(self._index.index)
        rows = faiss.rev_swig_ptr(storage.get_xb(), len(self) * self.dimension)
        return np.asarray(rows.reshape(len(self), self.dimension) @ vectors.T, dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write to a file."""
        faiss.write_index(self._index, str(path))

    @classmethod
    def load(cls, path: Path) -> FlatIndex:
        """Read a file written by `save`; RuntimeError when it is damaged."""
        read = faiss.read_index(str(path))
        made = cls(read.d)
        made._index = read
        return made


class DenseCache:
    """The dense indexes of a data folder, kept in step with the store. Safe for threads."""

    def __init__(self, store: Store, dimension: int) -> None:
        self._store = store
        self.dimension = dimension
        self._folder = store.data_dir / "cache" / "dense"
        self._lock = threading.Lock()
        self._held: dict[int, tuple[int, FlatIndex]] = {}  # collection -> generation, index
        self._last: dict[int, tuple[tuple[int, bytes], np.ndarray, Vectors]] = {}  # one question each
        self._saved: dict[int, int] = {}  # collection -> passages changed since the snapshot

    def search(
        self, collection_id: int, vector: Vectors, k: int, documents: Sequence[str] = ()
    ) -> list[tuple[int, float]]:
        """(passage id, cosine) best first, of one collection, optionally only of some documents."""
        if documents:
            with self._lock:
                index = self._current(collection_id)
                found, scores = index.search(vector.reshape(1, -1), k, self._passages_of(documents))
            return [(int(i), float(s)) for i, s in zip(found[0], scores[0], strict=True) if i >= 0]
        ids, cosines = self._with_all(collection_id, vector)
        best = np.argpartition(-cosines, k - 1)[:k] if k < len(ids) else np.arange(len(ids))
        best = best[np.lexsort((ids[best], -cosines[best]))]
        return list(zip(ids[best].tolist(), cosines[best].tolist(), strict=True))

    def cosines(self, collection_id: int, vector: Vectors, wanted: Sequence[int]) -> dict[int, float]:
        """Cosine of the vector with each of the passages that exist."""
        ids, cosines = self._with_all(collection_id, vector)
        at = np.flatnonzero(np.isin(ids, wanted))
        return dict(zip(ids[at].tolist(), cosines[at].tolist(), strict=True))

    def all_cosines(self, collection_id: int, vectors: Vectors) -> tuple[np.ndarray, Vectors]:
        """Ids of all passages and their cosines with some unit vectors: (passages,), (passages, vectors)."""
        if len(vectors) == 1:
            ids, cosines = self._with_all(collection_id, vectors)
            return ids, cosines[:, None]
        with self._lock:
            index = self._current(collection_id)
            return index.ids.copy(), index.cosines(np.ascontiguousarray(vectors, dtype=np.float32))

    def _with_all(self, collection_id: int, vector: Vectors) -> tuple[np.ndarray, Vectors]:
        """Ids and cosines (passages,) of a whole collection. The last is kept: text search, the walks and the
        ranker each ask for it, and reading all vectors costs more than all else they do with it."""
        asked = np.ascontiguousarray(vector, dtype=np.float32).reshape(1, -1)
        with self._lock:
            index = self._current(collection_id)
            key = (self._held[collection_id][0], asked.tobytes())
            kept = self._last.get(collection_id)
            if kept is None or kept[0] != key:
                kept = self._last[collection_id] = (key, index.ids.copy(), index.cosines(asked)[:, 0])
        return kept[1], kept[2]

    def rows(self, collection_id: int, ids: Sequence[int]) -> dict[int, Vectors]:
        """Stored unit vector of each passage that exists."""
        with self._lock:
            return self._current(collection_id).vectors(ids)

    def refresh(self, collection_id: int) -> None:
        """Bring the index up to date and write its snapshot: the last act of an ingest."""
        with self._lock:
            index = self._current(collection_id)
            if self._saved.get(collection_id, 0):
                self._snapshot(collection_id, self._held[collection_id][0], index)

    # ---- keeping in step -----------------------------------------------------------------------

    def _current(self, collection_id: int) -> FlatIndex:
        held = self._held.get(collection_id) or self._load(collection_id)
        generation = self._store.generation(collection_id)
        if held is None or held[0] != generation:
            with self._store.reading():
                generation = self._store.generation(collection_id)
                index = held[1] if held else FlatIndex(self.dimension)
                changed = self._catch_up(collection_id, index)
            held = (generation, index)
            self._saved[collection_id] = self._saved.get(collection_id, 0) + changed
            self._held[collection_id] = held
            if self._saved[collection_id] >= SNAPSHOT_STEP:
                self._snapshot(collection_id, generation, index)
        self._held[collection_id] = held
        return held[1]

    def _catch_up(self, collection_id: int, index: FlatIndex) -> int:
        """Take in passages with greater ids, drop ids the store no longer has; how urgent a snapshot is."""
        connection = self._store.connection
        newest = int(index.ids.max()) if len(index) else 0
        rows = connection.execute(
            "SELECT id, vector FROM passages WHERE collection_id = ? AND id > ?", (collection_id, newest)
        ).fetchall()
        if rows:
            flat = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float16)
            index.add([row[0] for row in rows], flat.reshape(len(rows), -1).astype(np.float32))
        count = connection.execute(
            "SELECT count(*) FROM passages WHERE collection_id = ?", (collection_id,)
        ).fetchone()[0]
        gone: set[int] = set()
        if count != len(index):  # the store's ids are a subset of ours, so equal counts mean equal sets
            alive = {
                row[0]
                for row in connection.execute(
                    "SELECT id FROM passages WHERE collection_id = ?", (collection_id,)
                )
            }
            gone = set(index.ids.tolist()) - alive
            index.remove(gone)
        # What was deleted must not stay on the disk in a snapshot.
        return len(rows) + (SNAPSHOT_STEP if gone else 0)

    def _passages_of(self, documents: Sequence[str]) -> list[int]:
        found: list[int] = []
        for at in range(0, len(documents), 500):
            part = tuple(documents[at : at + 500])
            marks = ",".join("?" * len(part))
            rows = self._store.connection.execute(
                f"SELECT id FROM passages WHERE document_id IN ({marks})", part
            )
            found.extend(row[0] for row in rows)
        return found

    # ---- snapshots -----------------------------------------------------------------------------

    def _snapshot(self, collection_id: int, generation: int, index: FlatIndex) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{collection_id}-{generation}-{uuid.uuid4().hex[:8]}.faiss"
        index.save(self._folder / name)
        pointer = self._folder / f"{collection_id}.json"
        old = _read_pointer(pointer)
        partial = self._folder / f"{name}.pointer"
        partial.write_text(json.dumps({"file": name, "generation": generation, "passages": len(index)}))
        os.replace(partial, pointer)
        self._saved[collection_id] = 0
        if old:
            (self._folder / old["file"]).unlink(missing_ok=True)

    def _load(self, collection_id: int) -> tuple[int, FlatIndex] | None:
        pointer = _read_pointer(self._folder / f"{collection_id}.json")
        if pointer is None:
            return None
        try:
            index = FlatIndex.load(self._folder / pointer["file"])
        except (RuntimeError, OSError) as error:
            # Damaged, or replaced by another process just now: the store has everything.
            log.warning("dense snapshot of collection %s not usable, rebuilding: %s", collection_id, error)
            return None
        if index.dimension != self.dimension or len(index) != pointer["passages"]:
            return None
        return int(pointer["generation"]), index


def _read_pointer(path: Path) -> dict[str, Any] | None:
    try:
        read = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return read if isinstance(read, dict) and {"file", "generation", "passages"} <= read.keys() else None
