"""Two policies trained with two presets on the same questions: do they differ in the way their sources say?

    python -m training.rewards.contrast                    # boundary against citation, three worlds
    python -m training.rewards.contrast --presets cost,citation --seeds 5

Boundary rewards (IKEA, AdaSearch) should teach to search less, citation rewards (CaRR) to cite better. Every question
of the closed world becomes a tree of runs: from memory or after one to three searches, citing well, everything or
nothing, or abstaining. A policy is a table from what it sees (hops of the question, a noisy probe of what it knows) to
a run; training takes the run with the best mean total of the preset over the training world, which is the optimum
that any trainer of such a table converges to. Compared on another world, question by question, with intervals.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from training.metrics import Interval, bootstrap, paired_difference
from training.report import Grid, choices
from training.rewards.citation import citation_f1
from training.rewards.compose import Preset, compose, load_presets
from training.rewards.contract import Citation, Episode, Step
from training.rewards.outcome import right
from training.rewards.scenario_world import world_cases
from training.rewards.scenarios import Case, right_run

KNOWN, PROBE = 0.5, 0.85  # share of questions the policy knows; how often its probe says so rightly
SEARCHES = 3
CITING = ("well", "all", "none")
TIE = 1e-6
Situation = tuple[int, bool]  # hops, and whether the probe says that memory suffices
Move = tuple[int, str]  # searches, and how to cite; "abstain" answers nothing


@dataclass(frozen=True, slots=True)
class Tree:
    """A question, what the policy sees of it, and every run it could make."""

    situation: Situation
    runs: dict[Move, Episode]


Table = dict[Situation, Move]


def trees(seed: int, count: int) -> list[Tree]:
    """Trees of `count` questions of each type of a world; half of the answers are known without a search."""
    draw = random.Random(f"contrast/{seed}")
    return [_tree(case, draw) for case in world_cases(seed, count) if case.golds and case.decoy]


def _tree(case: Case, draw: random.Random) -> Tree:
    knows = draw.random() < KNOWN
    probe = knows if draw.random() < PROBE else not knows
    whole = replace(right_run(case), knows=knows)
    runs: dict[Move, Episode] = {(0, "abstain"): _abstained(whole, 0), (1, "abstain"): _abstained(whole, 1)}
    for count in range(SEARCHES + 1):
        for citing in CITING if count else ("none",):
            runs[count, citing] = _run(case, whole, count, citing, knows)
    return Tree((len(case.gold), probe), runs)


def _abstained(whole: Episode, count: int) -> Episode:
    return replace(
        whole,
        answer="",
        text="",
        abstained=True,
        citations=(),
        steps=(*_steps(whole, count), Step("abstain", tokens=20)),
    )


def _run(case: Case, whole: Episode, count: int, citing: str, knows: bool) -> Episode:
    """A run after `count` searches: right if memory knows or every hop was searched, else the decoy."""
    steps = _steps(whole, count)
    shown = list(dict.fromkeys(p.id for step in steps for p in step.results))
    found = [c for c in whole.citations if c.passage_id in shown]
    everything = [Citation(key, supported=key in whole.gold_ids) for key in shown]
    cited = {"well": found, "all": everything, "none": []}[citing]
    answer = case.golds[0] if knows or count >= len(case.gold) else case.decoy
    text = whole.text.replace(case.golds[0], answer)
    return replace(
        whole, answer=answer, text=text, citations=tuple(cited), steps=(*steps, Step("answer", tokens=20))
    )


def _steps(whole: Episode, count: int) -> list[Step]:
    """The first searches of the good run; further ones repeat the last."""
    searches = list(whole.searches)
    return [searches[min(at, len(searches) - 1)] for at in range(count)]


def learn(forest: Sequence[Tree], preset: Preset, seed: int) -> Table:
    """For each situation the run with the best mean total; equals are drawn by the seed."""
    sums: dict[Situation, dict[Move, list[float]]] = {}
    for tree in forest:
        moves = list(tree.runs)
        for move, scored in zip(moves, compose(preset, [tree.runs[m] for m in moves]), strict=True):
            sums.setdefault(tree.situation, {}).setdefault(move, []).append(scored.total or 0.0)
    draw, table = random.Random(seed), Table()
    for situation, values in sums.items():
        means = {move: sum(found) / len(found) for move, found in values.items()}
        best = max(means.values())
        table[situation] = draw.choice(sorted(move for move, value in means.items() if value >= best - TIE))
    return table


def follow(table: Table, forest: Sequence[Tree]) -> list[Episode]:
    """The run that a policy makes on each question; an unseen situation is treated as its best known neighbour."""
    made = []
    for tree in forest:
        seen = min(table, key=lambda s: (abs(s[0] - tree.situation[0]), s[1] != tree.situation[1]))
        made.append(tree.runs[table.get(tree.situation, table[seen])])
    return made


def measures(episodes: Sequence[Episode]) -> dict[str, list[float]]:
    """Searches, citation F1 (nothing cited: 0) and being right, question by question."""
    return {
        "searches": [float(len(e.searches)) for e in episodes],
        "citation F1": [citation_f1(e) or 0.0 for e in episodes],
        "right": [float(bool(right(e))) for e in episodes],
    }


def contrast(names: Sequence[str], seeds: Sequence[int], count: int) -> dict[str, Any]:
    """Means of both policies and the paired differences, over the questions of all held-out worlds."""
    presets = load_presets()
    found: list[dict[str, list[float]]] = [{}, {}]
    for seed in seeds:
        train, test = trees(seed, count), trees(seed + 1000, count)
        for at, name in enumerate(names):
            for key, values in measures(follow(learn(train, presets[name], seed), test)).items():
                found[at].setdefault(key, []).extend(values)
    rows = {
        key: {
            **{name: bootstrap(found[at][key]).to_dict() for at, name in enumerate(names)},
            "difference": paired_difference(found[0][key], found[1][key]).to_dict(),
        }
        for key in found[0]
    }
    return {"presets": list(names), "seeds": list(seeds), "questions": len(found[0]["right"]), "rows": rows}


def grid(result: dict[str, Any]) -> Grid:
    """The table: both policies and their difference, each with its 95 % interval."""
    columns = (*result["presets"], "difference")
    rows = tuple((key, *(_cell(Interval(**row[c])) for c in columns)) for key, row in result["rows"].items())
    title = f"Policies trained with two presets, {result['questions']} held-out questions, seeds {result['seeds']}"
    return Grid(title, ("", *columns), rows)


def _cell(found: Interval) -> str:
    return f"{found.mean or 0:.2f} [{found.low or 0:.2f}, {found.high or 0:.2f}]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m training.rewards.contrast", description=__doc__)
    parser.add_argument("--presets", default="boundary,citation", help="two presets, joined by a comma")
    parser.add_argument("--seeds", type=int, default=3, help="how many pairs of worlds")
    parser.add_argument("--count", type=int, default=20, help="questions of each type in a world")
    chosen = parser.parse_args(arguments)
    names = choices(chosen.presets, "--presets", list(load_presets()))
    if len(names) != 2:
        parser.error("--presets needs two different names")
    result = contrast(names, range(1, chosen.seeds + 1), chosen.count)
    sys.stdout.write(grid(result).markdown())
    return 0


if __name__ == "__main__":
    sys.exit(main())
