"""Measures the whole agent on questions with known answers: quality, evidence, abstention and cost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

from agent.types import Citation, Trajectory
from index.errors import ForageError, InputError
from index.store import Store
from index.types import Scope
from training.answer_scores import Case, CitationCheck, check, failed, score
from training.data import DataFolder, QAExample
from training.evidence import GoldLocator
from training.metrics import SEED, Interval, bootstrap
from training.report import Grid, number, percent

ScopeKind = Literal["pool", "context"]
METRICS = (
    "em",
    "f1",
    "evidence_recall",
    "citation_precision",
    "abstain_precision",
    "abstain_recall",
    "searches",
    "context_tokens",
    "seconds",
)
EXTRA = ("citation_valid", "right")
_COUNTED = {"searches", "context_tokens", "seconds"}  # not shares: printed as they are


class Asks(Protocol):
    """The part of the agent that is measured."""

    def run(self, question: str, scope: Scope = ...) -> Trajectory: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question answered and scored. A metric that does not apply is absent."""

    case: Case
    trajectory: Trajectory | None  # None: the run failed with `error`
    checks: tuple[CitationCheck, ...]
    metrics: dict[str, float]
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The question's line of the JSON Lines file."""
        example = self.case.example
        covered = {key for check in self.checks for key in check.covers}
        answer = self.trajectory.answer if self.trajectory else None
        steps = self.trajectory.steps if self.trajectory else ()
        return {
            "id": example.id,
            "type": example.type,
            "question": example.question,
            "gold": list(example.answers),
            "unanswerable": example.unanswerable,
            "kind": answer.kind if answer else "error",
            "answer": answer.text if answer else "",
            "short": answer.short if answer else "",
            "confidence": answer.confidence if answer else 0.0,
            "stopped": answer.stopped if answer else "",
            "error": self.error,
            "citations": [_citation_record(c, k) for c, k in self._cited()],
            "evidence_found": [gold.key for gold in self.case.gold if gold.key in covered],
            "evidence_missed": [gold.key for gold in self.case.gold if gold.key not in covered],
            "metrics": self.metrics,
            "stages": [{"stage": s.stage, "seconds": s.seconds, "summary": s.summary} for s in steps],
        }

    def _cited(self) -> Iterator[tuple[Citation, CitationCheck]]:
        citations = self.trajectory.answer.citations if self.trajectory else ()
        return zip(citations, self.checks, strict=True)


def make_cases(
    examples: Sequence[QAExample], data: DataFolder, locator: GoldLocator, kind: ScopeKind
) -> tuple[Case, ...]:
    """Questions with their scope. With `context`, those that name no passages of their own are left out;
    InputError where none is left."""
    cases = []
    for example in examples:
        documents: tuple[str, ...] = ()
        if kind == "context":
            files = tuple(dict.fromkeys(item.source for item in example.evidence))
            documents = locator.document_ids(example.own_scope or files)
            if not documents:
                continue
        cases.append(Case(example, locator.gold_of(example), Scope((data.name,), documents)))
    if not cases:
        raise InputError(
            f"None of the {len(examples)} questions names passages of its own (`context`, `supporting` or "
            "`evidence`), so --scope context has nothing to ask. Use --scope pool."
        )
    return tuple(cases)


def typed_in_lower_case(examples: Sequence[QAExample]) -> tuple[QAExample, ...]:
    """The same questions without a capital letter."""
    return tuple(replace(example, question=example.question.lower()) for example in examples)


def evaluate(agent: Asks, store: Store, cases: Sequence[Case], workers: int = 1) -> Iterator[Outcome]:
    """Outcomes in the order of the cases, as they become ready. The first question is asked once more
    beforehand: loading the models is no part of answering."""
    ask: Callable[[Case], Outcome] = partial(_run, agent, store)
    for case in cases[:1]:
        ask(case)
    if workers == 1:
        yield from map(ask, cases)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="question") as pool:
        yield from pool.map(ask, cases)


def _run(agent: Asks, store: Store, case: Case) -> Outcome:
    began = time.perf_counter()
    try:
        trajectory = agent.run(case.example.question, case.scope)
    except ForageError as error:  # one question failed; the others still count
        return Outcome(case, None, (), failed(case, time.perf_counter() - began), str(error))
    seconds = time.perf_counter() - began
    checks = tuple(check(citation, case, store) for citation in trajectory.answer.citations)
    return Outcome(case, trajectory, checks, score(case, trajectory.answer, checks, seconds))


def result(outcomes: Sequence[Outcome], facts: dict[str, Any]) -> dict[str, Any]:
    """The JSON of a run. Shares are fractions from 0 to 1."""
    kinds = sorted({outcome.case.example.type for outcome in outcomes})
    groups = {kind: [o for o in outcomes if o.case.example.type == kind] for kind in kinds}
    return {
        **{name: interval.to_dict() for name, interval in _intervals(outcomes).items()},
        "n": len(outcomes),
        "by_type": {
            kind or "(none)": {name: i.mean for name, i in _intervals(group).items()} | {"n": len(group)}
            for kind, group in groups.items()
        },
        "failed": sum(bool(outcome.error) for outcome in outcomes),
        "seed": SEED,
        **facts,
    }


def grids(result: dict[str, Any], name: str) -> tuple[Grid, ...]:
    """The tables of a run: every metric with its interval, then the means by question type."""
    names = (*METRICS, *EXTRA)
    rows = tuple(
        (metric, _shown(metric, found["mean"]), _shown(metric, found["low"]), _shown(metric, found["high"]))
        for metric in names
        for found in (result[metric],)
    )
    main = Grid(f"{name}: {result['n']} questions", ("metric", "mean", "low", "high"), rows)
    columns = {
        "em": "EM",
        "f1": "F1",
        "evidence_recall": "evid.",
        "citation_precision": "cite",
        "abstain_recall": "abst.",
        "right": "right",
        "searches": "search",
        "seconds": "s",
    }
    by_type = tuple(
        (kind, str(group["n"]), *[_shown(metric, group[metric]) for metric in columns])
        for kind, group in result["by_type"].items()
    )
    return main, Grid("By type of question", ("type", "n", *columns.values()), by_type)


def collect(outcomes: Iterable[Outcome], path: Path | None) -> tuple[Outcome, ...]:
    """All outcomes. With a path, each is a JSON line there as soon as it is known: an interrupted run
    keeps its work."""
    if path is None:
        return tuple(outcomes)
    kept = []
    with path.open("w", encoding="utf-8") as lines:
        for outcome in outcomes:
            lines.write(json.dumps(outcome.to_dict(), ensure_ascii=False) + "\n")
            lines.flush()
            kept.append(outcome)
    return tuple(kept)


def _intervals(outcomes: Sequence[Outcome]) -> dict[str, Interval]:
    return {
        name: bootstrap([o.metrics[name] for o in outcomes if name in o.metrics])
        for name in (*METRICS, *EXTRA)
    }


def _citation_record(citation: Citation, checked: CitationCheck) -> dict[str, Any]:
    kept = ("number", "source", "title", "page", "start", "end", "quote")
    record = {name: value for name, value in asdict(citation).items() if name in kept}
    return record | {
        "supported": checked.supported,
        "valid": checked.valid,
        "in_gold": checked.in_gold,
        "covers": sorted(checked.covers),
    }


def _shown(metric: str, value: float | None) -> str:
    return number(value, 2) if metric in _COUNTED else percent(value)
