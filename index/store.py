"""The data folder: documents, passages, lexical index and vectors in one SQLite file (WAL).

Safe for several threads (one connection each) and several processes. A document is replaced or removed
in one transaction, so a reader sees the old version or the new one and never a mixture.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from index.catalogue import Catalogue
from index.errors import NotFoundError, StoreError
from index.knowledge import write_knowledge
from index.records import (
    DOCUMENT_COLUMNS,
    PASSAGE_COLUMNS,
    PASSAGE_TABLES,
    DocumentVersion,
    as_document,
    document_key,
)
from index.schema import migrate
from index.types import Document, Passage, Vectors


class Store(Catalogue):
    """Open data folder. Use `Store.open`."""

    @classmethod
    def open(cls, data_dir: Path | str) -> Store:
        """Open or create a data folder; StoreError when it cannot be used."""
        store = cls(Path(data_dir).expanduser())
        try:
            store.data_dir.mkdir(parents=True, exist_ok=True)
            migrate(store.connection)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"The data folder {store.data_dir} cannot be opened: {error}. Choose a folder you may write to "
                "with --data-dir, or restore forage.db from a backup."
            ) from error
        return store

    # ---- documents -----------------------------------------------------------------------------

    def documents(self, collection: str | None = None) -> tuple[Document, ...]:
        """Documents by source, of one collection or of all."""
        where = ""
        values: tuple[int, ...] = ()
        if collection is not None:
            where, values = "WHERE d.collection_id = ?", (self.collection_id(collection),)
        rows = self.connection.execute(
            f"SELECT {DOCUMENT_COLUMNS} FROM documents d JOIN collections c ON c.id = d.collection_id {where}"
            " ORDER BY c.name, d.source",
            values,
        )
        return tuple(as_document(row) for row in rows)

    def document(self, document_id: str) -> Document:
        """One document; NotFoundError when it does not exist."""
        row = self.connection.execute(
            f"SELECT {DOCUMENT_COLUMNS} FROM documents d JOIN collections c ON c.id = d.collection_id"
            " WHERE d.id = ?",
            (document_id,),
        ).fetchone()
        if row is None:
            raise NotFoundError(
                f"There is no document {document_id}. List the documents with `forage documents`."
            )
        return as_document(row)

    def known(self, collection_id: int) -> dict[str, tuple[str, str, str]]:
        """source -> (content hash, recipe, status) of a collection: what ingestion may skip."""
        rows = self.connection.execute(
            "SELECT source, content_hash, recipe, CASE WHEN error = '' THEN status ELSE 'failed' END"
            " FROM documents WHERE collection_id = ?",
            (collection_id,),
        )
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    def document_text(self, document_id: str) -> str:
        """Stored text of a document; passages and notes point into it by character offset."""
        row = self.connection.execute("SELECT text FROM documents WHERE id = ?", (document_id,)).fetchone()
        if row is None:
            raise NotFoundError(f"There is no document {document_id}; it may have been deleted meanwhile.")
        return str(row[0])

    def text_before(self, passage: Passage, characters: int) -> str:
        """What stands before a passage in its document, at most that many characters; "" when it is gone."""
        start = max(0, passage.start - characters)
        row = self.connection.execute(
            "SELECT substr(text, ?, ?) FROM documents WHERE id = ?",
            (start + 1, passage.start - start, passage.document_id),
        ).fetchone()
        return str(row[0]) if row else ""

    def original(self, document_id: str) -> Path | None:
        """Kept copy of the original file (formats with page images), or None."""
        row = self.connection.execute(
            "SELECT original FROM documents WHERE id = ?", (document_id,)
        ).fetchone()
        path = self.data_dir / row[0] if row and row[0] else None
        return path if path is not None and path.is_file() else None

    def commit(self, collection_id: int, version: DocumentVersion) -> str:
        """Write or replace one document with its passages, lexical entries and vectors; its id."""
        document_id, now = document_key(collection_id, version.source), time.time()
        with self.writing() as connection:
            kept = self._keep(version) if version.original is not None else ""
            row = connection.execute("SELECT added_at FROM documents WHERE id = ?", (document_id,)).fetchone()
            connection.execute("DELETE FROM passages WHERE document_id = ?", (document_id,))
            connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))
            connection.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'ready', '', ?, ?, ?, ?, ?, '')",
                (
                    document_id, collection_id, version.source, version.title, version.media_type,
                    version.content_hash, version.recipe, version.size, version.pages, len(version.drafts),
                    version.text, kept, json.dumps(version.meta), row[0] if row else now, now,
                ),
            )  # fmt: skip
            halves = version.vectors.astype(np.float16)
            connection.executemany(
                "INSERT INTO passages(document_id, collection_id, scope, title, heading, text, start, \"end\","
                " page, page_end, vector) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        document_id, collection_id, f"c{collection_id}", version.title, draft.heading, draft.text,
                        draft.start, draft.end, draft.page, draft.page_end, halves[at].tobytes(),
                    )
                    for at, draft in enumerate(version.drafts)
                ),
            )  # fmt: skip
            if version.knowledge:
                write_knowledge(connection, document_id, version.knowledge)
            _touch(connection, collection_id)
        return document_id

    def record_failure(self, collection_id: int, source: str, title: str, size: int, error: str) -> None:
        """Remember why a file could not be read. A version that is already searchable stays so."""
        now = time.time()
        with self.writing() as connection:
            connection.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, '', '', '', ?, NULL, 0, 'failed', ?, '', '', '{}', ?, ?, '')"
                " ON CONFLICT(id) DO UPDATE SET error = excluded.error, updated_at = excluded.updated_at",
                (document_key(collection_id, source), collection_id, source, title, size, error, now, now),
            )

    def delete_document(self, document_id: str) -> None:
        """Remove a document and everything made from it; NotFoundError when it does not exist."""
        self.document(document_id)
        with self.writing() as connection:
            row = connection.execute(
                "SELECT collection_id FROM documents WHERE id = ?", (document_id,)
            ).fetchone()
            connection.execute("DELETE FROM passages WHERE document_id = ?", (document_id,))
            connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))
            if row:
                _touch(connection, row[0])
        self.sweep_originals()

    def delete_collection(self, name: str) -> None:
        """Remove a collection with everything in it."""
        collection_id = self.collection_id(name)
        with self.writing() as connection:
            connection.execute("DELETE FROM passages WHERE collection_id = ?", (collection_id,))
            connection.execute("DELETE FROM collections WHERE id = ?", (collection_id,))
        for cached in (self.data_dir / "cache").glob(f"*/{collection_id}[.-]*"):
            cached.unlink(missing_ok=True)
        self.sweep_originals()

    def _keep(self, version: DocumentVersion) -> str:
        """Copy the original into the data folder, inside the write lock so that no sweep takes it."""
        assert version.original is not None
        name = f"originals/{version.content_hash}{version.original.suffix.lower()}"
        target = self.data_dir / name
        if not target.is_file():
            target.parent.mkdir(exist_ok=True)
            partial = target.with_suffix(".partial")
            shutil.copyfile(version.original, partial)
            os.replace(partial, target)
        return name

    def sweep_originals(self) -> None:
        """Delete kept copies that no document refers to any more."""
        folder = self.data_dir / "originals"
        if not folder.is_dir():
            return
        with self.writing() as connection:
            used = {
                row[0] for row in connection.execute("SELECT original FROM documents WHERE original <> ''")
            }
            for path in folder.iterdir():
                if path.relative_to(self.data_dir).as_posix() not in used:
                    path.unlink(missing_ok=True)

    # ---- passages ------------------------------------------------------------------------------

    def passages(self, ids: Sequence[int]) -> tuple[Passage, ...]:
        """Passages in the order of the ids; ids that no longer exist are left out."""
        found: dict[int, Passage] = {}
        for at in range(0, len(ids), 500):
            part = list(ids[at : at + 500])
            rows = self.connection.execute(
                f"SELECT {PASSAGE_COLUMNS} FROM {PASSAGE_TABLES} WHERE p.id IN ({','.join('?' * len(part))})",
                part,
            )
            found.update((row[0], Passage(*row)) for row in rows)
        return tuple(found[i] for i in ids if i in found)

    def vectors(self, ids: Sequence[int]) -> dict[int, Vectors]:
        """Unit vector of each passage that exists, float32 of shape (dimension,): what it is found by."""
        found: dict[int, Vectors] = {}
        for at in range(0, len(ids), 500):
            part = list(ids[at : at + 500])
            marks = ",".join("?" * len(part))
            rows = self.connection.execute(f"SELECT id, vector FROM passages WHERE id IN ({marks})", part)
            found.update((row[0], np.frombuffer(row[1], np.float16).astype(np.float32)) for row in rows)
        return found

    def passages_of(self, document_id: str) -> tuple[Passage, ...]:
        """Passages of a document in reading order."""
        rows = self.connection.execute(
            f"SELECT {PASSAGE_COLUMNS} FROM {PASSAGE_TABLES} WHERE p.document_id = ? ORDER BY p.start, p.id",
            (document_id,),
        )
        return tuple(Passage(*row) for row in rows)


def _touch(connection: sqlite3.Connection, collection_id: int) -> None:
    connection.execute("UPDATE collections SET generation = generation + 1 WHERE id = ?", (collection_id,))
