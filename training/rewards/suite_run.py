"""One run of the scenarios: which rewards, which questions, the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from index.errors import InputError
from training.report import progress_bar
from training.rewards.contract import Reward, mean
from training.rewards.evaluate import ALONE, encoder_alone, evaluate, grids, speed, warm_up
from training.rewards.hacks import subjects
from training.rewards.learned_rows import LEARNED, learned_rewards
from training.rewards.scenario_sets import SETS, set_cases
from training.rewards.scenario_world import SOURCE, world_cases
from training.rewards.scenarios import Pair, balanced, pairs_of

__all__ = ["SETS", "chosen", "grids", "run", "sources"]
DEV = "dev questions"


def chosen(names: str) -> list[Reward]:
    """The rewards of episodes, the presets and three learned rewards, or those named. InputError for an unknown one."""
    known = {reward.name: reward for reward in subjects()}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in known and name not in LEARNED:
            raise InputError(f"--rewards: there is no {name!r}. Choose from {', '.join([*known, *LEARNED])}.")
    rewards = [reward for name, reward in known.items() if not wanted or name in wanted]
    learned = [name for name in LEARNED if not wanted or name in wanted]
    return rewards + (learned_rewards(learned) if learned else [])


def sources(folder: Path | None, limit: int, seed: int) -> dict[str, list[Pair]]:
    """Pairs of the closed world, and of the question sets where there are any."""
    made = {SOURCE: world_cases(seed, limit)}
    if folder is not None:
        made[DEV] = [case for name in SETS for case in set_cases(folder, name, limit, seed)]
    return {
        name: balanced([pair for case in cases for pair in pairs_of(case)], seed)
        for name, cases in made.items()
    }


def run(rewards: Sequence[Reward], pairs: dict[str, list[Pair]], groups: int) -> dict[str, Any]:
    """Accuracies by source and reward, and the speed of those that need the encoder, as JSON."""
    found: dict[str, Any] = {"sources": {}, "speed": {}}
    with progress_bar() as bar:
        task = bar.add_task("scoring", total=len(rewards) * len(pairs) + len(rewards))
        for source, members in pairs.items():
            warm_up(members)
            rows: dict[str, Any] = {}
            for reward in rewards:
                rows |= evaluate([reward], members)
                bar.advance(task)
            counts = Counter(pair.scenario for pair in members)
            found["sources"][source] = {"pairs": dict(counts), "rewards": rows}
        world = pairs[SOURCE]
        if groups:
            found["words"] = mean([float(len(e.written.split())) for p in world for e in (p.better, p.worse)])
            found["speed"][ALONE] = asdict(encoder_alone(world, groups))
        for reward in rewards:
            if groups and "encoder" in reward.needs:
                found["speed"][reward.name] = asdict(speed(reward, world, groups))
            bar.advance(task)
    return found
