"""One run of the scenarios: which rewards, which questions, the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from index.errors import InputError
from training.report import progress_bar
from training.rewards.contract import Reward
from training.rewards.evaluate import evaluate, grids, warm_up
from training.rewards.hacks import subjects
from training.rewards.inspection import inspected
from training.rewards.learned_rows import LEARNED, Trained, trained
from training.rewards.scenario_sets import SETS, set_cases
from training.rewards.scenario_world import SOURCE, world_cases
from training.rewards.scenarios import Pair, balanced, pairs_of
from training.rewards.speed import measured

__all__ = ["SETS", "chosen", "grids", "run", "sources"]
DEV = "dev questions"


def chosen(names: str) -> tuple[list[Reward], list[Trained]]:
    """The rewards of episodes and the presets, and three learned rewards, or those named of both.

    Raises InputError for an unknown one.
    """
    known = {reward.name: reward for reward in subjects()}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in known and name not in LEARNED:
            raise InputError(f"--rewards: there is no {name!r}. Choose from {', '.join([*known, *LEARNED])}.")
    learned = [name for name in LEARNED if not wanted or name in wanted]
    return [r for name, r in known.items() if not wanted or name in wanted], trained(
        learned
    ) if learned else []


def sources(folder: Path | None, limit: int, seed: int) -> dict[str, list[Pair]]:
    """Pairs of the closed world, and of the question sets where there are any."""
    made = {SOURCE: world_cases(seed, limit)}
    if folder is not None:
        made[DEV] = [case for name in SETS for case in set_cases(folder, name, limit, seed)]
    return {
        name: balanced([pair for case in cases for pair in pairs_of(case)], seed)
        for name, cases in made.items()
    }


def run(
    rewards: Sequence[Reward],
    models: Sequence[Trained],
    pairs: dict[str, list[Pair]],
    groups: int,
    faults: bool = False,
) -> dict[str, Any]:
    """Accuracies by source and reward, what the learned ones know, and the speed of those that need the encoder.

    faults: accuracies also by the fault of the worse run, which is ten times as much and in no table.
    """
    tested = [*rewards, *(model.reward for model in models)]
    found: dict[str, Any] = {"sources": {}}
    with progress_bar() as bar:
        task = bar.add_task("scoring", total=len(tested) * len(pairs) + 2)
        for source, members in pairs.items():
            warm_up(members)
            rows: dict[str, Any] = {}
            for reward in tested:
                rows |= evaluate([reward], members, faults)
                bar.advance(task)
            found["sources"][source] = {"pairs": dict(Counter(p.scenario for p in members)), "rewards": rows}
        found["learned"] = inspected(models, pairs)
        bar.advance(task)
        found["speed"] = measured(tested, pairs[SOURCE], groups) if groups else {}
        bar.advance(task)
    return found
