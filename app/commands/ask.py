"""`forage ask`: a question, the steps on the way, an answer with its sources."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from agent.build import open_agent
from agent.config import load_settings
from agent.types import Answer, Step, Trajectory
from app.options import AsJson, DataDir, data_dir_of
from index.retrieve import MODES
from index.types import Scope


def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="Your question, in quotes.")],
    collection: Annotated[
        list[str] | None, typer.Option("--collection", "-c", help="Only here; repeatable.")
    ] = None,
    mode: Annotated[str | None, typer.Option(help=f"Search mode: {', '.join(MODES)}.")] = None,
    max_seconds: Annotated[float | None, typer.Option(help="Time budget.")] = None,
    model_kind: Annotated[str | None, typer.Option("--model", help="none, openai or transformers.")] = None,
    model_name: Annotated[str | None, typer.Option(help="Model name, or folder of a local model.")] = None,
    base_url: Annotated[str | None, typer.Option(help="OpenAI-compatible endpoint.")] = None,
    memory: Annotated[
        bool, typer.Option(help="Use and keep what is remembered of earlier questions.")
    ] = True,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Ask a question about your documents."""
    folder = data_dir_of(context, data_dir)
    overrides: dict[str, object] = {
        "agent.mode": mode,
        "agent.max_seconds": max_seconds,
        "model.kind": model_kind,
        "model.name": model_name,
        "model.base_url": base_url,
    }
    settings = load_settings(folder, {key: value for key, value in overrides.items() if value is not None})
    agent = open_agent(folder, settings=settings, memory=memory)
    scope = Scope(tuple(collection or ()))
    for name in scope.collections:
        agent.store.collection_id(name)  # a wrong name is told before the work, not after it
    console = Console(stderr=True, highlight=False)
    for item in agent.stream(question, scope):
        if isinstance(item, Step):
            if not as_json:
                console.print(f"[dim]{item.seconds:6.2f} s  {escape(item.summary)}[/]")
        elif as_json:
            typer.echo(json.dumps(item.to_dict(), indent=2, ensure_ascii=False))
        else:
            _tell(item)


def _tell(trajectory: Trajectory) -> None:
    answer: Answer = trajectory.answer
    out = Console(highlight=False)
    out.print()
    out.print(escape(answer.text), style="bold" if answer.kind == "answer" else "")
    if answer.notice:
        out.print(f"[yellow]{escape(answer.notice)}[/]")
    for citation in answer.citations:
        page = f", page {citation.page}" if citation.page else ""
        out.print(
            f"\n  [cyan]\\[{citation.number}] {escape(citation.title)}[/]{page}  [dim]{escape(citation.source)}[/]"
        )
        out.print(f"      “{escape(' '.join(citation.quote.split()))}”")
    cost = answer.cost
    searches = "1 search" if cost.searches == 1 else f"{cost.searches} searches"
    out.print(
        f"\n[dim]confidence {answer.confidence:.0%}, {searches}, {cost.context_tokens} tokens read, "
        f"{cost.seconds:.1f} s, by {escape(answer.brain)}[/]"
    )
