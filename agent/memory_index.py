"""Search by meaning over what memory holds: Chroma as a cache of the records in SQLite.

SQLite says what exists (index.derived); Chroma only proposes keys, and every key is looked up before use, so an
index that is behind can miss a record and never bring back one that is gone. Chroma's embedded client must not be
opened by two processes at once: the first process that opens a data folder holds a lock and keeps Chroma's files
(`cache/memory/`), every other one builds its own copy in memory. With `memory.chroma_url` all share a server
(`chroma run`). When Chroma fails or its files are lost, they are made again; until then the records are scanned.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import threading
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import numpy as np

from index.derived import DerivedRecords
from index.types import Vectors

BATCH = 500
_held: dict[Path, IO[str]] = {}  # locks of this process, kept until it ends
_holding = threading.Lock()

logger = logging.getLogger(__name__)


class MemoryIndex:
    """Nearest records of one kind and scope. Safe for threads; opens Chroma on first use."""

    def __init__(self, records: DerivedRecords, folder: Path, url: str = "") -> None:
        self._records = records
        self._folder = folder
        self._url = url
        self._name = "memory-" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        self._collection: Any = None
        self._known: dict[str, int] = {}  # key -> sequence, as Chroma has it
        self._state = (-1, -1)
        self._lock = threading.Lock()

    def nearest(self, vector: Vectors, kind: str, scope: str, k: int) -> list[tuple[str, float]]:
        """(key, cosine), best first, at most `k`."""
        with self._lock:
            try:
                self._refresh()
                if not self._known:
                    return []
                found = self._collection.query(
                    query_embeddings=[vector.tolist()], n_results=min(k, len(self._known)),
                    where={"$and": [{"kind": kind}, {"scope": scope}]}, include=["distances"],
                )  # fmt: skip
                return [
                    (key, 1.0 - float(distance))
                    for key, distance in zip(found["ids"][0], found["distances"][0], strict=True)
                ]
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the cache, the truth is elsewhere
                logger.warning("the memory index failed and is built again at the next question: %s", error)
                self._forget_files()
        return self._scan(vector, kind, scope, k)

    def _refresh(self) -> None:
        """Take up what was written since, and drop what is gone."""
        if self._collection is None:
            self._open()
        state = self._records.state()
        if state == self._state:
            return
        newest = max(self._known.values(), default=0)
        if newest > state[1] and self._known:  # a restored backup: what Chroma knows is of another history
            self._collection.delete(ids=list(self._known))
            self._known, newest = {}, 0
        rows = self._records.since(newest)
        for at in range(0, len(rows), BATCH):
            part = rows[at : at + BATCH]
            self._collection.upsert(
                ids=[row[1] for row in part],
                embeddings=[row[4].tolist() for row in part],
                metadatas=[{"kind": row[2], "scope": row[3], "sequence": row[0]} for row in part],
            )
        self._known.update((row[1], row[0]) for row in rows)
        if len(self._known) != state[0]:
            gone = sorted(set(self._known) - self._records.keys())
            for at in range(0, len(gone), BATCH):
                self._collection.delete(ids=gone[at : at + BATCH])
            for key in gone:
                del self._known[key]
        self._state = state

    def _open(self) -> None:
        import chromadb
        from chromadb.config import Settings

        settings = Settings(anonymized_telemetry=False)
        if self._url:
            address = urlsplit(self._url)
            secure = address.scheme == "https"
            client: Any = chromadb.HttpClient(
                host=address.hostname or "", port=address.port or (443 if secure else 8000), ssl=secure,
                settings=settings,
            )  # fmt: skip
        elif _alone(self._folder):
            client = chromadb.PersistentClient(str(self._folder), settings=settings)
        else:
            client = chromadb.EphemeralClient(settings=settings)  # one for the process: named by folder
        self._collection = client.get_or_create_collection(
            self._name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        held = self._collection.get(include=["metadatas"])
        self._known = {
            key: int(meta["sequence"]) for key, meta in zip(held["ids"], held["metadatas"], strict=True)
        }
        self._state = (-1, -1)

    def _forget_files(self) -> None:
        self._collection, self._known, self._state = None, {}, (-1, -1)
        if not self._url and self._folder in _held:
            for path in self._folder.iterdir():
                if path.name != "lock":
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)

    def _scan(self, vector: Vectors, kind: str, scope: str, k: int) -> list[tuple[str, float]]:
        rows = [row for row in self._records.since(0) if row[2] == kind and row[3] == scope]
        scores = [(row[1], float(np.dot(row[4], vector))) for row in rows]
        return sorted(scores, key=lambda item: (-item[1], item[0]))[:k]


def _alone(folder: Path) -> bool:
    """Whether this process may keep Chroma's files: true for the first one, until it ends."""
    with _holding:
        if folder in _held:
            return True
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        _held[folder] = lock
        return True
