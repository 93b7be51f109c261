"""How an ingest tells where it is: events on the way, a report at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class IngestEvent:
    """Something to show: a file is finished, or the state of the whole changed."""

    kind: str  # "stage", "file" or "done"
    source: str
    name: str
    status: str  # file: added, updated, unchanged, failed; stage: scanning, parsing, encoding
    error: str
    files_done: int
    files_total: int
    passages: int
    passages_per_second: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did. `failed` holds (source, reason)."""

    added: int
    updated: int
    unchanged: int
    failed: tuple[tuple[str, str], ...]
    passages: int
    seconds: float
    cancelled: bool = False


@dataclass(slots=True)
class Run:
    """Progress of one ingest and how to tell it."""

    progress: Callable[[IngestEvent], None] | None
    cancelled: Callable[[], bool]
    started: float = field(default_factory=time.monotonic)
    encoding_since: float = 0.0
    files_total: int = 0
    files_done: int = 0
    bytes_total: int = 0
    bytes_done: int = 0
    passages: int = 0
    counts: dict[str, int] = field(default_factory=lambda: {"added": 0, "updated": 0, "unchanged": 0})
    failed: list[tuple[str, str]] = field(default_factory=list)

    def finish(self, source: str, name: str, status: str, size: int = 0, error: str = "") -> None:
        self.files_done += 1
        self.bytes_done += size
        if status == "failed":
            self.failed.append((source, error))
        else:
            self.counts[status] += 1
        self.tell("file", source, name, status, error)

    def tell(self, kind: str, source: str, name: str, status: str, error: str = "") -> None:
        if self.progress is None:
            return
        elapsed = time.monotonic() - self.encoding_since if self.encoding_since else 0.0
        done = self.bytes_done / self.bytes_total if self.bytes_total else 0.0
        left = elapsed * (1 - done) / done if done > 0.01 and elapsed > 1 else None
        rate = self.passages / elapsed if elapsed > 0 else 0.0
        self.progress(
            IngestEvent(
                kind,
                source,
                name,
                status,
                error,
                self.files_done,
                self.files_total,
                self.passages,
                rate,
                left,
            )
        )

    def report(self, cancelled: bool) -> IngestReport:
        return IngestReport(
            **self.counts,
            failed=tuple(self.failed),
            passages=self.passages,
            seconds=time.monotonic() - self.started,
            cancelled=cancelled,
        )
