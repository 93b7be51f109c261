"""The proof on the closed world: before and after each stage, with exact truth about what can be known.

One command: a fictional world, a tiny model taught a part of it, imitation, preference rounds and policy gradient,
and a table of accuracy, F1 of the knowledge boundary, searches and abstention on held-out questions. Curves and
checkpoints stay in the run folders; a second call goes on where the first was stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file

from agent.policy import digest
from agent.policy_lm import hash_of
from training.policy import closed_world
from training.policy.forest import Forest, Ints, plant
from training.policy.lesson import calibrated, explored, lesson
from training.policy.recipe import Recipe
from training.policy.rewarding import Pricing, load_policy_preset
from training.policy.run import Run
from training.policy.run_folder import stages
from training.policy.scores import Scores, score_choices, summary
from training.policy.taught_lm import TaughtModel
from training.policy.trees import Tree, read_trees, write_trees
from training.report import Grid, number

ABOUT = (
    "A tiny language model is taught a part of a fictional world, so that what it knows is exact. `f1_aware`: F1 of "
    "claiming to know (answering without a search) where it knows; `abstention_f1`: of silence where no document has "
    "the answer. Held-out questions of the world; the preset and the price were chosen on the world of seed 12."
)
SHOWN = ("right", "f1", "f1_aware", "abstention_f1", "searches", "cost", "value")
LM_ROUNDS = 2  # a round of the language model takes minutes where one of the compact policy takes seconds
LM_PASSES = 3  # of imitation; with seven features told it does not learn its questions by heart
# Being right without a needless search is the reward (IKEA, AdaSearch). Under the preset for agents a citation is worth
# more than the cheapest search costs, so that it pays to look up even what is known.
PRESET = "boundary"
PRICE = 0.1  # of a deep search; both chosen on the world of seed 12


@dataclass(frozen=True, slots=True)
class Proof:
    """Rows by policy and stage, with how long it took."""

    rows: dict[str, dict[str, float | None]]
    known: float  # share of the held-out questions that the model knows
    questions: int
    minutes: float

    @property
    def grids(self) -> tuple[Grid, ...]:
        rows = tuple((name, *(number(row[key], 3) for key in SHOWN)) for name, row in self.rows.items())
        title = (
            f"Closed world: {self.questions} held-out questions, {100 * self.known:.0f} % known to the model"
        )
        return (Grid(title, ("policy", *SHOWN), rows),)

    def to_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "known": self.known, "questions": self.questions, "minutes": self.minutes}


def prove(
    out: Path,
    *,
    seed: int = 11,
    questions: int = 160,
    epochs: int = 120,
    rounds: int = 3,
    size: int = 120,
    lm: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Proof:
    """Train on half of a world's questions, score on the other half. `lm`: the same with a small language model that is
    made from scratch and learns through TRL (extra train-lm)."""
    began = time.monotonic()
    train, test = taught_trees(out, seed, questions, epochs, size, tell)
    pricing = Pricing(
        PRICE, closed_world.UNITS, silence=0.0
    )  # with 0.25 it gives up where a search would pay
    forest = plant(test, closed_world.ACTIONS, load_policy_preset(PRESET), pricing)
    rows = {name: summary(scores) for name, scores in baselines(forest, pricing)}
    for algorithm in ("ip-dpo", "grpo"):
        tell(f"{algorithm}: imitation, then {rounds} rounds")
        recipe = Recipe(algorithm=algorithm, rounds=rounds, seed=seed, preset=PRESET, pricing=pricing)
        run = Run(out / algorithm, train, closed_world.ACTIONS, closed_world.FEATURES, recipe)
        network = run.network()
        rows.setdefault("untrained", summary(run.judge(network, forest, "untrained")))
        run.execute()
        for stage in stages(recipe):
            network.load_state_dict(load_file(str(run.checkpoint(stage))))
            network.eval()
            rows[stage.name] = summary(run.judge(network, forest, stage.name))
    if lm:
        rows |= language_model(out, train, forest, seed, min(rounds, LM_ROUNDS), pricing, tell)
    known = float(np.mean([bool(tree.knows) for tree in test]))
    return Proof(rows, known, len(test), (time.monotonic() - began) / 60)


def language_model(
    out: Path, train: list[Tree], forest: Forest, seed: int, rounds: int, pricing: Pricing,
    tell: Callable[[str], None],
) -> dict[str, dict[str, float | None]]:  # fmt: skip
    """Rows of the language-model policy: fresh, after imitation, and after each round of both algorithms from there."""
    from training.policy.lm_model import DecidingModel
    from training.policy.lm_recipe import small
    from training.policy.lm_run import MODEL, LmRun, from_scratch

    rows: dict[str, dict[str, float | None]] = {}
    start: Callable[[LmRun], DecidingModel] = from_scratch
    place, origin = out / "lm-sft", "tiny"
    for algorithm in ("sft", "ip-dpo", "grpo"):
        tell(f"language model, {algorithm}")
        folder = out / f"lm-{algorithm}"
        epochs = {"sft_epochs": LM_PASSES if algorithm == "sft" else 0}
        recipe = small(algorithm=algorithm, rounds=rounds, seed=seed, preset=PRESET, pricing=pricing,
                       ignored=closed_world.UNTOLD, **epochs)  # fmt: skip
        run = LmRun(folder, train, closed_world.ACTIONS, closed_world.FEATURES, recipe, start, origin)
        kept = _Kept(folder / "test.json")

        def look(name: str, one: DecidingModel, _: object, run: LmRun = run, kept: _Kept = kept) -> None:
            kept.add(f"lm {name}", summary(run.judge(one, forest, name)))

        run.execute(look=look)
        rows |= {name: row for name, row in kept.rows.items() if name not in rows}
        if algorithm == "sft":
            origin = hash_of(place / MODEL)

            def start(_: LmRun) -> DecidingModel:
                return DecidingModel.load(place / MODEL)

    return rows


class _Kept:
    """Rows in a file, for a run that goes on after a kill does not do its finished stages again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, dict[str, float | None]] = (
            json.loads(path.read_text("utf-8")) if path.is_file() else {}
        )

    def add(self, name: str, row: dict[str, float | None]) -> None:
        self.rows[name] = row
        self.path.write_text(json.dumps(self.rows, indent=1), encoding="utf-8")


def taught_trees(
    out: Path, seed: int, questions: int, epochs: int, size: int, tell: Callable[[str], None]
) -> tuple[list[Tree], list[Tree]]:
    """Explored questions (to learn from, to test on), kept in the folder for the next call with the same world."""
    recipe = digest({"seed": seed, "questions": questions, "epochs": epochs, "size": size,
                     "features": closed_world.FEATURES})  # fmt: skip
    paths = [out / f"{part}-{recipe}.jsonl" for part in ("train", "test")]
    if not all(path.is_file() for path in paths):
        one = lesson(seed, size, questions)
        model = TaughtModel([question for question, _ in one.taught] + [answer for _, answer in one.taught])
        tell(f"teaching {len(one.taught)} questions with answers to {len(model.words)} words")
        loss = model.teach(one.taught, epochs)[-1]
        tell(f"loss {loss:.3f}; exploring {len(one.train) + len(one.test)} questions")
        calibration = calibrated(one, model)
        for path, asked in zip(paths, (one.train, one.test), strict=True):
            write_trees(path.with_suffix(".partial"), explored(one, model, asked, calibration))
            path.with_suffix(".partial").replace(path)
    train, test = (list(read_trees(path)) for path in paths)
    return train, test


def baselines(forest: Forest, pricing: Pricing) -> list[tuple[str, Scores]]:
    """Always searching (deep, hop by hop), always relying on memory, and the oracle."""
    found = []
    for name, order in (
        ("always-search", ("deep", "next_goal", "answer", "abstain")),
        ("never-search", ("memory", "abstain")),
    ):
        found.append((name, score_choices(forest, preferring(forest, order), pricing.units, name)))
    best = np.asarray(forest.q_values(None)[0].argmax(axis=1), dtype=np.int64)
    return [*found, ("oracle", score_choices(forest, best, pricing.units, "oracle"))]


def preferring(forest: Forest, order: tuple[str, ...]) -> Ints:
    """In each situation the first action of `order` that is legal there."""
    ranks = np.full(len(forest.actions), len(order))
    for at, action in enumerate(order):
        ranks[forest.actions.index(action)] = at
    return np.asarray(np.where(forest.legal, ranks, len(order) + 1).argmin(axis=1), dtype=np.int64)
