"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Data folder. Default: $FORAGE_DATA_DIR, else ./data.", show_default=False
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]


def data_dir_of(context: typer.Context, given: Path | None) -> Path:
    """The data folder: the command's own option, the one before the command, the environment, ./data."""
    before = context.obj if isinstance(context.obj, Path) else None
    return given or before or Path(os.environ.get("FORAGE_DATA_DIR") or "data")
