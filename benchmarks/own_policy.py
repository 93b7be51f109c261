"""A decision policy trained on a person's own documents, without labels, beside the one that is live.

    forage ingest FOLDER --data-dir DIR
    python -m benchmarks.own_policy --documents DIR --questions benchmarks/questions/peps.jsonl --out runs/own

Questions are made from the documents (`training/policy/self_made.py`); the first --train are explored and learned
from, starting from the live policy, the next --held-out are only asked, and so are the questions of --questions, which
people wrote. Both policies answer live, with the same agent. Stopped while exploring, a second call goes on from there.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.policy import ACTIONS, FEATURES, Policy
from agent.trained import TrainedPolicy
from benchmarks.measure import facts, mistakes_told
from index.errors import InputError
from index.types import Scope
from training import report
from training.data import load_questions
from training.policy.collect import Asked, Plan
from training.policy.contest import contest, network_of, open_named, play
from training.policy.recipe import Algorithm, Recipe
from training.policy.rewarding import Pricing
from training.policy.run import Run
from training.policy.sources import gather
from training.policy.trees import Tree
from training.policy_options import explore

SHOWN = ("right", "f1", "abstained", "cost", "searches", "tokens", "seconds", "value")
ALGORITHMS: tuple[Algorithm, ...] = ("ip-dpo", "grpo")
ABOUT = (
    "Questions made from the documents (136 PEPs) taught the policy, which started from the shipped one; `self-made`: "
    "held-out questions made in the same way, `by hand`: written by a person. Both policies answer with the same agent."
)
TRAINED, LIVE = "trained on these documents", "live"


def main() -> None:
    """Explore, train, ask, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=Path, required=True, help="a data folder of Forage")
    parser.add_argument("--questions", type=Path, help="questions that people wrote")
    parser.add_argument("--train", type=int, default=100, help="self-made questions to learn from")
    parser.add_argument("--held-out", type=int, default=60, help="self-made questions to ask")
    parser.add_argument("--budget", type=int, default=4, help="searches of a question at random decisions")
    parser.add_argument("--algorithm", choices=ALGORITHMS, default="ip-dpo")
    parser.add_argument(
        "--price", type=float, default=Pricing().price, help="reward paid for one deep search"
    )
    parser.add_argument("--out", type=Path, required=True, help="explored questions and the run")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    with mistakes_told():
        if options.json:
            report.open_output(options.json)
        found = measure(options)
    report.show(grid(found), markdown=options.markdown)
    if options.json:
        named = argparse.Namespace(
            **{**vars(options), "documents": options.documents.name, "out": "DIR",
               "questions": options.questions and options.questions.name}
        )  # fmt: skip
        report.write_json(options.json, {**found, **facts("own_policy", named)})


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Comparisons of the trained policy with the live one, by kind of question."""
    asked = gather([options.documents], split="", limit=options.train + options.held_out, cache=None, seed=7)
    learn, held = asked[: options.train], asked[options.train :]
    if not held:
        raise InputError(f"The documents give {len(asked)} questions only: choose a smaller --train.")
    start = network_of(LIVE, options.out, options.documents)
    pricing = Pricing(options.price)
    recipe = Recipe(algorithm=options.algorithm, start=start.fingerprint, pricing=pricing, played=True)
    live = open_named(LIVE, options.out, options.documents)
    assert live is not None
    trees = explore(learn, options.out / "explored.jsonl", Plan(budget=options.budget), [live])
    name = f"{options.algorithm}-{recipe.fingerprint}-{len(trees)}"
    net = Run(options.out / name, trees, ACTIONS, FEATURES, recipe, start=start).execute()
    pair = [(TRAINED, TrainedPolicy(TRAINED, net)), (LIVE, live)]
    parts = {"self-made": held}
    if options.questions:
        parts["by hand"] = _by_hand(options.questions, str(options.documents))
    return {
        "learned_from": len(trees), "price": options.price,
        "parts": {part: _played(pair, rows, pricing, part) for part, rows in parts.items()},
    }  # fmt: skip


def _by_hand(path: Path, data_dir: str) -> list[Asked]:
    return [
        Asked(Tree(one.id, one.question, "by hand", (), (), golds=one.answers, answerable=not one.unanswerable),
              data_dir, Scope())
        for one in load_questions(path)
    ]  # fmt: skip


def _played(
    pair: Sequence[tuple[str, Policy | None]], asked: Sequence[Asked], pricing: Pricing, part: str
) -> dict[str, Any]:
    with report.progress_bar() as bar:
        task = bar.add_task(f"asking, {part}", total=len(asked))
        scores = play(pair, asked, pricing, lambda done: bar.update(task, completed=done))
    found = contest(scores[0], scores[1], [(one.blank.id, one.blank.question) for one in asked])
    del found["changed"]  # texts of the documents stay out of results
    return found


def grid(found: dict[str, Any]) -> report.Grid:
    """Each measure of both policies and their difference, by kind of question."""
    rows = [
        (f"{part} ({one['n']})", name, *_cells(one["measures"][name]))
        for part, one in found["parts"].items()
        for name in SHOWN
    ]
    title = f"A policy trained on {found['learned_from']} questions made from the documents themselves"
    return report.Grid(title, ("questions", "measure", TRAINED, LIVE, "difference, 95 %"), tuple(rows))


def _cells(one: dict[str, dict[str, float | None]]) -> tuple[str, str, str]:
    gap = one["difference"]
    spread = f"{_number(gap['mean'], '+')} [{_number(gap['low'], '+')}, {_number(gap['high'], '+')}]"
    return _number(one["a"]["mean"]), _number(one["b"]["mean"]), spread


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.{0 if abs(value) >= 100 else 3}f}"


if __name__ == "__main__":
    main()
