"""The notebook of a question: atomic claims with spans, grown by versions (Adaptive-Note, arXiv 2410.08821).

After each search a new version is proposed: the claims held so far and those the best evidence now rests on. It
replaces the old one only if a comparison says that it is better; redundant additions are not better. A row of
rejected proposals is stagnation: searching on does not pay. The answer is given from the version that was kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from agent.chain import Chain
from agent.compose import claim_of
from agent.inquiry import Inquiry
from agent.matching import stems
from agent.reader import Evidence
from agent.thread import Thread
from agent.types import Goal, Note

MAX_NOTES = 12  # the claims that serve least go first
GAIN = 0.02  # change of probability, or of the covered share of the question, that counts


@dataclass(frozen=True, slots=True)
class Notebook:
    """One version of the notes. `held`: what the judge had concluded by then, so that it can be answered from."""

    notes: tuple[Note, ...] = ()
    version: int = 0
    fails: int = 0  # proposals rejected since this version was accepted
    accepted_step: int = 0
    probability: float = 0.0
    coverage: float = 0.0
    answer: str = ""
    held: Inquiry | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether a proposal is better than the version held, and what it gained."""

    better: bool
    gained: tuple[str, ...]  # claims that are new
    reason: str
    error: str = ""  # a mistake of a model on the way


class Comparer(Protocol):
    """Compares two versions of notes."""

    def compare(self, question: str, old: Notebook, new: Notebook) -> Comparison:
        """Is `new` better than `old`?"""
        ...


class JudgingComparer:
    """Better is what makes a right answer more probable, or covers more of the question without a loss of it."""

    def compare(self, question: str, old: Notebook, new: Notebook) -> Comparison:
        """See the class."""
        gained = gained_claims(old.notes, new.notes)
        if not old.version:
            return Comparison(True, gained, "The first notes.")
        if not gained:
            return Comparison(False, (), "It says nothing new.")
        rise, wider = new.probability - old.probability, new.coverage - old.coverage
        if rise > GAIN:
            return Comparison(True, gained, f"A right answer is {rise:.0%} more probable.")
        if rise >= -GAIN and wider > GAIN:
            return Comparison(True, gained, "It covers more of the question.")
        return Comparison(False, gained, "It adds claims that do not help the answer.")


def propose(old: Notebook, inquiry: Inquiry, goal: Goal, step: int) -> Notebook:
    """The next version: old claims and those of the best evidence, without repeats, best first."""
    drawn = [
        note_of(link, goal.text, step, thread)
        for thread in inquiry.threads
        if thread.best is not None
        for link in thread.best.links
    ]
    notes = merge(old.notes, drawn)
    return Notebook(
        notes=notes,
        version=old.version + 1,
        accepted_step=step,
        probability=inquiry.probability,
        coverage=_coverage(inquiry.whole.best),
        answer=inquiry.whole.judged[0].answer if inquiry.whole.judged else "",
        held=inquiry.fork(),
    )


def merge(old: Sequence[Note], new: Sequence[Note], limit: int = MAX_NOTES) -> tuple[Note, ...]:
    """Old and new notes: of two that overlap in a document or say the same, the one that says more; the best
    `limit` by score. Ids are numbered anew, n1 first."""
    kept: list[Note] = []
    for note in (*old, *new):
        same = next((at for at, other in enumerate(kept) if says_same(other, note)), None)
        if same is None:
            kept.append(note)
        elif len(stems(note.claim)) > len(stems(kept[same].claim)):
            kept[same] = replace(note, goal=kept[same].goal, step=kept[same].step)
    best = sorted(kept, key=lambda note: -note.score)[:limit]
    chosen = [note for note in kept if note in best]
    return tuple(replace(note, id=f"n{number}") for number, note in enumerate(chosen, 1))


def says_same(one: Note, other: Note) -> bool:
    """Whether two notes are one claim: their spans overlap, or the words of one are all in the other."""
    if one.document_id == other.document_id and one.start < other.end and other.start < one.end:
        return True
    first, second = stems(one.claim), stems(other.claim)
    return bool(first and second) and (first <= second or second <= first)


def gained_claims(old: Sequence[Note], new: Sequence[Note]) -> tuple[str, ...]:
    """Claims of `new` that no note of `old` makes."""
    return tuple(note.claim for note in new if not any(says_same(note, other) for other in old))


def decided(old: Notebook, new: Notebook, outcome: Comparison) -> Notebook:
    """The version to go on with: always the better one, with the row of failures counted."""
    return new if outcome.better else replace(old, fails=old.fails + 1)


def note_of(evidence: Evidence, goal: str, step: int, thread: Thread) -> Note:
    """A sentence as a note; its score is its usefulness by the ranking and its own likeness, halved."""
    passage = evidence.passage
    useful = thread.useful.get(passage.id, 0.0)
    return Note(
        id="", claim=claim_of(evidence.text, passage.title), quote=evidence.text, passage_id=passage.id,
        document_id=passage.document_id, title=passage.title, source=passage.source, heading=passage.heading,
        page=passage.page, start=evidence.start, end=evidence.end, goal=goal,
        score=round(float(np.clip((useful + evidence.score) / 2, 0, 1)), 4), step=step,
    )  # fmt: skip


def _coverage(chain: Chain | None) -> float:
    return chain.coverage if chain is not None else 0.0
