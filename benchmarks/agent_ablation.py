"""What each part of the agent is worth: the whole loop, each part off, and fixed pipelines with the same reader.

    python -m benchmarks.agent_ablation --data DIR [--data DIR ...] --limit 40 --json OUT

Searches and readings of a question are shared between the variants, policies that choose the same actions share the
run, and word vectors and readings are kept beside the evaluation indexes: a table costs little more than its most
thorough variant, a second one a fraction of that. Each question is a line of OUT-<set>.jsonl once done; run again at
the same commit, the lines that are there are not measured again. Seconds are of the first `--alone` questions of each
set, which every variant answers once more by itself, nothing shared and nothing kept.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from agent.agent import Agent
from agent.build import open_agent
from agent.run import Run
from benchmarks.agent_variants import VARIANTS, Variant, answer_of
from index.encoders import load_embedder
from training.answer_scores import Case, check, score
from training.benchmark_index import open_index
from training.data import load_questions, open_data
from training.evaluate_answers import ScopeKind, make_cases
from training.kept import kept_models
from training.metrics import bootstrap, paired_difference
from training.report import Grid, provenance, show, track, write_json
from training.skills.ranker_data import spread

METRICS = ("right", "em", "f1", "evidence_recall", "citation_precision", "abstain_precision", "abstain_recall",
           "searches", "context_tokens", "seconds")  # fmt: skip
TOGETHER = "all together"
GAP = "full_minus_this"
WARM = "Who wrote the report, and when?"


def outcomes(
    agent: Agent,
    cases: Sequence[Case],
    variants: Sequence[Variant],
    clock: Agent | None = None,
    timed: frozenset[str] = frozenset(),
) -> Iterator[dict[str, Any]]:
    """For each question, the metrics of each variant.

    clock: an agent that keeps nothing between questions; it tells the seconds of those in `timed`.
    """
    if clock is not None and cases:  # the first question of a process pays for loading
        answer_of(clock, clock.open_run(WARM, cases[0].scope).tools, variants[0], WARM)
    for case in cases:
        question = agent.rewrite(case.example.question, case.scope, ()).text  # as a person's is understood
        tools = agent.open_run(question, case.scope).tools
        row: dict[str, Any] = {"id": case.example.id}
        known: dict[tuple[str, ...], Run] = {}
        if clock is not None and case.example.id in timed:
            seconds_of(clock, variants[0], case)  # the first to ask pays for pages that are not yet in memory
        for variant in variants:
            answer = answer_of(agent, tools, variant, question, known)
            checks = tuple(check(citation, case, agent.store) for citation in answer.citations)
            row[variant.name] = score(case, answer, checks, 0.0)
            del row[variant.name]["seconds"]
            if clock is not None and case.example.id in timed:
                row[variant.name]["seconds"] = seconds_of(clock, variant, case)
        yield row


def seconds_of(agent: Agent, variant: Variant, case: Case) -> float:
    """How long the variant takes for a question by itself."""
    begun = time.perf_counter()
    question = agent.rewrite(case.example.question, case.scope, ()).text
    answer_of(agent, agent.open_run(question, case.scope).tools, variant, question)
    return time.perf_counter() - begun


def table(rows: Sequence[dict[str, Any]], variants: Sequence[Variant]) -> dict[str, dict[str, Any]]:
    """Means with their 95 % intervals, and the paired differences of the full agent to each in what is right."""
    found: dict[str, dict[str, Any]] = {}
    for variant in variants:
        values = {m: [row[variant.name][m] for row in rows if m in row[variant.name]] for m in METRICS}
        found[variant.name] = {name: bootstrap(listed).to_dict() for name, listed in values.items()}
        ours, theirs = ([row[name]["right"] for row in rows] for name in ("full", variant.name))
        found[variant.name][GAP] = paired_difference(ours, theirs).to_dict()
    return found


def as_markdown(name: str, found: dict[str, dict[str, Any]], count: int) -> str:
    """The table of one question set."""
    base = (found.get("fixed-3-hop") or next(iter(found.values())))["context_tokens"]["mean"] or 1.0
    once = found.get("single-shot", {}).get("seconds", {}).get("mean")
    lines = [
        f"**{name}**, {count} questions",
        "",
        "| variant | right | full minus this [95 %] | EM | F1 | evidence | citations | abst. P | abst. R | searches "
        "| tokens | of fixed-3-hop | seconds, of single-shot |",
        "|---|" + "---:|" * 12,
    ]
    for variant, row in found.items():
        gap = row[GAP]
        cells = [_percent(row["right"]["mean"])]
        cells += [f"{100 * gap['mean']:+.1f} [{100 * gap['low']:+.1f}, {100 * gap['high']:+.1f}]"]
        cells += [_percent(row[metric]["mean"]) for metric in METRICS[1:7]]
        tokens = row["context_tokens"]["mean"]
        cells += [f"{row['searches']['mean']:.2f}", f"{tokens:.0f}", f"{100 * tokens / base:.0f} %"]
        seconds = row.get("seconds", {}).get("mean")
        cells += [f"{seconds / once:.2f}" if seconds and once else "-"]
        lines.append(f"| {variant} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def summary(results: dict[str, dict[str, Any]]) -> Grid:
    """For each set, and all together: the full agent beside both baselines and its nearest rival.

    results: what `main` writes: set -> n, variants.
    """
    return Grid(
        "Share right (%; of sentences their F1), and the full agent less this [95 %, paired]",
        (
            "set",
            "questions",
            "full",
            "single-shot",
            "fixed-3-hop",
            "of its tokens",
            "best other",
            "beaten by",
        ),
        tuple((name, str(found["n"]), *_beside(found["variants"])) for name, found in results.items()),
    )


def _beside(variants: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    """Cells of the summary: means, and the rivals that beat the full agent beyond chance."""
    others = {name: row for name, row in variants.items() if name != "full"}
    best = max(others, key=lambda name: others[name]["right"]["mean"])
    beaten = [name for name, row in others.items() if row[GAP]["high"] < 0]
    full, hops = variants["full"], variants["fixed-3-hop"]
    share = full["context_tokens"]["mean"] / (hops["context_tokens"]["mean"] or 1.0)
    shown = [
        f"{_percent(row['right']['mean'])}, {100 * row[GAP]['mean']:+.1f} "
        f"[{100 * row[GAP]['low']:+.1f}, {100 * row[GAP]['high']:+.1f}]"
        for row in (variants["single-shot"], hops, others[best])
    ]
    told = (shown[0], shown[1], f"{100 * share:.0f} %", f"{best} {shown[2]}", ", ".join(beaten) or "none")
    return (_percent(full["right"]["mean"]), *told)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def earlier(kept: Path | None, commit: str, variants: Sequence[Variant]) -> dict[str, dict[str, Any]]:
    """The questions measured before a cut, by id: lines of the same commit that hold all variants."""
    if kept is None or not kept.is_file():
        return {}
    found = {}
    for line in kept.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:  # cut in the middle of writing
            continue
        if row.pop("commit", None) == commit and all(variant.name in row for variant in variants):
            found[row["id"]] = row
    return found


def main() -> None:
    """Run the variants and print a table for each question set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, action="append", required=True, help="folder of a question set")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--limit", type=int, default=40, help="questions of each set, evenly over its file")
    parser.add_argument("--scope", choices=("pool", "context"), default="pool")
    parser.add_argument(
        "--alone", type=int, default=0, help="questions of each set that are timed, one by one"
    )
    parser.add_argument("--only", help="names of variants, by commas")
    parser.add_argument("--cache", type=Path, help="where the indexes are kept")
    parser.add_argument("--json", type=Path, help="write all results here")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else [variant.name for variant in VARIANTS]
    unknown = set(wanted) - {variant.name for variant in VARIANTS}
    if unknown:
        parser.error(f"unknown variants: {', '.join(sorted(unknown))}")
    variants = [variant for variant in VARIANTS if variant.name in {"full", *wanted}]
    results: dict[str, dict[str, Any]] = {}
    rows: list[dict[str, Any]] = []
    for path in options.data:
        kept = options.json.with_name(f"{options.json.stem}-{path.name}.jsonl") if options.json else None
        results[path.name] = measured(
            path, options.split, options.limit, options.scope, options.cache, variants, kept, options.alone
        )
        print(as_markdown(path.name, results[path.name]["variants"], results[path.name]["n"]), flush=True)
        print()
        rows += results[path.name].pop("questions")
        if options.json:
            write_json(options.json, results)
    if len(results) > 1:
        results[TOGETHER] = {"variants": table(rows, variants), "n": len(rows)}
        print(as_markdown(TOGETHER, results[TOGETHER]["variants"], len(rows)), flush=True)
        if options.json:
            write_json(options.json, results)
    if {"single-shot", "fixed-3-hop"} <= {variant.name for variant in variants}:
        show(summary(results), markdown=True)


def measured(
    path: Path,
    split: str,
    limit: int,
    scope: ScopeKind,
    cache: Path | None,
    variants: Sequence[Variant],
    kept: Path | None,
    alone: int = 0,
) -> dict[str, Any]:
    """All variants on one question set. With `kept`, each question is a line there as soon as it is done."""
    folder = open_data(path)
    name = f"{split}.jsonl"
    examples = load_questions(
        folder.root / name if (folder.root / name).is_file() else folder.root / "questions.jsonl"
    )
    examples = spread(examples, limit)
    with open_index(folder, examples, load_embedder(), cache) as index:
        cases = make_cases(examples, folder, index.locator, scope)
        opened = partial(open_agent, index.store.data_dir, store=index.store, memory=False, durable=False)
        agent, clock = opened(models=kept_models(cache)), opened() if alone else None
        timed = frozenset(case.example.id for case in cases[:alone])
        commit = provenance()["commit"]
        done = earlier(kept, commit, variants)
        left = [case for case in cases if case.example.id not in done]
        for row in track(outcomes(agent, left, variants, clock, timed), len(left), f"asking: {path.name}"):
            done[row["id"]] = row
            if kept is not None:
                with kept.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(row | {"commit": commit}) + "\n")
        rows = [done[case.example.id] for case in cases]
    command = f"python -m benchmarks.agent_ablation --data {folder.name} --limit {limit} --scope {scope}"
    command += f" --alone {alone}" if alone else ""
    return {
        "variants": table(rows, variants),
        "n": len(rows),
        "questions": rows,
        **provenance(command=command, data=folder.name, split=split, scope=scope),
    }


if __name__ == "__main__":
    main()
