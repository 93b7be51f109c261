"""Questions without labels: salient spans of a collection are masked, and other passages must fill them in.

Retrieval-Augmented Mask Prediction (MaskSearch, Wu et al. 2025, section 3.1) for a small reader: a sentence of a
passage with one name, date or figure left out is the question; what is read is the passage itself, another
passage that holds the same span and shares a second name with the sentence, or two passages joined by a name
(the first names the second's title; the question never does). How cloze sentences become question-like follows
Lewis et al. 2019 ("Unsupervised question answering by cloze translation", sections 2.1 and 2.2): a question word
for the mask, words dropped and moved.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from index.chunk import sentence_spans
from index.names import bare_title, figures_in, name_key, names_in
from training.skills.reader_recipes import LONG, ReaderExample, Text

RARE = 40  # a span in more passages than this says nothing about which passage is meant
WORDS = 22  # of a question at most
DROPPED, MOVED = 0.12, 0.3  # share of words dropped; chance that words change places
TITLE = 0.8  # chance that a passage is shown with its title
_YEAR = re.compile(r"(?:1\d{3}|20\d{2})$")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Span:
    """A salient span of a passage: characters, and the key under which other passages hold it."""

    start: int
    end: int
    key: str


@dataclass(frozen=True, slots=True)
class Masked:
    """A question made of a sentence [start, end) of a passage by masking a span of it."""

    question: str
    answer: str
    span: Span
    sentence: tuple[int, int]


@dataclass(slots=True)
class Unlabelled:
    """The passages of a collection and which of them hold a name."""

    texts: tuple[Text, ...]
    holders: dict[str, tuple[int, ...]] = field(default_factory=dict)  # key -> passages, where few
    titled: dict[str, int] = field(default_factory=dict)  # key of a title -> its only passage

    @classmethod
    def of(cls, texts: Sequence[Text]) -> Unlabelled:
        """Index the names of all passages."""
        found: dict[str, list[int]] = {}
        titles: dict[str, list[int]] = {}
        for row, text in enumerate(texts):
            for key in {span.key for span in salient(text.text)}:
                found.setdefault(key, []).append(row)
            titles.setdefault(name_key(bare_title(text.title)), []).append(row)
        holders = {key: tuple(rows) for key, rows in found.items() if 1 < len(rows) <= RARE}
        titled = {key: rows[0] for key, rows in titles.items() if key and len(rows) == 1}
        return cls(tuple(texts), holders, titled)

    def cloze(self, row: int, rng: random.Random, progress: float) -> ReaderExample | None:
        """A question made of passage `row`, answered by it or by another; sometimes by neither."""
        masked = self.masked(row, rng)
        if masked is None:
            return None
        question, answer, span, sentence = masked.question, masked.answer, masked.span, masked.sentence
        draw = rng.random()
        if draw < 0.30:
            other = self._other(row, span, sentence, rng)
            return self._shown(question, answer, [other], rng, LONG) if other is not None else None
        if draw < 0.42:
            return self._elsewhere(question, answer, row, rng)
        if draw < 0.62:
            return self._bridge(row, span, sentence, rng)
        rows = [row] if rng.random() < 0.5 else [row, *self._neighbours(row, rng)]
        return self._shown(question, answer, rows, rng, LONG)

    def masked(
        self, row: int, rng: random.Random, usable: Callable[[Span], bool] = lambda span: True
    ) -> Masked | None:
        """A sentence of passage `row` with one of its usable spans asked for; None where it has none."""
        text = self.texts[row].text
        spans = [span for span in salient(text) if usable(span)]
        if not spans:
            return None
        span = rng.choice(spans)
        sentence = next((s for s in sentences(text) if s[0] <= span.start and span.end <= s[1]), None)
        if sentence is None:
            return None
        question = cloze_question(text[sentence[0] : sentence[1]], span.start - sentence[0],
                                  span.end - sentence[0], rng)  # fmt: skip
        return Masked(question, text[span.start : span.end], span, sentence)

    def _other(self, row: int, span: Span, sentence: tuple[int, int], rng: random.Random) -> int | None:
        """A passage that holds the span and one more name of the sentence."""
        text = self.texts[row].text
        keys = {s.key for s in salient(text) if sentence[0] <= s.start < sentence[1]} - {span.key}
        keys.add(name_key(bare_title(self.texts[row].title)))
        joined = [
            other
            for other in self.holders.get(span.key, ())
            if other != row
            and (
                any(other in self.holders.get(key, ()) for key in keys)
                or name_key(bare_title(self.texts[other].title)) in keys
            )
        ]
        return rng.choice(joined) if joined else None

    def _elsewhere(self, question: str, answer: str, row: int, rng: random.Random) -> ReaderExample | None:
        """Passages about the same names that do not hold the answer."""
        rows = self._neighbours(row, rng)[:2]
        shown = "\n".join(_told(self.texts[other], rng, LONG // 2) for other in rows)
        if not rows or answer.lower() in shown.lower():
            return None
        return ReaderExample(question, shown, "none", enough=False)

    def _bridge(
        self, row: int, span: Span, sentence: tuple[int, int], rng: random.Random
    ) -> ReaderExample | None:
        """The sentence asked about by what another passage says of its subject."""
        text = self.texts[row]
        name = bare_title(text.title)
        leads = [r for r in self.holders.get(name_key(name), ()) if r != row and name in self.texts[r].text]
        if len(name) < 3 or not leads or name_key(name) == span.key:
            return None
        lead = rng.choice(leads)
        body = self.texts[lead].text
        said = next((body[a:b] for a, b in sentences(body) if name in body[a:b]), "")
        at = said.find(name)
        if at < 0:
            return None
        first = cloze_question(said, at, at + len(name), rng, "that").rstrip("?")
        own = text.text[sentence[0] : sentence[1]]
        second = cloze_question(own, span.start - sentence[0], span.end - sentence[0], rng).replace(name, "")
        question = f"{second.rstrip('?')} {first}?" if rng.random() < 0.5 else f"{first} {second}"
        rows = [lead, row] if rng.random() < 0.6 else [row, lead]
        if rng.random() < 0.3:
            rows += self._neighbours(row, rng)[:1]
        return self._shown(question, text.text[span.start : span.end], rows, rng, LONG + 300)

    def _neighbours(self, row: int, rng: random.Random) -> list[int]:
        """Up to three passages that share a name with this one."""
        near = {
            other
            for span in salient(self.texts[row].text)
            for other in self.holders.get(span.key, ())
            if other != row
        }
        pool = sorted(near)
        return rng.sample(pool, min(len(pool), rng.randint(1, 3)))

    def _shown(
        self, question: str, answer: str, rows: Sequence[int], rng: random.Random, room: int
    ) -> ReaderExample | None:
        order = list(rows)
        rng.shuffle(order)
        each = max(220, room // len(order))
        shown = "\n".join(_told(self.texts[row], rng, each, answer) for row in order)
        spans = tuple(m.span() for m in re.finditer(rf"(?<!\w){re.escape(answer)}(?!\w)", shown))
        return ReaderExample(question, shown, "span", spans) if spans else None


def salient(text: str) -> tuple[Span, ...]:
    """Names, dates and figures of a text that are worth asking for."""
    return _salient(text)


@lru_cache(maxsize=60_000)
def _salient(text: str) -> tuple[Span, ...]:
    openings = frozenset(start for start, _ in _sentences(text))
    names = [m for m in names_in(text, openings) if 2 < m.end - m.start <= 60]
    figures = [m for m in figures_in(text) if m.end - m.start <= 30]
    return tuple(
        Span(m.start, m.end, name_key(text[m.start : m.end]) or text[m.start : m.end].lower())
        for m in (*names, *figures)
    )


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Sentence spans of a text, remembered."""
    return _sentences(text)


@lru_cache(maxsize=60_000)
def _sentences(text: str) -> tuple[tuple[int, int], ...]:
    return tuple(sentence_spans(text))


def cloze_question(sentence: str, start: int, end: int, rng: random.Random, word: str = "") -> str:
    """A sentence with [start, end) asked for; noisy, so that words alone do not find the place.

    >>> cloze_question("The mill was built by Mira Vell in 1931.", 22, 31, random.Random(2))
    'Who was mill built by in 1931?'
    """
    asked = word or _question_word(sentence[start:end], rng)
    before = _WORD.findall(sentence[:start])[-WORDS // 2 :]
    after = _WORD.findall(sentence[end:].rstrip(" .!?"))[: WORDS // 2]
    before, after = _noisy(before, rng), _noisy(after, rng)
    if before:
        before[0] = before[0][:1].lower() + before[0][1:] if not before[0].isupper() else before[0]
    kept = [asked, *before, *after] if rng.random() < 0.6 and not word else [*before, asked, *after]
    text = " ".join(kept).strip(" ,;:")
    return text[:1].upper() + text[1:] + "?"


def _question_word(answer: str, rng: random.Random) -> str:
    if _YEAR.fullmatch(answer):
        return rng.choice(("when", "what year", "in which year"))
    if answer[:1].isdigit():
        return rng.choice(("how many", "when", "what"))
    return rng.choice(("who", "what", "which", "what", "where"))


def _noisy(words: list[str], rng: random.Random) -> list[str]:
    kept = [word for word in words if rng.random() >= DROPPED]
    if len(kept) > 2 and rng.random() < MOVED:
        at = rng.randrange(len(kept) - 1)
        kept[at], kept[at + 1] = kept[at + 1], kept[at]
    return kept


def _told(text: Text, rng: random.Random, room: int, answer: str = "") -> str:
    """A passage, title first most times, cut to `room` characters around the answer where it holds it."""
    body = text.text
    if len(body) > room:
        at = body.find(answer) if answer else -1
        if at < 0:
            body = body[:room]
        else:
            low = max(0, at + len(answer) - room)
            cut = rng.randint(low, at) if at > low else at
            cut = body.rfind(" ", 0, cut) + 1
            body = body[cut : cut + room]
    return f"{text.title}\n{body}" if text.title and rng.random() < TITLE else body
