"""`forage search`: ranked passages, no answer."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from app.options import AsJson, DataDir, data_dir_of
from index.encoders import load_embedder
from index.errors import InputError
from index.retrieve import MODES, Searcher
from index.store import Store
from index.types import Scope


def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    mode: Annotated[str, typer.Option(help=f"One of: {', '.join(MODES)}.")] = "ranked",
    k: Annotated[int, typer.Option("--k", "-k", help="How many passages.")] = 10,
    collection: Annotated[
        list[str] | None, typer.Option("--collection", "-c", help="Only here; repeatable.")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Find passages."""
    if mode not in MODES:
        raise InputError(f"There is no search mode '{mode}'. Choose one of: {', '.join(MODES)}.")
    store = Store.open(data_dir_of(context, data_dir))
    searcher = Searcher(store, load_embedder())
    hits = searcher.search(query, k, mode, Scope(tuple(collection or ())))
    if as_json:
        typer.echo(json.dumps([asdict(hit) for hit in hits], indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    for hit in hits:
        passage = hit.passage
        place = " > ".join(filter(None, (passage.title, passage.heading)))
        page = f", page {passage.page}" if passage.page else ""
        console.print(f"[bold]{hit.rank:>3}[/] {hit.score:.3f}  [cyan]{escape(place)}[/]{page}")
        console.print(f"       {escape(' '.join(passage.text.split())[:300])}")
    if not hits:
        console.print("Nothing found. `forage collections` shows what is there.")
