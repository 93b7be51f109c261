"""What memory says about a question."""

from __future__ import annotations

from dataclasses import dataclass

from agent.episodes import Episode
from agent.types import Answer, Note


@dataclass(frozen=True, slots=True)
class Recollection:
    """What memory has to say about a question. Empty when it knows nothing like it."""

    answer: Answer | None = None  # of the same question, its spans checked just now
    notes: tuple[Note, ...] = ()  # what that answer rests on, else verified notes near the question
    key: str = ""  # of the episode that the answer belongs to
    similarity: float = 0.0  # of that episode's question to this one
    strategies: tuple[Episode, ...] = ()  # ways that worked for like questions, best first
    reason: str = ""  # why the likest question was not taken for the same

    @property
    def value(self) -> float:
        """Q of the best episode near the question; 0 without one."""
        return self.strategies[0].q if self.strategies else 0.0

    @property
    def question(self) -> str:
        """The question that the answer was given to, as it was asked then."""
        return next((e.question for e in self.strategies if e.key == self.key), "")
