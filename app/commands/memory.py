"""`forage memory`: what is remembered of a collection, on the command line."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from agent.memory import Memory
from app.options import AsJson, DataDir, data_dir_of
from index.encoders import load_embedder
from index.errors import NotFoundError
from index.store import Store

memory_commands = typer.Typer(
    name="memory", no_args_is_help=True, help="What is remembered of earlier questions."
)
Collection = Annotated[str, typer.Argument(help="Name of the collection.")]


@memory_commands.command("list")
def listed(
    context: typer.Context, collection: Collection, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Questions, their answers and their usefulness; --json exports everything, one line each."""
    entries = _open(context, data_dir).remembered(collection)
    if as_json:
        for entry in entries:
            typer.echo(json.dumps(entry.exported(), ensure_ascii=False))
        return
    table = Table("Key", "Question", "Answer", "Q", "Asked")
    for e in entries:
        table.add_row(
            e.key[:14], e.question, e.short or e.text[:60] or f"({e.outcome})", f"{e.q:+.2f}", str(e.visits)
        )
    Console(highlight=False).print(table)


@memory_commands.command()
def forget(
    context: typer.Context,
    collection: Collection,
    key: Annotated[list[str] | None, typer.Option(help="Key or its beginning; repeatable.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything about the collection.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Forget questions with their answers and notes. The documents stay."""
    memory = _open(context, data_dir)
    wanted = tuple(key or ())
    chosen = [
        e.key for e in memory.remembered(collection) if everything or (wanted and e.key.startswith(wanted))
    ]
    if not chosen:
        raise NotFoundError("Nothing was chosen. Give --key as shown by `forage memory list`, or --all.")
    memory.forget(chosen)
    typer.echo(f"Forgot {len(chosen)} question{'' if len(chosen) == 1 else 's'}.")


def _open(context: typer.Context, data_dir: DataDir) -> Memory:
    return Memory(Store.open(data_dir_of(context, data_dir)), load_embedder())
