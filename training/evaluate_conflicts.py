"""Where passages disagree: which answers the agent tells, against majority voting by the same reader.

RAMDocs (arXiv 2504.13079) gives each question passages that support one or several right answers, passages that
support a false one, and noise. Both sides see the same retrieved passages of the question.

- supported: share of the right answers that are told; misinformation: questions in which a false one is told;
- strict: all right answers and no false one, as RAMDocs counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.agent import Agent
from agent.build import open_agent
from agent.config import load_settings
from agent.matching import stems
from agent.reader_model import ReaderModel
from index.errors import InputError
from index.types import Scope
from training.benchmark_index import open_index
from training.data import load_questions, open_data
from training.evaluate_answers import make_cases
from training.kept import kept_models
from training.metrics import bootstrap, f1, normalize, paired_difference
from training.report import Grid, percent, track

SIDES = ("agent", "majority", "any vote")
MEASURES = ("supported", "misinformation", "strict")
VOTES_FROM = 0.5  # probability of an answer from which a passage has a vote
SAME = 0.5  # word F1 from which a told answer is a gold one


@dataclass(frozen=True, slots=True)
class Told:
    """What each side tells for one question, and how it scores."""

    id: str
    answers: dict[str, tuple[str, ...]]
    scores: dict[str, dict[str, float]]
    gold: tuple[str, ...]
    wrong: tuple[str, ...]


def compare(data: Path, split: str, limit: int | None, cache: Path | None) -> Iterator[Told]:
    """Each question answered by the agent and by the vote. InputError where no question names wrong answers."""
    folder, models = open_data(data), kept_models(cache)
    examples = [e for e in load_questions(folder.root / f"{split}.jsonl") if "wrong_answers" in e.meta][
        :limit
    ]
    if not examples or models[1] is None:
        raise InputError(
            f"{data.name} names no `wrong_answers` in `meta`, or no trained reader ships; conflicts cannot be scored."
        )
    with open_index(folder, examples, models[0], cache) as index:
        cases = make_cases(examples, folder, index.locator, "context")
        agent = open_agent(
            index.store.data_dir, settings=load_settings(index.store.data_dir), store=index.store, memory=False,
            durable=False, models=models,
        )  # fmt: skip
        for case in track(cases, len(cases), f"asking: {folder.name}"):
            example = case.example
            answer = agent.run(example.question, case.scope).answer
            votes = ballots(agent, models[1], example.question, case.scope)
            most = max((count for _, count in votes), default=0)
            told = {
                "agent": () if answer.abstained else (answer.short, *answer.others),
                "majority": tuple(text for text, count in votes if count == most),
                "any vote": tuple(text for text, _ in votes),
            }
            wrong = tuple(example.meta["wrong_answers"])
            scores = {side: scored(said, example.answers, wrong) for side, said in told.items()}
            yield Told(example.id, told, scores, example.answers, wrong)


def ballots(agent: Agent, reader: ReaderModel, question: str, scope: Scope) -> list[tuple[str, int]]:
    """(answer, passages that give it), most first: every retrieved passage read on its own, like answers counted
    together."""
    config = agent.settings.agent
    hits = agent.searcher.search(question, config.top_k, config.mode, scope)
    readings = reader.read(question, [f"{hit.passage.title}\n{hit.passage.text}" for hit in hits])
    said = [r.answer for r in readings if r.answered >= VOTES_FROM and r.answer.strip()]
    groups: list[list[str]] = []
    for answer in said:
        own = stems(answer)
        group = next((g for g in groups if own <= stems(g[0]) or stems(g[0]) <= own), None)
        if group is None:
            groups.append([answer])
        else:
            group.append(answer)
    return sorted(((Counter(g).most_common(1)[0][0], len(g)) for g in groups), key=lambda pair: -pair[1])


def scored(told: Sequence[str], gold: Sequence[str], wrong: Sequence[str]) -> dict[str, float]:
    """MEASURES of one question.

    >>> scored(["Chess", "football"], ["Football"], ["Chess"])
    {'supported': 1.0, 'misinformation': 1.0, 'strict': 0.0}
    """
    supported = sum(_told(answer, told) for answer in gold) / len(gold)
    misled = any(_told(answer, told) for answer in wrong)
    return {
        "supported": supported,
        "misinformation": float(misled),
        "strict": float(supported == 1 and not misled),
    }


def result(found: Sequence[Told], facts: dict[str, Any]) -> dict[str, Any]:
    """Means with intervals of each side, and the paired difference of the agent to majority voting."""
    sides = {
        side: {m: bootstrap([one.scores[side][m] for one in found]).to_dict() for m in MEASURES}
        for side in SIDES
    }
    against = {
        m: paired_difference(
            [one.scores["agent"][m] for one in found], [one.scores["majority"][m] for one in found]
        ).to_dict()
        for m in MEASURES
    }
    told = {side: sum(len(one.answers[side]) for one in found) / len(found) for side in SIDES}
    return {"n": len(found), "sides": sides, "agent_minus_majority": against, "answers_told": told, **facts}


def grids(found: dict[str, Any], name: str) -> tuple[Grid, ...]:
    """One table: a row for each side."""
    rows = [
        (side, *(_interval(values[m]) for m in MEASURES), f"{found['answers_told'][side]:.2f}")
        for side, values in found["sides"].items()
    ]
    gap = found["agent_minus_majority"]
    rows.append(("agent - maj.", *(_interval(gap[m]) for m in MEASURES), ""))
    return (
        Grid(f"{name}: {found['n']} questions", ("%", "supported", "misinf.", "strict", "told"), tuple(rows)),
    )


def _interval(value: dict[str, float | None]) -> str:
    low, high = (round(100 * (value[end] or 0.0)) for end in ("low", "high"))
    return f"{percent(value['mean'])} [{low}, {high}]"


def _told(answer: str, told: Sequence[str]) -> bool:
    wanted = normalize(answer)
    return any(f1(said, (answer,)) >= SAME or f" {wanted} " in f" {normalize(said)} " for said in told)
