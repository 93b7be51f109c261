"""`forage train policy` and `forage policy`: train the decision policy offline, compare, promote, roll back."""

from __future__ import annotations

import json as json_lines
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from index.errors import InputError
from training.policy_explore_cli import explore_command
from training.policy_options import (
    RUNS,
    AsJson,
    Cache,
    Data,
    DataDir,
    Runs,
    explore,
    folder_of,
    run_folder,
    weights_of,
)
from training.policy_shadow_cli import shadow

policy_commands = typer.Typer(
    name="policy", no_args_is_help=True, help="Compare decision policies, promote one, roll back."
)
policy_commands.command()(shadow)
policy_commands.command("explore")(explore_command)


def policy(
    data: Data = None,
    algorithm: Annotated[Literal["ip-dpo", "grpo", "sft"], typer.Option(help="How it learns.")] = "ip-dpo",
    rounds: Annotated[int, typer.Option(min=0, help="Rounds after the imitation.")] = 3,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The run folder.")] = RUNS / "policy",
    limit: Annotated[int | None, typer.Option(min=1, help="Questions of each set.")] = 100,
    split: Annotated[str, typer.Option(help="Which <split>.jsonl of a question set.")] = "train",
    logs: Annotated[
        bool, typer.Option("--logs", help="Learn from a data folder's chats with feedback too.")
    ] = False,
    trees: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Explored questions to train on; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another run.")] = 7,
    price: Annotated[float, typer.Option(min=0, help="Reward paid for one deep search.")] = 0.05,
    silence: Annotated[
        float, typer.Option(min=0, max=0.9, help="Worth of abstaining where the documents hold the answer.")
    ] = 0.25,
    reward: Annotated[str, typer.Option(help="Preset of rewards: policy, outcome, balanced, ...")] = "policy",
    budget: Annotated[int, typer.Option(min=1, help="Searches of one question at random decisions.")] = 4,
    untitled: Annotated[
        int, typer.Option(min=0, help="So many more questions of some sets over passages without titles.")
    ] = 0,
    members: Annotated[
        int, typer.Option(min=1, help="Networks of different seeds whose scores are averaged.")
    ] = 1,
    half: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A reader that left out a half of the questions; two of them."),
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="NAME", help="Train on from this policy: live, or a run.")
    ] = None,
    deepen: Annotated[
        int,
        typer.Option(
            min=0, help="So many times, explore further where the trained policy goes, and train again."
        ),
    ] = 0,
    runs: Runs = RUNS,
    workers: Annotated[int, typer.Option(min=1, help="Processes that explore.")] = 1,
    cache: Cache = None,
    data_dir: DataDir = None,
) -> None:
    """Explore the questions once, then learn which decisions pay. Goes on where it was stopped."""
    from agent.policy import ACTIONS, FEATURES
    from agent.policy_net import PolicyNet
    from agent.trained import TrainedPolicy
    from training import report
    from training.policy.collect import Plan, known, plan_key
    from training.policy.contest import network_of, open_named
    from training.policy.recipe import Recipe
    from training.policy.reporting import finish_run
    from training.policy.rewarding import Pricing
    from training.policy.run import Run
    from training.policy.sources import gather

    if bool(data) == bool(trees):
        raise InputError("Give --data (questions to explore) or --trees (questions already explored).")
    first = network_of(start, runs, folder_of(data_dir)) if start else None
    recipe = Recipe(algorithm=algorithm, rounds=rounds, seed=seed, preset=reward,
                    pricing=Pricing(price, silence=silence), members=members,
                    start=first.fingerprint if first else "", played=True)  # fmt: skip
    if trees and deepen:
        raise InputError("--deepen asks the documents again: give --data instead of --trees.")

    def train(folder: Path) -> tuple[Run, PolicyNet]:
        facts = report.provenance(
            sources=sorted({tree.source for tree in explored}), origins=_origins(explored)
        )
        run = Run(folder, explored, ACTIONS, FEATURES, recipe, facts, first)
        with report.progress_bar() as bar:
            task = bar.add_task("training", total=None)
            return run, run.execute(
                lambda name, done, of: bar.update(task, description=name, completed=done, total=of)
            )

    if trees:
        explored = [tree for path in trees for tree in known(path).values()]
    else:
        plan = Plan(budget=budget, seed=seed, halves=tuple(half or ()))
        asked = gather(data or (), split=split, limit=limit, cache=cache, seed=seed, logs=logs,
                       untitled=untitled)  # fmt: skip
        kept = (cache or out) / f"explored-{split}-{plan_key(plan)}.jsonl"
        live = open_named("live", runs, folder_of(data_dir))
        explored = explore(asked, kept, plan, [live] if live else [], workers)
        for turn in range(deepen):
            _, net = train(out / f"before-{turn + 1}")
            explored = explore(asked, kept, plan, [TrainedPolicy(f"turn {turn + 1}", net)], workers)
    run, net = train(out)
    result = finish_run(run, folder_of(data_dir))
    for grid in result.grids:
        report.show(grid, markdown=False)
    typer.echo(f"{out}: policy {net.fingerprint}. {result.verdict}")


def _origins(explored: list[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for tree in explored:
        found[tree.origin] = found.get(tree.origin, 0) + 1
    return found


@policy_commands.command()
def compare(
    a: Annotated[
        str, typer.Argument(help="A run, live, rules, oracle, always-single, always-deep or fixed-3-hop.")
    ],
    b: Annotated[str, typer.Argument(help="Likewise.")],
    data: Data = None,
    questions: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="Instead of --split.")] = None,
    split: Annotated[str, typer.Option(help="Which <split>.jsonl of a question set.")] = "dev",
    limit: Annotated[int | None, typer.Option(min=1, help="Questions of each set.")] = None,
    trees: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Explored questions instead of live runs.")
    ] = None,
    price: Annotated[float, typer.Option(min=0, help="Reward paid for one deep search.")] = 0.05,
    seed: Annotated[int, typer.Option(help="Which questions a limit leaves.")] = 7,
    runs: Runs = RUNS,
    cache: Cache = None,
    data_dir: DataDir = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="OUT", help="Write the comparison here.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
) -> None:
    """Two policies over the same questions, with paired bootstrap intervals of every difference."""
    from agent.policy import ACTIONS
    from training import report
    from training.policy.collect import known
    from training.policy.contest import contest, open_named, play, score_policy
    from training.policy.forest import plant
    from training.policy.reporting import contest_grid
    from training.policy.rewarding import Pricing, load_policy_preset
    from training.policy.sources import gather

    if bool(data) == bool(trees):
        raise InputError("Give --data (live runs over questions) or --trees (questions already explored).")
    if json:
        report.open_output(json)
    pair = [(name, open_named(name, runs, folder_of(data_dir))) for name in (a, b)]
    pricing = Pricing(price)
    if trees:
        explored = [tree for path in trees for tree in known(path).values()][:limit]
        forest = plant(explored, ACTIONS, load_policy_preset(), pricing)
        scores = [score_policy(one, forest, pricing, name) for name, one in pair]
        texts = [(tree.id, tree.question) for tree in explored]
    else:
        asked = gather(
            data or (), split=split, limit=limit, cache=cache, seed=seed, questions=questions or ()
        )
        with report.progress_bar() as bar:
            task = bar.add_task(f"{a} and {b}", total=len(asked))
            scores = play(pair, asked, pricing, lambda done: bar.update(task, completed=done))
        texts = [(one.blank.id, one.blank.question) for one in asked]
    found = {**contest(scores[0], scores[1], texts), **report.provenance(price=price, split=split)}
    report.show(contest_grid(found), markdown=markdown)
    typer.echo("; ".join(found["reasons"]))
    if json:
        report.write_json(json, found)


@policy_commands.command()
def promote(
    name: Annotated[str, typer.Argument(help="A run by name or folder.")],
    comparison: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A comparison with what is live, by `forage policy compare`."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Promote although it is not better; the record says so.")
    ] = False,
    runs: Runs = RUNS,
    data_dir: DataDir = None,
) -> None:
    """Make a run's policy live, at once and in every running process, if it is better beyond noise."""
    from agent.promotion import live_name
    from agent.promotion import promote as make_live
    from training.policy.reporting import evidence_for

    folder, run = folder_of(data_dir), run_folder(name, runs)
    better, reasons, summary = evidence_for(run, comparison, folder)
    if not better and not force:
        raise InputError(f"{name} was not promoted: {'; '.join(reasons)}. Use --force to promote it anyway.")
    before = live_name(folder) or "the default"
    make_live(folder, weights_of(run), run.name, forced=not better, reason="; ".join(reasons),
              comparison=summary)  # fmt: skip
    typer.echo(f"{run.name} is live instead of {before}{'' if better else ' (forced)'}: {'; '.join(reasons)}")


@policy_commands.command()
def rollback(
    reason: Annotated[str, typer.Option(help="For the record.")] = "", data_dir: DataDir = None
) -> None:
    """Make live what was live before the last promotion."""
    from agent.promotion import rollback as go_back

    record = go_back(folder_of(data_dir), reason)
    typer.echo(f"{record.name or 'The default policy'} is live again instead of {record.before}.")


@policy_commands.command("list")
def list_policies(runs: Runs = RUNS, data_dir: DataDir = None, json: AsJson = False) -> None:
    """All runs with their held-out scores, what is live, and the record of promotions."""
    from rich.console import Console

    from training.policy.reporting import listed, listed_grid

    found = listed(runs, folder_of(data_dir))
    if json:
        typer.echo(json_lines.dumps(found, indent=2, ensure_ascii=False))
        return
    console = Console()
    console.print(listed_grid(found).rich())
    for line in found["audit"][-5:]:
        console.print(f"{line['event']}: {line['name'] or 'default'} instead of {line['before'] or 'default'}"
                      f"{' (forced)' if line['forced'] else ''} {line['reason']}", markup=False)  # fmt: skip


@policy_commands.command("closed-world")
def closed_world(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where runs, curves and the table go.")] = RUNS
    / "closed-world",
    seed: Annotated[int, typer.Option(help="Another seed, another world.")] = 11,
    questions: Annotated[int, typer.Option(min=10, help="Questions of each kind.")] = 160,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over what is taught.")] = 120,
    lm: Annotated[
        bool | None,
        typer.Option(
            "--lm/--no-lm", help="A small language model as the policy too. [default: where TRL is installed]"
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="OUT", help="Write the table here.")] = None,
) -> None:
    """The proof on a fictional world: a tiny model is taught a part of it, the policy learns what it knows."""
    from training import report
    from training.policy.lm_stages import has_trl, require_trl
    from training.policy.proof import prove

    if lm:
        require_trl()
    both = has_trl() if lm is None else lm
    if not both and lm is None:
        typer.echo("Without the language-model policy: it needs pip install 'forage[train-lm]'.")
    found = prove(out, seed=seed, questions=questions, epochs=epochs, lm=both, tell=typer.echo)
    for grid in found.grids:
        report.show(grid, markdown=False)
    if json:
        report.write_json(json, {**found.to_dict(), **report.provenance()})
