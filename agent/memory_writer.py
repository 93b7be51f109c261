"""How memory writes a finished run: one episode, its answer, its notes, inside the caller's transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from agent.episodes import Episode, reward_of, strategy_of, updated
from agent.types import Note, Trajectory
from index.derived import Derived, DerivedRecords, put
from index.errors import ForageError
from index.store import Store
from index.types import Vectors

EPISODES_KEPT = 5000  # in a collection; the least useful go first
RUNS_KEPT = 50  # ids of runs an episode remembers to have counted


class MemoryWriter:
    """Writes records of memory. Every method expects an open write transaction of the store."""

    def __init__(self, store: Store, records: DerivedRecords) -> None:
        self._store = store
        self._records = records

    def episode(
        self, trajectory: Trajectory, question: str, key: str, where: str, vector: Vectors,
        notes: tuple[Note, ...], vectors: Vectors,
    ) -> None:  # fmt: skip
        """Keep a run under `key`: merged into the episode of that key, if there is one. Nothing for a run that
        was kept before; no answer where a source changed while the question ran."""
        connection, answer = self._store.connection, trajectory.answer
        old = self._records.get(key)
        if old is not None and trajectory.id in old.value["runs"]:
            return
        ids = [int(i) for i in where.split("|")[0].split(",")]
        owner = self._owner(notes, ids)
        first: dict[str, Any] = {"q": 0.0, "visits": 0, "runs": [], "question": question}
        before = old.value if old is not None else first
        reward = reward_of(answer)
        value = {
            **before,
            "strategy": list(strategy_of(trajectory)),
            "outcome": answer.kind,
            "short": answer.short,
            "searches": answer.cost.searches,
            "context_tokens": answer.cost.context_tokens,
            "seconds": round(answer.cost.seconds, 3),
            "q": updated(before["q"], reward),
            "visits": before["visits"] + 1,
            "last_reward": round(reward, 4),
            "runs": [*before["runs"], trajectory.id][-RUNS_KEPT:],
        }
        value.pop("q_before_thumb", None)
        put(connection, key, "episode", owner, where, value, vector=vector if old is None else None)
        connection.execute("DELETE FROM derived WHERE key = ?", (answer_key(key),))
        self._trim(owner)
        usable = answer.kind == "answer" and notes and all(c.supported for c in answer.citations)
        if not usable or not all(span_holds(self._store, note) for note in notes):
            return
        marks = ",".join("?" * len(ids))
        newest = connection.execute(
            f"SELECT coalesce(max(id), 0) FROM passages WHERE collection_id IN ({marks})", ids
        ).fetchone()[0]
        for note, note_vector in zip(notes, vectors, strict=True):
            row = {"note": asdict(note), "question": question, "run": trajectory.id}
            put(connection, note_key(note, where), "note", owner, where, row, [note.document_id], note_vector)
        kept = {
            "answer": asdict(replace(answer, notice="")),
            "notes": [asdict(note) for note in notes],
            "question": question,
            "newest": int(newest),
        }
        put(connection, answer_key(key), "answer", owner, where, kept, [n.document_id for n in notes])

    def _owner(self, notes: Sequence[Note], ids: Sequence[int]) -> int:
        """The collection a record is listed under: that of its first source, else the scope's first."""
        for note in notes:
            row = self._store.connection.execute(
                "SELECT collection_id FROM documents WHERE id = ?", (note.document_id,)
            ).fetchone()
            if row is not None:
                return int(row[0])
        return ids[0]

    def again(self, record: Derived, value: dict[str, Any]) -> None:
        """The record with another value, its sources and vector kept."""
        owner = self._store.collection_id(record.collection)
        sources = self._records.sources(record.key)
        put(self._store.connection, record.key, record.kind, owner, record.scope, value, sources)

    def _trim(self, owner: int) -> None:
        """Keep a collection's memory bounded: the least useful, longest unused episodes go with their answers."""
        connection = self._store.connection
        count = connection.execute(
            "SELECT count(*) FROM derived WHERE collection_id = ? AND kind = 'episode'", (owner,)
        ).fetchone()[0]
        if count <= EPISODES_KEPT:
            return
        rows = connection.execute(
            "SELECT key FROM derived WHERE collection_id = ? AND kind = 'episode'"
            " ORDER BY json_extract(value, '$.q'), updated_at LIMIT ?",
            (owner, count - EPISODES_KEPT),
        ).fetchall()
        for (key,) in rows:
            connection.execute("DELETE FROM derived WHERE key IN (?, ?)", (key, answer_key(key)))


def span_holds(store: Store, note: Note) -> bool:
    """Whether a note's quote stands at its place in the stored document."""
    try:
        return store.document_text(note.document_id)[note.start : note.end] == note.quote
    except ForageError:
        return False


def episode_of(record: Derived, similarity: float = 0.0) -> Episode:
    """The episode in a record."""
    value = record.value
    return Episode(
        record.key, value["question"], tuple(value["strategy"]), value["outcome"], value["q"], value["visits"],
        similarity,
    )  # fmt: skip


def note_key(note: Note, where: str) -> str:
    """One span is one note in a scope, whatever question brought it."""
    span = json.dumps([note.document_id, note.start, note.end, where])
    return "n-" + hashlib.sha256(span.encode()).hexdigest()[:20]


def answer_key(episode: str) -> str:
    """Key of an episode's answer."""
    return "a-" + episode.removeprefix("e-")


def used_by(trajectory: Trajectory) -> tuple[str, ...]:
    """Keys of the episodes that a run used."""
    keys = [key for step in trajectory.steps for key in step.detail.get("memory", ())]
    return tuple(dict.fromkeys(keys))
