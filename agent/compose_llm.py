"""A language model writes the answer from the notes; whatever cites no note is thrown away.

The notes are data: what they say cannot close their block, forge a marker or speak as the system. The
model's words are not trusted either: only sentences with markers of real notes survive, and the agent
checks each of them against its span afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Self

import sentencex

from agent.llm import StoppableModel
from agent.prompts import render
from agent.types import Composition, Note, Sentence
from index.errors import ModelError

_LABEL = r"(?:n|note)\s*\d+"
_MARKER = re.compile(rf"\s*\[\s*{_LABEL}(?:\s*(?:,|;|and|&)\s*{_LABEL})*\s*\]", re.IGNORECASE)
_MARKERS = rf"(?:{_MARKER.pattern})+"
_ALONE = re.compile(rf"\n\s*({_MARKERS})[ \t.]*(?=\n|$)", re.IGNORECASE)
_LEADING = re.compile(rf"{_MARKERS}.*[^\]\s.]\W*$", re.IGNORECASE)
_AFTER_STOP = re.compile(rf"([.!?…。！？]+[\"'”’)»]*)({_MARKERS})", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*•]\s+|\d{1,2}[.)]\s+|#+\s+)")
_THOUGHTS = re.compile(r"^.*</think>", re.DOTALL)  # reasoning models think aloud before they answer
# What could close or open a block of the prompt, or a turn of the chat ("<|im_end|>").
_OUR_TAG = re.compile(r"<(?=[^\w<>]*(?:notes?|question)\b|\|)", re.IGNORECASE)


class LanguageModelComposer:
    """A `Composer` that lets a language model write and keeps what is cited."""

    def __init__(self, llm: StoppableModel, *, max_tokens: int = 512) -> None:
        self._llm = llm
        self._max_tokens = max_tokens

    @property
    def name(self) -> str:
        return self._llm.name

    def with_cancel(self, cancelled: Callable[[], bool] | None) -> Self:
        """The same composer watching a Stop: one for each question."""
        return type(self)(self._llm.with_cancel(cancelled), max_tokens=self._max_tokens)

    def compose(
        self, question: str, notes: tuple[Note, ...], short: str, deadline: float | None = None
    ) -> Composition:
        """The model's cited sentences. Raises ModelError (also when it cited no note) and Cancelled."""
        hint = f"\nA first reading found: {as_data(short)}. Check it against the notes.\n" if short else ""
        prompt = render("answer", notes=list_notes(notes), question=as_data(question), hint=hint)
        completion = self._llm.complete(
            prompt.system, prompt.user, max_tokens=self._max_tokens, deadline=deadline
        )
        sentences = read_sentences(completion.text, [note.id for note in notes])
        if not sentences:
            raise ModelError(f"The model's answer cited no note, so it cannot be checked ({self.name}).")
        return Composition(
            short=_short(sentences, short),
            sentences=sentences,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
        )


def list_notes(notes: Sequence[Note]) -> str:
    """The notes as the prompt shows them: one line each, [n1] first."""
    lines = []
    for number, note in enumerate(notes, start=1):
        place = " > ".join(part for part in (note.title, note.heading) if part)
        page = f", page {note.page}" if note.page is not None else ""
        lines.append(f"[n{number}] {as_data(note.claim)} (from: {as_data(place)}{page})")
    return "\n".join(lines)


def read_sentences(text: str, note_ids: Sequence[str]) -> tuple[Sentence, ...]:
    """The sentences of an answer that carry a marker of a real note; [n1] is the first of `note_ids`."""
    found: list[Sentence] = []
    said = _ALONE.sub(
        r" \1", _THOUGHTS.sub("", text).strip()
    )  # a marker on its own line ends the line before
    for line in said.splitlines():
        for piece in _pieces(line):
            ids = _ids(piece, note_ids)
            plain = " ".join(_MARKER.sub("", piece).replace("**", "").split())
            if ids and any(sign.isalnum() for sign in plain):
                found.append(Sentence(plain, ids))
    return tuple(found)


def _pieces(line: str) -> list[str]:
    """Sentences of one line, each with its markers: "in Oslo. [n1] Then" becomes "in Oslo [n1]. Then"."""
    line = _BULLET.sub("", line)
    if not _LEADING.match(line):  # "[n1] In Oslo." as the notes are listed: there a marker opens its sentence
        line = _AFTER_STOP.sub(r"\2\1", line)
    return [str(piece) for piece in sentencex.segment("en", line)]


def _ids(piece: str, note_ids: Sequence[str]) -> tuple[str, ...]:
    numbers = [int(digits) for marker in _MARKER.findall(piece) for digits in re.findall(r"\d+", marker)]
    return tuple(dict.fromkeys(note_ids[number - 1] for number in numbers if 1 <= number <= len(note_ids)))


def _short(sentences: Sequence[Sentence], short: str) -> str:
    """The reader's bare answer where the model agrees with it, else the model's first sentence."""
    said = " ".join(sentence.text for sentence in sentences)
    if short and re.search(rf"(?<!\w){re.escape(short)}(?!\w)", said, re.IGNORECASE):
        return short
    return sentences[0].text.rstrip(" .。")


def as_data(text: str) -> str:
    """`text` on one line, unable to close its block or to pose as a marker of another note."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    line = _MARKER.sub(lambda marker: marker.group().replace("[", "(").replace("]", ")"), line)
    return _OUR_TAG.sub("&lt;", line)
