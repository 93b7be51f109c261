"""Conversations on disk: questions, answers with their whole trajectory, and what people thought of them.

One SQLite file (`<data_dir>/conversations.db`, WAL) beside the index, not in it: deleting a collection
must not delete what was said about it, and a chat must never wait for an ingest. Every call opens its
own short connection, so any thread or process may use it.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import InputError, NotFoundError, StoreError
from index.types import Scope

CAUSES = ("wrong answer", "wrong evidence", "should have abstained", "should have answered")
TITLE_LENGTH = 80
VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
  id TEXT PRIMARY KEY, title TEXT NOT NULL, scope TEXT NOT NULL,
  created_at REAL NOT NULL, updated_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS messages (
  id TEXT PRIMARY KEY,
  conversation_id TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  question TEXT NOT NULL,
  job_id TEXT NOT NULL,             -- the job that answers or answered it
  trajectory TEXT,                  -- JSON; NULL until answered
  thumb INTEGER,                    -- 1 up, 0 down
  cause TEXT NOT NULL DEFAULT '',
  comment TEXT NOT NULL DEFAULT '',
  created_at REAL NOT NULL,
  UNIQUE (conversation_id, position)
);
"""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One chat: its title and the documents it talks about."""

    id: str
    title: str
    scope: Scope
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class Message:
    """One question with its answer. `trajectory` is None while the job runs and when it failed."""

    id: str
    conversation_id: str
    question: str
    job_id: str
    trajectory: dict[str, Any] | None
    thumb: int | None
    cause: str
    comment: str
    created_at: float


class Conversations:
    """The conversation file of one data folder."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self._path = data_dir / "conversations.db"
        try:
            with self._open() as db:
                found = db.execute("PRAGMA user_version").fetchone()[0]
                if found > VERSION:
                    raise StoreError(
                        f"{self._path.name} was written by a newer Forage (format {found}; this "
                        f"program reads up to {VERSION}). Update Forage, or use another --data-dir."
                    )
                db.executescript(_SCHEMA + f"PRAGMA user_version = {VERSION};")
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"{self._path} cannot be read as a conversation file ({error}). "
                "Move it away to start a new one."
            ) from error

    def start(self, question: str, scope: Scope) -> str:
        """A new conversation named after its first question; returns its id."""
        conversation, now = secrets.token_hex(9), time.time()
        with self._open() as db:
            row = (conversation, _title(question), _scope_json(scope), now, now)
            db.execute("INSERT INTO conversations VALUES (?, ?, ?, ?, ?)", row)
        return conversation

    def get(self, conversation: str) -> Conversation:
        """One conversation; NotFoundError if it was deleted or never was."""
        with self._open() as db:
            row = db.execute("SELECT * FROM conversations WHERE id = ?", (conversation,)).fetchone()
        if row is None:
            raise NotFoundError("This conversation does not exist here, or it was deleted. Start a new one.")
        return _conversation(row)

    def list(self, limit: int = 200) -> tuple[Conversation, ...]:
        """Conversations, the last used first."""
        with self._open() as db:
            rows = db.execute("SELECT * FROM conversations ORDER BY updated_at DESC LIMIT ?", (limit,))
            return tuple(_conversation(row) for row in rows)

    def rename(self, conversation: str, title: str) -> None:
        """Give a conversation another name; an empty one is refused."""
        if not title.strip():
            raise InputError("A conversation needs a name of at least one letter.")
        self._change("UPDATE conversations SET title = ? WHERE id = ?", (_title(title), conversation))

    def rescope(self, conversation: str, scope: Scope) -> None:
        """Remember which documents the next question is about."""
        self._change("UPDATE conversations SET scope = ? WHERE id = ?", (_scope_json(scope), conversation))

    def delete(self, conversation: str) -> None:
        """Remove a conversation with its messages; no error when it is already gone."""
        with self._open() as db:
            db.execute("DELETE FROM conversations WHERE id = ?", (conversation,))

    def ask(self, conversation: str, question: str) -> str:
        """Append a question; returns the id of its message. Its job is told by `assign`."""
        message, now = secrets.token_hex(9), time.time()
        self._change("UPDATE conversations SET updated_at = ? WHERE id = ?", (now, conversation))
        with self._open() as db:
            db.execute(
                "INSERT INTO messages (id, conversation_id, position, question, job_id, created_at) VALUES "
                "(?, ?, (SELECT COALESCE(MAX(position), 0) + 1 FROM messages WHERE conversation_id = ?), "
                "?, '', ?)",
                (message, conversation, conversation, question, now),
            )
        return message

    def assign(self, message: str, job_id: str) -> None:
        """Say which job answers a message; a retry assigns a new one."""
        self._change("UPDATE messages SET job_id = ? WHERE id = ?", (job_id, message))

    def answer(self, message: str, trajectory: Mapping[str, Any]) -> None:
        """Store the answer of a message. A conversation deleted meanwhile takes its answer with it."""
        with self._open() as db:
            text = json.dumps(trajectory, ensure_ascii=False)
            db.execute("UPDATE messages SET trajectory = ? WHERE id = ?", (text, message))

    def feedback(self, message: str, thumb: int | None, cause: str = "", comment: str = "") -> None:
        """Keep a thumb (1 up, 0 down, None taken back), and after a thumb down its cause."""
        if thumb not in (None, 0, 1) or cause not in ("", *CAUSES):
            raise InputError(f"Feedback is a thumb (0 or 1) and one of these causes: {', '.join(CAUSES)}.")
        self._change(
            "UPDATE messages SET thumb = ?, cause = ?, comment = ? WHERE id = ?",
            (thumb, cause, comment, message),
        )

    def messages(self, conversation: str) -> tuple[Message, ...]:
        """All messages of a conversation in order."""
        with self._open() as db:
            rows = db.execute(
                "SELECT id, conversation_id, question, job_id, trajectory, thumb, cause, comment, created_at "
                "FROM messages WHERE conversation_id = ? ORDER BY position",
                (conversation,),
            )
            return tuple(_message(row) for row in rows)

    def of_job(self, job_id: str) -> str | None:
        """The message that a job answers; None when no conversation has it."""
        with self._open() as db:
            row = db.execute("SELECT id FROM messages WHERE job_id = ?", (job_id,)).fetchone()
        return str(row[0]) if row else None

    def _change(self, statement: str, values: tuple[Any, ...]) -> None:
        with self._open() as db:
            if db.execute(statement, values).rowcount == 0:
                raise NotFoundError("This conversation was deleted, perhaps in another window.")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection whose statements are committed together, or not at all."""
        db = sqlite3.connect(self._path, timeout=10)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA foreign_keys = ON")
            with db:
                yield db
        finally:
            db.close()


def _title(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= TITLE_LENGTH else words[: TITLE_LENGTH - 1].rstrip() + "…"


def _scope_json(scope: Scope) -> str:
    return json.dumps({"collections": scope.collections, "documents": scope.documents}, ensure_ascii=False)


def _conversation(row: tuple[Any, ...]) -> Conversation:
    scope = json.loads(row[2])
    return Conversation(
        row[0], row[1], Scope(tuple(scope["collections"]), tuple(scope["documents"])), row[3], row[4]
    )


def _message(row: tuple[Any, ...]) -> Message:
    return Message(row[0], row[1], row[2], row[3], json.loads(row[4]) if row[4] else None, *row[5:])
