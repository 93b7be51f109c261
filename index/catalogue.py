"""What a data folder holds, seen from above: its settings and its collections."""

from __future__ import annotations

import time

from index.database import Database
from index.errors import InputError, NotFoundError, StoreError
from index.types import Collection, Scope


class Catalogue(Database):
    """Settings and collections of a data folder."""

    # ---- settings ------------------------------------------------------------------------------

    def setting(self, key: str) -> str | None:
        """A stored setting, or None."""
        row = self.connection.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def require_embedder(self, name: str) -> None:
        """Pin the embedder of this folder on first use; StoreError when another one made its vectors."""
        with self.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO settings VALUES ('embedder', ?)", (name,))
            found = connection.execute("SELECT value FROM settings WHERE key = 'embedder'").fetchone()[0]
        if found != name:
            raise StoreError(
                f"The vectors in {self.data_dir} were made by {found}, but this program uses {name}. "
                "Ingest the documents again into a new --data-dir."
            )

    # ---- collections ---------------------------------------------------------------------------

    def collections(self) -> tuple[Collection, ...]:
        """All collections by name."""
        rows = self.connection.execute(
            "SELECT c.name, coalesce(sum(d.status = 'ready'), 0), coalesce(sum(d.status = 'failed'), 0),"
            " coalesce(sum(d.passages), 0), c.created_at FROM collections c"
            " LEFT JOIN documents d ON d.collection_id = c.id GROUP BY c.id ORDER BY c.name"
        )
        return tuple(Collection(*row) for row in rows)

    def collection_id(self, name: str) -> int:
        """Number of a collection; NotFoundError names the existing ones."""
        row = self.connection.execute("SELECT id FROM collections WHERE name = ?", (name,)).fetchone()
        if row is None:
            known = ", ".join(c.name for c in self.collections()) or "none yet"
            raise NotFoundError(f"There is no collection named '{name}'. Collections here: {known}.")
        return int(row[0])

    def create_collection(self, name: str) -> int:
        """Make a collection if it does not exist; its number."""
        if not name.strip() or len(name) > 100 or any(ord(c) < 32 for c in name):
            raise InputError(
                "A collection name must have 1 to 100 printable characters, such as 'contracts 2026'."
            )
        with self.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO collections(name, created_at) VALUES (?, ?)", (name, time.time())
            )
            return int(connection.execute("SELECT id FROM collections WHERE name = ?", (name,)).fetchone()[0])

    def scope_ids(self, scope: Scope) -> tuple[int, ...]:
        """Numbers of the collections of a scope; all of them when it names none."""
        if scope.collections:
            return tuple(self.collection_id(name) for name in scope.collections)
        if scope.documents:
            marks = ",".join("?" * len(scope.documents))
            rows = self.connection.execute(
                f"SELECT DISTINCT collection_id FROM documents WHERE id IN ({marks})", scope.documents
            )
        else:
            rows = self.connection.execute("SELECT id FROM collections ORDER BY id")
        return tuple(row[0] for row in rows)

    def holds_only(self, numbers: tuple[int, ...]) -> bool:
        """Whether these are all collections that there are."""
        return {row[0] for row in self.connection.execute("SELECT id FROM collections")} == set(numbers)

    def generation(self, collection_id: int) -> int:
        """Grows with every change of the collection's passages; -1 when it is gone."""
        row = self.connection.execute(
            "SELECT generation FROM collections WHERE id = ?", (collection_id,)
        ).fetchone()
        return int(row[0]) if row else -1
