"""The job runner: work in threads outside the page, with an append-only log and a Stop flag per job.

A Streamlit script dies with every click and every reload; a job does not. Each job appends events to
`<folder>/<id>.jsonl`, one flushed JSON line per event, and a page only ever reads that log. The process
that owns a job holds a lock on its log, so a log without an end and without an owner is a job that
died with its process: it is shown as interrupted. Nothing here imports Streamlit.
"""

from __future__ import annotations

import fcntl
import json
import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Literal

from index.errors import Cancelled, ForageError, NotFoundError

JobState = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
Work = Callable[["Handle"], Mapping[str, Any]]

LANES: Mapping[str, int] = {
    "ask": 4,
    "ingest": 1,
    "suggest": 1,
    "test": 2,
    "train": 1,
    "shadow": 1,
    "rewards": 1,
}  # threads of each kind of job
ENDS = {"done": "done", "failed": "failed", "cancelled": "cancelled"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a job's log."""

    at: float  # seconds since the epoch
    type: str  # created, started, stopping, done, failed, cancelled, or what the work emits
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """What a job's log says about it now."""

    id: str
    kind: str
    state: JobState
    params: dict[str, Any]
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    stopping: bool = False
    error: str = ""
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """True while waiting or working."""
        return self.state in ("queued", "running")


class Handle:
    """What the work sees of its own job: a place to write events and the Stop flag."""

    def __init__(self, job_id: str, log: TextIOWrapper) -> None:
        self.id = job_id
        self.events: list[Event] = []
        self.finished = threading.Event()
        self._stop = threading.Event()
        self._log = log
        self._lock = threading.Lock()

    def emit(self, event_type: str, data: Mapping[str, Any]) -> None:
        """Append one event; it is on disk when this returns."""
        event = Event(time.time(), event_type, dict(data))
        line = json.dumps({"at": event.at, "type": event.type, "data": event.data}, ensure_ascii=False)
        with self._lock:
            if self.finished.is_set():
                return
            self._log.write(line + "\n")
            self._log.flush()
            self.events.append(event)
            if event_type in ENDS:
                self._log.close()  # gives the lock back
                self.finished.set()

    def cancelled(self) -> bool:
        """True once a person pressed Stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Raise the Stop flag."""
        self._stop.set()


class JobRunner:
    """Runs jobs in daemon threads, a few per kind, so that a long ingest never delays a question."""

    def __init__(self, folder: Path, lanes: Mapping[str, int] = LANES) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._handles: dict[str, Handle] = {}
        self._ended: dict[str, Job] = {}
        self._queues: dict[str, queue.SimpleQueue[tuple[Handle, Work] | None]] = {}
        self._lanes = dict(lanes)
        for kind, threads in lanes.items():
            self._queues[kind] = queue.SimpleQueue()
            for number in range(threads):
                worker = threading.Thread(
                    target=self._work, args=(kind,), name=f"{kind}-{number}", daemon=True
                )
                worker.start()

    def submit(self, kind: str, work: Work, params: Mapping[str, Any]) -> str:
        """Queue `work` and return the job's id; `params` is what a retry or a page needs to know of it."""
        job_id = f"{time.time_ns():020d}-{kind}-{secrets.token_hex(4)}"
        log = (self._folder / f"{job_id}.jsonl").open("a", encoding="utf-8")
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        handle = Handle(job_id, log)
        handle.emit("created", {"kind": kind, "params": dict(params)})
        self._handles[job_id] = handle
        self._queues[kind].put((handle, work))
        return job_id

    def job(self, job_id: str) -> Job:
        """The job as its log tells it; NotFoundError for an id without a log."""
        if job_id in self._ended:
            return self._ended[job_id]
        owned = self._owned(job_id)  # before the events: a job that ends in between has then an end
        job = _fold(job_id, self.events(job_id), owned)
        if not job.active:
            self._ended[job_id] = job  # a log that has ended never changes, and may be long
        return job

    def jobs(self, kind: str, limit: int = 20) -> tuple[Job, ...]:
        """The newest `limit` jobs of one kind, newest first, of this and of earlier processes."""
        names = sorted((path.stem for path in self._folder.glob(f"*-{kind}-*.jsonl")), reverse=True)
        return tuple(self.job(name) for name in names[:limit])

    def events(self, job_id: str, after: int = 0) -> tuple[Event, ...]:
        """Events from number `after` on, in order."""
        handle = self._handles.get(job_id)
        events = list(handle.events) if handle else _read(self._folder, job_id)
        return tuple(events[after:])

    def cancel(self, job_id: str) -> bool:
        """Ask a job to stop; False when it is not running in this process or has already ended."""
        handle = self._handles.get(job_id)
        if handle is None or handle.finished.is_set():
            return False
        if not handle.cancelled():
            handle.stop()
            handle.emit("stopping", {})
        return True

    def wait(self, job_id: str, timeout: float) -> Job:
        """Block until the job has ended or `timeout` seconds have passed."""
        handle = self._handles.get(job_id)
        if handle is not None:
            handle.finished.wait(timeout)
        return self.job(job_id)

    def close(self) -> None:
        """Stop every job and let the threads go home; used by tests and at the end of a process."""
        for job_id in list(self._handles):
            self.cancel(job_id)
        for kind, threads in self._lanes.items():
            for _ in range(threads):
                self._queues[kind].put(None)

    def _work(self, kind: str) -> None:
        while (item := self._queues[kind].get()) is not None:
            _run(*item)
            self._handles.pop(item[0].id, None)  # from now on the log on disk speaks for it

    def _owned(self, job_id: str) -> bool:
        """True while some process works on the job: ours, or one that holds the lock on the log."""
        handle = self._handles.get(job_id)
        if handle is not None:
            return not handle.finished.is_set()
        with _path(self._folder, job_id).open("rb") as log:
            try:
                fcntl.flock(log, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


def _run(handle: Handle, work: Work) -> None:
    """Do one piece of work; whatever happens, the log gets an end."""
    if handle.cancelled():
        handle.emit("cancelled", {})
        return
    handle.emit("started", {})
    try:
        result = work(handle)
    except Cancelled:
        handle.emit("cancelled", {})
    except ForageError as error:
        handle.emit("failed", {"error": str(error)})
    except Exception as error:
        logger.exception("job %s crashed", handle.id)
        handle.emit("failed", {"error": f"A mistake in Forage itself: {type(error).__name__}: {error}"})
    else:
        handle.emit("cancelled" if handle.cancelled() else "done", result)


def _path(folder: Path, job_id: str) -> Path:
    path = folder / f"{job_id}.jsonl"
    if "/" in job_id or not path.is_file():
        raise NotFoundError(f"There is no job {job_id!r} in this data folder.")
    return path


def _read(folder: Path, job_id: str) -> list[Event]:
    """The events on disk. A last line without its end (killed while writing) does not count."""
    events = []
    for line in _path(folder, job_id).read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        if not line.endswith("\n"):
            break
        try:
            row = json.loads(line)
            events.append(Event(float(row["at"]), str(row["type"]), dict(row["data"])))
        except (ValueError, KeyError, TypeError):
            logger.warning("job %s: a damaged line of its log was skipped", job_id)
    return events


def _fold(job_id: str, events: tuple[Event, ...], owned: bool) -> Job:
    """The state of a job is the sum of its events."""
    state: JobState = "queued"
    kind, params, error = job_id.split("-")[1] if "-" in job_id else "", {}, ""
    created = events[0].at if events else 0.0
    started = finished = None
    stopping = False
    result: dict[str, Any] = {}
    for event in events:
        if event.type == "created":
            kind, params = event.data["kind"], event.data["params"]
        elif event.type == "started":
            state, started = "running", event.at
        elif event.type == "stopping":
            stopping = True
        elif event.type in ENDS:
            state, finished = ENDS[event.type], event.at  # type: ignore[assignment]
            error, result = str(event.data.get("error", "")), event.data
    if state in ("queued", "running") and not owned:
        state = "interrupted"
    return Job(job_id, kind, state, params, created, started, finished, stopping, error, result)
