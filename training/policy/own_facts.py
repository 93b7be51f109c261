"""What a person's own documents state in a form that can be asked for: spans of sentences that one document alone
holds, fields that many documents have, and names that two documents share."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from agent.fields import fields_of
from index.names import DATE
from index.store import Store
from index.types import Passage
from training.skills.ramp import Span, salient, sentences

SHORT, LONG = 6, 40  # words of a sentence to ask from
SHARED = 3  # documents that must have a field before it is asked for
VALUE = 60  # characters of a field's value at most
_POINTING = re.compile(r"\b(?:this|that|these|those|it|its|they|their|he|she|his|her|here|there)\b", re.I)
_PROSE = re.compile(r"[^\W\d_][\w ,;()'’./%$&-]*\.")  # signs of code, markup and addresses are not in it
_LABEL = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+){0,2}")


@dataclass(frozen=True, slots=True)
class Cloze:
    """A sentence with a span that only this document holds."""

    passage: Passage
    sentence: tuple[int, int]
    span: Span

    @property
    def text(self) -> str:
        return self.passage.text[slice(*self.sentence)]

    @property
    def answer(self) -> str:
        return self.passage.text[self.span.start : self.span.end]

    @property
    def asks(self) -> str:
        """The question that hides the span; by the document's title where the sentence points elsewhere."""
        asked = hidden(self.passage.text, self.sentence, self.span, _question_word(self.answer))
        return f'In "{self.passage.title}": {asked}?' if _POINTING.search(self.text) else f"{asked}?"


def hidden(text: str, sentence: tuple[int, int], span: Span, word: str) -> str:
    """The sentence with the span put as `word`, without its full stop.

    >>> hidden("The mill was built by Mira Vell in 1931.", (0, 40), Span(22, 31, "mira vell"), "whom")
    'The mill was built by whom in 1931'
    """
    said = f"{text[sentence[0] : span.start]}{word}{text[span.end : sentence[1]]}".strip().rstrip(".")
    return f"{said[0].upper()}{said[1:]}"


def _question_word(answer: str) -> str:
    """What asks for it.

    >>> [_question_word(said) for said in ("1931", "4 May 1931", "27 metres", "Mira Vell")]
    ['what year', 'what date', 'how much or how many', 'what']
    """
    if re.fullmatch(r"1\d{3}|20\d{2}", answer):
        return "what year"
    if DATE.search(answer):
        return "what date"
    return "how much or how many" if answer[0].isdigit() else "what"


@dataclass(frozen=True)
class Collected:
    """The passages of a data folder by document, and what can be asked of them."""

    data_dir: str
    passages: tuple[tuple[Passage, ...], ...]  # of each document

    @classmethod
    def of(cls, store: Store) -> Collected:
        """Every document that is ready and holds text."""
        ready = [
            one for held in store.collections() for one in store.documents(held.name) if one.status == "ready"
        ]
        rows = [store.passages_of(one.id) for one in ready]
        return cls(str(store.data_dir), tuple(row for row in rows if row))

    @cached_property
    def holders(self) -> dict[str, tuple[int, ...]]:
        """Name, date or figure -> the documents that hold it."""
        found: dict[str, dict[int, None]] = defaultdict(dict)
        for at, row in enumerate(self.passages):
            for passage in row:
                for span in salient(passage.text):
                    found[span.key].setdefault(at)
        return {key: tuple(rows) for key, rows in found.items()}

    @cached_property
    def clozes(self) -> tuple[Cloze, ...]:
        """Every span that one document alone holds, in a sentence of prose that names something else too."""
        return tuple(one for row in self.passages for passage in row for one in self._clozes(passage))

    def _clozes(self, passage: Passage) -> Iterator[Cloze]:
        spans = salient(passage.text)
        for sentence in sentences(passage.text):
            text = passage.text[slice(*sentence)].strip()
            if not SHORT <= len(text.split()) <= LONG or not _PROSE.fullmatch(text):
                continue
            inside = [span for span in spans if sentence[0] <= span.start and span.end <= sentence[1]]
            for span in inside:
                others = any(one.key != span.key for one in inside)
                told = passage.text[span.start : span.end] in passage.title
                if len(self.holders[span.key]) == 1 and not told and (others or _POINTING.search(text)):
                    yield Cloze(passage, sentence, span)

    @cached_property
    def fields(self) -> tuple[dict[str, str], ...]:
        """Of each document the fields of its first passage, one value a label."""
        rows = []
        for row in self.passages:
            found = [(f.label, f.value.strip()) for f in fields_of(row[0].text) if _LABEL.fullmatch(f.label)]
            many = Counter(label for label, _ in found)
            title = row[0].title.casefold()
            kept = [
                (k, v) for k, v in found if many[k] == 1 and len(v) <= VALUE and v.casefold() not in title
            ]
            rows.append(dict(kept))
        return tuple(rows)

    @cached_property
    def columns(self) -> dict[str, int]:
        """Labels that several documents have, with how many."""
        many = Counter(label for row in self.fields for label in row)
        return {label: count for label, count in many.items() if count >= SHARED}

    @cached_property
    def keys(self) -> frozenset[str]:
        """Labels of columns in which no value stands twice: they name their documents."""
        values: dict[str, list[str]] = defaultdict(list)
        for row in self.fields:
            for label, value in row.items():
                values[label].append(value)
        return frozenset(one for one in self.columns if len(set(values[one])) == len(values[one]))

    @cached_property
    def shared(self) -> dict[tuple[str, int], Cloze]:
        """(name that two documents hold, one of them) -> the first short sentence that says something of it there."""
        found: dict[tuple[str, int], Cloze] = {}
        for at, row in enumerate(self.passages):
            for passage in row:
                for span in salient(passage.text):
                    dated = not passage.text[span.start].isalpha()  # a year joins nothing
                    if len(self.holders[span.key]) == 2 and not dated and (span.key, at) not in found:
                        for one in said_of(passage, span):
                            found[span.key, at] = one
        return found


def said_of(passage: Passage, span: Span) -> Iterator[Cloze]:
    """The sentence around a span, if it is short prose."""
    for start, end in sentences(passage.text):
        text = passage.text[start:end].strip()
        if (
            start <= span.start
            and span.end <= end
            and SHORT <= len(text.split()) <= LONG // 2
            and _PROSE.fullmatch(text)
        ):
            yield Cloze(passage, (start, end), span)
