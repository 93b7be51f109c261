"""`forage policy explore`: explore questions once; on what is known of them policies are trained and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from index.errors import InputError
from training.policy_options import RUNS, Cache, Data, DataDir, Runs, explore, folder_of


def explore_command(
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Explored questions; what is there is explored further.")
    ],
    data: Data = None,
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policy", metavar="NAME", help="Go where this one would too: live, or a run; repeatable."
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Which <split>.jsonl of a question set.")] = "train",
    limit: Annotated[int | None, typer.Option(min=1, help="Questions of each set.")] = 100,
    budget: Annotated[int, typer.Option(min=1, help="Searches of one question at random decisions.")] = 4,
    seed: Annotated[
        int, typer.Option(help="Which questions a limit leaves, and which decisions are drawn.")
    ] = 7,
    workers: Annotated[int, typer.Option(min=1, help="Processes that explore.")] = 1,
    runs: Runs = RUNS,
    cache: Cache = None,
    data_dir: DataDir = None,
) -> None:
    """Explore questions with the agent: what the baselines do, what --policy does, and decisions drawn at random."""
    from training.policy.collect import Plan
    from training.policy.contest import open_named
    from training.policy.sources import gather

    if not data:
        raise InputError("Give --data: whose questions are to be explored.")
    named = [open_named(name, runs, folder_of(data_dir)) for name in policies or ["live"]]
    if None in named:
        raise InputError("The oracle has no path of its own before the questions are explored. Leave it out.")
    asked = gather(data, split=split, limit=limit, cache=cache, seed=seed)
    trees = explore(
        asked, out, Plan(budget=budget, seed=seed), [one for one in named if one is not None], workers
    )
    typer.echo(f"{out}: {len(trees)} of {len(asked)} questions explored.")
