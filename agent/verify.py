"""Checks every citation: the span exists in the stored document and bears out what is claimed.

A quoted claim must be the span's own words. A written claim (a language model's) may use other words,
but every number and name in it must stand in what it cites, most of its content words too, and its
meaning must be near. A claim that fails is dropped; an answer without claims becomes an abstention.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.matching import WordMatcher, stems
from agent.question import content_words, names_in
from agent.types import Citation, Claim, Composition, Note
from index.errors import NotFoundError
from index.store import Store

ENOUGH_WORDS = 0.6  # share of a written claim's content words that its citations must cover


@dataclass(frozen=True, slots=True)
class Verified:
    """What is left of a composition after checking."""

    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    dropped: tuple[str, ...]  # claims that were not borne out


class Verifier:
    """Binds claims to checked spans."""

    def __init__(self, store: Store, matcher: WordMatcher) -> None:
        self._store = store
        self._matcher = matcher

    def verify(
        self, composition: Composition, notes: Sequence[Note], derived: Sequence[str] = ()
    ) -> Verified:
        """Claims that hold, with numbered citations in order of appearance.

        derived: short answers that code worked out from the notes (yes, no, the winner of a comparison):
        their citations are the values compared, not words to be found.
        """
        by_id = {note.id: note for note in notes if self.exists(note)}
        numbers: dict[str, int] = {}
        claims, dropped = [], []
        for sentence in composition.sentences:
            cited = [by_id[i] for i in sentence.notes if i in by_id]
            if not cited or not self._borne_out(sentence.text, cited, derived):
                dropped.append(sentence.text)
                continue
            for note in cited:
                numbers.setdefault(note.id, len(numbers) + 1)
            claims.append(Claim(sentence.lead + sentence.text, tuple(numbers[note.id] for note in cited)))
        citations = tuple(_citation(number, by_id[note_id]) for note_id, number in numbers.items())
        return Verified(tuple(claims), citations, tuple(dropped))

    def exists(self, note: Note) -> bool:
        """Whether the note's quote still stands at its place in the stored document."""
        try:
            return self._store.document_text(note.document_id)[note.start : note.end] == note.quote
        except NotFoundError:
            return False

    def _borne_out(self, text: str, cited: Sequence[Note], derived: Sequence[str]) -> bool:
        said = text.strip(" .")
        if any(said.lower() == word.strip(" .").lower() for word in derived):
            return True
        evidence = "\n".join(f"{n.title}\n{n.heading}\n{n.quote}" for n in cited)
        if said.lower() in " ".join(evidence.split()).lower():
            return True
        held = stems(evidence)
        for exact in [*re.findall(r"\d[\d.,]*", text), *names_in(text)]:
            if not stems(exact.strip(".,")) <= held:
                return False
        wanted = content_words(text)
        if not wanted:
            return True
        return float(self._matcher.cover(wanted, [evidence]).mean()) >= ENOUGH_WORDS


def _citation(number: int, note: Note) -> Citation:
    return Citation(
        number=number, note_id=note.id, passage_id=note.passage_id, document_id=note.document_id,
        title=note.title, source=note.source, heading=note.heading, page=note.page, start=note.start,
        end=note.end, quote=note.quote, supported=True, score=note.score,
    )  # fmt: skip
