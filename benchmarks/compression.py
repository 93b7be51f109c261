"""How few tokens hold the evidence: packed output against whole passages and against TeaRAG's concatenation.

    python -m benchmarks.compression                              # dev questions of FORAGE_DATA
    python -m benchmarks.compression --data DIR --split train --limit 200 --json OUT

All start from the same ranked passages. `top k`: the best k passages whole. `chunks + triplets`: the best k passages
whole, then the ten triplets of theirs nearest to the question. `packed`: index.evidence_pack, by how sure a sentence
must be to be kept (`worth`, under a budget that never binds), and by budget. `packed after reading`: the same
after the embedded reader has read all ten passages, which costs time but no token of a language model; `lean` is the
setting that ships. Context is counted as a reader would get it: each passage's title once, then what is kept of it.
What the reader made of passages is kept beside the evaluation indexes; its time is taken on the first questions, read
without that.
Answer recall: share of questions whose answer stands in the context as words (yes and no left out). Evidence
recall: share of the supporting sentences in it, where the set marks them, else of the gold passages.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.reader_model import ReaderModel, shipped_weights
from agent.sentence_readings import SentenceReadings
from benchmarks.contexts import (
    Found,
    Weighed,
    collect,
    lean,
    measure,
    packed,
    passages,
    triplets,
    weigh,
    weigh_read,
)
from benchmarks.measure import clock, data_root, facts, mistakes_told, spread
from index.encoders import load_embedder
from index.errors import InputError
from index.evidence_pack import AMPLE, WORTH
from index.store import Store
from training import report
from training.kept import KeptSentenceReadings, kept_file

POOLS = ("2wiki_distractor", "musique_distractor", "hotpotqa_distractor", "qed_nq", "squad2_dev_half")
DEPTHS = (1, 2, 3, 4, 5, 7, 10)
WORTHS = (0.3, 0.2, 0.15, 0.1, 0.08, 0.06, 0.05, 0.04, 0.035, 0.03, 0.025, 0.02, 0.015)
BUDGETS = (100, 150, 200, 300, 400)
TIMED = 5  # questions whose passages are read without what is kept, for the time it takes
LEAN = "lean"
SHIPPED = {"packed": f"worth {WORTH}", "packed after reading": LEAN}
AIM = 5  # passages whose answer recall the packed context should reach


def main() -> None:
    """Measure every pool and print its curve."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, action="append", help="a pool's folder; may be given again")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--limit", type=int, help="only the first N questions of each pool")
    parser.add_argument("--mode", default="ranked", help="search mode the passages come from")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    results = {}
    with mistakes_told():
        for folder in options.data or [data_root() / name for name in POOLS]:
            store, found = collect(folder, options.split, options.limit, options.mode)
            results[folder.name] = pool = curve(store, found)
            store.close()
            report.show(grid(folder.name, pool), markdown=options.markdown)
            print(verdict(pool), flush=True)
        report.show(summary(results), markdown=options.markdown)
    if options.json:
        report.write_json(
            report.open_output(options.json), {"pools": results, **facts("compression", options)}
        )


def curve(store: Store, found: Sequence[Found]) -> dict[str, Any]:
    """Every method at every setting: method -> setting -> values."""
    methods: dict[str, dict[str, Any]] = {
        "top k": {}, "chunks + triplets": {}, "packed": {}, "packed after reading": {},
    }  # fmt: skip
    for depth in DEPTHS:
        methods["top k"][str(depth)] = measure([(one, passages(one, depth)) for one in found])
        methods["chunks + triplets"][str(depth)] = measure(
            [(one, [*passages(one, depth), *triplets(store, one, depth)]) for one in found]
        )
    weighed, took = [], []
    for one in found:
        began = clock()
        weighed.append(weigh(store, one))
        packed(weighed[-1], AMPLE)
        took.append((clock() - began) * 1000)
    both = list(zip(found, weighed, strict=True))
    for worth in WORTHS:
        contexts = [(one, packed(sentences, AMPLE, worth)) for one, sentences in both]
        methods["packed"][f"worth {worth}"] = measure(contexts)
    for budget in BUDGETS:
        contexts = [(one, packed(sentences, budget)) for one, sentences in both]
        methods["packed"][f"budget {budget}"] = measure(contexts)
    methods["packed"][LEAN] = measure([(one, lean(sentences)) for one, sentences in both])
    timed, read = _read(weighed)
    both = list(zip(found, read, strict=True))
    methods["packed after reading"][LEAN] = measure([(one, lean(sentences)) for one, sentences in both])
    for worth in WORTHS:
        contexts = [(one, packed(sentences, AMPLE, worth)) for one, sentences in both]
        methods["packed after reading"][f"worth {worth}"] = measure(contexts)
    return {
        "packing_ms": spread(took),
        **timed,
        "questions": len(found),
        "with_answer": sum(bool(one.answers) for one in found),
        "methods": methods,
    }


def _read(weighed: Sequence[Weighed]) -> tuple[dict[str, float], list[Weighed]]:
    """The same sentences weighed after reading, and mean milliseconds a question of the first TIMED.

    Reading all its passages; looking and choosing after it; and for comparison one bare pass of the encoder over the
    same passages. InputError without a reader.
    """
    weights = shipped_weights()
    if weights is None:
        raise InputError("Packing after reading needs a reader; none ships.")
    fresh, kept = SentenceReadings(ReaderModel(weights)), KeptSentenceReadings(weights, kept_file())
    if weighed:
        fresh(weighed[0].offered)  # loads the network
    spent = {"reading_ms": 0.0, "encoding_ms": 0.0, "read_packing_ms": 0.0}
    for one in weighed[:TIMED]:
        passages = [hit.passage for hit in one.offered.hits]
        began = clock()
        load_embedder().embed([f"{passage.title}\n{passage.text}" for passage in passages])
        encoded = clock()
        readings = fresh(one.offered)
        known = clock()
        lean(weigh_read(one, lambda _, readings=readings: readings))
        spent["encoding_ms"] += encoded - began
        spent["reading_ms"] += known - encoded
        spent["read_packing_ms"] += clock() - known
    asked = max(1, len(weighed[:TIMED]))
    timed = {name: round(1000 * seconds / asked, 1) for name, seconds in spent.items()}
    return timed, [weigh_read(one, kept) for one in weighed]


def grid(name: str, pool: dict[str, Any]) -> report.Grid:
    """The curve of a pool."""
    rows = [
        (
            f"{method}, {setting}",
            report.number(values["tokens"], 0),
            report.percent(values["answer_recall"]),
            report.percent(values["evidence_recall"]),
        )
        for method, settings in pool["methods"].items()
        for setting, values in settings.items()
    ]
    title = f"{name}: {pool['questions']} questions, {pool['with_answer']} with an answer in words"
    return report.Grid(title, ("", "tokens", "answer recall", "evidence recall"), tuple(rows))


def summary(pools: dict[str, Any]) -> report.Grid:
    """Two rows a pool: the best five passages, the setting in use, and the leanest that finds as many answers."""
    rows = []
    for name, pool in pools.items():
        aim = pool["methods"]["top k"][str(AIM)]
        for method, setting in SHIPPED.items():
            packings = pool["methods"][method]
            used = packings[setting]
            equal = [v["tokens"] for v in packings.values() if v["answer_recall"] >= aim["answer_recall"]]
            half = [v["answer_recall"] for v in packings.values() if 2 * v["tokens"] <= aim["tokens"]]
            rows.append(
                (
                    f"{name}, {method}",
                    _cell(aim),
                    _cell(used),
                    f"{used['tokens'] / aim['tokens']:.1%}",
                    report.percent(max(half, default=None)),
                    f"{min(equal) / aim['tokens']:.1%}" if equal else "never",
                )
            )
    columns = (
        "",
        f"top {AIM}: tokens / answers / evidence",
        "as shipped",
        "of the tokens",
        "best answers within half",
        "tokens for equal answers",
    )
    settings = ", ".join(f"{method}: {setting}" for method, setting in SHIPPED.items())
    return report.Grid(f"Packed evidence against the best five passages ({settings})", columns, tuple(rows))


def _cell(values: dict[str, Any]) -> str:
    recalls = (report.percent(values[name]) for name in ("answer_recall", "evidence_recall"))
    return " / ".join((f"{values['tokens']:.0f}", *recalls))


def verdict(pool: dict[str, Any]) -> str:
    """Whether packed output reaches the answer recall of the best five passages, at which share of tokens and time."""
    aim = pool["methods"]["top k"][str(AIM)]
    lines = []
    for method in SHIPPED:
        packings = pool["methods"][method]
        reached = [
            (v["tokens"], setting)
            for setting, v in packings.items()
            if v["answer_recall"] >= aim["answer_recall"]
        ]
        best = max(packings.values(), key=lambda values: values["answer_recall"])
        lines.append(
            f"Of {aim['tokens']:.0f} tokens and answer recall {report.percent(aim['answer_recall'])} (top {AIM}), "
            + (
                f"{method} reaches the recall with {min(reached)[0]:.0f} tokens ({min(reached)[1]})."
                if reached
                else f"{method} reaches at most {report.percent(best['answer_recall'])} ({best['tokens']:.0f} tokens)."
            )
        )
    ms = "Packing takes {p50:.1f} ms a question (p95 {p95:.1f})".format(**pool["packing_ms"])
    reading = (
        ". After reading: {reading_ms:.0f} ms to read the ten passages (a bare pass of the encoder over them: "
        "{encoding_ms:.0f}), then {read_packing_ms:.0f} to look and choose.\n".format(**pool)
    )
    return " ".join(lines) + f" {ms}{reading}"


if __name__ == "__main__":
    main()
