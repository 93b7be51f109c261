"""What learned rewards know of an answer, and whether they know when they do not know (MRMBench, arXiv 2511.12464).

Two tables of `forage eval rewards`. *Probes*: for each fault of the scenarios, how well a linear probe tells right
answers from faulty ones by the vectors that a reward sees; a question is never on both sides of a split. *Confidence*:
the accuracy of a learned reward on the half of the pairs whose answers lie nearest to those it was trained on, and on
the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from training.metrics import bootstrap
from training.report import Grid
from training.rewards.contract import Episode, score_group
from training.rewards.learned import Matrix, features
from training.rewards.learned_rows import Trained
from training.rewards.probes import FOLDS, Confidence, probe
from training.rewards.scenarios import Pair

FEWEST = 2 * FOLDS  # questions a probe needs
ANSWER, BOTH = "the answer's vector", "question and answer"
HALVES = ("surer half", "the rest")


def inspected(models: Sequence[Trained], sources: Mapping[str, Sequence[Pair]]) -> dict[str, Any]:
    """Both tables as JSON: probes over all sources, confidence by source. Empty without a learned reward."""
    if not models:
        return {}
    told = {source: [pair for pair in pairs if _differs(pair)] for source, pairs in sources.items()}
    return {
        "probes": probes(models, [pair for pairs in told.values() for pair in pairs]),
        "confidence": {
            source: {one.name: halves(one, pairs) for one in models}
            for source, pairs in told.items()
            if len(pairs) > 1
        },
    }


def _differs(pair: Pair) -> bool:
    """Both runs answer, in different words: what a reward that sees the answer alone could tell apart."""
    better, worse = pair.better, pair.worse
    return better.written != worse.written and not (better.abstained or worse.abstained)


def probes(models: Sequence[Trained], pairs: Sequence[Pair]) -> dict[str, Any]:
    """For each kind of fault: the number of pairs, and by representation accuracy, control, majority.

    A fault found in fewer than eight questions is left out.
    """
    found: dict[str, Any] = {}
    for kind in dict.fromkeys(pair.kind for pair in pairs):
        told = [pair for pair in pairs if pair.kind == kind]
        groups = [f"{pair.source}/{pair.case}" for pair in told for _ in range(2)]
        if len(set(groups)) < FEWEST:
            continue
        rows = _rows([run for pair in told for run in (pair.better, pair.worse)])
        width = rows.shape[1] // 4  # features are question, answer, difference, product and three numbers
        seen = {ANSWER: rows[:, width : 2 * width], BOTH: rows}
        seen |= {one.name: one.model.hidden(rows).astype(np.float32) for one in models}
        labels = {kind: [1, 0] * len(told)}
        found[kind] = {
            "pairs": len(told),
            "by": {n: asdict(probe(v.astype(float), labels, groups=groups)[kind]) for n, v in seen.items()},
        }
    return found


def halves(one: Trained, pairs: Sequence[Pair]) -> dict[str, Any]:
    """Accuracy on the pairs that the reward is surer of and on the rest; a pair is as sure as its less sure answer."""
    asked = [e.question for e in one.examples]
    known = np.concatenate(
        [features(asked, [e.better for e in one.examples]), features(asked, [e.worse for e in one.examples])]
    )
    confidence = Confidence(one.model.hidden(known), [1] * len(asked) + [0] * len(asked))
    sure = [min(confidence(one.model.hidden(_rows([pair.better, pair.worse])))) for pair in pairs]
    verdicts = []
    for pair in pairs:
        better, worse = (score or 0.0 for score in score_group(one.reward, [pair.better, pair.worse]))
        verdicts.append(0.5 if better == worse else float(better > worse))
    middle = float(np.median(sure))
    kept = ([s >= middle for s in sure], [s < middle for s in sure])
    return {
        name: bootstrap([v for v, keep in zip(verdicts, half, strict=True) if keep]).to_dict()
        for name, half in zip(HALVES, kept, strict=True)
    }


def _rows(runs: Sequence[Episode]) -> Matrix:
    return features([run.question for run in runs], [run.written for run in runs])


def grids(found: Mapping[str, Any]) -> list[Grid]:
    """The two tables; none where nothing was learned."""
    if not found:
        return []
    names = list(next(iter(found["probes"].values()))["by"]) if found["probes"] else []
    rows = tuple(
        (f"{kind} ({row['pairs']})", *(_probe(row["by"][name]) for name in names))
        for kind, row in found["probes"].items()
    )
    sure = tuple(
        (f"{source}, {name}", *(_percent(row[half]) for half in HALVES))
        for source, models in found["confidence"].items()
        for name, row in models.items()
    )
    return [
        Grid(
            "What vectors know: linear probes for each fault, % right (shuffled labels); 50 is chance",
            ("Fault (pairs)", *names), rows,
        ),
        Grid(
            "Do learned rewards know when they do not know? Better run first, % [95 %]",
            ("Source, reward", *HALVES), sure,
        ),
    ]  # fmt: skip


def _probe(found: Mapping[str, float]) -> str:
    return f"{100 * found['accuracy']:.0f} ({100 * found['control']:.0f})"


def _percent(interval: Mapping[str, float | None]) -> str:
    if interval["mean"] is None:
        return "-"
    mean, low, high = (100 * (interval[key] or 0.0) for key in ("mean", "low", "high"))
    return f"{mean:.0f} [{low:.0f}, {high:.0f}]"
