"""Reading after search, against plainer ways, on the same questions in one run:

    python -m benchmarks.reading                      # the pools of FORAGE_DATA, whole corpus searched
    python -m benchmarks.reading --sets qed_nq --limit 60

Each row takes the five best passages of a search mode and reads each of them once with the trained reader; the surest
answer counts, or none where "not here" is surer. `best sentence` has no trained part: the sentence nearest to the
question in the encoder's space, cut to what the question's type asks for (agent.spans). The agent itself (several
searches, chains, judge) is measured by `forage eval answers`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from agent.question import analyse
from agent.reader import sentences
from agent.reader_model import ReaderModel, Reading, load_reader
from agent.spans import candidates
from benchmarks.measure import arguments, data_root, facts, mistakes_told
from index.encoders import load_embedder
from index.retrieve import Searcher
from index.types import Embedder, Hit, Mode, Scope
from training import report
from training.benchmark_index import open_index
from training.data import QAExample, load_questions, open_data
from training.metrics import bootstrap, exact_match, f1, paired_difference
from training.skills.ranker_data import spread

SETS = (
    "squad1_duetest",
    "squad2_dev_half",
    "qed_nq",
    "nq_oracle",
    "2wiki_distractor",
    "hotpotqa_distractor",
    "musique_distractor",
)
MODES: tuple[Mode, ...] = ("bm25", "hybrid", "graph", "ranked", "deep")
TOP = 5
LIMIT = 60


def main() -> None:
    """Run, print, and write benchmarks/results/reading.json."""
    parser = arguments(__doc__, "reading.json")
    parser.add_argument("--sets", nargs="+", default=list(SETS), help="question sets of $FORAGE_DATA/qa")
    parser.add_argument(
        "--limit", type=int, default=LIMIT, help="questions of each, evenly over its dev split"
    )
    options = parser.parse_args()
    with mistakes_told():
        run(options)


def run(options: argparse.Namespace) -> None:
    """The tables, set by set. InputError without data."""
    embedder, model = load_embedder(), load_reader()
    assert model is not None, "no reader weights ship with this checkout"
    found: dict[str, Any] = {}
    for name in options.sets:
        data = open_data(data_root() / name)
        examples = spread(load_questions(data.root / "dev.jsonl"), options.limit)
        with open_index(data, examples, embedder) as index:
            searcher = Searcher(index.store, embedder)
            found[name] = rows(name, examples, searcher, Scope((index.collection,)), embedder, model)
        report.show(table(name, found[name]), markdown=options.markdown)
        report.write_json(options.json, {"sets": found, **facts("reading", options)})


def rows(
    name: str,
    examples: Sequence[QAExample],
    searcher: Searcher,
    scope: Scope,
    embedder: Embedder,
    model: ReaderModel,
) -> dict[str, Any]:
    """EM and F1 with intervals for every row, and the paired difference of F1 from hybrid + reader."""
    values: dict[str, list[tuple[float, float]]] = {}
    for example in report.track(examples, len(examples), name):
        known: dict[int, Reading] = {}
        for mode in MODES:
            hits = searcher.search(example.question, TOP, mode, scope)
            if mode == "hybrid":
                said = best_sentence(example.question, hits, embedder)
                values.setdefault("best sentence", []).append(scored(said, example))
            values.setdefault(f"{mode} + reader", []).append(
                scored(surest(example.question, hits, model, known), example)
            )
    peer = [one for _, one in values["hybrid + reader"]]
    return {
        row: {
            "n": len(pairs),
            "em": bootstrap([em for em, _ in pairs]).to_dict(),
            "f1": bootstrap([one for _, one in pairs]).to_dict(),
            "f1_from_hybrid": paired_difference([one for _, one in pairs], peer).to_dict(),
        }
        for row, pairs in values.items()
    }


def scored(said: str, example: QAExample) -> tuple[float, float]:
    """(EM, F1); for an unanswerable question both are 1 for no answer and 0 for any."""
    if example.unanswerable:
        return float(not said), float(not said)
    return exact_match(said, example.answers), f1(said, example.answers)


def surest(question: str, hits: Sequence[Hit], model: ReaderModel, known: dict[int, Reading]) -> str:
    """The reader's surest answer from passages read one by one; "" where every one is surer of none."""
    new = [hit.passage for hit in hits if hit.passage.id not in known]
    texts = [f"{passage.title}\n{passage.text}" if passage.title else passage.text for passage in new]
    known.update(zip([passage.id for passage in new], model.read(question, texts), strict=True))
    best, sure = "", 0.0
    for hit in hits:
        reading = known[hit.passage.id]
        for text, share in (
            (reading.answer, reading.probability),
            ("yes", reading.yes),
            ("no", reading.no),
        ):
            if share > max(sure, reading.none) and text:
                best, sure = text, share
    return best


def best_sentence(question: str, hits: Sequence[Hit], embedder: Embedder) -> str:
    """The typed answer of the nearest sentence, or the sentence itself."""
    texts = [
        hit.passage.text[start - hit.passage.start : end - hit.passage.start]
        for hit in hits
        for start, end in sentences(hit.passage)
    ]
    if not texts:
        return ""
    vectors = embedder.embed([question, *texts])
    text = texts[int(np.argmax(vectors[1:] @ vectors[0]))]
    spans = candidates(analyse(question), text, "", {})
    return spans[0].text if spans else text


def table(name: str, found: dict[str, Any]) -> report.Grid:
    """One set: EM and F1 with intervals, paired difference of F1 from hybrid + reader."""
    percent = report.percent
    lines = tuple(
        (
            row,
            percent(one["em"]["mean"]),
            f"{percent(one['f1']['mean'])} [{percent(one['f1']['low'])}, {percent(one['f1']['high'])}]",
            f"{percent(one['f1_from_hybrid']['mean'])} "
            f"[{percent(one['f1_from_hybrid']['low'])}, {percent(one['f1_from_hybrid']['high'])}]",
        )
        for row, one in found.items()
    )
    count = next(iter(found.values()))["n"]
    return report.Grid(f"{name}, {count} questions", ("row", "EM", "F1", "F1 less hybrid's"), lines)


if __name__ == "__main__":
    main()
