"""`forage collections`, `forage documents`, `forage delete`: what is there, and away with it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.options import AsJson, DataDir, data_dir_of
from index.errors import InputError, NotFoundError
from index.store import Store
from index.types import Document


def collections(context: typer.Context, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the collections."""
    found = Store.open(data_dir_of(context, data_dir)).collections()
    if as_json:
        typer.echo(json.dumps([asdict(c) for c in found], indent=2))
        return
    table = Table("Collection", "Documents", "Failed", "Passages")
    for c in found:
        table.add_row(escape(c.name), f"{c.documents:,}", f"{c.failed:,}", f"{c.passages:,}")
    Console().print(table if found else "No collections yet. Add documents with `forage ingest PATH`.")


def documents(
    context: typer.Context,
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", help="Only of this collection.")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that could not be read.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the documents."""
    found = Store.open(data_dir_of(context, data_dir)).documents(collection)
    found = tuple(d for d in found if d.status == "failed" or d.error) if failed else found
    if as_json:
        typer.echo(json.dumps([asdict(d) for d in found], indent=2, ensure_ascii=False))
        return
    table = Table("Id", "Collection", "Title", "Passages", "Pages", "Status")
    for d in found:
        status = f"[red]{escape(d.error)}[/]" if d.error else d.status
        table.add_row(
            d.id, escape(d.collection), escape(d.title), str(d.passages), str(d.pages or ""), status
        )
    Console().print(table if found else "No documents.")


def delete(
    context: typer.Context,
    documents: Annotated[list[str] | None, typer.Argument(help="Document ids or sources.")] = None,
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", help="Delete this whole collection.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Delete documents, or a whole collection, with everything made from them. Your files stay where they are."""
    store = Store.open(data_dir_of(context, data_dir))
    if documents:
        chosen = [_find(store, name, collection) for name in documents]
        _confirm(f"Delete {len(chosen)} document(s)?", yes)
        for document in chosen:
            store.delete_document(document.id)
            typer.echo(f"Deleted {document.title} ({document.source})")
    elif collection is not None:
        count = sum(c.documents + c.failed for c in store.collections() if c.name == collection)
        store.collection_id(collection)
        _confirm(f"Delete collection '{collection}' with {count} document(s)?", yes)
        store.delete_collection(collection)
        typer.echo(f"Deleted collection '{collection}'.")
    else:
        raise InputError("Nothing to delete was named. Give document ids or sources, or --collection NAME.")


def _confirm(question: str, yes: bool) -> None:
    if not yes and not typer.confirm(question):
        raise typer.Exit(1)


def _find(store: Store, name: str, collection: str | None) -> Document:
    found = [d for d in store.documents(collection) if name in (d.id, d.source, d.meta.get("name"))]
    if not found:
        raise NotFoundError(f"There is no document '{name}'. `forage documents` lists ids and sources.")
    if len(found) > 1:
        ids = ", ".join(d.id for d in found)
        raise InputError(f"'{name}' names {len(found)} documents: {ids}. Give one of these ids.")
    return found[0]
