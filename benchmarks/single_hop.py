"""The evidence ranker on questions that one passage answers: it must not fall below the best list of text search.

    python -m benchmarks.single_hop                               # needs FORAGE_DATA
    python -m benchmarks.single_hop --limit 150 --json OUT

Four single-hop pools, with their titles and without any; answerable questions, evenly over each pool. The ranker is
the one that ships. It learned from training questions of SQuAD 2 and QED, of the other two from none. `gap`: ranked
minus the best of the three lists, R@5 in points with its 95 % paired bootstrap interval.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import data_root, facts, mistakes_told
from benchmarks.retrieval import span
from index.encoders import load_embedder
from index.ranker import load_ranker
from training import report
from training.metrics import paired_difference
from training.skills.ranker import listed, scores, walked
from training.skills.ranker_data import Asked, Pool, gather

POOLS = ("nq_oracle", "squad2_dev_half", "clapnq_dev", "qed_nq")
LISTS = ("bm25", "dense", "hybrid")
LIMIT = 300


def main() -> None:
    """Measure every pool and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pools", default=",".join(POOLS), help="which, joined by commas")
    parser.add_argument("--limit", type=int, default=LIMIT, help="at most N questions of each pool")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    with mistakes_told():
        names = report.choices(options.pools, "--pools", POOLS)
        for pool in [Pool(name, "dev", options.limit, titles) for titles in (True, False) for name in names]:
            found[pool.label] = line = measured(gather([pool], data_root(), load_embedder(), None))
            print(f"{pool.label}: {line}", flush=True)
    report.show(grid(found), markdown=options.markdown)
    if options.json:
        report.write_json(report.open_output(options.json), {"pools": found, **facts("single_hop", options)})


def measured(asked: list[Asked]) -> dict[str, Any]:
    """R@5 in percent of the ranker, the lists and graph mode, and how far the ranker is from the best list."""
    ranker = load_ranker("ranker", asked[0].gatherer)

    def ranked(one: Asked) -> list[int]:
        usefulness = ranker.judge(one.situation)
        return sorted(usefulness, key=lambda key: (-usefulness[key], key))

    ways = {"ranked": ranked, "graph": walked, **{name: partial(listed, name) for name in LISTS}}
    lines = {name: next(iter(scores(asked, way).values())) for name, way in ways.items()}
    best = max(LISTS, key=lambda name: float(lines[name]["recall@5"]))
    gap = paired_difference(lines["ranked"]["per_question"], lines[best]["per_question"])
    return {
        "questions": len(asked),
        **{name: line["recall@5"] for name, line in lines.items()},
        "best": best,
        "gap": gap.to_dict(),
    }


def grid(found: dict[str, Any]) -> report.Grid:
    """One row for each pool."""
    names = (*LISTS, "graph", "ranked")
    rows = tuple(
        (
            name,
            str(line["questions"]),
            *(f"{line[key]:.1f}" for key in names),
            f"{span(line['gap'])} {line['best']}",
        )
        for name, line in found.items()
    )
    columns = ("", "questions", *names, "gap from the best list")
    return report.Grid("Single-hop pools, R@5", columns, rows)


if __name__ == "__main__":
    main()
