"""Reading examples of packed evidence: sentences of several passages under their titles, as the agent packs them.

All gold passages among false ones (enough), or with one gold passage taken away (not enough). The reader learns the
answer and, in a fifth logit, whether the evidence suffices: the same question with and without a needed passage,
as in the insufficient twins of HotpotQA.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from training.skills.ramp import sentences
from training.skills.reader_recipes import CLOSED, Asked, ReaderExample, Text, occurrences

ROOM = 1450  # characters, about 330 tokens
NO_TITLE = 0.15
ALSO = 0.45  # chance of a sentence that is not needed
RANKED = 0.5  # chance that the needed passages come first, as a ranking would have them


@dataclass(frozen=True, slots=True)
class _Part:
    title: str
    kept: tuple[str, ...]
    gold: bool

    def told(self) -> str:
        body = " ".join(self.kept)
        return f"{self.title}\n{body}" if self.title else body


def packed(asked: Asked, rng: random.Random, progress: float) -> ReaderExample | None:
    """All gold evidence among up to four false passages."""
    if not asked.gold or not asked.answers:
        return None
    return _example(asked, asked.gold, _false(asked, rng, 4), rng, enough=None if asked.partial else True)


def lacking(asked: Asked, rng: random.Random, progress: float) -> ReaderExample | None:
    """The same without one of its gold passages."""
    if not asked.gold or not asked.answers or asked.partial:
        return None
    away = rng.randrange(len(asked.gold))
    gold = tuple(text for at, text in enumerate(asked.gold) if at != away)
    return _example(asked, gold, _false(asked, rng, 4, least=1), rng, enough=False)


def candidates(asked: Asked, rng: random.Random, progress: float) -> ReaderExample | None:
    """A question whose gold passages are not all among its candidates: some of these."""
    if not asked.context or not asked.answers:
        return None
    return _example(asked, asked.gold, _false(asked, rng, 5, least=2), rng, enough=False)


def unanswered(asked: Asked, rng: random.Random, progress: float) -> ReaderExample | None:
    """A question that nothing answers, over the passage it was asked about and others."""
    texts = (*asked.gold, *_false(asked, rng, 3))
    return _example(asked, (), texts, rng, enough=False) if texts else None


def _false(asked: Asked, rng: random.Random, most: int, least: int = 0) -> tuple[Text, ...]:
    pool = [*asked.near, *asked.context]
    return tuple(rng.sample(pool, min(len(pool), rng.randint(least, most))))


def _example(
    asked: Asked, gold: Sequence[Text], others: Sequence[Text], rng: random.Random, enough: bool | None
) -> ReaderExample | None:
    parts = [_needed(text, asked, rng) for text in gold]
    room = ROOM - sum(len(part.told()) for part in parts)
    for text in others:
        part = _distracting(text, rng)
        if len(part.told()) < room:
            parts.append(part)
            room -= len(part.told()) + 1
    if not parts:
        return None
    if rng.random() >= RANKED:
        rng.shuffle(parts)
    else:
        rng.shuffle(lead := parts[: len(gold)])
        parts[: len(gold)] = lead
    shown = "\n".join(part.told() for part in parts)
    answer = asked.answers[0] if asked.answers else ""
    if answer.lower() in CLOSED:
        kind = answer.lower() if enough is not False else "none"
        return ReaderExample(asked.question, shown, kind, enough=enough)
    spans = _in_gold(parts, asked.answers) or (occurrences(shown, asked.answers) if asked.answers else ())
    if spans:
        return ReaderExample(asked.question, shown, "span", spans, enough=enough)
    return None if enough is not False else ReaderExample(asked.question, shown, "none", enough=False)


def _in_gold(parts: Sequence[_Part], answers: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Where the answer stands in the needed passages."""
    found: list[tuple[int, int]] = []
    at = 0
    for part in parts:
        if part.gold:
            found += [(a + at, b + at) for a, b in occurrences(part.told(), answers)]
        at += len(part.told()) + 1
    return tuple(found)


def _needed(text: Text, asked: Asked, rng: random.Random) -> _Part:
    """A gold passage: what supports the answer, and some of the rest."""
    known = [s for title, s in asked.sentences if title.replace("_", " ") == text.title]
    spans = _given(asked, text)
    kept: list[str] = []
    size = 0
    for start, end in sentences(text.text):
        sentence = text.text[start:end]
        bears = any(s in sentence or sentence in s for s in known) or (
            any(start <= a < end for a, _ in spans) if not known else False
        )
        if bears or (size < ROOM // 3 and rng.random() < ALSO):
            kept.append(sentence)
            size += len(sentence)
    if not kept:
        kept = [text.text[:400]]
    return _Part(_title(text, rng), tuple(kept), True)


def _given(asked: Asked, text: Text) -> tuple[tuple[int, int], ...]:
    """The answer's place in a passage, as given or as found."""
    if asked.start is not None and asked.gold and text == asked.gold[0] and asked.answers:
        return ((asked.start, asked.start + len(asked.answers[0])),)
    return occurrences(text.text, asked.answers)


def _distracting(text: Text, rng: random.Random) -> _Part:
    spans = sentences(text.text)
    count = rng.randint(1, 3)
    first = 0 if rng.random() < 0.6 else rng.randrange(max(1, len(spans) - count + 1))
    kept = tuple(text.text[a:b][:400] for a, b in spans[first : first + count]) or (text.text[:300],)
    return _Part(_title(text, rng), kept, False)


def _title(text: Text, rng: random.Random) -> str:
    return "" if rng.random() < NO_TITLE else text.title
