"""`forage policy shadow`: a candidate answers a share of people's questions again, unseen."""

from __future__ import annotations

import json as json_lines
from typing import Annotated

import typer

from index.errors import InputError
from training.policy_options import RUNS, AsJson, DataDir, Runs, folder_of, run_folder, weights_of


def shadow(
    name: Annotated[
        str | None, typer.Argument(help="A run by name or folder; without one, show what runs.")
    ] = None,
    share: Annotated[float, typer.Option(help="Share of people's questions that it answers again.")] = 0.1,
    questions: Annotated[int, typer.Option(min=1, help="Budget: so many questions.")] = 200,
    seconds: Annotated[float, typer.Option(min=1, help="Budget: so many seconds, all together.")] = 3600,
    stop: Annotated[bool, typer.Option("--stop", help="End it; what was compared stays.")] = False,
    work: Annotated[
        bool, typer.Option("--work", help="Answer now what is due; the pages do it unasked.")
    ] = False,
    runs: Runs = RUNS,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Let a policy answer a share of people's questions again, unseen, and compare it with the live one."""
    from agent import shadow as shadows
    from training import report
    from training.policy.shadowing import shadow_grid, shadowed

    folder = folder_of(data_dir)
    if stop:
        record = shadows.stop(folder)
        typer.echo(f"{record.name} runs in the shadow no more: {record.reason}.")
        return
    if name:
        place = run_folder(name, runs)
        record = shadows.start(
            folder, weights_of(place), place.name, share, questions=questions, seconds=seconds
        )
        typer.echo(f"{record.name} runs in the shadow from now on: {record.reason}.")
    if work:
        from agent.build import open_agent

        done = shadows.work(folder, open_agent(folder, memory=False, durable=False))
        typer.echo(f"{done} questions compared.")
    if name and not work:
        return
    found = shadowed(folder)
    if not found["name"]:
        raise InputError("No policy runs in the shadow. Start one: forage policy shadow NAME --share 0.1")
    if json:
        typer.echo(json_lines.dumps(found, indent=2, ensure_ascii=False))
    else:
        report.show(shadow_grid(found), markdown=False)
