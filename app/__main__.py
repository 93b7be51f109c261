"""The one command line, `forage`: commands here, those of other packages through entry points."""

from __future__ import annotations

import logging
import sys
from importlib.metadata import entry_points

import typer
from rich.console import Console

from app.commands import ask, chat, documents, graph, ingest, memory, replay, search
from app.doctor import doctor
from app.options import DataDir
from index.errors import ForageError

app = typer.Typer(
    name="forage",
    help="Ask your own documents. Answers cite their sources; what is not there is not made up.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback()
def options(
    context: typer.Context,
    data_dir: DataDir = None,
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Log what happens to standard error."),
) -> None:
    """Options before the command hold for every command."""
    context.obj = data_dir
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, format="%(name)s: %(message)s")


app.command()(ingest.ingest)
app.command()(search.search)
app.command()(ask.ask)
app.command()(chat.chat)
app.command()(replay.replay)
app.command()(replay.resume)
app.command()(documents.collections)
app.command()(documents.documents)
app.command()(documents.delete)
app.command()(doctor)
app.add_typer(graph.graph_commands, name="graph")
app.add_typer(memory.memory_commands, name="memory")
for _plugin in entry_points(group="forage.commands"):
    app.add_typer(_plugin.load(), name=_plugin.name)


def main() -> None:
    """Run; a person's mistake ends in one readable paragraph and an exit code, never a traceback."""
    try:
        app()
    except ForageError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"[bold red]Error:[/] {_plain(str(error))}"
        )
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        Console(stderr=True).print("\nStopped.")
        sys.exit(130)


def _plain(text: str) -> str:
    return text.replace("[", "\\[")


if __name__ == "__main__":
    main()
