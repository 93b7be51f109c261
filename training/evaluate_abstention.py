"""Does the agent keep silent where the answer is not there, and only there?

Unanswerable questions against answerable ones, each over its own passages. A set whose questions all lack evidence is
paired with its sufficient twins: the same questions of another set, over complete evidence.

- recall: unanswerable questions that were met with an abstention; false abstention: answerable ones that were;
- a question's probability is what the agent gives its best answer, told or withheld;
- recall at 20 % false abstention: where the line of silence stands as high as that allows;
- risk at a coverage: of the share answered first when sorted by that probability, how many answers are wrong (every
  answer to an unanswerable question is); AURC is the mean risk over all coverages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent.build import open_agent
from agent.config import load_settings
from index.errors import InputError
from training.answer_scores import Case
from training.benchmark_index import open_index
from training.data import QAExample, load_questions, open_data
from training.evaluate_answers import make_cases
from training.kept import kept_models
from training.metrics import SEED, bootstrap, exact_match, f1
from training.report import Grid, number, percent, track

COVERAGES = tuple(tenth / 10 for tenth in range(1, 11))
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8)
ALLOWED = 0.2  # false abstention at which recall is told
SAMPLES = 2000
CORRECT = 0.8  # word F1 from which a told answer counts as right (SmartSearch's threshold)


@dataclass(frozen=True, slots=True)
class Reply:
    """One question with what the agent did."""

    set: str
    id: str
    unanswerable: bool
    abstained: bool
    probability: float  # of its best answer
    right: bool  # the answer told is a right one
    f1: float
    searches: int


def replies(data: Path, split: str, cache: Path | None, only: Sequence[QAExample] = ()) -> Iterator[Reply]:
    """The agent's replies to a set's questions, each in its own passages. `only`: these instead of the split's."""
    folder = open_data(data)
    examples = tuple(only) or _questions(data, split)
    with open_index(folder, examples, kept_models(cache)[0], cache) as index:
        cases = make_cases(examples, folder, index.locator, "context")
        agent = open_agent(
            index.store.data_dir, settings=load_settings(index.store.data_dir), store=index.store, memory=False,
            durable=False, models=kept_models(cache),
        )  # fmt: skip
        for case in track(cases, len(cases), f"asking: {folder.name}"):
            answer = agent.run(case.example.question, case.scope).answer
            yield _reply(folder.name, case, answer.abstained, answer.confidence, answer.short,
                         answer.cost.searches)  # fmt: skip


def chosen(data: Path, split: str, limit: int | None) -> tuple[QAExample, ...]:
    """The first `limit` questions, as many unanswerable ones as answerable where the set has both."""
    examples = _questions(data, split)
    if limit is None or limit >= len(examples):
        return examples
    without = [e for e in examples if e.unanswerable]
    having = [e for e in examples if not e.unanswerable]
    half = min(limit // 2, len(having)) if without else limit
    return (*without[: limit - half], *having[:half])


def twins_of(examples: Sequence[QAExample], data: Path, split: str) -> tuple[QAExample, ...]:
    """The same questions in another set, there answerable. InputError where there are none."""
    wanted = {_bare(e.id) for e in examples} | {e.question for e in examples}
    found = tuple(
        e for e in _questions(data, split) if not e.unanswerable and wanted & {_bare(e.id), e.question}
    )
    if not found:
        raise InputError(f"No question of {data.name} is a twin (same id or wording) of the set's questions.")
    return found


def result(found: Sequence[Reply], facts: dict[str, Any]) -> dict[str, Any]:
    """Rates with intervals, the risk-coverage curve and what other thresholds would do."""
    without = [r for r in found if r.unanswerable]
    having = [r for r in found if not r.unanswerable]
    ranked = sorted(found, key=lambda r: -r.probability)
    risks = [1 - sum(r.right for r in ranked[:n]) / n for n in range(1, len(ranked) + 1)]
    return {
        "unanswerable": len(without),
        "answerable": len(having),
        "recall": bootstrap([float(r.abstained) for r in without]).to_dict(),
        "false_abstention": bootstrap([float(r.abstained) for r in having]).to_dict(),
        "f1_answerable": bootstrap([0.0 if r.abstained else r.f1 for r in having]).to_dict(),
        "recall_within": recall_within([r.probability for r in having], [r.probability for r in without]),
        "auroc": auroc([r.probability for r in having], [r.probability for r in without]),
        "aurc": sum(risks) / len(risks) if risks else None,
        "risk_coverage": [
            {"coverage": share, "risk": risks[max(0, round(share * len(risks)) - 1)],
             "probability": ranked[max(0, round(share * len(ranked)) - 1)].probability}
            for share in COVERAGES if risks
        ],
        "thresholds": [
            {"answer_at": at, "recall": _share(r.probability < at for r in without),
             "false_abstention": _share(r.probability < at for r in having)}
            for at in THRESHOLDS
        ],
        **facts,
    }  # fmt: skip


def grids(found: dict[str, Any], name: str) -> tuple[Grid, ...]:
    """The three tables of a result."""
    rates = tuple(
        (label, *(percent(found[key][part]) for part in ("mean", "low", "high")))
        for label, key in (
            ("abstention recall", "recall"),
            ("false abstention", "false_abstention"),
            ("F1 of answerable", "f1_answerable"),
        )
    )
    if (best := found["recall_within"]) is not None:
        label = f"recall at {percent(ALLOWED)} % false abstention, line {best['answer_at']:.3f}"
        rates += ((label, *(percent(best[part]) for part in ("mean", "low", "high"))),)
    title = f"{name}: {found['unanswerable']} unanswerable, {found['answerable']} answerable"
    curve = tuple(
        (percent(p["coverage"]), percent(p["risk"]), number(p["probability"], 3))
        for p in found["risk_coverage"]
    )
    other = tuple(
        (number(t["answer_at"], 2), percent(t["recall"]), percent(t["false_abstention"]))
        for t in found["thresholds"]
    )
    areas = f"AURC {number(found['aurc'], 3)}, AUROC answerable against not {number(found['auroc'], 3)}"
    return (
        Grid(title, ("%", "mean", "low", "high"), rates),
        Grid(f"Risk and coverage ({areas})", ("coverage", "risk", "probability"), curve),
        Grid("Other thresholds", ("answer at", "recall", "false abstention"), other),
    )


def recall_within(
    having: Sequence[float], without: Sequence[float], allowed: float = ALLOWED
) -> dict[str, float] | None:
    """Recall where silence begins as high as `allowed` false abstention lets it, with its 95 % interval; None without
    one of the two.

    having, without: probabilities of answerable and of unanswerable questions. The line is found anew in every
    bootstrap sample, so its choice on these very questions is in the interval.

    >>> recall_within([0.1, 0.3, 0.5, 0.7, 0.9], [0.2, 0.2, 0.4, 0.1])["mean"]
    0.75
    """
    if not having or not without:
        return None

    def best(positive: np.ndarray, negative: np.ndarray) -> tuple[float, float]:
        line = float(np.sort(positive)[int(allowed * len(positive))])
        return line, float((negative < line).mean())

    told, kept = np.array(having), np.array(without)
    random = np.random.default_rng(SEED)
    drawn = [best(random.choice(told, len(told)), random.choice(kept, len(kept)))[1] for _ in range(SAMPLES)]
    line, mean = best(told, kept)
    low, high = np.percentile(drawn, (2.5, 97.5)).tolist()
    return {"answer_at": line, "mean": mean, "low": low, "high": high}


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Share of pairs in which the positive one stands higher, ties half; None without a pair.

    >>> auroc([0.9, 0.5], [0.5, 0.1])
    0.875
    """
    if not positive or not negative:
        return None
    wins = sum((p > n) + (p == n) / 2 for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


def _reply(name: str, case: Case, abstained: bool, confidence: float, short: str, searches: int) -> Reply:
    example = case.example
    told, gold = "" if abstained else short, () if example.unanswerable else example.answers
    likeness = f1(told, gold)
    return Reply(
        name, example.id, example.unanswerable, abstained, 1 - confidence if abstained else confidence,
        bool(exact_match(told, gold)) or likeness >= CORRECT, likeness, searches,
    )  # fmt: skip


def _questions(data: Path, split: str) -> tuple[QAExample, ...]:
    return tuple(load_questions(open_data(data).root / f"{split}.jsonl"))


def _bare(identity: str) -> str:
    return identity.split("-", 1)[-1]


def _share(values: Iterator[bool]) -> float | None:
    held = list(values)
    return sum(held) / len(held) if held else None
