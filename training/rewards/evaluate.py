"""How often each reward ranks the better run above the worse one, scenario by scenario.

A pair counts 1 where the better run scores higher, 0.5 for a tie, 0 else; it is averaged over the pairs of one question
before the bootstrap, because they are no independent draws. Pairs that a reward cannot score are counted apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.metrics import Interval, bootstrap
from training.report import Grid
from training.rewards import inspection, speed
from training.rewards.contract import Reward, Score, score_group
from training.rewards.embedding import shared, warm
from training.rewards.scenarios import SCENARIOS, Pair
from training.rewards.sentences import sentences, without_marks

EQUAL = 1e-9
BATCH = 512  # texts encoded at a time


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One reward on one scenario. `ties`: share of the scored pairs it does not tell apart."""

    interval: Interval
    scored: int
    ties: float | None
    not_computable: int


def verdict(reward: Reward, pair: Pair) -> Score:
    """1.0, 0.5 (tie) or 0.0; None where either run cannot be scored."""
    better, worse = score_group(reward, [pair.better, pair.worse])
    if better is None or worse is None:
        return None
    return 0.5 if abs(better - worse) < EQUAL else float(better > worse)


def accuracy(pairs: Sequence[Pair], verdicts: Sequence[Score]) -> Accuracy:
    """Accuracy with its 95 % interval over questions."""
    by_case: dict[str, list[float]] = {}
    for pair, found in zip(pairs, verdicts, strict=True):
        if found is not None:
            by_case.setdefault(f"{pair.source}/{pair.case}", []).append(found)
    known = [found for found in verdicts if found is not None]
    interval = bootstrap([float(np.mean(found)) for found in by_case.values()])
    ties = sum(found == 0.5 for found in known) / len(known) if known else None
    return Accuracy(interval, len(known), ties, len(verdicts) - len(known))


def warm_up(pairs: Iterable[Pair]) -> None:
    """Encode all texts in large batches, so that the rewards find them known, and the passages as an index does."""
    texts: dict[str, None] = {}
    passages: dict[str, None] = {}
    for pair in pairs:
        for episode in (pair.better, pair.worse):
            passages.update(dict.fromkeys(p.text for p in episode.retrieved.values()))
            for text in (episode.written, episode.reference, *(p.text for p in episode.retrieved.values())):
                texts.update(dict.fromkeys(sentences(without_marks(text))))
    known = list(texts)
    for at in range(0, len(known), BATCH):
        warm(known[at : at + BATCH])
    shared().store(dict(zip(passages, shared().embed(list(passages)), strict=True)))


def evaluate(
    rewards: Iterable[Reward], pairs: Sequence[Pair], faults: bool = False
) -> dict[str, dict[str, dict[str, Any]]]:
    """For each reward: each scenario, with `faults` each kind of fault within it, as JSON."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for reward in rewards:
        verdicts = [verdict(reward, pair) for pair in pairs]
        rows: dict[str, dict[str, Any]] = {}
        for scenario in SCENARIOS:
            at = [i for i, pair in enumerate(pairs) if pair.scenario == scenario]
            if not at:
                continue
            rows[scenario] = _row([pairs[i] for i in at], [verdicts[i] for i in at])
            if faults:
                rows[scenario]["kinds"] = {
                    kind: _row(*_of_kind([pairs[i] for i in at], [verdicts[i] for i in at], kind))
                    for kind in dict.fromkeys(pairs[i].kind for i in at)
                }
        found[reward.name] = rows
    return found


def _of_kind(pairs: Sequence[Pair], verdicts: Sequence[Score], kind: str) -> tuple[list[Pair], list[Score]]:
    kept = [i for i, pair in enumerate(pairs) if pair.kind == kind]
    return [pairs[i] for i in kept], [verdicts[i] for i in kept]


def _row(pairs: Sequence[Pair], verdicts: Sequence[Score]) -> dict[str, Any]:
    found = accuracy(pairs, verdicts)
    return {
        "accuracy": {key: _rounded(value) for key, value in found.interval.to_dict().items()},
        "scored": found.scored,
        "ties": _rounded(found.ties),
        "not_computable": found.not_computable,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def grids(result: Mapping[str, Any]) -> list[Grid]:
    """The tables: accuracy by source, what learned rewards know, speed."""
    made = []
    for source, found in result["sources"].items():
        scenarios = [s for s in SCENARIOS if s in found["pairs"]]
        columns = ("Reward", *(f"{s} ({found['pairs'][s]})" for s in scenarios))
        rows = tuple(
            (name, *(_cell(rows.get(s)) for s in scenarios)) for name, rows in found["rewards"].items()
        )
        made.append(
            Grid(
                f"{source}: better run ranked first, % [95 %]; =: % of ties, which count half; "
                "ties: does not see these faults; n/a: pairs not computable",
                columns,
                rows,
            )
        )
    made += inspection.grids(result.get("learned", {}))
    if result.get("speed"):
        made.append(speed.grid(result["speed"]))
    return made


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None or row["accuracy"]["mean"] is None:
        return "-"
    absent = f" n/a {row['not_computable']}" if row["not_computable"] else ""
    if row["ties"] == 1.0:
        return f"ties{absent}"
    mean, low, high = (100 * row["accuracy"][key] for key in ("mean", "low", "high"))
    told = f"{mean:.0f} [{low:.0f}, {high:.0f}]"
    told += f" ={100 * row['ties']:.0f}" if row["ties"] else ""
    return told + absent
