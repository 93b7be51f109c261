"""`forage eval`: how well search and answers do on a question set of ours or of yours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from training.behaviour_cli import abstention, conflicts, dialogues

eval_commands = typer.Typer(
    name="eval",
    no_args_is_help=True,
    help="Measure search and answers on questions with known answers.",
)

Data = Annotated[
    Path,
    typer.Option(
        "--data",
        metavar="DIR",
        help="corpus.jsonl with train.jsonl / dev.jsonl, or collection/ (files) with questions.jsonl.",
    ),
]
Questions = Annotated[
    list[Path] | None,
    typer.Option(
        "--questions", metavar="FILE", help="Question file instead of --split; may be given several times."
    ),
]
Split = Annotated[str, typer.Option(help="Which <split>.jsonl of the folder; several joined by commas.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first N questions.")]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        "--data-dir",
        metavar="DIR",
        help="Where the indexes are kept.  [default: the user's cache folder]",
        show_default=False,
    ),
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")]
Out = Annotated[Path | None, typer.Option("--json", metavar="OUT", help="Write the results to this file.")]


@eval_commands.command()
def retrieval(
    data: Data,
    questions: Questions = None,
    split: Split = "dev",
    limit: Limit = None,
    modes: Annotated[str, typer.Option(help="Search modes, also bm25s (the library), by commas.")] = (
        "bm25,dense,hybrid,graph,ranked"
    ),
    k: Annotated[str, typer.Option("--k", help="Depths of recall, by commas.")] = "2,5,10,50",
    titles: Annotated[
        bool, typer.Option("--titles/--no-titles", help="Index a pool's passages with or without titles.")
    ] = True,
    cache: Cache = None,
    markdown: Markdown = False,
    json: Out = None,
) -> None:
    """Share of the gold passages that search finds, its speed, and the tokens it hands to a reader.

    Indexes the corpus once and keeps it. The last mode is compared with each other one by a paired bootstrap.
    """
    from index.encoders import load_embedder
    from training import evaluate_retrieval as evaluation
    from training import report
    from training.benchmark_index import open_index
    from training.data import load_questions, open_data, question_files

    names = report.choices(modes, "--modes", evaluation.ALL_MODES)
    depths = report.whole_numbers(k, "--k")
    if json:
        report.open_output(json)
    folder = open_data(data)
    files = question_files(folder, split, questions or ())
    examples = load_questions(*files)[:limit]
    embedder = load_embedder()
    with open_index(folder, examples, embedder, cache, titles) as index:
        passages = sum(c.passages for c in index.store.collections())
        tasks = evaluation.make_tasks(examples, index.locator)
        scores = [
            evaluation.evaluate(
                name, evaluation.make_ranker(name, index.store, embedder, index.collection), tasks, depths
            )
            for name in names
        ]
    facts = report.provenance(
        data=folder.name,
        questions=[path.name for path in files],
        titles=titles,
        skipped_without_gold=len(examples) - len(tasks),
        passages=passages,
        embedder=embedder.name,
    )
    result = evaluation.result(scores, facts)
    for grid in evaluation.grids(result, folder.name):
        report.show(grid, markdown=markdown)
    if facts["skipped_without_gold"]:
        typer.echo(f"{facts['skipped_without_gold']} questions name no gold evidence and were left out.")
    if json:
        report.write_json(json, result)


@eval_commands.command()
def answers(
    data: Data,
    questions: Questions = None,
    split: Split = "dev",
    limit: Limit = None,
    scope: Annotated[
        Literal["pool", "context"],
        typer.Option(help="pool: search the whole corpus; context: only the question's own passages."),
    ] = "pool",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Questions answered at the same time.")] = 1,
    lower_case: Annotated[
        bool, typer.Option("--lower-case", help="Ask without capitals, as people type.")
    ] = False,
    cache: Cache = None,
    markdown: Markdown = False,
    json: Out = None,
) -> None:
    """Right answers, right evidence, honest abstention and cost of the whole agent.

    With --json OUT, each question is also written as one line of OUT with the suffix .jsonl as soon as it is
    answered: answer, citations, evidence found, scores and stages.
    """
    from agent.build import open_agent
    from agent.config import load_settings
    from index.encoders import load_embedder
    from training import evaluate_answers as evaluation
    from training import report
    from training.benchmark_index import open_index
    from training.data import load_questions, open_data, question_files

    if json:
        report.open_output(json)
    folder = open_data(data)
    files = question_files(folder, split, questions or ())
    examples = load_questions(*files)[:limit]
    examples = evaluation.typed_in_lower_case(examples) if lower_case else examples
    with open_index(folder, examples, load_embedder(), cache) as index:
        cases = evaluation.make_cases(examples, folder, index.locator, scope)
        agent = open_agent(
            index.store.data_dir, settings=load_settings(index.store.data_dir), memory=False, durable=False
        )
        outcomes = evaluation.collect(
            report.track(
                evaluation.evaluate(agent, index.store, cases, workers), len(cases), f"asking: {folder.name}"
            ),
            json.with_suffix(".jsonl") if json else None,
        )
    facts = report.provenance(
        data=folder.name,
        questions=[path.name for path in files],
        scope=scope,
        skipped_without_scope=len(examples) - len(cases),
        workers=workers,
    )
    result = evaluation.result(outcomes, facts)
    for grid in evaluation.grids(result, folder.name):
        report.show(grid, markdown=markdown)
    if facts["skipped_without_scope"]:
        typer.echo(f"{facts['skipped_without_scope']} questions name no passages and were left out.")
    if json:
        report.write_json(json, result)


@eval_commands.command()
def rewards(
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", show_default=False,
                     help="Folder of question sets.  [default: $FORAGE_DATA/qa; without one, the closed world alone]"),
    ] = None,
    names: Annotated[str, typer.Option("--rewards", help="Only these rewards and presets, by commas.")] = "",
    limit: Annotated[int, typer.Option(min=2, help="Questions of each type of the world and of each set.")] = 40,
    seed: Annotated[int, typer.Option(help="Another seed, another world and other questions.")] = 11,
    groups: Annotated[int, typer.Option(min=0, help="Questions whose runs are timed; 0: none.")] = 25,
    faults: Annotated[
        bool, typer.Option("--faults", help="In the JSON file also each fault of the worse run by itself.")
    ] = False,
    markdown: Markdown = False,
    json: Out = None,
) -> None:  # fmt: skip
    """How often each reward ranks the better of two runs first: multi-hop, citation, abstention, conflict.

    The better run of a pair has one known fault less. Ties count one half and are shown; so is what cannot be scored.
    """
    from training import report
    from training.rewards import suite_run
    from training.skills_cli import question_sets

    folder = question_sets(data)
    if json:
        report.open_output(json)
    chosen, learned = suite_run.chosen(names)
    sources = suite_run.sources(folder, limit, seed)
    result = suite_run.run(chosen, learned, sources, groups, faults)
    result = {
        **report.provenance(limit=limit, seed=seed, sets=list(suite_run.SETS) if len(sources) > 1 else []),
        **result,
    }
    for grid in suite_run.grids(result):
        report.show(grid, markdown=markdown)
    if len(sources) == 1:
        typer.echo("No question sets were found: set FORAGE_DATA or give --data DIR to test on them too.")
    if json:
        report.write_json(json, result)


for _command in (dialogues, abstention, conflicts):
    eval_commands.command()(_command)
