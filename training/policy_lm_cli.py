"""`forage train policy-lm`: a language model learns the agent's decisions as text, through TRL (extra train-lm)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from index.errors import InputError
from training.policy_options import RUNS, Cache, Data, explore

TINY = "tiny"


def policy_lm(
    model: Annotated[
        str,
        typer.Option(metavar="FOLDER", help="A local model of transformers, or tiny: one made from scratch."),
    ],
    data: Data = None,
    trees: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Explored questions to train on; repeatable.")
    ] = None,
    algorithm: Annotated[Literal["ip-dpo", "grpo", "sft"], typer.Option(help="How it learns.")] = "ip-dpo",
    rounds: Annotated[int, typer.Option(min=0, help="Rounds after the imitation.")] = 3,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The run folder.")] = RUNS / "policy-lm",
    lora: Annotated[int, typer.Option(min=0, help="Rank of the adapters; 0: all weights learn.")] = 16,
    batch: Annotated[int, typer.Option(min=1, help="Sequences in memory at once.")] = 8,
    limit: Annotated[int | None, typer.Option(min=1, help="Questions of each set.")] = 100,
    split: Annotated[str, typer.Option(help="Which <split>.jsonl of a question set.")] = "train",
    seed: Annotated[int, typer.Option(help="Another seed, another run.")] = 7,
    price: Annotated[float, typer.Option(min=0, help="Reward paid for one deep search.")] = 0.05,
    budget: Annotated[int, typer.Option(min=1, help="Searches of one question at random decisions.")] = 4,
    cache: Cache = None,
) -> None:
    """Teach a language model to decide: imitation, then IP-DPO (DPOTrainer) or GRPO (GRPOTrainer). Goes on where it was
    stopped. Use the result with `agent.policy = "lm:<run folder>/policy-lm"`, or promote it."""
    from agent.policy import ACTIONS, FEATURES
    from agent.policy_lm import hash_of
    from training import report
    from training.policy.lm_model import DecidingModel
    from training.policy.lm_recipe import LmRecipe, small
    from training.policy.lm_run import MODEL, LmRun, from_scratch, known_levels
    from training.policy.lm_stages import require_trl
    from training.policy.rewarding import Pricing

    require_trl()
    if bool(data) == bool(trees):
        raise InputError("Give --data (questions to explore) or --trees (questions already explored).")
    explored = _read(trees) if trees else _explore(data or [], split, limit, cache or out, seed, budget)
    settings: dict[str, Any] = {"algorithm": algorithm, "rounds": rounds, "seed": seed, "lora": lora,
                                "pricing": Pricing(price), "per_device": batch}  # fmt: skip
    if model == TINY:
        recipe, origin = small(**settings), TINY
    else:
        recipe, origin = LmRecipe(**settings), hash_of(Path(model))

    def start(run: LmRun) -> DecidingModel:
        return from_scratch(run, length=1024) if model == TINY else DecidingModel.load(Path(model))

    facts = report.provenance(sources=sorted({tree.source for tree in explored}))
    run = LmRun(out, explored, ACTIONS, FEATURES, recipe, start, origin, facts,
                known_levels(Path(model), FEATURES))  # fmt: skip
    with report.progress_bar() as bar:
        task = bar.add_task("training", total=None)
        run.execute(lambda name, done, of: bar.update(task, description=name, completed=done, total=of))
    rows = tuple(
        (name, *(report.number(stage["held_out"][key], 3) for key in ("right", "f1", "searches", "value")))
        for name, stage in run.kept.curves()["stages"].items()
    )
    title = f"{len(run.held.trees)} held-out questions, learned from {len(run.train.trees)}"
    report.show(report.Grid(title, ("stage", "right", "f1", "searches", "value"), rows), markdown=False)
    typer.echo(f'{out / MODEL}: use it with agent.policy = "lm:{out / MODEL}"')


def _read(paths: list[Path]) -> list[Any]:
    from training.policy.collect import known

    return [tree for path in paths for tree in known(path).values()]


def _explore(
    data: list[Path], split: str, limit: int | None, kept: Path, seed: int, budget: int
) -> list[Any]:
    from training.policy.collect import Plan, plan_key
    from training.policy.sources import gather

    plan = Plan(budget=budget, seed=seed)
    asked = gather(data, split=split, limit=limit, cache=kept, seed=seed)
    return explore(asked, kept / f"explored-{split}-{plan_key(plan)}.jsonl", plan)
