"""`forage ingest`: files, folders and archives into a collection, with a progress bar."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from app.options import AsJson, DataDir, data_dir_of
from index.ingest import IngestEvent, IngestReport
from index.ingest import ingest as run_ingest
from index.store import Store


def ingest(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files, folders or .zip archives.")],
    collection: Annotated[
        str, typer.Option("--collection", "-c", help="Collection to add to.")
    ] = "documents",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add documents. Unchanged files are skipped, changed ones replaced, failures listed with a reason.

    Stop with Ctrl-C at any time: what is done is kept, and the next run goes on from there.
    """
    store = Store.open(data_dir_of(context, data_dir))
    console = Console(stderr=True)
    stop = _StopOnInterrupt()
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeElapsedColumn(), TextColumn("{task.fields[left]}"),
        console=console, transient=True,
    )  # fmt: skip
    with stop, bar:
        task = bar.add_task("Scanning", total=None, rate="", left="")

        def show(event: IngestEvent) -> None:
            doing = {"scanning": "Scanning", "parsing": "Reading", "encoding": "Encoding"}.get(
                event.status, "Files"
            )
            left = f"{_clock(event.seconds_left)} left" if event.seconds_left is not None else ""
            rate = f"{event.passages:,} passages, {event.passages_per_second:.0f}/s" if event.passages else ""
            bar.update(
                task, total=event.files_total or None, completed=event.files_done,
                description=f"{doing} {event.name[:40]}".rstrip(), rate=rate, left=left,
            )  # fmt: skip

        report = run_ingest(store, paths, collection, progress=show, cancelled=stop.requested)
    if as_json:
        typer.echo(_as_json(report, collection))
    else:
        _tell(report, collection, console)
    if report.cancelled:
        raise typer.Exit(130)
    if report.failed and not (report.added or report.updated or report.unchanged):
        raise typer.Exit(1)


class _StopOnInterrupt:
    """First Ctrl-C asks the ingest to stop cleanly; a second one interrupts at once."""

    def __init__(self) -> None:
        self._asked = False

    def requested(self) -> bool:
        return self._asked

    def __enter__(self) -> _StopOnInterrupt:
        self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True


def _tell(report: IngestReport, collection: str, console: Console) -> None:
    rate = report.passages / report.seconds if report.seconds > 0 else 0.0
    out = Console(highlight=False, soft_wrap=True)
    state = "Stopped. So far" if report.cancelled else "Done"
    out.print(
        f"[bold]{state}[/] in {_clock(report.seconds)}: {report.added} added, {report.updated} updated, "
        f"{report.unchanged} unchanged, {len(report.failed)} failed; {report.passages:,} passages "
        f"({rate:.1f} passages/s) in collection '{collection}'."
    )
    for source, reason in report.failed:
        out.print(f"  [red]failed[/] {source}: {reason}", markup=True)
    if report.failed:
        out.print(
            "Mend or convert the failed files and run the same command again: the rest is not done twice."
        )


def _as_json(report: IngestReport, collection: str) -> str:
    import json
    from dataclasses import asdict

    return json.dumps({"collection": collection, **asdict(report)}, indent=2)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
