"""What the agent remembers between questions: verified notes, answers, and episodes with their utility.

The truth is in SQLite beside the documents (index.derived): notes and answers rest on their source documents and go
in the transaction that changes them, episodes (question, strategy, Q) rest on nothing and stay. Chroma finds the
like of a question (agent.memory_index); agent.intent decides whether it is the same one; what is then used is read
from SQLite and its spans are checked against the stored documents once more. Nothing here ever searches.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agent.episodes import DELTA, K1, Episode, reward_of, suggested, updated
from agent.intent import intent_of, same_question
from agent.memory_index import MemoryIndex
from agent.memory_page import Remembered, remembered
from agent.memory_writer import RUNS_KEPT, MemoryWriter, answer_key, episode_of, span_holds, used_by
from agent.recollection import Recollection
from agent.trace import answer_from
from agent.types import Answer, Cost, Note, Trajectory
from index.derived import Derived, DerivedRecords
from index.errors import InputError, NotFoundError
from index.store import Store
from index.types import Embedder, Scope, Vectors

NEW_CHECKED = 2000  # passages added since; with more of them the question is asked again
LIKE_EVIDENCE = 0.80  # cosine of a new passage to a cited one at which it may change the answer
NOTE_DELTA = 0.70  # cosine of a question to a note's claim and goal at which the note is offered


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
        self._writer = MemoryWriter(store, self.records)
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
        used = used_by(trajectory)
        for key in used:
            self.credit(key, reward_of(answer), trajectory.id)
        recalled = bool(trajectory.steps) and trajectory.steps[-1].stage == "recall"
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
            self._writer.episode(trajectory, question, key, where, vector, notes, vectors)

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
                self._writer.again(record, value)
                if thumb == 0:
                    connection.execute("DELETE FROM derived WHERE key = ?", (answer_key(key),))

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
            self._writer.again(record, value)

    def remembered(self, collection: str) -> tuple[Remembered, ...]:
        """What is kept of a collection, the last used first; NotFoundError for an unknown one."""
        episodes = self.records.list("episode", collection)
        answers = {r.key: r for r in self.records.read([answer_key(e.key) for e in episodes])}
        return tuple(remembered(e, answers.get(answer_key(e.key))) for e in episodes)

    def forget(self, keys: Sequence[str]) -> None:
        """Remove episodes with their answers, and the notes that only they used."""
        with self._store.writing() as connection:
            for key in keys:
                record = self.records.get(key)
                runs = record.value["runs"] if record is not None else ()
                connection.execute("DELETE FROM derived WHERE key IN (?, ?)", (key, answer_key(key)))
                marks = ",".join("?" * len(runs))
                connection.execute(
                    f"DELETE FROM derived WHERE kind = 'note' AND json_extract(value, '$.run') IN ({marks})",
                    runs,
                )

    def correct(self, key: str, short: str, text: str) -> None:
        """A person's wording in place of an answer; what it rests on stays, and is checked as before.

        InputError for an empty text, NotFoundError when the answer is gone.
        """
        flat = " ".join(re.sub(r"\s*\[\d+\]", "", text).split())
        if not flat:
            raise InputError("An answer needs at least a word. To remove it, forget it.")
        with self._store.writing():
            record = self.records.get(answer_key(key))
            if record is None:
                raise NotFoundError("This answer is not kept any more; its documents may have changed.")
            answer = record.value["answer"]
            numbers = [c["number"] for c in answer["citations"]]
            marks = "".join(f"[{number}]" for number in numbers)
            answer |= {"short": short.strip(), "text": f"{flat} {marks}".strip(),
                       "claims": [{"text": flat, "citations": numbers}]}  # fmt: skip
            self._writer.again(record, {**record.value, "answer": answer, "corrected": True,
                                        "notice": "A person corrected this answer."})  # fmt: skip

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
            record = self.records.get(answer_key(episode.key))
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


def _like(text: str) -> str:
    return text.replace("%", "").replace("_", "")
