"""Search measured against its rivals on pools of labelled questions: quality, speed, index and memory in one run.

    python -m benchmarks.retrieval                                # the three multi-hop pools of FORAGE_DATA
    python -m benchmarks.retrieval --data DIR --limit 100 --json OUT

Each row runs in a process of its own with the questions' vectors given, so that milliseconds and memory are
those of the search; encoding is measured apart. The rows stand in benchmarks.retrieval_rows; networkx gets a sample
of the questions, for it is slow. Questions without an answer are left out. `- hybrid`: the difference of R@5 in points
with its 95 % paired bootstrap interval. `candidates`: the share of the gold among all that the ranker looks at.
Training questions are asked of untrained rows alone; what the ranker finds in sets it never learned from, and in all
of MuSiQue five-fold, prints benchmarks.held_out.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import alone, clock, data_root, facts, mistakes_told, spread
from benchmarks.retrieval_rows import KS, READ, ROWS, Question, build, kind_of, search
from index.encoders import load_embedder
from index.errors import InputError
from training import report
from training.benchmark_index import open_index
from training.data import load_corpus, load_questions, open_data, question_files
from training.metrics import paired_difference
from training.skills.ranker_data import spread as spread_over

POOLS = (
    ("2wiki_distractor", "dev"),
    ("musique_distractor", "dev"),
    ("musique_distractor", "train,dev"),
    ("hotpotqa_distractor", "dev"),
)
TRAINED = ("ranked",)  # rows that learned from training questions
BASE = "hybrid"  # what each row is compared with
SAMPLE = 20  # questions for networkx
ENCODED = 256  # passages whose encoding is timed


def main() -> None:
    """Measure every pool and print its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, action="append", help="a pool's folder; may be given again")
    parser.add_argument("--split", help="question files, joined by commas (default: dev; MuSiQue: also both)")
    parser.add_argument("--limit", type=int, help="at most N questions of each pool, evenly over it")
    parser.add_argument("--rows", default=",".join(ROWS), help="which, joined by commas")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--untitled", action="store_true", help="leave out the passages' titles")
    options = parser.parse_args()
    with mistakes_told():
        names = report.choices(options.rows, "--rows", ROWS)
        splits = [(data_root() / name, split) for name, split in POOLS]
        if options.data or options.split:
            splits = [
                (f, options.split or "dev") for f in options.data or dict.fromkeys(f for f, _ in splits)
            ]
        todo = [(*one, not options.untitled) for one in splits]
        found = {}
        for folder, split, titles in todo:
            asked = names if "train" not in split else tuple(n for n in names if n not in TRAINED)
            pool = measure_pool(folder, split, options.limit, asked, titles)
            name = f"{folder.name} {split}" + ("" if titles else " untitled")
            found[name] = pool
            report.show(grid(name, pool), markdown=options.markdown)
            print(note(pool), flush=True)
    if options.json:
        report.write_json(report.open_output(options.json), {"pools": found, **facts("retrieval", options)})


def measure_pool(
    folder: Path, split: str, limit: int | None, names: Sequence[str], titles: bool = True
) -> dict[str, Any]:
    """All rows over one pool: row -> values, with the costs of its indexes."""
    data, embedder = open_data(folder), load_embedder()
    files = question_files(data, split)
    known = [e for e in load_questions(*files) if e.supporting and not e.unanswerable]
    examples = spread_over(known, limit or len(known))
    if not examples:
        raise InputError(f"No question of {data.name} names its passages, so there is nothing to measure.")
    corpus = load_corpus(data.root)
    with open_index(data, examples, embedder, titles=titles) as index:
        held = dict(
            index.store.connection.execute(
                "SELECT d.source, p.vector FROM passages p JOIN documents d ON d.id = p.document_id"
            )
        )
    vectors = np.stack([np.frombuffer(held[row.id], dtype=np.float16) for row in corpus]).astype(np.float32)
    passages = [(row.id, row.title if titles else "", row.text) for row in corpus]
    asked, encode_ms = [], []
    embedder.embed([examples[0].question])
    for example in examples:
        began = clock()
        (vector,) = embedder.embed([example.question])
        encode_ms.append((clock() - began) * 1000)
        asked.append(Question(example.question, vector, example.supporting))
    sample = corpus[:: max(1, len(corpus) // ENCODED)]
    began = clock()
    embedder.embed([f"{row.title}\n{row.text}" if titles else row.text for row in sample])
    encoding = (clock() - began) * len(corpus) / len(sample)
    with tempfile.TemporaryDirectory(prefix="forage-bench-") as work:
        costs = {
            kind: alone(build, Path(work) / kind, passages, vectors, kind)
            for kind in sorted({*map(kind_of, names)})
        }
        rows = {}
        for name in names:
            found = alone(
                search, name, Path(work) / kind_of(name), asked[:SAMPLE] if name == "networkx" else asked
            )
            rows[name] = {**found, **costs[kind_of(name)]}
    against(rows)
    return {
        "questions": len(asked),
        "passages": len(corpus),
        "encoding_seconds": round(encoding, 1),
        "encode_ms": spread(encode_ms),
        "rows": rows,
    }


def against(rows: dict[str, dict[str, Any]]) -> None:
    """Adds to each row its paired difference of recall from hybrid; the values of single questions go."""
    values = {name: row.pop("per_question", []) for name, row in rows.items()}
    base = values.get(BASE, [])
    for name, row in rows.items():
        if name != BASE and base and len(values[name]) == len(base):
            row["minus_hybrid"] = paired_difference(values[name], base).to_dict()


def span(gap: dict[str, float] | None) -> str:
    """A difference in points with its interval."""
    return (
        "-"
        if gap is None
        else "{:+.1f} [{:+.1f}, {:+.1f}]".format(*(100 * gap[key] for key in ("mean", "low", "high")))
    )


def grid(name: str, pool: dict[str, Any]) -> report.Grid:
    """The table of a pool."""
    columns = (
        "",
        "R@2",
        "R@5",
        "R@10",
        "R@5 - hybrid",
        "candidates",
        "all@5",
        "ms p50",
        "ms p95",
        "tokens",
        "index s",
        "index MB",
        "peak MB",
    )
    rows = []
    for row, found in pool["rows"].items():
        if "missing" in found:
            rows.append((row, *["-"] * 12))
            continue
        label = row if found["questions"] == pool["questions"] else f"{row} ({found['questions']} questions)"
        rows.append(
            (
                label,
                *[report.percent(found[f"recall@{k}"]) for k in KS],
                span(found.get("minus_hybrid")),
                report.percent(found.get("candidate_recall")),
                report.percent(found[f"all_gold@{READ}"]),
                report.number(found["ms"]["p50"]),
                report.number(found["ms"]["p95"]),
                report.number(found["context_tokens"], 0),
                report.number(found["index_seconds"]),
                report.number(found["index_megabytes"]),
                report.number(found["peak_megabytes"], 0),
            )
        )
    title = f"{name}: {pool['questions']} questions, {pool['passages']} passages"
    return report.Grid(title, columns, tuple(rows))


def note(pool: dict[str, Any]) -> str:
    """What the table leaves out: encoding."""
    graph = max((row.get("graph_seconds", 0.0) for row in pool["rows"].values()), default=0.0)
    encode = pool["encode_ms"]
    return (
        f"Apart from that: encoding a question {encode['p50']:.1f} ms (p95 {encode['p95']:.1f}), encoding the "
        f"passages {pool['encoding_seconds']:.0f} s (from a sample); extraction and graph {graph:.1f} s of the "
        f"index, {graph / pool['encoding_seconds']:.2f} times the encoding.\n"
    )


if __name__ == "__main__":
    main()
