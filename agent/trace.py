"""Trajectories to JSON lines and back: one record for the pages, the tests and later the trainers."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.types import Answer, Citation, Claim, Cost, Decision, Note, Step, Trajectory, Turn


class TraceLog:
    """Append-only file of trajectories, one JSON line each; whole lines survive a crash."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def append(self, trajectory: Trajectory) -> None:
        """Write one record."""
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            append_line(self.path, trajectory.to_dict())

    def holds(self, run_id: str) -> bool:
        """Whether a run is in the log already."""
        if not self.path.exists():
            return False
        mark = f'{{"id":{json.dumps(run_id)},'
        with self.path.open(encoding="utf-8") as lines:
            return any(line.startswith(mark) and line.endswith("\n") for line in lines)

    def read(self) -> Iterator[Trajectory]:
        """All records; a line cut off by a crash is left out."""
        yield from map(trajectory_from, whole_lines(self.path))


def append_line(path: Path, record: Mapping[str, Any], durable: bool = False) -> None:
    """Add a JSON line with a single write, so that processes do not mix their lines; `durable`: on disk when this
    returns. What a killed process left of a line is closed first, so that it spoils no record but its own."""
    line = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
    if _cut_off(path):
        line = "\n" + line
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line.encode())
        if durable:
            os.fsync(handle)
    finally:
        os.close(handle)


def _cut_off(path: Path) -> bool:
    """Whether a file ends within a line."""
    if not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a file of JSON lines, without those that a crash cut off; none of a file that is missing."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                record = json.loads(line) if line.endswith("\n") else None
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record


def trajectory_from(raw: Mapping[str, Any]) -> Trajectory:
    """The record a `Trajectory.to_dict` was made from."""
    return Trajectory(
        **{
            **raw,
            "collections": tuple(raw["collections"]),
            "documents": tuple(raw["documents"]),
            "history": tuple(Turn(**turn) for turn in raw["history"]),
            "steps": tuple(step_from(step) for step in raw["steps"]),
            "notes": tuple(Note(**note) for note in raw["notes"]),
            "answer": answer_from(raw["answer"]),
        }
    )


def step_from(raw: Mapping[str, Any]) -> Step:
    """A step from its dict."""
    decision = raw.get("decision")
    made = Decision(**{**decision, "options": tuple(decision["options"])}) if decision else None
    return Step(**{**raw, "decision": made})


def answer_from(raw: Mapping[str, Any]) -> Answer:
    """An answer from its dict."""
    return Answer(
        **{
            **raw,
            "others": tuple(raw.get("others", ())),
            "claims": tuple(Claim(c["text"], tuple(c["citations"])) for c in raw["claims"]),
            "citations": tuple(Citation(**citation) for citation in raw["citations"]),
            "cost": Cost(**raw["cost"]),
        }
    )
