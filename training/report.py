"""Tables and JSON of an evaluation, with what is needed to repeat it."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from index.errors import InputError

Item = TypeVar("Item")
LONGEST_LINE = 160  # characters of a result file


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of texts. The first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def rich(self) -> Table:
        table = Table(padding=(0, 0, 0, 1), header_style="bold", box=SIMPLE_HEAD)
        for at, column in enumerate(self.columns):
            table.add_column(escape(column), justify="right" if at else "left", no_wrap=True)
        for row in self.rows:
            table.add_row(*map(escape, row))
        return table

    def markdown(self) -> str:
        lines = [self.columns, ("---", *["---:"] * (len(self.columns) - 1)), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"**{self.title}**\n\n{table}\n"


def show(grid: Grid, *, markdown: bool) -> None:
    """Print a table to standard output; Markdown as it is, to be pasted."""
    console = Console(width=None if sys.stdout.isatty() else 200)  # a file has no width to fit into
    if markdown:
        console.print(grid.markdown(), markup=False, highlight=False, soft_wrap=True)
    else:
        console.print(grid.title, style="bold", markup=False, highlight=False)
        console.print(grid.rich())


def track(items: Iterable[Item], total: int, description: str) -> Iterator[Item]:
    """The items with a progress bar on standard error."""
    with progress_bar() as bar:
        yield from bar.track(items, total=total, description=description)


def progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def percent(value: float | None) -> str:
    """`0.689` as `68.9`; a dash where there was nothing to measure."""
    return "-" if value is None else f"{100 * value:.1f}"


def number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def provenance(**facts: Any) -> dict[str, Any]:
    """Facts of a run: the command, the commit it ran on, the machine, and `facts`.

    The folder of question sets is named by its variable: where it lies on this machine is nobody's business.
    """
    command, data = shlex.join(["forage", *sys.argv[1:]]), os.environ.get("FORAGE_DATA", "")
    return {
        "command": command.replace(data, "$FORAGE_DATA") if data else command,
        "commit": commit(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **facts,
    }


def commit() -> str | None:
    """Commit of the running source, with `+` where files differ from it; None outside a repository."""
    folder = Path(__file__).parent
    head = _git(folder, "rev-parse", "--short=12", "HEAD")
    if head is None:
        return None
    return head + ("+" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def open_output(path: Path) -> Path:
    """Make the folder of a result file and make sure, before hours of work, that it can be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8"):
            pass
    except OSError as error:
        raise InputError(f"The result file {path} cannot be written: {error.strerror}.") from error
    return path


def write_json(path: Path, result: dict[str, Any]) -> None:
    """A result as indented JSON in which what is short enough stands on one line."""
    path.write_text(_json(json.loads(json.dumps(result))) + "\n", encoding="utf-8")


def _json(value: Any, indent: int = 0) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= LONGEST_LINE or not isinstance(value, dict | list):
        return line
    keys = [json.dumps(key, ensure_ascii=False) + ": " for key in value] if isinstance(value, dict) else None
    inner = [_json(one, indent + 2) for one in (value.values() if isinstance(value, dict) else value)]
    told = [key + one for key, one in zip(keys, inner, strict=True)] if keys else inner
    space, (opened, closed) = "\n" + " " * (indent + 2), "{}" if keys else "[]"
    return opened + space + f",{space}".join(told) + "\n" + " " * indent + closed


def whole_numbers(text: str, option: str) -> tuple[int, ...]:
    """`2,5,10` as rising numbers without repeats. InputError for anything else."""
    try:
        found = sorted({int(part) for part in text.split(",")})
    except ValueError:
        found = []
    if not found or found[0] < 1:
        raise InputError(f"{option} is {text!r}; expected whole numbers from 1 joined by commas: 2,5,10,50.")
    return tuple(found)


def choices(text: str, option: str, known: Sequence[str]) -> tuple[str, ...]:
    """`bm25,dense` as names that all are known. InputError for anything else."""
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for name in found:
        if name not in known:
            raise InputError(f"{option}: there is no {name!r}. Choose from {', '.join(known)}.")
    return found
