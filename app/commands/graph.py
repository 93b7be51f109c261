"""`forage graph`: the graph of a collection in numbers, and as a file for other programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from agent.config import load_settings
from agent.llm import open_language_model
from app.options import AsJson, DataDir, data_dir_of
from index.errors import InputError
from index.extract_llm import ModelExtractor
from index.graph_cache import GraphCache
from index.graph_export import FORMATS, export_graph
from index.graph_summary import Connections, GraphCounts, connections, graph_counts
from index.knowledge import extract_again
from index.store import Store

Named = Annotated[str, typer.Option("--collection", "-c", help="Which collection.")]

SHOWN_MISTAKES = 20

graph_commands = typer.Typer(
    help="The graph of a collection: what its passages name and how they hang together.", no_args_is_help=True
)


@graph_commands.command()
def summary(
    context: typer.Context, collection: Named, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Passages, entities, triplets and edges; what comes up most; which documents hang together."""
    store = Store.open(data_dir_of(context, data_dir))
    number = store.collection_id(collection)
    graph, _ = GraphCache(store).current(number)  # extracts what no search has needed yet
    counts, linked = graph_counts(store, collection), connections(store, graph)
    if as_json:
        found = {"collection": collection, **asdict(counts), **asdict(linked)}
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    _tell(collection, counts, linked)


@graph_commands.command()
def export(
    context: typer.Context,
    collection: Named,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")],
    file_format: Annotated[
        str, typer.Option("--format", "-f", help=f"One of: {', '.join(FORMATS)}.")
    ] = "graphml",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write the graph to a file: GraphML for Gephi, yEd or Cytoscape, or networkx's node-link JSON."""
    store = Store.open(data_dir_of(context, data_dir))
    nodes, edges = export_graph(store, collection, file_format, out)
    if as_json:
        said = {
            "collection": collection,
            "format": file_format,
            "out": str(out),
            "nodes": nodes,
            "edges": edges,
        }
        typer.echo(json.dumps(said, indent=2, ensure_ascii=False))
        return
    typer.echo(f"Wrote {nodes:,} nodes and {edges:,} edges of collection '{collection}' to {out}.")


@graph_commands.command()
def extract(
    context: typer.Context,
    collection: Named,
    model_kind: Annotated[str | None, typer.Option("--model", help="openai or transformers.")] = None,
    model_name: Annotated[str | None, typer.Option(help="Model name, or folder of a local model.")] = None,
    base_url: Annotated[str | None, typer.Option(help="OpenAI-compatible endpoint.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Let the language model of the settings name entities and triplets, in place of the rules. Asks it once for
    each passage; what it gets wrong is left to the rules and told."""
    folder = data_dir_of(context, data_dir)
    overrides: dict[str, object] = {
        "model.kind": model_kind,
        "model.name": model_name,
        "model.base_url": base_url,
    }
    settings = load_settings(folder, {key: value for key, value in overrides.items() if value is not None})
    model = open_language_model(settings.model)
    if model is None:
        raise InputError(
            "No language model is chosen, so only the rules can extract, and they already have. Choose one with "
            "--model and --model-name, or in the settings."
        )
    store = Store.open(folder)
    number = store.collection_id(collection)
    extractor = ModelExtractor(lambda system, prompt: model.complete(system, prompt, max_tokens=2048).text)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Extracting", total=len(store.documents(collection)))
        done = extract_again(store, number, extractor, lambda count: bar.update(task, completed=count))
    GraphCache(store).refresh(number)
    typer.echo(f"Extracted {done:,} documents of '{collection}' with {model.name}.")
    for mistake in extractor.mistakes[:SHOWN_MISTAKES]:
        typer.echo(f"  characters {mistake.start} to {mistake.end}: {mistake.reason}", err=True)
    if extractor.mistakes:
        typer.echo(f"{len(extractor.mistakes):,} mistakes of the model were left out.", err=True)


def _tell(collection: str, counts: GraphCounts, linked: Connections) -> None:
    console = Console(highlight=False)
    size = Table("Graph of", escape(collection))
    for name, value in (
        ("Documents", f"{counts.documents:,}"),
        ("Passages", f"{counts.passages:,}"),
        ("Entities", f"{counts.entities:,}"),
        ("Edges passage-entity", f"{counts.edges:,}"),
        ("Triplets", f"{counts.triplets:,}"),
        ("Components", f"{linked.components:,}"),
        ("Passages in the largest", f"{linked.largest:.1%}"),
        ("Isolated documents", f"{linked.isolated_count:,}"),
    ):
        size.add_row(name, value)
    console.print(size)
    top = Table("Top entities", "Documents")
    for entity in counts.top:
        top.add_row(escape(entity.name), f"{entity.documents:,}")
    most = Table("Most connected documents", "Shared entities")
    for document in linked.most_connected:
        most.add_row(escape(document.title), f"{document.shared:,}")
    for table in (top, most):
        if table.row_count:
            console.print(table)
    if linked.isolated:
        titles = ", ".join(escape(document.title) for document in linked.isolated)
        more = linked.isolated_count - len(linked.isolated)
        console.print(f"Isolated: {titles}{f' and {more:,} more' if more else ''}")
