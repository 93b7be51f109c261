"""What the agent remembers between questions: verified notes, answers, and episodes with their utility.

The truth is in SQLite beside the documents (index.derived): notes and answers rest on their source documents and go
in the transaction that changes them, episodes (question, strategy, Q) rest on nothing and stay. Chroma finds the
like of a question (agent.memory_index); agent.intent decides whether it is the same one; what is then used is read
from SQLite and its spans are checked against the stored documents once more. Nothing here ever searches.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from agent.episodes import DELTA, K1, Episode, reward_of, strategy_of, suggested, updated
from agent.intent import intent_of, same_question
from agent.memory_index import MemoryIndex
from agent.trace import answer_from
from agent.types import Answer, Cost, Decision, Note, Step, Trajectory
from index.derived import Derived, DerivedRecords, put
from index.errors import ForageError, NotFoundError
from index.store import Store
from index.types import Embedder, Scope, Vectors

EPISODES_KEPT = 5000  # in a collection; the least useful go first
NEW_CHECKED = 2000  # passages added since; with more of them the question is asked again
LIKE_EVIDENCE = 0.80  # cosine of a new passage to a cited one at which it may change the answer
RUNS_KEPT = 50  # ids of runs an episode remembers to have counted
NOTE_DELTA = 0.70  # cosine of a question to a note's claim and goal at which the note is offered


OPTIONS = ("remembered", "work it out")


@dataclass(frozen=True, slots=True)
class Recollection:
    """What memory has to say about a question. Empty when it knows nothing like it."""

    answer: Answer | None = None  # of the same question, its spans checked just now
    notes: tuple[Note, ...] = ()  # what that answer rests on, else verified notes near the question
    key: str = ""  # of the episode that the answer belongs to
    similarity: float = 0.0  # of that episode's question to this one
    strategies: tuple[Episode, ...] = ()  # ways that worked for like questions, best first
    reason: str = ""  # why the likest question was not taken for the same


def told(found: Recollection) -> tuple[Step, ...]:
    """The steps of a question that memory answers: the decision with its features, and the check of the spans."""
    assert found.answer is not None
    known = next((e for e in found.strategies if e.key == found.key), None)
    features = {"similarity": round(found.similarity, 4), "q": round(known.q, 4) if known else 0.0}
    decision = Decision(
        "gate", OPTIONS, OPTIONS[0], max(0.0, min(1.0, found.similarity)),
        "The same question was answered before, and its sources have not changed.", features,
    )  # fmt: skip
    quotes = len(found.answer.citations)
    detail = {"memory": [found.key], "question": known.question if known else ""}
    checked = f"Checked {quotes} quote{'' if quotes == 1 else 's'} against the documents"
    return (
        Step(0, "gate", "Known from an earlier question", 0.0, detail, decision),
        Step(1, "verify", checked, 0.0, {"citations": quotes, "claims": len(found.answer.claims)}),
    )


class Memory:
    """The memory of one data folder. Safe for threads and for several processes."""

    def __init__(
        self, store: Store, embedder: Embedder, chroma_url: str = "", brain: str = "embedded"
    ) -> None:
        """brain: whose answers are used again; those of another model are asked anew."""
        self._store = store
        self._brain = brain
        self._embedder = embedder
        self.records = DerivedRecords(store)
        self._index = MemoryIndex(self.records, store.data_dir / "cache" / "memory", chroma_url)

    def recall(self, question: str, scope: Scope) -> Recollection:
        """What is remembered about a question in exactly this scope; changes nothing and searches nothing."""
        where = self.scope_key(scope)
        if not where:
            return Recollection()
        vector = self._embedder.embed([question])[0]
        proposed = dict(self._index.nearest(vector, "episode", where, K1))
        episodes = [episode_of(r, proposed[r.key]) for r in self.records.read(list(proposed))]
        near = [e for e in episodes if e.similarity >= DELTA]
        strategies = suggested(near)
        asked, reason = intent_of(question), ""
        for episode in sorted(near, key=lambda e: (-e.similarity, -e.q)):
            found = self._answer(episode, scope, vector)
            if isinstance(found, str):
                reason = reason or found
                continue
            answer, notes = found
            differs = same_question(intent_of(episode.question), asked, answer.short)
            if not differs:
                return Recollection(answer, notes, episode.key, episode.similarity, strategies)
            reason = reason or f"the likest question differs in: {differs}"
        return Recollection(notes=self._near_notes(vector, where), strategies=strategies, reason=reason)

    def remember(self, trajectory: Trajectory) -> None:
        """Keep what a finished run found, once: a second call with the same run changes nothing.

        A run that was itself answered from memory, and every run that used a suggested strategy, moves the Q of the
        episodes it used. Sources that changed while the question ran leave no answer behind.
        """
        answer = trajectory.answer
        used = _used(trajectory)
        for key in used:
            self.credit(key, reward_of(answer), trajectory.id)
        recalled = any(s.decision is not None and s.decision.chosen == "remembered" for s in trajectory.steps)
        if recalled or answer.kind not in ("answer", "abstention") or answer.stopped == "cancelled":
            return
        scope = Scope(trajectory.collections, trajectory.documents)
        where = self.scope_key(scope)
        if not where:
            return
        question = trajectory.asked or trajectory.question
        vector = self._embedder.embed([question])[0]
        same = self._same_episode(question, vector, where, answer.short)
        key = same.key if same is not None else f"e-{trajectory.id}"
        cited = {c.note_id for c in answer.citations}
        notes = tuple(note for note in trajectory.notes if note.id in cited)
        vectors = self._embedder.embed([f"{n.claim} {n.goal}" for n in notes])
        with self._store.writing():
            self._write(trajectory, question, key, where, vector, notes, vectors)

    def feedback(self, run: str, thumb: int | None) -> None:
        """A person's thumb (1 up, 0 down, None taken back) on a run: moves the Q of its episode.

        After a thumb down the answer is not used again.
        """
        with self._store.writing() as connection:
            rows = connection.execute(
                "SELECT key FROM derived WHERE kind = 'episode' AND value LIKE ?", (f"%{_like(run)}%",)
            ).fetchall()
            for (key,) in rows:
                record = self.records.get(key)
                if record is None or run not in record.value["runs"]:
                    continue
                value = record.value
                base = value.get("q_before_thumb", value["q"])
                value["thumb"] = thumb
                value["q"] = base if thumb is None else updated(base, 1.0 if thumb else -1.0)
                value["q_before_thumb"] = base
                if thumb is None:
                    del value["q_before_thumb"]
                self._put_again(record, value)
                if thumb == 0:
                    connection.execute("DELETE FROM derived WHERE key = ?", (_answer_key(key),))

    def credit(self, key: str, reward: float, run: str) -> None:
        """One more reward for an episode that was used; each run counts once."""
        with self._store.writing():
            record = self.records.get(key)
            if record is None or run in record.value["runs"]:
                return
            value = record.value
            value["q"], value["visits"] = updated(value["q"], reward), value["visits"] + 1
            value["last_reward"] = round(reward, 4)
            value["runs"] = [*value["runs"], run][-RUNS_KEPT:]
            value.pop("q_before_thumb", None)
            self._put_again(record, value)

    def scope_key(self, scope: Scope) -> str:
        """The scope as memory spells it; empty when nothing is in it."""
        try:
            ids = self._store.scope_ids(scope)
        except NotFoundError:
            return ""
        return ",".join(map(str, sorted(ids))) + "|" + ",".join(sorted(scope.documents)) if ids else ""

    # ---- reading -------------------------------------------------------------------------------

    def _answer(
        self, episode: Episode, scope: Scope, vector: Vectors
    ) -> tuple[Answer, tuple[Note, ...]] | str:
        """The answer of an episode with its notes, verified in one snapshot; else why it cannot be used."""
        with self._store.reading():
            record = self.records.get(_answer_key(episode.key))
            if record is None:
                return "no answer is kept for the likest question, or its sources have changed"
            if record.value["answer"]["brain"] != self._brain:
                return "another model wrote the remembered answer"
            notes = tuple(Note(**note) for note in record.value["notes"])
            if not all(span_holds(self._store, note) for note in notes):
                return "a remembered quote no longer stands in its document"
            if self._newer(record.value["newest"], scope, vector, notes):
                return "documents added since may bear on it"
        kept = answer_from(record.value["answer"])
        return replace(kept, cost=Cost(), notice=record.value.get("notice", ""), stopped=""), notes

    def _newer(self, newest: int, scope: Scope, vector: Vectors, notes: Sequence[Note]) -> bool:
        """Whether passages were added to the scope that might say something about the question."""
        ids = self._store.scope_ids(scope)
        marks = ",".join("?" * len(ids))
        rows = self._store.connection.execute(
            f"SELECT vector, document_id FROM passages WHERE collection_id IN ({marks}) AND id > ? LIMIT ?",
            (*ids, newest, NEW_CHECKED + 1),
        ).fetchall()
        rows = [row for row in rows if not scope.documents or row[1] in scope.documents]
        if not rows or len(rows) > NEW_CHECKED:
            return bool(rows)
        new = np.stack([np.frombuffer(row[0], np.float16).astype(np.float32) for row in rows])
        cited = self._store.connection.execute(
            f"SELECT vector FROM passages WHERE id IN ({','.join('?' * len(notes))})",
            [note.passage_id for note in notes],
        ).fetchall()
        old = np.stack([np.frombuffer(row[0], np.float16).astype(np.float32) for row in cited])
        # As near to the question as the evidence was, or much like a part of the evidence.
        return bool(
            (new @ vector).max() >= (old @ vector).max() - 0.1 or (new @ old.T).max() >= LIKE_EVIDENCE
        )

    def _near_notes(self, vector: Vectors, where: str) -> tuple[Note, ...]:
        found = [
            (key, near) for key, near in self._index.nearest(vector, "note", where, K1) if near >= NOTE_DELTA
        ]
        notes = [Note(**r.value["note"]) for r in self.records.read([key for key, _ in found])]
        return tuple(note for note in notes if span_holds(self._store, note))

    def _same_episode(self, question: str, vector: Vectors, where: str, short: str) -> Derived | None:
        asked = intent_of(question)
        near = self._index.nearest(vector, "episode", where, K1)
        for record in self.records.read([key for key, likeness in near if likeness >= DELTA]):
            if not same_question(intent_of(record.value["question"]), asked, short):
                return record
        return None

    # ---- writing (inside a transaction) --------------------------------------------------------

    def _write(
        self, trajectory: Trajectory, question: str, key: str, where: str, vector: Vectors,
        notes: tuple[Note, ...], vectors: Vectors,
    ) -> None:  # fmt: skip
        connection, answer = self._store.connection, trajectory.answer
        old = self.records.get(key)
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
        connection.execute("DELETE FROM derived WHERE key = ?", (_answer_key(key),))
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
        put(connection, _answer_key(key), "answer", owner, where, kept, [n.document_id for n in notes])

    def _owner(self, notes: Sequence[Note], ids: Sequence[int]) -> int:
        """The collection a record is listed under: that of its first source, else the scope's first."""
        for note in notes:
            row = self._store.connection.execute(
                "SELECT collection_id FROM documents WHERE id = ?", (note.document_id,)
            ).fetchone()
            if row is not None:
                return int(row[0])
        return ids[0]

    def _put_again(self, record: Derived, value: dict[str, Any]) -> None:
        owner = self._store.collection_id(record.collection)
        sources = self.records.sources(record.key)
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
            connection.execute("DELETE FROM derived WHERE key IN (?, ?)", (key, _answer_key(key)))


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


def _answer_key(episode: str) -> str:
    return "a-" + episode.removeprefix("e-")


def _used(trajectory: Trajectory) -> tuple[str, ...]:
    """Keys of the episodes that a run used."""
    keys = [key for step in trajectory.steps for key in step.detail.get("memory", ())]
    return tuple(dict.fromkeys(keys))


def _like(text: str) -> str:
    return text.replace("%", "").replace("_", "")
