"""`forage eval` on how the agent behaves: in conversations, without an answer, and where sources disagree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path,
    typer.Option(
        "--data",
        metavar="DIR",
        help="corpus.jsonl with train.jsonl / dev.jsonl, each question with passages.",
    ),
]
Split = Annotated[str, typer.Option(help="Which <split>.jsonl of the folder.")]
Limit = Annotated[int | None, typer.Option(min=2, help="Only so many questions.")]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        "--data-dir",
        metavar="DIR",
        show_default=False,
        help="Where the indexes are kept.  [default: the user's cache folder]",
    ),
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")]
Out = Annotated[Path | None, typer.Option("--json", metavar="OUT", help="Write the results to this file.")]


def dialogues(
    data: Data = Path("examples"),
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Conversations.  [default: DATA/dialogues.jsonl]")
    ] = None,
    cache: Cache = None,
    json: Out = None,
) -> None:
    """Conversations whose turns have a known meaning and a known answer."""
    from agent.build import open_agent
    from agent.config import load_settings
    from index.encoders import load_embedder
    from index.types import Scope
    from training import evaluate_dialogues as evaluation
    from training import report
    from training.benchmark_index import open_index
    from training.data import open_data
    from training.kept import kept_models

    if json:
        report.open_output(json)
    folder = open_data(data)
    held = evaluation.load_dialogues(file or data / "dialogues.jsonl")
    outcomes: list[evaluation.TurnOutcome] = []
    with open_index(folder, (), load_embedder(), cache) as index:
        settings = load_settings(index.store.data_dir)
        agent = open_agent(
            index.store.data_dir, settings=settings, memory=False, durable=False, models=kept_models(cache)
        )
        for dialogue in report.track(iter(held), len(held), "talking"):
            outcomes.extend(evaluation.hold(agent, dialogue, Scope((index.collection,))))
    result = evaluation.summary(outcomes)
    for name, value in result.items():
        if name != "wrong":
            typer.echo(f"{name.replace('_', ' ')}: {value}")
    for one in result["wrong"]:
        typer.echo(
            f"  {one['dialogue']}: {one['question']} -> {one['asked']} = {one['answer']!r}, not {one['gold']}"
        )
    if json:
        report.write_json(json, {**result, "facts": report.provenance(data=folder.name, dialogues=len(held))})


def abstention(
    data: Data,
    twins: Annotated[
        Path | None,
        typer.Option(
            "--twins", metavar="DIR", help="A set with the same questions over sufficient evidence."
        ),
    ] = None,
    split: Split = "dev",
    limit: Limit = None,
    cache: Cache = None,
    markdown: Markdown = False,
    json: Out = None,
) -> None:
    """Silence where the answer is not there, and only there: recall, false abstention, risk-coverage curve.

    Every question is asked over its own passages. Vectors and readings are kept: asking again is cheap.
    """
    from dataclasses import asdict

    from training import evaluate_abstention as evaluation
    from training import report

    if json:
        report.open_output(json)
    examples = evaluation.chosen(data, split, limit)
    found = list(evaluation.replies(data, split, cache, examples))
    if twins is not None:
        others = evaluation.twins_of(examples, twins, split)
        found += evaluation.replies(twins, split, cache, others)
    name = data.name if twins is None else f"{data.name} with twins of {twins.name}"
    result = evaluation.result(found, report.provenance(data=data.name, twins=twins.name if twins else None))
    for grid in evaluation.grids(result, name):
        report.show(grid, markdown=markdown)
    if json:
        report.write_json(json, {**result, "questions": [asdict(one) for one in found]})


def conflicts(
    data: Data,
    split: Split = "dev",
    limit: Limit = None,
    cache: Cache = None,
    markdown: Markdown = False,
    json: Out = None,
) -> None:
    """Where passages disagree: are all supported answers told, and is the misinformation dropped?

    Against majority voting: the same reader reads every retrieved passage on its own, and the passages vote. Needs a
    set whose `meta` names `wrong_answers` (as RAMDocs does).
    """
    from dataclasses import asdict

    from training import evaluate_conflicts as evaluation
    from training import report

    if json:
        report.open_output(json)
    found = list(evaluation.compare(data, split, limit, cache))
    result = evaluation.result(found, report.provenance(data=data.name, split=split))
    for grid in evaluation.grids(result, data.name):
        report.show(grid, markdown=markdown)
    if json:
        report.write_json(json, {**result, "questions": [asdict(one) for one in found]})
