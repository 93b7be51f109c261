"""Where would a search be in vain? The gate's rule beside a classifier, by F1_aware:

    python -m benchmarks.gate [--each 300] [--install]

Questions of seven sets and of the example collection, each set one collection: asked there, and questions of the other
sets asked there too (training/boundary_fit.py). Positive is a question that nothing there answers; a gate predicts it
by giving up without a search, so one that always searches scores 0 (AdaSearch, arXiv 2512.16883). The classifier
learns from training questions, its threshold too; scored are development questions. The example collection has no
training questions: nothing was learned from it. 95 % bootstrap intervals over questions.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.boundary import Boundary, RuleBoundary
from agent.boundary_learned import WEIGHTS, LearnedBoundary, load_boundary
from benchmarks.measure import RESULTS, ROOT, data_root, facts, mistakes_told
from training import report
from training.boundary_fit import Asked, collect, fit, scores
from training.kept import kept_models

SETS = (
    "2wiki_distractor", "hotpotqa_distractor", "musique_distractor", "squad2_dev_half", "squad1_duetest",
    "popqa_1000", "qed_nq",
)  # fmt: skip
ABOUT = (
    "`answered`, `unanswered`, `foreign`: the share of each kind that is given up without a search (answered in the "
    "collection asked, unanswered though of it, of another collection). The rule decides by default; "
    '`agent.boundary = "learned"` lets the classifier decide.'
)
SAMPLES = 1000


def main() -> None:
    """Fit, score, print, and write benchmarks/results/gate.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--each", type=int, default=300, help="questions of each set, at most")
    parser.add_argument("--install", action="store_true", help="fit anew, and ship the weights")
    parser.add_argument("--json", type=Path, default=RESULTS / "gate.json")
    options = parser.parse_args()
    with mistakes_told():
        result = measure(options.each, options.install) | facts("gate", options)
    for grid in grids(result):
        report.show(grid, markdown=True)
    report.write_json(options.json, result)


def measure(each: int, install: bool) -> dict[str, Any]:
    """Scores of both bodies on development questions: all together, and by collection."""
    embedder = kept_models()[0]
    folders = [data_root() / name for name in SETS]
    learning: dict[str, float] = {}
    if install:
        learned, learning = _installed(list(collect(folders, "train", each, embedder, None)))
    else:
        learned = load_boundary()
    asked = list(collect([*folders, ROOT / "examples"], "dev", each, embedder, None))
    bodies: dict[str, Boundary] = {"rule": RuleBoundary(), "classifier": learned}
    return {
        "learning": learning,
        "questions": {kind: sum(one.kind == kind for one in asked) for kind in ("answered", "unanswered", "foreign")},
        "all": {name: _with_interval(body, asked) for name, body in bodies.items()},
        "collections": {
            place: {name: scores(body, [a for a in asked if a.collection == place]) for name, body in bodies.items()}
            for place in dict.fromkeys(one.collection for one in asked)
        },
    }  # fmt: skip


def _installed(asked: Sequence[Asked]) -> tuple[LearnedBoundary, dict[str, float]]:
    learned, learning = fit(asked)
    path = ROOT / "agent" / "weights" / WEIGHTS
    path.write_text(json.dumps(learned.to_dict(), indent=1) + "\n", encoding="utf-8")
    return learned, learning


def _with_interval(body: Boundary, asked: Sequence[Asked]) -> dict[str, Any]:
    """Scores, with a bootstrap interval of F1_aware over questions."""
    vain = np.array([one.hopeless for one in asked])
    given_up = np.array([body.decide(one.signals, None).chosen == "hopeless" for one in asked])
    drawn = np.random.default_rng(0).integers(0, len(asked), (SAMPLES, len(asked)))
    both = (vain & given_up)[drawn].sum(axis=1)
    either = vain[drawn].sum(axis=1) + given_up[drawn].sum(axis=1)
    low, high = np.percentile(2 * both / np.maximum(either, 1), [2.5, 97.5]).round(4).tolist()
    return {**scores(body, asked), "low": low, "high": high}


def grids(found: dict[str, Any]) -> tuple[report.Grid, ...]:
    """All questions, and F1_aware by collection."""
    counts = found["questions"]
    columns = ("%", "F1_aware", *(f"{kind} ({count})" for kind, count in counts.items()))
    rows = [
        (
            name,
            f"{report.percent(one['f1_aware'])} [{100 * one['low']:.1f}, {100 * one['high']:.1f}]",
            *(report.percent(one[kind]) for kind in counts),
        )
        for name, one in found["all"].items()
    ]
    by_place = [
        (place, *(report.percent(one[body]["f1_aware"]) for body in one),
         *(report.percent(one[body]["answered"]) for body in one))
        for place, one in found["collections"].items()
    ]  # fmt: skip
    return (
        report.Grid("development questions", columns, tuple(rows)),
        report.Grid(
            "by collection", ("F1_aware, and answered ones given up, %", "rule", "classifier", "rule", "classifier"),
            tuple(by_place),
        ),
    )  # fmt: skip


if __name__ == "__main__":
    main()
