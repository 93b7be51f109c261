"""Is a stated 0.8 right four times out of five? The judge's probabilities on questions nothing was trained on:

    python -m benchmarks.calibration                      # the pools of FORAGE_DATA, whole corpus searched
    python -m benchmarks.calibration --sets qed_nq --limit 60

Questions evenly over the development splits. The agent's inquiry searches the whole collection twice at most; scored
is the probability that the judge gives its best answer, told or withheld, against whether that answer is right (word
F1 of 0.7; an unanswerable question has no right answer). The expected calibration error is the mean gap between stated
and true share over ten bins of equal width, weighted by their sizes (Guo et al. 2017, arXiv 1706.04599, equation 3).
Chance alone makes it positive: beside it stands what a perfectly calibrated judge would show on as many questions.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from agent.matching import WordMatcher
from agent.reader import Reader
from benchmarks.measure import arguments, data_root, facts, mistakes_told
from benchmarks.sufficiency import SAMPLES, Look, look
from index.retrieve import Searcher
from index.types import Scope
from training import report
from training.benchmark_index import open_index
from training.data import load_questions, open_data
from training.judge_fit import calibration_error
from training.kept import kept_models
from training.skills.ranker_data import spread

SETS = (
    "squad1_duetest",
    "squad2_dev_half",
    "qed_nq",
    "nq_oracle",
    "popqa_1000",
    "2wiki_distractor",
    "hotpotqa_distractor",
    "musique_distractor",
)
BINS = 10
LIMIT = 80


def main() -> None:
    """Run, print, and write benchmarks/results/calibration.json."""
    parser = arguments(__doc__, "calibration.json")
    parser.add_argument("--sets", nargs="+", default=list(SETS), help="question sets of $FORAGE_DATA/qa")
    parser.add_argument(
        "--limit", type=int, default=LIMIT, help="questions of each, evenly over its dev split"
    )
    options = parser.parse_args()
    with mistakes_told():
        run(options)


def run(options: argparse.Namespace) -> None:
    """The tables. InputError without data."""
    found = {name: looks(name, options.limit) for name in options.sets}
    every = [one for some in found.values() for one in some]
    result = {
        "all": scored(every),
        "bins": bins(every),
        "sets": {name: scored(some) for name, some in found.items()},
        **facts("calibration", options),
    }
    for grid in tables(result):
        report.show(grid, markdown=options.markdown)
    report.write_json(options.json, result)


def looks(name: str, limit: int) -> list[Look]:
    """One look for each of `limit` development questions, over the whole collection."""
    embedder, model = kept_models()
    reader = Reader(embedder, WordMatcher(embedder))
    data = open_data(data_root() / name)
    examples = load_questions(data.root / "dev.jsonl")
    with open_index(data, examples, embedder) as index:
        searcher, scope = Searcher(index.store, embedder), Scope((index.collection,))
        asked = spread(examples, limit)
        return [look(one, searcher, reader, scope, model) for one in report.track(asked, len(asked), name)]


def scored(looked: Sequence[Look]) -> dict[str, Any]:
    """Calibration error with its 95 % bootstrap interval, and the median that chance gives a perfect judge.

    >>> scored([Look(1.0, 0.0, True)] * 4)["ece"]
    0.0
    """
    said = np.array([one.probability for one in looked])
    right = np.array([float(one.right) for one in looked])
    random = np.random.default_rng(7)
    draws = random.integers(len(said), size=(SAMPLES, len(said)))
    every = [calibration_error(said[at], right[at], BINS) for at in draws]
    chance = [calibration_error(said, one, BINS) for one in random.random((SAMPLES, len(said))) < said]
    return {
        "n": len(said),
        "stated": round(float(said.mean()), 3),
        "right": round(float(right.mean()), 3),
        "ece": round(calibration_error(said, right, BINS), 3),
        "low": round(float(np.percentile(every, 2.5)), 3),
        "high": round(float(np.percentile(every, 97.5)), 3),
        "by_chance": round(float(np.median(chance)), 3),
    }


def bins(looked: Sequence[Look]) -> list[dict[str, float]]:
    """The reliability diagram's bins that hold an answer: questions, mean stated, share right."""
    said = np.array([one.probability for one in looked])
    right = np.array([float(one.right) for one in looked])
    at = np.minimum((said * BINS).astype(int), BINS - 1)
    return [
        {
            "from": round(number / BINS, 2),
            "n": int((at == number).sum()),
            "stated": round(float(said[at == number].mean()), 3),
            "right": round(float(right[at == number].mean()), 3),
        }
        for number in range(BINS)
        if (at == number).any()
    ]


def tables(result: dict[str, Any]) -> tuple[report.Grid, report.Grid]:
    """By set, and the reliability diagram as a table."""
    lines = tuple(
        (name, str(one["n"]), f"{one['stated']:.2f}", f"{one['right']:.2f}",
         f"{one['ece']:.3f} [{one['low']:.3f}, {one['high']:.3f}]", f"{one['by_chance']:.3f}")
        for name, one in (*result["sets"].items(), ("all", result["all"]))
    )  # fmt: skip
    rows = tuple(
        (f"{one['from']:.1f}", str(one["n"]), f"{one['stated']:.2f}", f"{one['right']:.2f}",
         "#" * round(20 * one["right"]))
        for one in result["bins"]
    )  # fmt: skip
    return (
        report.Grid("Stated and true", ("set", "questions", "stated", "right", "ECE", "by chance"), lines),
        report.Grid("Reliability", ("from", "questions", "stated", "right", ""), rows),
    )


if __name__ == "__main__":
    main()
