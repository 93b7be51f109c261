"""The board of one question: everything known so far, and the tools at hand.

The stages of the loop write on the board, policies are shown a summary of it. A copy of it may go its own way:
what it holds is either its own or never changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from agent.boundary import Boundary, RuleBoundary
from agent.conclude import Conclusion
from agent.config import AgentConfig
from agent.gate import Gate
from agent.inquiry import Inquiry
from agent.memo import MemoSearch
from agent.notebook import Comparer, JudgingComparer, Notebook
from agent.reader import Reader
from agent.reader_model import ReaderModel
from agent.recollection import Recollection
from agent.scoring import PassageScore
from agent.thinking import Thinker
from agent.types import Answer, Composer, Decision, Goal, Note, Step
from agent.verify import Verifier
from index.retrieve import Searcher
from index.types import Hit, Mode, Scope


@dataclass(slots=True)
class Tools:
    """What the stages of one question work with."""

    searcher: Searcher
    search: MemoSearch
    reader: Reader
    reader_model: ReaderModel | None
    gate: Gate
    verifier: Verifier
    embedded: Composer
    model: Composer | None
    config: AgentConfig
    scope: Scope
    document_date: Callable[[str], str]
    boundary: Boundary = field(default_factory=RuleBoundary)
    comparer: Comparer = field(default_factory=JudgingComparer)
    thinker: Thinker | None = None  # a language model that plans, judges and takes notes
    knower: Thinker | None = None  # a language model that may answer from what it knows
    recall: Callable[[str, Scope], Recollection] | None = None  # what memory says; None: there is none
    cancelled: Callable[[], bool] = field(default=lambda: False)


@dataclass(frozen=True, slots=True)
class Found:
    """One search with what it brought."""

    goal: Goal
    level: str
    mode: Mode
    hits: tuple[Hit, ...]
    tokens: int
    overlap: int  # passages that an earlier search of this question had found
    new_sentences: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says about one search (RE-Searcher, ReSeek, SmartSearch). `probability`: that an answer
    from all evidence so far is right."""

    goal_met: bool
    novel: bool
    useful: bool
    reason: str
    probability: float
    overlap: int = 0


@dataclass(slots=True)
class Board:
    """Everything known about one question."""

    question: str
    gate: Decision | None = None
    recollection: Recollection | None = None
    inquiry: Inquiry | None = None
    goal: Goal | None = None
    goals: int = 0
    goal_searched: bool = False
    refined: bool = False  # the present goal was reworded
    queries: tuple[str, ...] = ()  # of all searches, in order
    tried: frozenset[tuple[str, Mode]] = frozenset()  # query and mode of all searches
    found: tuple[Found, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    notebook: Notebook = field(default_factory=Notebook)
    scores: dict[int, PassageScore] = field(default_factory=dict)  # of every passage found
    contradicts: bool = False  # two documents give different answers, each well supported
    known: str = ""  # what a language model says from its own knowledge, where it is sure
    signals: dict[str, float] = field(default_factory=dict)  # agent.boundary
    answers: tuple[str, ...] = ()  # the best short answer after each search
    conclusion: Conclusion | None = None
    notes: tuple[Note, ...] = ()
    rivals: tuple[str, ...] = ()  # ids of the notes that stand for another answer
    confidence: float = 0.0
    answer: Answer | None = None
    stopped: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    steps: tuple[Step, ...] = ()
    fixed: dict[str, float] = field(default_factory=dict)  # features that do not change during the question

    def copy(self) -> Board:
        """The same board, to go its own way."""
        inquiry = self.inquiry.fork() if self.inquiry is not None else None
        return replace(self, inquiry=inquiry, scores=dict(self.scores))

    @property
    def searches(self) -> int:
        """Searches made so far."""
        return len(self.found)

    @property
    def context_tokens(self) -> int:
        """Tokens of evidence handed to the reader so far."""
        return sum(found.tokens for found in self.found)

    @property
    def seconds(self) -> float:
        """Working time of all steps so far."""
        return sum(step.seconds for step in self.steps)

    @property
    def probability(self) -> float:
        """That an answer from the evidence at hand is right."""
        return self.inquiry.probability if self.inquiry is not None else 0.0


def mode_of(level: str, config: AgentConfig) -> Mode:
    """The search mode of a level. A mode that the settings ask for by name takes the place of its level."""
    if level_of(config.mode) == level:
        return config.mode
    modes: dict[str, Mode] = {"hybrid": "hybrid", "graph": "ranked", "deep": "deep"}
    return modes[level]


def level_of(mode: Mode) -> str:
    """The level of a search mode: hybrid, graph or deep."""
    return {"graph": "graph", "ranked": "graph", "deep": "deep"}.get(mode, "hybrid")
