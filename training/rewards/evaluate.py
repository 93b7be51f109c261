"""How often each reward ranks the better run above the worse one, scenario by scenario, and what it costs.

A pair counts 1 where the better run scores higher, 0.5 for a tie, 0 else; it is averaged over the pairs of one question
before the bootstrap, because they are no independent draws. Pairs that a reward cannot score are counted apart.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from training.metrics import Interval, bootstrap
from training.report import Grid
from training.rewards.contract import Episode, Reward, Score, score_group
from training.rewards.embedding import warm
from training.rewards.guards import sentences, without_marks
from training.rewards.scenarios import SCENARIOS, Pair

EQUAL = 1e-9
BATCH = 512  # texts encoded at a time
ALONE = "(the encoder alone)"
GROUP = 8  # siblings scored together in the table of speed


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One reward on one scenario. `ties`: share of the scored pairs it does not tell apart."""

    interval: Interval
    scored: int
    ties: float | None
    not_computable: int


@dataclass(frozen=True, slots=True)
class Speed:
    """Processor milliseconds of one answer: mean and 95th percentile over groups of siblings."""

    mean: float
    p95: float
    answers: int


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
    """Encode all texts in large batches, so that the rewards find them known."""
    texts: dict[str, None] = {}
    for pair in pairs:
        for episode in (pair.better, pair.worse):
            for text in (episode.written, episode.reference, *(p.text for p in episode.retrieved.values())):
                texts.update(dict.fromkeys(sentences(without_marks(text))))
    known = list(texts)
    for at in range(0, len(known), BATCH):
        warm(known[at : at + BATCH])


def evaluate(rewards: Iterable[Reward], pairs: Sequence[Pair]) -> dict[str, dict[str, dict[str, Any]]]:
    """For each reward: each scenario (and each kind within it) as JSON."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for reward in rewards:
        verdicts = [verdict(reward, pair) for pair in pairs]
        rows: dict[str, dict[str, Any]] = {}
        for scenario in SCENARIOS:
            at = [i for i, pair in enumerate(pairs) if pair.scenario == scenario]
            if not at:
                continue
            rows[scenario] = _row([pairs[i] for i in at], [verdicts[i] for i in at])
            kinds = dict.fromkeys(pairs[i].kind for i in at)
            rows[scenario]["kinds"] = {
                kind: _row(*_of_kind([pairs[i] for i in at], [verdicts[i] for i in at], kind))
                for kind in kinds
            }
        found[reward.name] = rows
    return found


def _of_kind(pairs: Sequence[Pair], verdicts: Sequence[Score], kind: str) -> tuple[list[Pair], list[Score]]:
    kept = [i for i, pair in enumerate(pairs) if pair.kind == kind]
    return [pairs[i] for i in kept], [verdicts[i] for i in kept]


def _row(pairs: Sequence[Pair], verdicts: Sequence[Score]) -> dict[str, Any]:
    found = accuracy(pairs, verdicts)
    return {
        "accuracy": found.interval.to_dict(),
        "scored": found.scored,
        "ties": found.ties,
        "not_computable": found.not_computable,
    }


_marks = itertools.count()


def speed(reward: Reward, pairs: Sequence[Pair], groups: int) -> Speed:
    """Processor time of scoring groups of eight new answers of one question, whose reference is known already.

    Each sentence carries a number that no text had before, so that no cache helps. All cores are counted together.
    """
    spent = []
    for pair in itertools.islice(itertools.cycle(pairs), groups):
        siblings = [_fresh(pair.better if at % 2 else pair.worse, next(_marks)) for at in range(GROUP)]
        score_group(reward, [pair.better])  # the question, its reference and its passages
        began = time.process_time()
        score_group(reward, siblings)
        spent.append(1000 * (time.process_time() - began) / GROUP)
    return Speed(float(np.mean(spent)), float(np.quantile(spent, 0.95)), groups * GROUP)


def encoder_alone(pairs: Sequence[Pair], groups: int) -> Speed:
    """The measure for `speed`: one pass of the encoder over as many new answers, each as one text."""
    spent = []
    for pair in itertools.islice(itertools.cycle(pairs), groups):
        siblings = [_fresh(pair.better if at % 2 else pair.worse, next(_marks)) for at in range(GROUP)]
        began = time.process_time()
        warm([episode.written for episode in siblings])
        spent.append(1000 * (time.process_time() - began) / GROUP)
    return Speed(float(np.mean(spent)), float(np.quantile(spent, 0.95)), groups * GROUP)


def _fresh(episode: Episode, mark: int) -> Episode:
    """The same run in words that were never encoded."""
    told = sentences(without_marks(episode.written)) or ["Nothing."]
    return replace(episode, text=" ".join(f"{sentence.rstrip('.')} ({mark})." for sentence in told))


def grids(result: Mapping[str, Any]) -> list[Grid]:
    """The tables: accuracy by source, then speed."""
    made = []
    for source, found in result["sources"].items():
        scenarios = [s for s in SCENARIOS if s in found["pairs"]]
        columns = ("Reward", *(f"{s} ({found['pairs'][s]})" for s in scenarios))
        rows = tuple(
            (name, *(_cell(rows.get(s)) for s in scenarios)) for name, rows in found["rewards"].items()
        )
        made.append(
            Grid(f"{source}: better run ranked first, % [95 %], ties, pairs not computable", columns, rows)
        )
    if result.get("speed"):
        alone = result["speed"][ALONE]["mean"]
        timed = tuple(
            (n, f"{s['mean']:.1f}", f"{s['p95']:.1f}", f"{s['mean'] / alone:.2f}")
            for n, s in result["speed"].items()
        )
        title = f"Processor time of one answer never seen before, ms ({result['words']:.0f} words on average)"
        made.append(Grid(title, ("Reward", "mean", "p95", "against the encoder"), timed))
    return made


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None or row["accuracy"]["mean"] is None:
        return "-"
    mean, low, high = (100 * row["accuracy"][key] for key in ("mean", "low", "high"))
    told = f"{mean:.0f} [{low:.0f}, {high:.0f}]"
    told += f" ={100 * row['ties']:.0f}" if row["ties"] else ""
    return told + (f" n/a {row['not_computable']}" if row["not_computable"] else "")
