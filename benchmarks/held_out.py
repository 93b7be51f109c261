"""The evidence ranker on questions of sets it never learned from: leave one set out, and MuSiQue five-fold.

    python -m benchmarks.held_out                                 # needs FORAGE_DATA and lightgbm
    python -m benchmarks.held_out --json OUT

Each multi-hop set's development questions are ranked by ensembles trained on all other pools of the shipped ranker
(with or without titles, no question of that set); each of all MuSiQue questions by ensembles of the folds without it.
`- hybrid`: the difference of R@5 in points with its 95 % paired bootstrap interval.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import data_root, facts, mistakes_told
from benchmarks.retrieval import span
from index.encoders import load_embedder
from training import report
from training.metrics import paired_difference
from training.skills.ranker import cross_fit, fit, listed, out_of_fold, ranking, scores, second
from training.skills.ranker_data import TRAIN, Asked, Pool, gather

SETS = (("2wiki_distractor", 181), ("musique_distractor", 35), ("hotpotqa_distractor", 406))
FOLDED = Pool("musique_distractor", "dev", 35)  # its training questions are among TRAIN
SEED = 7  # of the shipped ranker


def main() -> None:
    """Train without each set, and print what is found in it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    with mistakes_told():
        found = held_out(options.seed)
    report.show(grid(found), markdown=options.markdown)
    if options.json:
        report.write_json(report.open_output(options.json), {"sets": found, **facts("held_out", options)})


def held_out(seed: int) -> dict[str, Any]:
    """Row -> scores with the paired difference from hybrid."""
    root, embedder = data_root(), load_embedder()
    asked = gather(TRAIN, root, embedder, None)
    found: dict[str, Any] = {}
    for name, count in SETS:
        dev = gather([Pool(name, "dev", count)], root, embedder, None)
        rest = [one for one in asked if not one.pool.startswith(name)]
        first, looked = cross_fit(rest, seed)
        model = fit([(one.features, one.gold) for one in looked], seed)
        rank = partial(_ranked, first, model)
        found[f"{name} dev, never learned from"] = _line(dev, rank)
    extra = gather([FOLDED], root, embedder, None)
    _, looked = cross_fit([*asked, *extra], seed)
    rankings = out_of_fold(looked, seed)
    ours = [one for one in [*asked, *extra] if one.pool == FOLDED.label]
    found[f"{FOLDED.name} train and dev, five-fold"] = _line(ours, lambda one: rankings[id(one)])
    return found


def _ranked(first: Any, model: Any, asked: Asked) -> list[int]:
    return ranking(second(asked, first), model)


def _line(asked: Sequence[Asked], rank: Callable[[Asked], Sequence[int]]) -> dict[str, Any]:
    """Scores of one pool's questions, and of hybrid beside."""
    (line,) = scores(asked, rank).values()
    (base,) = scores(asked, partial(listed, "hybrid")).values()
    gap = paired_difference(line.pop("per_question"), base.pop("per_question"))
    return {**line, "hybrid": base, "minus_hybrid": gap.to_dict()}


def grid(found: dict[str, Any]) -> report.Grid:
    """One row for each set."""
    keys = ("recall@2", "recall@5", "recall@10", "all_gold@5")
    rows = tuple(
        (
            name,
            str(line["n"]),
            *(f"{line[key]:.1f}" for key in keys),
            f"{line['hybrid']['recall@5']:.1f}",
            span(line["minus_hybrid"]),
        )
        for name, line in found.items()
    )
    columns = ("", "questions", "R@2", "R@5", "R@10", "all@5", "hybrid R@5", "R@5 - hybrid")
    return report.Grid("Ranked, on sets it never learned from", columns, rows)


if __name__ == "__main__":
    main()
