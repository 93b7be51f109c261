"""What the commands around the decision policy share: options, what names stand for, exploring with a progress bar."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from index.errors import InputError

if TYPE_CHECKING:
    from agent.policy import Policy
    from training.policy.collect import Asked, Plan
    from training.policy.trees import Tree

RUNS = Path("runs")
Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Where the run folders are.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Data folder whose policy is meant. Default: $FORAGE_DATA_DIR, else ./data."
    ),
]
Data = Annotated[
    list[Path] | None,
    typer.Option(
        "--data", metavar="DIR",
        help="A question set, a folder of question sets, or a data folder of Forage; repeatable.",
    ),
]  # fmt: skip
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
Cache = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where indexes and explored questions are kept.")
]


def folder_of(given: Path | None) -> Path:
    """The data folder that is meant."""
    import os

    return given or Path(os.environ.get("FORAGE_DATA_DIR") or "data")


def weights_of(run: Path) -> Path:
    """What a finished run decides with: a weights file, or the folder of a language model."""
    model = run / "policy-lm"
    return model if model.is_dir() else run / "policy.safetensors"


def run_folder(name: str, runs: Path) -> Path:
    """A finished run by name or folder. InputError where there is none."""
    for folder in (runs / name, Path(name)):
        if weights_of(folder).exists():
            return folder
    known = sorted(path.name for path in runs.glob("*") if weights_of(path).exists())
    raise InputError(f"There is no finished run {name!r} in {runs}. Known are: {', '.join(known) or 'none'}.")


def explore(
    asked: Sequence[Asked], kept: Path, plan: Plan, policies: Sequence[Policy] = (), workers: int = 1
) -> list[Tree]:
    """Trees of the questions that hold the policies' paths too, kept in a file; with a progress bar."""
    from training import report
    from training.policy.collect import collect

    with report.progress_bar() as bar:
        task = bar.add_task("exploring questions", total=len(asked))
        return list(
            collect(asked, kept, plan, policies=policies, workers=workers,
                    tell=lambda done, _: bar.update(task, completed=done))
        )  # fmt: skip
