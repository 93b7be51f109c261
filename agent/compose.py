"""The embedded composer: the short answer first, then the sentences it rests on, in their own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from agent.types import Composition, Note, Sentence


class QuotingComposer:
    """Composes by quoting: nothing is said that a note does not say."""

    name = "embedded"

    def compose(
        self, question: str, notes: tuple[Note, ...], short: str, deadline: float | None = None
    ) -> Composition:
        """Short answer (resting on the last note), then each note's claim."""
        sentences: list[Sentence] = []
        if short and notes and not _same(short, notes[-1].claim):
            ids = tuple(n.id for n in notes) if short in ("yes", "no") or len(notes) > 1 else (notes[-1].id,)
            sentences.append(Sentence(_as_sentence(short), ids))
        sentences += [Sentence(_as_sentence(note.claim), (note.id,)) for note in notes]
        return Composition(short=short, sentences=tuple(sentences))


def differing(
    composition: Composition, rivals: tuple[Note, ...], dates: Mapping[str, str] | None = None, ours: str = ""
) -> Composition:
    """The composition with a sentence for each note that says otherwise, so that nobody is misled.

    dates: note id -> the date its document states; ours: the source and date of what is answered. Both are told.
    """
    told = tuple(
        Sentence(_as_sentence(note.claim), (note.id,), lead=_lead(note, (dates or {}).get(note.id, ""), ours))
        for note in rivals
    )
    return replace(composition, sentences=(*composition.sentences, *told)) if told else composition


def dated_source(note: Note, date: str) -> str:
    """How a source is named with its date: "Harbour tariff, 3 May 1931"."""
    return ", ".join(filter(None, (note.title, date if date not in note.title else "")))


def _lead(note: Note, date: str, ours: str) -> str:
    against = f"; the answer is from {ours}" if ours else ""
    return f"Another source differs ({dated_source(note, date) or 'untitled'}{against}): "


def claim_of(sentence: str, title: str) -> str:
    """A sentence made readable on its own: one that opens with a pronoun is told under its title."""
    flat = " ".join(sentence.split())
    flat = re.sub(r"^(?:[-*•|]\s*)+", "", flat).strip("| ").strip()
    if (
        re.match(r"(?:he|she|it|they|his|her|its|their|this|these)\b", flat, re.I)
        or "|" in flat
        or len(flat) < 40
    ):
        return f"{title}: {flat}" if title and not flat.lower().startswith(title.lower()) else flat
    return flat


def _as_sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "”", '"', ":")) else ".")


def _same(left: str, right: str) -> bool:
    return left.strip(" .").lower() == right.strip(" .").lower()
