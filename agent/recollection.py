"""What memory says about a question, and the steps of a run that it answers."""

from __future__ import annotations

from dataclasses import dataclass

from agent.episodes import Episode
from agent.types import Answer, Decision, Note, Step

OPTIONS = ("remembered", "work it out")


@dataclass(frozen=True, slots=True)
class Recollection:
    """What memory has to say about a question. Empty when it knows nothing like it."""

    answer: Answer | None = None  # of the same question, its spans checked just now
    notes: tuple[Note, ...] = ()  # what that answer rests on, else verified notes near the question
    key: str = ""  # of the episode that the answer belongs to
    similarity: float = 0.0  # of that episode's question to this one
    strategies: tuple[Episode, ...] = ()  # ways that worked for like questions, best first
    reason: str = ""  # why the likest question was not taken for the same


def told(found: Recollection) -> tuple[Step, ...]:
    """The steps of a question that memory answers: the decision with its features, and the check of the spans."""
    assert found.answer is not None
    known = next((e for e in found.strategies if e.key == found.key), None)
    features = {"similarity": round(found.similarity, 4), "q": round(known.q, 4) if known else 0.0}
    decision = Decision(
        "gate", OPTIONS, OPTIONS[0], max(0.0, min(1.0, found.similarity)),
        "The same question was answered before, and its sources have not changed.", features,
    )  # fmt: skip
    quotes = len(found.answer.citations)
    detail = {"memory": [found.key], "question": known.question if known else ""}
    checked = f"Checked {quotes} quote{'' if quotes == 1 else 's'} against the documents"
    return (
        Step(0, "gate", "Known from an earlier question", 0.0, detail, decision),
        Step(1, "verify", checked, 0.0, {"citations": quotes, "claims": len(found.answer.claims)}),
    )
