"""Policies: what the agent does next is the choice of a replaceable body behind one small protocol.

A policy sees a `Situation` (named numbers, the legal actions, a readable account for language models) and returns
a `Choice` with a probability for each legal action. Rules, fixed baselines, a trained network and a language model
all answer to the same protocol; the run checks that the choice is legal and records it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from agent.thread import ANSWER_AT, SETTLED_AT, STOP_AT

ACTIONS = ("memory", "answer", "hybrid", "graph", "deep", "refine", "next_goal", "abstain")
LEVELS = ("hybrid", "graph", "deep")  # searches, cheapest first
FINAL = ("memory", "answer", "abstain")  # these end the question

FEATURES = (
    # the question
    "question_words", "question_names", "nesting", "wants_person", "wants_place", "wants_date", "wants_number",
    "wants_yes_no", "wants_choice", "wants_reason", "wants_thing", "compares",
    # how the collection speaks of it (WiTQA): passages with its rarest name, with name and relation together
    "corpus_size", "name_frequency", "pair_frequency", "rarest_word", "absent_names",
    # the gate's probabilities, and what memory offers
    "gate_search", "gate_memory", "gate_knows", "gate_hopeless", "has_model",
    "memory_match", "memory_value", "memory_verified",
    # where the run stands
    "searches", "goals", "asked_here", "goal_searched", "refined", "level", "on_part", "parts_left", "next_same",
    # the last search
    "top_score", "second_score", "score_margin", "mean_score", "entropy", "mass_top", "hits", "documents",
    "novelty", "overlap", "new_sentences", "query_novelty",
    # the judge
    "probability", "thread_probability", "whole_probability", "probability_change", "rival_probability",
    "probability_margin", "goal_met", "useful",
    # the reader and the evidence chain
    "read", "read_none", "agreement", "agreement_mass", "rival", "answer_words", "coverage", "names_covered",
    "relation_covered", "missing_share", "joined", "links",
    # notes
    "notes", "contradiction", "stagnation", "answer_changed",
    # budget left, as shares
    "searches_left", "steps_left", "seconds_left", "tokens_left",
)  # fmt: skip
_INDEX = {name: at for at, name in enumerate(FEATURES)}


@dataclass(frozen=True, slots=True)
class Situation:
    """What a policy decides on. Values are in the order of FEATURES, most between 0 and 1, all finite."""

    values: tuple[float, ...]
    legal: tuple[str, ...]  # never empty, in the order of ACTIONS
    question: str = ""
    goal: str = ""
    notes: tuple[str, ...] = ()  # claims held so far
    missing: tuple[str, ...] = ()  # words of the question that no evidence covers
    past: tuple[str, ...] = ()  # a line for each finished step
    vector: tuple[float, ...] | None = None  # of the question, unit length
    earlier: tuple[tuple[tuple[float, ...], str], ...] = ()  # values of each former decision, and its action

    def __getitem__(self, feature: str) -> float:
        return self.values[_INDEX[feature]]

    @property
    def features(self) -> dict[str, float]:
        """Feature name -> value."""
        return dict(zip(FEATURES, self.values, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Situation:
        """The inverse of `to_dict`, also after JSON."""
        vector = raw.get("vector")
        earlier = tuple((tuple(values), str(action)) for values, action in raw.get("earlier", ()))
        listed = {key: tuple(raw[key]) for key in ("values", "legal", "notes", "missing", "past")}
        return cls(**{**raw, **listed, "vector": tuple(vector) if vector is not None else None,
                      "earlier": earlier})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """An action with the probability of every legal one. `error`: a mistake of a model on the way to it."""

    action: str
    probabilities: dict[str, float]
    rationale: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    error: str = ""


class Policy(Protocol):
    """Decides what to do next. One object serves many questions at once: it keeps nothing between calls."""

    @property
    def name(self) -> str:
        """What people call it: "rules", "always-single", the name of a trained one."""
        ...

    @property
    def fingerprint(self) -> str:
        """Short hash: equal fingerprints decide equally."""
        ...

    def decide(self, situation: Situation) -> Choice:
        """One of `situation.legal`."""
        ...


def certain(action: str, legal: tuple[str, ...], rationale: str = "") -> Choice:
    """The choice of a policy without doubts."""
    return Choice(action, {option: float(option == action) for option in legal}, rationale)


# What the gate settles before any search: the action, the probability that speaks for it, and why.
GATED = (
    ("memory", "gate_memory", "An earlier, verified answer fits."),
    ("answer", "gate_knows", "The language model knows this."),
    ("abstain", "gate_hopeless", "The collection never mentions what the question is about."),
)


def gate_choice(situation: Situation, features: Collection[str] | None = None) -> Choice | None:
    """What the gate settles; None after a search or where it leaves the matter open. `features`: heed these only."""
    if situation["searches"]:
        return None
    for action, feature, why in GATED:
        heeded = features is None or feature in features
        if heeded and action in situation.legal and situation[feature] > 0.5:
            return certain(action, situation.legal, why)
    return None


def described(situation: Situation) -> bool:
    """Whether the question describes a thing that no passage found so far tells, and the next goal is to find it."""
    return bool(situation["parts_left"] and not situation["compares"] and "next_goal" in situation.legal)


@dataclass(frozen=True, slots=True)
class Rules:
    """Searches until the judge is content, walks to the next document while something is missing, and answers
    where an answer is more likely right than a threshold says."""

    level: str = "graph"
    stop_at: float = STOP_AT
    settled_at: float = SETTLED_AT
    answer_at: float = ANSWER_AT
    name: str = field(default="rules", init=False)

    @property
    def fingerprint(self) -> str:
        """Of the thresholds."""
        return digest(asdict(self))

    def decide(self, situation: Situation) -> Choice:
        """See the class."""
        legal = situation.legal
        early = gate_choice(situation)
        if early is not None:
            return early
        if not situation["goal_searched"] and self.level in legal:
            return certain(self.level, legal, "This goal has not been searched yet.")
        if situation["goal_searched"]:
            step = self._further(situation)
            if step is not None and step in legal:
                missing = ", ".join(situation.missing) or "weak evidence"
                return certain(step, legal, f"Not enough yet: {missing}.")
        return conclude(situation, self.answer_at)

    def _further(self, situation: Situation) -> str | None:
        """next_goal, refine, or None when it is time to conclude."""
        if situation["absent_names"]:
            return None
        if situation["compares"]:
            return self._further_comparing(situation)
        if described(situation):
            return "next_goal"
        if situation["thread_probability"] >= self.stop_at or not situation["missing_share"]:
            return None
        return "next_goal" if "next_goal" in situation.legal else "refine"

    def _further_comparing(self, situation: Situation) -> str | None:
        """First the question whole, then each of the two things, at most twice."""
        unsure = situation["thread_probability"] < self.stop_at and bool(situation["missing_share"])
        if situation["on_part"] and unsure:
            if situation["next_same"]:
                return "next_goal"
            if "refine" in situation.legal and situation["asked_here"] < 0.5:
                return "refine"
        return None if situation["whole_probability"] >= self.settled_at else "next_goal"


@dataclass(frozen=True, slots=True)
class Fixed:
    """A fixed number of searches at one level, each for the next goal, whatever was found; then it concludes."""

    name: str
    searches: int
    level: str
    answer_at: float = ANSWER_AT

    @property
    def fingerprint(self) -> str:
        """Of its numbers."""
        return digest(asdict(self))

    def decide(self, situation: Situation) -> Choice:
        """See the class."""
        legal, done = situation.legal, round(4 * situation["searches"])
        if done < self.searches:
            order = [self.level, *reversed(LEVELS)]
            if situation["goal_searched"]:
                order = ["next_goal", "refine", *reversed(LEVELS)]
            for action in order:
                if action in legal:
                    return certain(action, legal, f"Search {done + 1} of {self.searches}.")
        return conclude(situation, self.answer_at)


@dataclass(frozen=True, slots=True)
class AdaptiveNote:
    """Searches on while the notes get better, at most `steps` more times (Adaptive-Note); then it answers."""

    level: str = "graph"
    steps: int = 3
    max_fails: int = 1  # rejected versions of the notes in a row that end the search
    answer_at: float = ANSWER_AT
    name: str = field(default="adaptive-note", init=False)

    @property
    def fingerprint(self) -> str:
        """Of its numbers."""
        return digest(asdict(self))

    def decide(self, situation: Situation) -> Choice:
        """See the class."""
        legal, done = situation.legal, round(4 * situation["searches"])
        if not situation["goal_searched"] and self.level in legal:
            return certain(self.level, legal, "This goal has not been searched yet.")
        if round(3 * situation["stagnation"]) < self.max_fails and done <= self.steps:
            for action in ("next_goal", "refine", *reversed(LEVELS)):
                if action in legal:
                    return certain(action, legal, "The notes still grow.")
        return conclude(situation, self.answer_at)


def always_single() -> Fixed:
    """One learned search, as plain RAG does it."""
    return Fixed("always-single", 1, "graph")


def always_deep() -> Fixed:
    """Three searches at the deepest level."""
    return Fixed("always-deep", 3, "deep")


def fixed_three_hop() -> Fixed:
    """Three searches at the middle level, as a fixed multi-hop pipeline does it."""
    return Fixed("fixed-3-hop", 3, "graph")


def conclude(situation: Situation, answer_at: float = ANSWER_AT) -> Choice:
    """Answer where that is probably right, else say that it is not there."""
    sure = situation["probability"]
    if "answer" in situation.legal and situation["searches"] and sure >= answer_at:
        return certain("answer", situation.legal, f"The evidence gives an answer, {sure:.0%} sure.")
    why = f"The best answer is only {sure:.0%} sure." if situation["searches"] else "Nothing was searched."
    return certain("abstain", situation.legal, why)


def digest(facts: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits of what decides a policy's behaviour."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
