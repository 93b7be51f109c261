"""From a question and its passages to one reading example, as the live agent builds its texts.

The agent shows the reader a lead (for each earlier link its title and one sentence) and then the passage that
should hold the answer, title first (agent/rereading.py). A third of the titles is left out, because people's
documents often have none that help. Windows are drawn anew each time: short ones early in a run, where they teach
spans fast, whole passages later.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.chunk import sentence_spans

NO_TITLE = 0.3
LEAD = 0.2  # chance of a sentence from elsewhere before a single passage
SHORT, MIDDLE, LONG = 450, 750, 1450  # characters of a window
SLACK = 20  # a window begins with a whole word, up to so many characters before the place drawn
CLOSED = ("yes", "no")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'-]+(?: (?:of |the )?[A-Z][\w'-]+)*|\b1\d{3}\b|\b20\d{2}\b")


@dataclass(frozen=True, slots=True)
class ReaderExample:
    """`kind` is none, span, yes or no; `spans` are characters of `text`, any of which is right."""

    question: str
    text: str
    kind: str
    spans: tuple[tuple[int, int], ...] = ()
    enough: bool | None = None  # whether the text suffices to answer; None: not known, not taught


@dataclass(frozen=True, slots=True)
class Text:
    """A passage."""

    title: str
    text: str

    @classmethod
    def of(cls, row: Mapping[str, str]) -> Text:
        return cls(row["title"].replace("_", " "), row["text"])


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with everything recipes draw from."""

    question: str
    answers: tuple[str, ...]
    gold: tuple[Text, ...]
    near: tuple[Text, ...] = ()  # look right, hold no answer
    context: tuple[Text, ...] = ()  # given candidates that are not gold
    start: int | None = None  # of the first answer in the first gold passage
    sentences: tuple[tuple[str, str], ...] = ()  # (title, sentence) that support the answer
    partial: bool = False  # tied to its passage by search: more passages may be needed


def single(asked: Asked, rng: random.Random, progress: float) -> ReaderExample | None:
    """A passage with its answer marked."""
    if not asked.gold or not asked.answers:
        return None
    passage = asked.gold[0]
    spans = _given_span(asked, passage.text) or occurrences(passage.text, asked.answers)
    if not spans:
        return None
    body, spans = _window(passage.text, spans, rng, _room(rng, progress))
    lead = _lead(asked, passage.title, rng, progress)
    return ReaderExample(asked.question, lead + body, "span", _shifted(spans, len(lead)))


def unanswerable(asked: Asked, rng: random.Random, progress: float) -> ReaderExample | None:
    """A passage about the matter that does not answer."""
    return _none(asked.question, asked.gold[0], rng, progress) if asked.gold else None


def near(asked: Asked, rng: random.Random, progress: float) -> ReaderExample | None:
    """What BM25 finds for the question, without its answer; the best is the likeliest."""
    return _none(
        asked.question, asked.near[min(rng.randrange(len(asked.near)), rng.randrange(4))], rng, progress
    )


def chain(asked: Asked, rng: random.Random, progress: float) -> ReaderExample | None:
    """The gold passages of a multi-hop question as a chain: notes first, the passage with the answer last."""
    if len(asked.gold) < 2 or not asked.answers:
        return None
    answer = asked.answers[0]
    gold = rng.sample(asked.gold, len(asked.gold))
    gold.sort(key=lambda text: bool(occurrences(text.text, (answer,))))
    last = gold[-1]
    lead = "".join(f"{text.title}\n{_note(text, asked, rng)}\n" for text in gold[:-1]) + f"{last.title}\n"
    room = max(300, _room(rng, progress) + 150 - len(lead))
    if answer.lower() in CLOSED:
        return ReaderExample(asked.question, lead + _cut(last.text, rng, room), answer.lower())
    spans = occurrences(last.text, (answer,))
    if not spans:
        found = occurrences(lead, (answer,))
        return ReaderExample(asked.question, lead + last.text[:room], "span", found) if found else None
    body, spans = _window(last.text, spans, rng, room)
    return ReaderExample(asked.question, lead + body, "span", _shifted(spans, len(lead)))


def side_by_side(asked: Asked, rng: random.Random, progress: float) -> ReaderExample | None:
    """Two or more gold passages and a false one next to each other, in any order."""
    if not asked.answers or not asked.gold:
        return None
    texts = [*asked.gold, *rng.sample(asked.context, min(1, len(asked.context)))]
    rng.shuffle(texts)
    room = max(200, LONG // len(texts))
    shown = "\n".join(f"{text.title}\n{_about(text, asked, room)}" for text in texts)
    answer = asked.answers[0]
    if answer.lower() in CLOSED:
        return ReaderExample(asked.question, shown, answer.lower())
    spans = occurrences(shown, (answer,))
    return ReaderExample(asked.question, shown, "span", spans) if spans else None


def broken_chain(asked: Asked, rng: random.Random, progress: float) -> ReaderExample | None:
    """A chain that ends in the wrong passage, or its first passage alone: does not answer."""
    answer = asked.answers[0]
    if answer.lower() in CLOSED or len(asked.gold) < 2:
        return None
    first = rng.choice(asked.gold)
    wrong = rng.choice(asked.context) if asked.context and rng.random() < 0.6 else None
    if wrong is None:
        text = f"{first.title}\n{_cut(first.text, rng, _room(rng, progress))}"
    else:
        body = _cut(wrong.text, rng, _room(rng, progress))
        text = f"{first.title}\n{_note(first, asked, rng)}\n{wrong.title}\n{body}"
    return None if occurrences(text, (answer,)) else ReaderExample(asked.question, text, "none")


def insufficient(asked: Asked, rng: random.Random, progress: float) -> ReaderExample | None:
    """Two candidates of a question whose gold passages are not all there."""
    if not asked.context or not asked.answers:
        return None
    texts = [*asked.gold, *rng.sample(asked.context, min(2, len(asked.context)))][:2]
    shown = "\n".join(f"{text.title}\n{_cut(text.text, rng, MIDDLE // 2)}" for text in texts)
    if asked.answers[0].lower() not in CLOSED and occurrences(shown, asked.answers[:1]):
        return None
    return ReaderExample(asked.question, shown, "none")


@dataclass(frozen=True, slots=True)
class Names:
    """Names and years of questions, to make near misses from."""

    names: tuple[str, ...]
    years: tuple[str, ...]

    @classmethod
    def of(cls, questions: Sequence[str]) -> Names:
        found = sorted({match for question in questions for match in _NAME.findall(question)})
        return cls(tuple(n for n in found if not n.isdigit()), tuple(n for n in found if n.isdigit()))

    def swapped(self, asked: Asked, rng: random.Random, progress: float) -> ReaderExample | None:
        """The question with one name or year changed: its passage no longer answers."""
        if not asked.gold:
            return None
        passage = asked.gold[0]
        matches = [m for m in _NAME.finditer(asked.question) if m[0] in passage.text]
        if not matches:
            return None
        match = rng.choice(matches)
        other = rng.choice(self.years if match[0].isdigit() else self.names)
        if other.lower() in f"{passage.title} {passage.text}".lower():
            return None
        question = asked.question[: match.start()] + other + asked.question[match.end() :]
        return _none(question, passage, rng, progress)


def ready(example: ReaderExample, rng: random.Random, progress: float) -> ReaderExample:
    """An example that is already made."""
    return example


def _none(question: str, passage: Text, rng: random.Random, progress: float) -> ReaderExample:
    title = "" if not passage.title or rng.random() < NO_TITLE else f"{passage.title}\n"
    return ReaderExample(question, title + _cut(passage.text, rng, _room(rng, progress)), "none")


def _lead(asked: Asked, title: str, rng: random.Random, progress: float) -> str:
    """The title, most of the time, and sometimes a sentence from elsewhere before it."""
    own = "" if not title or rng.random() < NO_TITLE else f"{title}\n"
    if not asked.near or progress < 0.2 or rng.random() > LEAD:
        return own
    other = rng.choice(asked.near)
    return f"{other.title}\n{_sentence(other.text, rng)}\n{own}"


def _note(text: Text, asked: Asked, rng: random.Random) -> str:
    """What the agent keeps of an earlier link: its supporting sentence where it is known."""
    known = [sentence for title, sentence in asked.sentences if title.replace("_", " ") == text.title]
    return rng.choice(known) if known else _sentence(text.text, rng, first=True)


def _about(text: Text, asked: Asked, room: int) -> str:
    """A stretch that holds the supporting sentence or the answer, from the start where neither is known."""
    known = [s for title, s in asked.sentences if title.replace("_", " ") == text.title] or list(
        asked.answers[:1]
    )
    at = text.text.find(known[0]) if known else 0
    start = max(0, min(at, at + len(known[0]) - room + 40)) if known else 0
    return text.text[start : start + room]


def _sentence(text: str, rng: random.Random, first: bool = False) -> str:
    spans = sentence_spans(text[:900])
    if not spans:
        return text[:200]
    start, end = spans[0] if first else rng.choice(spans)
    return text[start : min(end, start + 350)]


def _given_span(asked: Asked, text: str) -> tuple[tuple[int, int], ...]:
    if asked.start is None:
        return ()
    answer = asked.answers[0]
    end = asked.start + len(answer)
    return ((asked.start, end),) if text[asked.start : end] == answer else ()


def occurrences(text: str, answers: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Where the first answer that occurs stands, as whole words."""
    for answer in answers:
        found = tuple(
            m.span() for m in re.finditer(rf"(?<!\w){re.escape(answer)}(?!\w)", text, re.IGNORECASE)
        )
        if answer and found:
            return found
    return ()


def _room(rng: random.Random, progress: float) -> int:
    if progress < 0.25:
        return SHORT
    return rng.choice((SHORT, MIDDLE, LONG))


def _window(
    text: str, spans: tuple[tuple[int, int], ...], rng: random.Random, limit: int
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A stretch of at most `limit` characters that holds one of the spans, and all spans inside it."""
    if len(text) <= limit:
        return text, spans
    start, end = rng.choice(spans)
    low, high = max(0, end + SLACK - limit), min(start, len(text) - limit)
    cut = rng.randint(low, high) if low < high else max(0, min(low, start))
    while cut > 0 and not text[cut - 1].isspace():
        cut -= 1
    inside = tuple((a - cut, b - cut) for a, b in spans if a >= cut and b <= cut + limit)
    return text[cut : cut + limit], inside


def _cut(text: str, rng: random.Random, limit: int) -> str:
    return _window(text, ((0, 0),), rng, limit)[0] if rng.random() < 0.5 else _random_cut(text, rng, limit)


def _random_cut(text: str, rng: random.Random, limit: int) -> str:
    start = rng.randint(0, max(0, len(text) - limit))
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    return text[start : start + limit]


def _shifted(spans: tuple[tuple[int, int], ...], by: int) -> tuple[tuple[int, int], ...]:
    return tuple((start + by, end + by) for start, end in spans)
