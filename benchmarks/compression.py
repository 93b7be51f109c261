"""How few tokens hold the evidence: packed output against whole passages and against TeaRAG's concatenation.

    python -m benchmarks.compression                              # dev questions of FORAGE_DATA
    python -m benchmarks.compression --data DIR --split train --limit 200 --json OUT

All three start from the same ranked passages. `top k`: the best k passages whole. `chunks + triplets`: the best
k passages whole, then the ten triplets of theirs nearest to the question. `packed`: index.evidence_pack, by how
sure a sentence must be to be kept (`worth`, under a budget that hardly ever binds), and by budget. Context is
counted as a reader would get it: each passage's title once, then what is kept of it.
Answer recall: share of questions whose answer stands in the context as words (yes and no left out). Evidence
recall: share of the supporting sentences in it, where the set marks them, else of the gold passages.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.contexts import Found, collect, measure, packed, passages, triplets, weigh
from benchmarks.measure import clock, data_root, facts, spread, stop_with
from index.errors import InputError, StoreError
from index.evidence_pack import WORTH
from index.store import Store
from training import report

POOLS = ("2wiki_distractor", "musique_distractor", "hotpotqa_distractor", "qed_nq", "squad2_dev_half")
DEPTHS = (1, 2, 3, 4, 5, 7, 10)
WORTHS = (0.3, 0.2, 0.15, 0.1, 0.08, 0.06, 0.05, 0.04, 0.035, 0.03, 0.025, 0.02, 0.015)
BUDGETS = (100, 150, 200, 300, 400)
AMPLE = 1000  # tokens of the budget where `worth` decides
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
    try:
        for folder in options.data or [data_root() / name for name in POOLS]:
            store, found = collect(folder, options.split, options.limit, options.mode)
            results[folder.name] = pool = curve(store, found)
            store.close()
            report.show(grid(folder.name, pool), markdown=options.markdown)
            print(verdict(pool), flush=True)
        report.show(summary(results), markdown=options.markdown)
    except (InputError, StoreError) as error:
        stop_with(error)
    if options.json:
        report.write_json(
            report.open_output(options.json), {"pools": results, **facts("compression", options)}
        )


def curve(store: Store, found: Sequence[Found]) -> dict[str, Any]:
    """Every method at every setting: method -> setting -> values."""
    methods: dict[str, dict[str, Any]] = {"top k": {}, "chunks + triplets": {}, "packed": {}}
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
    return {
        "packing_ms": spread(took),
        "questions": len(found),
        "with_answer": sum(bool(one.answers) for one in found),
        "methods": methods,
    }


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
    """Each pool in one row: the best five passages, the setting in use, and the leanest that finds as many answers."""
    rows = []
    for name, pool in pools.items():
        aim, packings = pool["methods"]["top k"][str(AIM)], pool["methods"]["packed"]
        used = packings[f"worth {WORTH}"]
        equal = [v["tokens"] for v in packings.values() if v["answer_recall"] >= aim["answer_recall"]]
        half = [v for v in packings.values() if 2 * v["tokens"] <= aim["tokens"]]
        best = max(half, key=lambda values: values["answer_recall"])["answer_recall"] if half else None
        rows.append(
            (
                name,
                f"{aim['tokens']:.0f} / {report.percent(aim['answer_recall'])}",
                f"{used['tokens']:.0f} / {report.percent(used['answer_recall'])}",
                f"{used['tokens'] / aim['tokens']:.0%}",
                report.percent(best),
                f"{min(equal) / aim['tokens']:.0%}" if equal else "never",
            )
        )
    columns = (
        "",
        f"top {AIM}: tokens / answers",
        "packed as shipped",
        "of the tokens",
        "best answers within half",
        "tokens for equal answers",
    )
    return report.Grid("Packed evidence against the best five passages, answer recall", columns, tuple(rows))


def verdict(pool: dict[str, Any]) -> str:
    """Whether packed output reaches the answer recall of the best five passages, and at which share of tokens."""
    aim = pool["methods"]["top k"][str(AIM)]
    reached = [
        (values["tokens"], setting, values)
        for setting, values in pool["methods"]["packed"].items()
        if values["answer_recall"] >= aim["answer_recall"]
    ]
    ms = "Packing takes {p50:.1f} ms a question (p95 {p95:.1f}).\n".format(**pool["packing_ms"])
    if reached:
        tokens, setting, _ = min(reached, key=lambda one: (one[0], one[1]))
        share = tokens / aim["tokens"]
        return (
            f"Packed reaches the answer recall of the top {AIM} passages ({report.percent(aim['answer_recall'])})"
            f" at {setting}: {tokens:.0f} of {aim['tokens']:.0f} tokens, {share:.0%}. {ms}"
        )
    best = max(pool["methods"]["packed"].values(), key=lambda values: values["answer_recall"])
    return (
        f"Packed stays below the answer recall of the top {AIM} passages: {report.percent(best['answer_recall'])}"
        f" with {best['tokens']:.0f} tokens against {report.percent(aim['answer_recall'])} with"
        f" {aim['tokens']:.0f}. {ms}"
    )


if __name__ == "__main__":
    main()
