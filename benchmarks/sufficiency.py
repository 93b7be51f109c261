"""Does the judge know when evidence does not suffice? The same questions with and without a needed passage:

    python -m benchmarks.sufficiency [--limit 46]

Development questions of hotpotqa_insufficient (one or two gold passages are not among the candidates), and their
twins in hotpotqa_distractor (all are). The agent's inquiry searches a question's own candidates twice at most. Scored
are the judge's probability of its best answer and the reader's fifth output ("enough") on packed evidence: AUROC of
sufficient against insufficient with 95 % bootstrap intervals over questions, and the calibration of the judge's
probability against whether the answer was right (an insufficient question has no right answer).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from agent.inquiry import Inquiry
from agent.judge import answer_of
from agent.matching import WordMatcher
from agent.packing import pack
from agent.reader import Reader
from agent.reader_model import ReaderModel, load_reader
from benchmarks.measure import arguments, data_root, facts, mistakes_told
from index.encoders import load_embedder
from index.retrieve import Searcher
from index.types import Scope
from training import report
from training.benchmark_index import open_index
from training.data import QAExample, load_questions, open_data
from training.judge_fit import calibration_error
from training.judge_rows import BUDGET, RIGHT, SEARCHES
from training.metrics import f1
from training.skills.leaks import fold

WITHOUT, WITH = "hotpotqa_insufficient", "hotpotqa_distractor"
SAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Look:
    """What was said of one question's evidence."""

    probability: float  # of the judge
    enough: float  # of the reader
    right: bool


def main() -> None:
    """Run, print, and write benchmarks/results/sufficiency.json."""
    parser = arguments(__doc__, "sufficiency.json")
    parser.add_argument("--limit", type=int, help="pairs, in the order of the file; all if not given")
    options = parser.parse_args()
    with mistakes_told():
        run(options)


def run(options: argparse.Namespace) -> None:
    """The table. InputError without data."""
    twins = {fold(one.question): one for one in _dev(WITH)}
    without = [one for one in _dev(WITHOUT) if fold(one.question) in twins][: options.limit]
    lacking = looks(WITHOUT, without)
    whole = looks(WITH, [twins[fold(one.question)] for one in without])
    found = scored(lacking, whole)
    report.show(table(found), markdown=options.markdown)
    report.write_json(options.json, {**found, **facts("sufficiency", options)})


def looks(name: str, examples: Sequence[QAExample]) -> list[Look]:
    """One look for each question, over its own candidates."""
    embedder = load_embedder()
    reader = Reader(embedder, WordMatcher(embedder))
    data = open_data(data_root() / name)
    found = []
    with open_index(data, examples, embedder) as index:
        searcher = Searcher(index.store, embedder)
        for example in report.track(examples, len(examples), name):
            own = index.locator.document_ids(example.own_scope)
            found.append(look(example, searcher, reader, Scope((index.collection,), own), load_reader()))
    return found


def look(
    example: QAExample, searcher: Searcher, reader: Reader, scope: Scope, model: ReaderModel | None
) -> Look:
    """What judge and reader say at the end of the inquiry."""
    inquiry = Inquiry.open(example.question, searcher, scope, model)
    for _ in range(SEARCHES):
        goal = inquiry.next_goal()
        if goal is None or inquiry.at > 0:
            break
        hits, _ = pack(searcher.search(goal.query, BUDGET.top_k, "ranked", scope), BUDGET.context_tokens)
        inquiry.read(reader, goal, hits)
    thread = inquiry.whole
    together = [one.chain.reading for one in thread.judged if one.chain.joint]
    enough = max((reading.enough for reading in together if reading is not None), default=0.0)
    said = answer_of(thread.question, thread.best) if thread.best is not None else ""
    right = bool(said) and not example.unanswerable and f1(said, example.answers) >= RIGHT
    return Look(thread.probability, enough, right)


def scored(lacking: Sequence[Look], whole: Sequence[Look]) -> dict[str, Any]:
    """AUROC of both scores with intervals, and the judge's calibration error."""
    every = [*lacking, *whole]
    said = np.array([one.probability for one in every])
    right = np.array([float(one.right) for one in every])
    return {
        "pairs": len(lacking),
        "judge": auroc([one.probability for one in lacking], [one.probability for one in whole]),
        "enough": auroc([one.enough for one in lacking], [one.enough for one in whole]),
        "ece": round(calibration_error(said, right), 3),
        "right": round(float(right.mean()), 3),
    }


def auroc(below: Sequence[float], above: Sequence[float]) -> dict[str, float]:
    """AUROC of `above` against `below` in percent, with an interval over pairs.

    >>> auroc([0.1, 0.2], [0.3, 0.4])["mean"]
    100.0
    """
    low, high = np.array(below), np.array(above)
    labels = np.repeat([0, 1], len(low))
    draws = np.random.default_rng(7).integers(len(low), size=(SAMPLES, len(low)))
    every = [roc_auc_score(labels, np.concatenate([low[at], high[at]])) for at in draws]
    return {
        "mean": round(100 * float(roc_auc_score(labels, np.concatenate([low, high]))), 1),
        "low": round(100 * float(np.percentile(every, 2.5)), 1),
        "high": round(100 * float(np.percentile(every, 97.5)), 1),
    }


def table(found: dict[str, Any]) -> report.Grid:
    """Both scores, and how calibrated the judge is."""
    lines = tuple(
        (label, f"{found[key]['mean']} [{found[key]['low']}, {found[key]['high']}]")
        for key, label in (("judge", "judge, AUROC"), ("enough", "reader's “enough”, AUROC"))
    )
    rest = (("judge, calibration error", f"{found['ece']}"), ("answers right", f"{found['right']}"))
    return report.Grid(f"Sufficient or not, {found['pairs']} pairs", ("", "value"), (*lines, *rest))


def _dev(name: str) -> list[QAExample]:
    return list(load_questions(open_data(data_root() / name).root / "dev.jsonl"))


if __name__ == "__main__":
    main()
