"""Questions that outlive their process: LangGraph's checkpoints in SQLite, and a list of the runs that are open.

Each open run is a file `runs/<id>.json` that holds what was asked, and a lock on it that its process keeps. A file
without a lock belongs to a process that was killed: its run can be taken over. What the run had done is in
`checkpoints.db`; both go when the run ends, so neither grows with the number of questions.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from agent.types import Turn
from index.errors import NotFoundError
from index.types import Scope

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")  # checkpoints hold plain data, never objects


@dataclass(frozen=True, slots=True)
class OpenRun:
    """What a run needs besides its checkpoints."""

    id: str
    question: str
    asked: str
    why: str
    scope: Scope
    history: tuple[Turn, ...]
    started_at: float


class OpenRuns:
    """The open runs of a data folder, of this process and of killed ones. Safe for threads and processes."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "runs"
        self._database = data_dir / "checkpoints.db"
        self._locks: dict[str, IO[str]] = {}
        self._guard = threading.Lock()
        self._saver: Any = None

    @property
    def checkpointer(self) -> Any:
        """LangGraph's saver; opened on first use."""
        with self._guard:
            if self._saver is None:
                from langgraph.checkpoint.sqlite import SqliteSaver

                self._database.parent.mkdir(parents=True, exist_ok=True)
                connection = sqlite3.connect(self._database, check_same_thread=False, timeout=60)
                self._saver = SqliteSaver(connection)
                self._saver.setup()
            return self._saver

    def open(self, run: OpenRun) -> None:
        """Put a new run on the list; NotFoundError for an id that cannot be a file name."""
        path = self._path(run.id)
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = path.open("x", encoding="utf-8")
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(json.dumps(asdict(run), ensure_ascii=False))
        lock.flush()
        with self._guard:
            self._locks[run.id] = lock

    def take_over(self, run_id: str) -> OpenRun:
        """The run of a killed process, now ours; NotFoundError when it is not there or somebody works on it."""
        path = self._path(run_id)
        lock: IO[str] | None = None
        try:
            lock = path.open("r+", encoding="utf-8")
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            run = _run(json.loads(lock.read()))
        except (OSError, ValueError, KeyError) as error:
            if lock is not None:
                lock.close()
            raise NotFoundError(
                f"There is no unfinished question {run_id} to go on with: it ended, or another process works on it."
            ) from error
        with self._guard:
            self._locks[run_id] = lock
        return run

    def close(self, run_id: str) -> None:
        """Take a run off the list with its checkpoints."""
        self.checkpointer.delete_thread(run_id)
        self._path(run_id).unlink(missing_ok=True)
        with self._guard:
            lock = self._locks.pop(run_id, None)
        if lock is not None:
            lock.close()

    def abandoned(self) -> Sequence[OpenRun]:
        """Runs whose process was killed, oldest first."""
        found = []
        for path in self._folder.glob("*.json") if self._folder.is_dir() else ():
            try:
                with path.open("r", encoding="utf-8") as file:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    found.append(_run(json.loads(file.read())))
            except (OSError, ValueError, KeyError):
                continue  # somebody works on it, or it was killed before it was written whole
        return sorted(found, key=lambda run: run.started_at)

    def _path(self, run_id: str) -> Path:
        if not re.fullmatch(r"[\w-]{1,120}", run_id):
            raise NotFoundError(f"There is no unfinished question {run_id!r}.")
        return self._folder / f"{run_id}.json"


def _run(raw: dict[str, Any]) -> OpenRun:
    scope = Scope(tuple(raw["scope"]["collections"]), tuple(raw["scope"]["documents"]))
    history = tuple(Turn(**turn) for turn in raw["history"])
    return OpenRun(
        raw["id"], raw["question"], raw["asked"], raw["why"], scope, history, float(raw["started_at"])
    )
