"""What was worked out from documents and kept beside them: one record, one JSON value, links to its sources.

A record that rests on a document goes in the same transaction that replaces or removes the document (a trigger of
index.schema), so nobody ever reads a note or an answer whose source says something else by now. What the values
mean is the business of their owner on a higher floor.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from index.errors import NotFoundError
from index.store import Store
from index.types import Vectors

_COLUMNS = "d.sequence, d.key, d.kind, c.name, d.scope, d.value, d.created_at, d.updated_at"
_FROM = "derived d JOIN collections c ON c.id = d.collection_id"


@dataclass(frozen=True, slots=True)
class Derived:
    """One record. `sequence` grows with every write of any record."""

    sequence: int
    key: str
    kind: str
    collection: str
    scope: str
    value: dict[str, Any]
    created_at: float
    updated_at: float


class DerivedRecords:
    """The records of a store. Safe for threads and processes: every write is a transaction of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, key: str) -> Derived | None:
        """The record of a key, or None."""
        found = self.read([key])
        return found[0] if found else None

    def read(self, keys: Sequence[str]) -> tuple[Derived, ...]:
        """Records in the order of the keys; keys that no longer exist are left out."""
        found: dict[str, Derived] = {}
        for at in range(0, len(keys), 500):
            part = list(keys[at : at + 500])
            rows = self._store.connection.execute(
                f"SELECT {_COLUMNS} FROM {_FROM} WHERE d.key IN ({','.join('?' * len(part))})", part
            )
            found.update((row[1], _record(row)) for row in rows)
        return tuple(found[key] for key in keys if key in found)

    def list(self, kind: str, collection: str | None = None) -> tuple[Derived, ...]:
        """Records of a kind, newest first, of one collection or of all; NotFoundError for an unknown one."""
        where, values = "", [kind]
        if collection is not None:
            where = "AND d.collection_id = ?"
            values.append(str(self._store.collection_id(collection)))
        rows = self._store.connection.execute(
            f"SELECT {_COLUMNS} FROM {_FROM} WHERE d.kind = ? {where} ORDER BY d.sequence DESC", values
        )
        return tuple(_record(row) for row in rows)

    def since(self, sequence: int) -> tuple[tuple[int, str, str, str, Vectors], ...]:
        """(sequence, key, kind, scope, vector) of records written after `sequence` that have a vector."""
        rows = self._store.connection.execute(
            "SELECT sequence, key, kind, scope, vector FROM derived WHERE sequence > ? AND vector IS NOT NULL"
            " ORDER BY sequence",
            (sequence,),
        )
        return tuple((*row[:4], np.frombuffer(row[4], np.float16).astype(np.float32)) for row in rows)

    def keys(self) -> frozenset[str]:
        """Keys of all records that have a vector."""
        rows = self._store.connection.execute("SELECT key FROM derived WHERE vector IS NOT NULL")
        return frozenset(row[0] for row in rows)

    def state(self) -> tuple[int, int]:
        """(records with a vector, highest sequence): changes with every change of a record."""
        row = self._store.connection.execute(
            "SELECT count(vector), coalesce(max(sequence), 0) FROM derived"
        ).fetchone()
        return int(row[0]), int(row[1])

    def sources(self, key: str) -> tuple[str, ...]:
        """Ids of the documents a record rests on."""
        rows = self._store.connection.execute(
            "SELECT document_id FROM rests_on WHERE key = ? ORDER BY document_id", (key,)
        )
        return tuple(row[0] for row in rows)

    def forget(self, keys: Iterable[str]) -> int:
        """Remove records; how many there were. No error for a key that is gone already."""
        with self._store.writing() as connection:
            gone = connection.executemany("DELETE FROM derived WHERE key = ?", [(key,) for key in keys])
            return gone.rowcount


def put(
    connection: sqlite3.Connection,
    key: str,
    kind: str,
    collection_id: int,
    scope: str,
    value: dict[str, Any],
    documents: Iterable[str] = (),
    vector: Vectors | None = None,
) -> None:
    """Write or replace a record inside the caller's transaction; NotFoundError when a source is gone.

    Without a vector a replaced record keeps its old one.
    """
    now = time.time()
    old = connection.execute("SELECT created_at, vector FROM derived WHERE key = ?", (key,)).fetchone()
    blob = vector.astype(np.float16).tobytes() if vector is not None else old[1] if old else None
    connection.execute("DELETE FROM derived WHERE key = ?", (key,))
    try:
        connection.execute(
            "INSERT INTO derived(key, kind, collection_id, scope, value, vector, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (key, kind, collection_id, scope, json.dumps(value, ensure_ascii=False), blob,
             old[0] if old else now, now),
        )  # fmt: skip
        connection.executemany(
            "INSERT INTO rests_on(document_id, key) VALUES (?, ?)",
            [(document_id, key) for document_id in dict.fromkeys(documents)],
        )
    except sqlite3.IntegrityError as error:
        raise NotFoundError(f"A source of {key} is no longer in the store ({error}).") from error


def _record(row: tuple[Any, ...]) -> Derived:
    sequence, key, kind, collection, scope, value, created, changed = row
    return Derived(sequence, key, kind, collection, scope, json.loads(value), created, changed)
