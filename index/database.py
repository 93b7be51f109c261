"""Connections to the SQLite file: one for each thread, write transactions, consistent reads."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Database:
    """The file of a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.path = data_dir / "forage.db"
        self._local = threading.local()
        self._opened: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._lock = threading.Lock()

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit mode; write through `writing()`."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)
            found.execute("PRAGMA journal_mode = WAL")
            found.execute(
                "PRAGMA synchronous = NORMAL"
            )  # a power cut may lose the last commit, never the file
            found.execute("PRAGMA foreign_keys = ON")
            found.execute("PRAGMA recursive_triggers = ON")
            self._local.connection = found
            with self._lock:
                for thread, connection in self._opened:
                    if not thread.is_alive():  # nobody else can use it any more
                        connection.close()
                self._opened = [pair for pair in self._opened if pair[0].is_alive()]
                self._opened.append((threading.current_thread(), found))
        return found

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for _, connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: commits at the end, rolls back on any error."""
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent snapshot for several reads."""
        connection = self.connection
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("COMMIT")
