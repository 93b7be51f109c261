"""Is the answer connected to the question? A walk from the question's names to the answer over the notes.

CaRR (arXiv 2601.06021) counts a citation only if a path of cited statements joins it to the answer. Here each note
joins the names that stand in it and the title that it stands under; an answer that no walk from a name of the
question reaches is about something else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from agent.matching import stems
from agent.question import Question, names_in
from agent.types import Note
from index.names import title_names


def connected(question: Question, notes: Sequence[Note], short: str) -> tuple[str, ...] | None:
    """Ids of the notes on a shortest walk from a name of the question to the note with the answer; None when there
    is no walk. A question without names starts anywhere; "yes", "no" and derived answers end anywhere."""
    if not notes:
        return None
    ends = {at for at, note in enumerate(notes) if holds(note, short)} or set(range(len(notes)))
    starts = [at for at, note in enumerate(notes) if _speaks_of(note, question.names)]
    if not question.names:
        starts = list(range(len(notes)))
    before: dict[int, int | None] = {at: None for at in starts}
    queue = deque(starts)
    while queue:
        at = queue.popleft()
        if at in ends:
            walk: list[str] = []
            here: int | None = at
            while here is not None:
                walk.append(notes[here].id)
                here = before[here]
            return tuple(reversed(walk))
        for other in range(len(notes)):
            if other not in before and _joined(notes[at], notes[other]):
                before[other] = at
                queue.append(other)
    return None


def holds(note: Note, short: str) -> bool:
    """Whether a note states the short answer, in its words or by its title."""
    own = stems(short)
    return bool(own) and own <= stems(f"{note.title} {note.quote}")


def entities_of(note: Note) -> tuple[str, ...]:
    """Names that a note joins."""
    return tuple(name for name in (*names_in(note.quote), *title_names(note.title)) if len(name) > 2)


def _speaks_of(note: Note, names: Sequence[str]) -> bool:
    held = stems(f"{note.title} {note.heading} {note.quote}")
    return any(_most(stems(name), held) for name in names)


def _joined(one: Note, other: Note) -> bool:
    """Whether two notes share a name, or stand in one document."""
    if one.document_id == other.document_id:
        return True
    first, second = stems(f"{one.title} {one.quote}"), stems(f"{other.title} {other.quote}")
    return any(_most(stems(name), second) for name in entities_of(one)) or any(
        _most(stems(name), first) for name in entities_of(other)
    )


def _most(name: frozenset[str], held: frozenset[str]) -> bool:
    """Whether a text holds a name: all of a short one, two thirds of the words of a long one."""
    return bool(name) and len(name & held) >= (len(name) if len(name) < 3 else 2 * len(name) / 3)
