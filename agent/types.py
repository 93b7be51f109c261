"""Core records of the agent: goals, notes, decisions, steps, answers, trajectories.

All are frozen, hold only JSON types and convert with `to_dict` / `from_dict`: the trajectory file,
the LangGraph state, the pages and later the trainers all read the same records.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

Stage = Literal["gate", "recall", "goal", "search", "read", "judge", "note", "answer", "verify", "abstain"]
AnswerKind = Literal["answer", "abstention", "small_talk", "library"]


@dataclass(frozen=True, slots=True)
class Goal:
    """What is missing right now, and the query that should find it."""

    text: str
    query: str
    expects: str  # expected answer type: person, place, date, number, yes_no, choice, thing, ...
    hop: int = 1


@dataclass(frozen=True, slots=True)
class Note:
    """A claim that a source span bears out: the only thing an answer may rest on."""

    id: str
    claim: str  # the sentence, made readable on its own
    quote: str  # exact text of the document at [start, end)
    passage_id: int
    document_id: str
    title: str
    source: str
    heading: str
    page: int | None
    start: int  # character offsets in the document's stored text
    end: int
    goal: str  # text of the goal it serves
    score: float  # how well it serves the goal, 0..1
    step: int  # index of the step it was born in


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice: what was possible, what was chosen, how sure, why.

    The policy's own choices bear the name "policy": their options are the legal actions, their features the
    situation it saw, and `probabilities` holds one number for each legal action.
    """

    name: str
    options: tuple[str, ...]
    chosen: str
    probability: float
    rationale: str
    features: dict[str, float] = field(default_factory=dict)
    probabilities: dict[str, float] = field(default_factory=dict)

    @property
    def log_probability(self) -> float:
        """Of the chosen option; -inf where its probability is 0."""
        return math.log(self.probability) if self.probability > 0 else -math.inf


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a run. `summary` is the line a person reads; `detail` is JSON for the curious."""

    index: int
    stage: Stage
    summary: str
    seconds: float
    detail: dict[str, Any] = field(default_factory=dict)
    decision: Decision | None = None
    error: str = ""  # a mistake of a model, recorded here while the loop goes on


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered pointer from the answer to a checked span of a document."""

    number: int
    note_id: str
    passage_id: int
    document_id: str
    title: str
    source: str
    heading: str
    page: int | None
    start: int
    end: int
    quote: str
    supported: bool  # the span exists in the stored document and bears the claim
    score: float


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the answer with the numbers of the citations it rests on."""

    text: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a question cost."""

    searches: int = 0
    context_tokens: int = 0  # tokens of evidence handed to the reader
    prompt_tokens: int = 0  # LLM only
    completion_tokens: int = 0  # LLM only
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person gets."""

    text: str
    short: str  # the bare answer ("1987", "Mira Vell"); empty when abstained or small talk
    kind: AnswerKind
    claims: tuple[Claim, ...] = ()
    citations: tuple[Citation, ...] = ()
    confidence: float = 0.0
    missing: str = ""  # abstentions: what could not be found
    notice: str = ""  # e.g. the model endpoint failed and the embedded brain answered
    brain: str = "embedded"
    stopped: str = ""  # "", "steps", "time" or "cancelled": why the run ended early
    cost: Cost = field(default_factory=Cost)
    others: tuple[str, ...] = ()  # bare answers of other sources that the text tells as well

    @property
    def abstained(self) -> bool:
        return self.kind == "abstention"


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of the conversation."""

    question: str  # as it stands on its own
    answer: str
    short: str = ""  # the bare answer


@dataclass(frozen=True, slots=True)
class Trajectory:
    """The full record of one run: one JSON line."""

    id: str
    question: str
    collections: tuple[str, ...]
    documents: tuple[str, ...]
    history: tuple[Turn, ...]
    steps: tuple[Step, ...]
    notes: tuple[Note, ...]
    answer: Answer
    policy: str
    fingerprint: str  # of the configuration
    started_at: float
    asked: str = ""  # the question on its own, when the conversation was needed to understand it

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Completion:
    """What a language model wrote."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a composed answer with the ids of the notes it rests on."""

    text: str
    notes: tuple[str, ...]
    lead: str = ""  # words before it that claim nothing ("Another source differs:")


@dataclass(frozen=True, slots=True)
class Composition:
    """An answer as a composer wrote it, before verification."""

    short: str
    sentences: tuple[Sentence, ...]
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Composer(Protocol):
    """Notes to an answer. The embedded body quotes; a language model writes."""

    @property
    def name(self) -> str: ...

    def compose(
        self, question: str, notes: tuple[Note, ...], short: str, deadline: float | None = None
    ) -> Composition:
        """`short` is the reader's bare answer (may be empty). Raises ModelError on a model's failure."""
        ...


class LanguageModel(Protocol):
    """A chat model. Every failure is a ModelError (a Cancelled when `cancelled` turned true)."""

    @property
    def name(self) -> str: ...

    def complete(
        self, system: str, prompt: str, *, max_tokens: int = 512, deadline: float | None = None
    ) -> Completion:
        """`deadline`: time.monotonic() value after which the call must have given up."""
        ...
