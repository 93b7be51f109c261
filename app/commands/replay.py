"""`forage replay`: a recorded run once more, every decision compared. `forage resume`: go on after a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from agent.build import open_agent
from agent.replay import replay as run_again
from agent.trace import trajectory_from
from agent.types import Step, Trajectory
from app.options import AsJson, DataDir, data_dir_of
from index.errors import InputError


def replay(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="A downloaded run, `forage ask --json`, or trajectories.jsonl.")
    ],
    run: Annotated[
        str | None, typer.Option(help="Id of the run, or its beginning. Default: the last.")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Run a recorded question again and compare every step and decision with the record.

    Exit code 0: all the same. 1: the first difference is shown, with what has changed since.
    """
    record = _record(file, run)
    agent = open_agent(data_dir_of(context, data_dir), memory=False, durable=False)
    found = run_again(agent, record)
    if as_json:
        difference = found.difference
        typer.echo(
            json.dumps(
                {
                    "id": record.id,
                    "same": found.same,
                    "steps": len(found.steps),
                    "difference": None
                    if difference is None
                    else {"step": difference.step, "what": difference.what, "recorded": difference.recorded,
                          "now": difference.now},
                    "remarks": found.remarks,
                },
                indent=2,
                ensure_ascii=False,
            )
        )  # fmt: skip
    else:
        _tell(record, found.steps, found.difference, found.remarks)
    if not found.same:
        raise typer.Exit(1)


def resume(context: typer.Context, data_dir: DataDir = None) -> None:
    """Go on with questions that a killed process left unfinished."""
    agent = open_agent(data_dir_of(context, data_dir))
    console = Console(highlight=False)
    left = agent.runs.abandoned() if agent.runs is not None else ()
    if not left:
        console.print("Nothing to go on with: every question ended.")
    for run in left:
        console.print(f"[bold]{escape(run.question)}[/]")
        for item in agent.resume(run.id):
            if isinstance(item, Step):
                console.print(f"[dim]{item.seconds:6.2f} s  {escape(item.summary)}[/]")
            else:
                console.print(escape(item.answer.text))


def _record(file: Path, run: str | None) -> Trajectory:
    """The record to run again; InputError where the file holds none."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{file} cannot be read: {error.strerror}. Give a file with a recorded run."
        ) from None
    records = _parsed(text)
    chosen = [r for r in records if not run or str(r.get("id", "")).startswith(run)]
    if not chosen:
        what = f"no run {run}" if records else "no recorded run"
        raise InputError(
            f"{file} holds {what}. Expected JSON Lines as in trajectories.jsonl, or one JSON object."
        )
    try:
        return trajectory_from(chosen[-1])
    except (KeyError, TypeError) as error:
        raise InputError(f"{file} is not a recorded run: {error!r}.") from None


def _parsed(text: str) -> list[dict[str, Any]]:
    try:
        whole = json.loads(text)
        return [whole] if isinstance(whole, dict) else []
    except ValueError:
        pass
    records = []
    for line in text.splitlines():
        try:
            raw = json.loads(line)
        except ValueError:
            continue  # a last line cut off by a crash
        records += [raw] if isinstance(raw, dict) else []
    return records


def _tell(record: Trajectory, steps: tuple[Step, ...], difference: Any, remarks: tuple[str, ...]) -> None:
    out = Console(highlight=False)
    out.print(f"[bold]{escape(record.question)}[/]")
    for step in steps:
        chose = f"  [cyan]{escape(step.decision.chosen)}[/]" if step.decision else ""
        out.print(f"[dim]{step.index:3d}  {step.stage:7s}[/] {escape(step.summary)}{chose}")
    for remark in remarks:
        out.print(f"[yellow]{escape(remark)}[/]")
    if difference is None:
        out.print(f"[green]All {len(steps)} steps and decisions are as recorded.[/]")
        return
    out.print(f"[red]The first difference is in step {difference.step}, {escape(difference.what)}:[/]")
    out.print(f"  recorded  {escape(str(difference.recorded))}\n  now       {escape(str(difference.now))}")
