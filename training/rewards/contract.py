"""What a reward sees and what it says: episodes of any policy in, a number or None out.

The records do not know the live agent. The compact policy and the language-model policy are both adapted to
them, so that one reward scores both. Two rules hold everywhere:

- None means "does not apply here" (no gold, no search, no citation). It is never a quiet zero.
- A policy's bad output scores the lowest value of the range. A reward that raises is a bug in the reward
  and is not caught.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from training.rewards.embedding import warm

Score = float | None
Body = Literal["embedded", "llm"]
Level = Literal["episode", "group", "formula"]
Need = Literal["gold", "evidence", "label", "reference", "encoder", "llm", "feedback", "teacher"]
Reads = Literal[
    "answer", "queries", "results", "citations", "verdicts", "cost", "format", "abstention", "calls"
]
Role = Literal["outcome", "process", "cost", "format"]

SEARCHES = frozenset({"search", "search_hybrid", "search_graph", "search_deep", "refine"})


@dataclass(frozen=True, slots=True)
class Passage:
    """One result of a search. `score` is the retriever's own."""

    id: str
    text: str = ""
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One decision of a policy and what came back."""

    action: str
    goal: str = ""
    query: str = ""
    key_entities: tuple[str, ...] = ()
    results: tuple[Passage, ...] = ()
    accepted: bool | None = None  # the policy's own verdict: the results meet the goal
    stop: float | None = None  # the probability that the policy gave to stopping after this search
    relevance: float | None = None  # a teacher's relevance of the results to the gold answer, 0..1
    useful: bool | None = None  # a teacher's label: the results hold what the query asked for
    summary: str = ""  # the notes taken in this step
    tokens: int = 0
    milliseconds: float = 0.0
    valid: bool = True  # the action could be parsed and carried out

    @property
    def searched(self) -> bool:
        return self.action in SEARCHES

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(passage.id for passage in self.results)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A gold passage or a gold triplet."""

    id: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage the answer points to. `supported`: a check found that the span bears the claim."""

    passage_id: str
    quote: str = ""
    start: int = 0
    end: int = 0
    supported: bool | None = None


@dataclass(frozen=True, slots=True)
class Rubric:
    """A statement over entities that a full answer must show. `<E0>` stands for the final answer."""

    statement: str
    entities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool: its name and its arguments by name."""

    name: str
    arguments: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Episode:
    """One run of a policy on one question, with whatever gold is known. Missing gold is empty or None."""

    question: str
    answer: str = ""  # the bare answer
    text: str = ""  # the answer as written, with its sentences; empty: the bare answer is all
    abstained: bool = False
    confidence: float | None = None  # the policy's probability that this answer (or abstention) is right
    citations: tuple[Citation, ...] = ()
    steps: tuple[Step, ...] = ()
    well_formed: bool = True  # the policy's output could be read
    golds: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    answerable: bool | None = None
    knows: bool | None = None  # label: the policy's own knowledge suffices
    search_allowed: bool = True  # False for the probes of SAAS that may not search
    kind: str = ""  # answer type: number, date, yes_no, choice, interval, text; empty: found from the gold
    reference: str = ""  # a long reference answer
    rewrite: str = ""  # the turn's question made self-contained by a person
    distractors: tuple[str, ...] = ()  # texts near the gold answer that are wrong
    rubrics: tuple[Rubric, ...] = ()
    entities: tuple[tuple[str, str], ...] = ()  # gold values of the rubrics' placeholders
    nuggets: tuple[str, ...] = ()
    principle: str = ""  # what a person asks of answers, in plain words
    calls: tuple[Call, ...] = ()
    gold_calls: tuple[Call, ...] | None = None

    @property
    def written(self) -> str:
        """The answer as a person reads it."""
        return self.text or self.answer

    @property
    def searches(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.searched)

    @property
    def retrieved(self) -> dict[str, Passage]:
        """Every passage that was shown, first sight first."""
        found: dict[str, Passage] = {}
        for step in self.steps:
            for passage in step.results:
                found.setdefault(passage.id, passage)
        return found

    @property
    def gold_ids(self) -> frozenset[str]:
        return frozenset(item.id for item in self.evidence)

    @property
    def tokens(self) -> int:
        return sum(step.tokens for step in self.steps)


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward and what a person must know before choosing it.

    `score` takes an Episode ("episode"), a group of episodes of one question ("group", one Score each) or its
    own inputs ("formula", for trainers of rankers and judges). `source`: "code" or "paper" were read at the
    source, "summary" in somebody's account, "ours" is our own formalisation or default.
    """

    name: str
    score: Callable[..., Any]
    low: float
    high: float
    paper: str
    role: Role
    reads: tuple[Reads, ...]
    needs: tuple[Need, ...]
    hack: str
    level: Level = "episode"
    body: Body = "embedded"
    source: Literal["code", "paper", "summary", "ours"] = "ours"
    encodes: Callable[[Episode], Sequence[str]] | None = None  # texts it looks up: all siblings' in one pass


def encode_for(rewards: Sequence[Reward], episodes: Sequence[Episode]) -> None:
    """One pass of the encoder over what these rewards will look up of these episodes."""
    read = [episode for episode in episodes if episode.well_formed]
    warm([t for reward in rewards if reward.encodes is not None for e in read for t in reward.encodes(e)])


def score_group(reward: Reward, episodes: Sequence[Episode]) -> list[Score]:
    """One raw score for each episode of one question.

    What could not be read scores the lowest value, unless the reward has a rule of its own for it.

    Raises ValueError for a "formula" reward, and where a reward breaks its contract (wrong count, not finite):
    such a value must not reach a trainer as if it were a judgement.
    """
    if reward.level == "formula":
        raise ValueError(f"{reward.name} is a formula over its own inputs; it does not score episodes")
    encode_for([reward], episodes)
    if reward.level == "group":
        scores: list[Score] = list(reward.score(episodes))
    else:
        scores = [reward.score(episode) for episode in episodes]
    if len(scores) != len(episodes):
        raise ValueError(f"{reward.name} gave {len(scores)} scores for {len(episodes)} episodes")
    for value in scores:
        if value is not None and not math.isfinite(value):
            raise ValueError(f"{reward.name} gave {value}; a reward is a finite number or None")
    if "format" in reward.reads:
        return scores
    return [
        value if value is None or episode.well_formed else reward.low
        for value, episode in zip(scores, episodes, strict=True)
    ]


def unit(reward: Reward, value: Score) -> Score:
    """A score clipped to its declared range and moved to 0..1; None stays None.

    IKEA's 1.6 in [-1, 1.6] is 1.0, its 0.3 is 0.5.
    """
    if value is None:
        return None
    return min(max((value - reward.low) / (reward.high - reward.low), 0.0), 1.0)


def mean(values: Sequence[float]) -> Score:
    """Plain mean; None of nothing.

    >>> mean([1.0, 0.0]), mean([])
    (0.5, None)
    """
    return sum(values) / len(values) if values else None
