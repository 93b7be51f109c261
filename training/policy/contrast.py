"""Two policies trained with two presets on the same questions: do they differ in the way their sources say?

    python -m training.policy.contrast                        # boundary against citation, three worlds
    python -m training.policy.contrast --presets cost,citation --seeds 5 --json contrast.json

Boundary rewards (IKEA, AdaSearch) should teach to search less, citation rewards (CaRR) to cite better. Questions of a
fictional world become trees of decisions (`closed_world`): a tiny language model was taught a part of the world, so it
is known what memory holds; three depths of search show documents. Every answer out of documents then chooses what to
cite: what was read, only the last of it, all that was shown, or nothing. The network of the live agent's policy learns
from each preset by the same recipe (imitation, then preference rounds) and the same initial weights; searching costs
only what the preset says. Each seed is another world, another taught model and other weights; half of a world's
questions is held out, and the two policies are compared on it question by question.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file

from training.metrics import Interval, bootstrap, paired_difference
from training.policy import closed_world
from training.policy.forest import greedy, plant
from training.policy.network import Inputs, probabilities
from training.policy.proof import taught_trees
from training.policy.recipe import Recipe
from training.policy.rewarding import Pricing, load_policy_preset
from training.policy.run import Run
from training.policy.run_folder import stages
from training.policy.trees import Ending, Move, Situation, Tree, prefixes
from training.report import Grid, choices, open_output, provenance, write_json
from training.rewards.citation import citation_f1
from training.rewards.compose import load_papers, load_presets
from training.rewards.contract import Episode
from training.rewards.outcome import right

CITING = ("cite_read", "cite_last", "cite_shown", "cite_nothing")
ACTIONS = (*closed_world.ACTIONS, *CITING)
FREE = Pricing(0.0, closed_world.UNITS, silence=0.0)
MEASURES = (
    "searches",
    "answered from memory",
    "citation F1",
    "citation F1 of searched answers",
    "right",
    "abstained",
)
ABOUT = (
    "Each seed is a fictional world, a tiny model taught a part of it, and three policies that start from the same "
    "weights and learn from the same questions; only the preset differs, and searching costs nothing but what the "
    "preset says. After every answer out of documents the policy chooses to cite what was read, the last of it, all "
    "that was shown, or nothing. Half of a world's questions is held out and compared question by question."
)
EPOCHS, SIZE = 60, 120  # passes over what the model is taught; documents of a world
Column = list[float | None]  # one number a question; None where it does not apply


def citing(tree: Tree) -> Tree:
    """The tree in which every answer out of documents is followed by the choice of what to cite."""
    features = {situation.path: situation.features for situation in tree.situations}
    situations, endings, moves = list(tree.situations), [], dict(tree.moves)
    for ending in tree.endings:
        if ending.path[-1] != "answer":
            endings.append(ending)
            continue
        situations.append(Situation(ending.path, features[ending.path[:-1]], CITING))
        for action, cited in zip(CITING, _cited(tree, ending), strict=True):
            path = (*ending.path, action)
            moves["/".join(path)] = Move(action)
            supported = tuple(key in tree.evidence for key in cited)
            endings.append(replace(ending, path=path, cited=cited, supported=supported))
    return replace(tree, situations=tuple(situations), endings=tuple(endings), moves=moves)


def _cited(tree: Tree, ending: Ending) -> tuple[tuple[str, ...], ...]:
    """What each choice of `CITING` cites."""
    results = [tree.moves[key].results for key in prefixes(ending.path) if key in tree.moves]
    shown = tuple(dict.fromkeys(pid for found in results for pid in found))
    return ending.cited, ending.cited[-1:], shown, ()


@dataclass(frozen=True, slots=True)
class World:
    """Explored questions of one fictional world, to learn from and to test on."""

    train: list[Tree]
    test: list[Tree]


def world(folder: Path, seed: int, questions: int, tell: Callable[[str], None] = lambda _: None) -> World:
    """A world's trees with the choice of citing; kept in the folder for the next call."""
    folder.mkdir(parents=True, exist_ok=True)
    train, test = taught_trees(folder, seed, questions, EPOCHS, SIZE, tell)
    return World([citing(tree) for tree in train], [citing(tree) for tree in test])


def learned(folder: Path, trees: Sequence[Tree], tests: Sequence[Tree], recipe: Recipe) -> list[Episode]:
    """What the policy trained on `trees` does on each of the `tests`: the episode it ends in."""
    run = Run(folder, trees, ACTIONS, closed_world.FEATURES, recipe)
    run.execute()
    network = run.network()
    network.load_state_dict(load_file(str(run.checkpoint(stages(recipe)[-1]))))
    network.eval()
    forest = plant(tests, ACTIONS, load_policy_preset(recipe.preset), recipe.pricing)
    reached = forest.follow(greedy(probabilities(network, Inputs.of(forest))))
    return [
        tree.episode(tree.endings[forest.endings[at][1]])
        for tree, at in zip(forest.trees, reached.tolist(), strict=True)
    ]


def measures(episodes: Sequence[Episode]) -> dict[str, Column]:
    """Columns of `MEASURES`. Citation F1: 0 where nothing is cited, None for an abstention or without gold."""
    rows = []
    for e in episodes:
        searched, found = bool(e.searches), citation_f1(e)
        memory = None if e.abstained else float(not searched)
        rows.append(
            (float(len(e.searches)), memory, found, found if searched else None, float(bool(right(e))),
             float(e.abstained))
        )  # fmt: skip
    return {name: [row[at] for row in rows] for at, name in enumerate(MEASURES)}


def contrast(
    names: Sequence[str], seeds: Sequence[int], questions: int, folder: Path, recipe: Recipe,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """Means of the policies and the differences of every two, over the held-out questions of all worlds.

    A difference is paired: only questions on which the measure applies to both. `by_seed`: its mean in each world.
    """
    columns: list[dict[str, Column]] = [{name: [] for name in MEASURES} for _ in names]
    pairs = {f"{names[a]} - {names[b]}": (a, b) for a, b in combinations(range(len(names)), 2)}
    by_seed: dict[str, dict[str, list[float | None]]] = {key: {two: [] for two in pairs} for key in MEASURES}
    known: list[bool] = []
    answerable: list[bool] = []
    for seed in seeds:
        one = world(folder, seed, questions, tell)
        known += [bool(tree.knows) for tree in one.test]
        answerable += [bool(tree.answerable) for tree in one.test]
        found = []
        for name in names:
            tell(f"seed {seed}: training with preset {name}")
            chosen = replace(recipe, preset=name, seed=seed, pricing=FREE)
            where = folder / f"{name}-{seed}-{questions}-{chosen.fingerprint}"
            found.append(measures(learned(where, one.train, one.test, chosen)))
        for at, made in enumerate(found):
            for key, values in made.items():
                columns[at][key] += values
        for key in MEASURES:
            for two, (a, b) in pairs.items():
                by_seed[key][two].append(_gap(found[a][key], found[b][key]).mean)
    rows = {
        key: {
            "means": {name: bootstrap(_known(columns[at][key])).to_dict() for at, name in enumerate(names)},
            "differences": {
                two: _gap(columns[a][key], columns[b][key]).to_dict() | {"by_seed": by_seed[key][two]}
                for two, (a, b) in pairs.items()
            },
        }
        for key in MEASURES
    }
    return {
        "presets": list(names), "seeds": list(seeds), "questions": len(known), "known": float(np.mean(known)),
        "answerable": float(np.mean(answerable)),
        "algorithm": recipe.algorithm, "rounds": recipe.rounds, "rows": rows,
    }  # fmt: skip


def _known(values: Column) -> list[float]:
    return [value for value in values if value is not None]


def _gap(left: Column, right: Column) -> Interval:
    both = [(a, b) for a, b in zip(left, right, strict=True) if a is not None and b is not None]
    if not both:
        return Interval(None, None, None)
    return paired_difference([a for a, _ in both], [b for _, b in both])


def grid(result: dict[str, Any]) -> Grid:
    """The table: every policy and every difference with its 95 % interval, and the first difference in each world."""
    told = [(key, row["means"], row["differences"]) for key, row in result["rows"].items()]
    first = f"{result['presets'][0]} - {result['presets'][1]}"
    columns = ("", *told[0][1], *told[0][2], f"{first} in each world")
    rows = tuple(
        (
            key,
            *map(_cell, (*means.values(), *differences.values())),
            ", ".join("-" if gap is None else f"{gap:+.2f}" for gap in differences[first]["by_seed"]),
        )
        for key, means, differences in told
    )
    title = (
        f"Policies trained with different presets: {result['questions']} held-out questions of "
        f"{len(result['seeds'])} worlds (seeds {', '.join(map(str, result['seeds']))}), "
        f"{100 * result['answerable']:.0f} % have an answer, {100 * result['known']:.0f} % are known to the model"
    )
    return Grid(title, columns, rows)


def _cell(found: dict[str, Any]) -> str:
    if found["mean"] is None:
        return "-"
    return f"{found['mean']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m training.policy.contrast", description=__doc__)
    parser.add_argument(
        "--presets", default="boundary,citation", help="two or more presets, joined by commas"
    )
    parser.add_argument("--seeds", type=int, default=3, help="how many worlds")
    parser.add_argument("--questions", type=int, default=120, help="questions of each kind in a world")
    parser.add_argument("--rounds", type=int, default=2, help="preference rounds after imitation")
    parser.add_argument("--out", type=Path, help="keep worlds and runs here, and go on from them")
    parser.add_argument("--json", type=Path, help="write the numbers here")
    chosen = parser.parse_args(arguments)
    names = choices(chosen.presets, "--presets", _presets())
    if len(names) < 2:
        parser.error("--presets needs two different names")
    if chosen.json:
        open_output(chosen.json)
    recipe = Recipe(rounds=chosen.rounds)
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.out or Path(scratch)
        seeds = range(1, chosen.seeds + 1)
        result = contrast(names, seeds, chosen.questions, folder, recipe, _tell)
    sys.stdout.write(grid(result).markdown())
    if chosen.json:
        facts = provenance(questions_of_each_kind=chosen.questions)
        command = (
            f"python -m training.policy.contrast --presets {','.join(names)} --seeds {chosen.seeds} "
            f"--questions {chosen.questions} --rounds {chosen.rounds}"
        )
        write_json(chosen.json, {**facts, "command": command, **result})
    return 0


def _tell(what: str) -> None:
    sys.stderr.write(f"{what}\n")


def _presets() -> list[str]:
    return [*load_presets(), *load_papers(), "policy", "outcome"]


if __name__ == "__main__":
    sys.exit(main())
