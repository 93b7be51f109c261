"""The two sides of a comparison, each with its value read from the passages at hand, so that code decides.

"Which film has the director born earlier, A or B?" is not read off any text: a reader that is shown both names one of
them by guess. Here each thing's own passage is found; where the question asks about somebody of it (its director), the
reader names that person from it and the person's passage is found; from there it reads the value that decides, a date,
an amount or a country, and plain code compares (agent.compare). Every step must be found in text, or there is no
verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np

from agent.chain import Chain, make_chain
from agent.compare import Verdict, alike, amount, date_key, decide
from agent.countries import countries_of
from agent.designations import holds
from agent.fields import field_in
from agent.matching import stems
from agent.named import citations
from agent.pairs import DIED, Comparison, bare_option, comparison_in
from agent.question import Question, analyse
from agent.reader import Evidence
from agent.reader_model import ReaderModel
from agent.spans import DATE, Candidate
from index.chunk import sentence_spans
from index.names import bare_title
from index.types import Passage

WRITTEN = 0.9  # sureness of a date that a header states
SURE = 0.15  # probability of a reading below which a person or a value was not found
MEASURED = 0.5  # probability of a reading from which a figure is compared
AMOUNTS = ("more", "less")
_DIMENSIONS = tuple(
    stems(one)
    for one in ("long length", "tall high height", "deep depth", "wide broad width", "weigh weight heavy")
)
TITLED = 0.6  # share of an option's words that its passage's title must hold, and the other way round


@dataclass(frozen=True, slots=True)
class Found:
    """Something read: the text, where it stands in its passage, how surely."""

    text: str
    passage: Passage
    start: int  # offsets in the passage's text
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class Sided:
    """A comparison worked out: verdict, what each side rests on, and how surely it was read."""

    verdict: Verdict
    found: tuple[Found, ...]
    probability: float  # of the weakest reading on either side


def compared(question: Question, passages: Sequence[Passage], model: ReaderModel) -> Sided | None:
    """The verdict on a question that compares two things by date, amount or country; None where a step is missing.

    passages: what the searches found, best first.
    """
    asked = comparison_in(question)
    if asked is None or not passages:
        return None
    homes = ((pair, [_home(bare_option(option), asked, passages) for option in pair]) for pair in asked.pairs)
    known = next(((p, h) for p, h in homes if h[0] and h[1] and h[0].id != h[1].id), None)
    if known is None:
        return None
    pair, (first, second) = known
    assert first is not None and second is not None
    sides = [_side(o, h, asked, passages, model) for o, h in zip(pair, (first, second), strict=True)]
    if not all(sides):
        return None
    question = replace(question, options=pair, direction=asked.direction)
    values = [side[-1] for side in sides]
    if asked.direction == "same":
        verdict = _same_country(question, values)
    elif asked.direction in AMOUNTS and not alike(values[0].text, values[1].text):
        return None
    else:
        verdict = decide(question, (values[0].text, values[1].text))
    if verdict is None:
        return None
    sure = min(one.probability for side in sides for one in side)
    return Sided(verdict, tuple(one for side in sides for one in side), sure)


def worked_out(
    model: ReaderModel,
    question: Question,
    weights: np.ndarray,
    pool: Sequence[Evidence],
    useful: Mapping[int, float],
) -> Chain | None:
    """The verdict as an evidence chain: for each side the sentences that name its person and its value.

    weights: one per question term; useful: passage id -> usefulness (0 to 1).
    """
    passages = {one.passage.id: one.passage for one in pool}
    ranked = sorted(passages.values(), key=lambda passage: -useful.get(passage.id, 0.0))
    found = compared(question, ranked, model)
    if found is None:
        return None
    links = [link for one in found.found if (link := _sentence(one, pool)) is not None]
    links = list({link.key: link for link in links}.values())
    answer = Candidate(found.verdict.short, -1, -1, "worked out", found.probability)
    chain = make_chain(question, weights, tuple(links))
    return replace(chain, answers=(answer,), why=found.verdict.rationale)


def _sentence(found: Found, pool: Sequence[Evidence]) -> Evidence | None:
    """The sentence of the pool that something was read in; of the same passage the best, where it was in none."""
    own = [one for one in pool if one.passage.id == found.passage.id]
    at = found.passage.start + found.start
    inside = [one for one in own if one.start <= at < one.end]
    return max(inside or own, key=lambda one: one.score, default=None)


def _side(
    option: str, home: Passage, asked: Comparison, passages: Sequence[Passage], model: ReaderModel
) -> tuple[Found, ...]:
    """What leads to one thing's value, the value last; empty where a step is missing."""
    name = bare_option(option)
    if not asked.role:
        value = _stated(name, home, asked, passages) or _value(name, home, model, asked)
        return (value,) if value else ()
    person = _read(f"Who is the {asked.role} of {name}?", home, model)
    own = titled(person.text, [p for p in passages if p.id != home.id]) if person else None
    if person is None or own is None:
        return ()
    value = _value(person.text, own, model, asked)
    return (person, value) if value else ()


def _home(name: str, asked: Comparison, passages: Sequence[Passage]) -> Passage | None:
    """The passage about a thing; a paper cited by number is known by its title or its file's name.

    An amount is often told in a list of many things: there the first passage that names it will do.
    """
    cited = citations(name)
    if not cited:
        found = titled(name, passages)
        if found is None and asked.direction in AMOUNTS and not asked.role:
            found = next((one for one in passages if name.lower() in one.text.lower()), None)
        return found
    series, number = cited[0].series.lower(), cited[0].number
    return next(
        (
            p
            for p in passages
            if holds(f"{PurePath(p.source).name} {p.title}", number)
            and series in f"{p.source} {p.title} {p.text}".lower()
        ),
        None,
    )


def titled(name: str, passages: Sequence[Passage]) -> Passage | None:
    """The passage about a thing: its title says the name, or, with other words, enough of it. The first of equals."""
    wanted = stems(name)
    best, top = None, 0.0
    for passage in passages:
        title = stems(bare_title(passage.title))
        shared = len(wanted & title)
        if not shared:
            continue
        likeness = 2 * shared / (len(wanted) + len(title))
        if min(shared / len(wanted), shared / len(title)) < TITLED and not (
            wanted <= title or title <= wanted
        ):
            continue
        if likeness > top:
            best, top = passage, likeness
    return best


def _read(asked: str, passage: Passage, model: ReaderModel) -> Found | None:
    """What the reader answers from a passage, unless it is unsure or means the title."""
    reading = model.read(asked, [f"{passage.title}\n{passage.text}"])[0]
    start = reading.start - len(passage.title) - 1
    if reading.probability < SURE or start < 0 or not reading.answer.strip():
        return None
    return Found(reading.answer, passage, start, start + len(reading.answer), reading.probability)


def _value(name: str, passage: Passage, model: ReaderModel, asked: Comparison) -> Found | None:
    """The date, amount or country of a thing: as read; of a date else the first that its passage shows (of a death
    none)."""
    read = _read(asked.asks.format(name), passage, model)
    if asked.direction == "same":
        if read is not None and countries_of(read.text):
            return read
        opening = passage.text[:300]
        return Found(opening, passage, 0, len(opening), SURE) if countries_of(opening) else None
    if asked.direction in AMOUNTS:
        return read if read is not None and _measures(name, read, asked) else None
    if read is not None and date_key(read.text):
        return read
    dated = DATE.search(passage.text)
    if dated is None or asked.asks == DIED:
        return None
    return Found(dated[0], passage, dated.start(), dated.end(), SURE)


def _measures(name: str, read: Found, asked: Comparison) -> bool:
    """Whether a figure was surely read, and where it is told nothing else is measured: a length is no depth.

    Of a count the thing counted must be named there; the thing itself where the passage is about others too.
    """
    if read.probability < MEASURED or amount(read.text) is None:
        return False
    told = next((s for s in sentence_spans(read.passage.text, 0) if s[0] <= read.start < s[1]), None)
    said = stems(read.passage.text[slice(*told)] if told else read.text)
    if titled(name, [read.passage]) is None and not stems(name) <= said:
        return False
    if asked.counted:
        return stems(asked.counted) <= said
    wanted = stems(asked.asks)
    own = [one for one in _DIMENSIONS if one & wanted]
    return not own or bool(own[0] & said) or not any(one & said for one in _DIMENSIONS)


def _stated(name: str, home: Passage, asked: Comparison, passages: Sequence[Passage]) -> Found | None:
    """The date that a paper cited by number states in its header."""
    if not citations(name) or asked.direction not in ("earlier", "later"):
        return None
    question = analyse(f"When was {name} created?")
    weights = np.full(len(question.terms), 1 / len(question.terms), np.float32)
    held = field_in(question, weights, [p for p in passages if p.document_id == home.document_id])
    if held is None or not date_key(held.field.value):
        return None
    return Found(held.field.value, held.passage, held.field.start, held.field.end, WRITTEN)


def _same_country(question: Question, values: Sequence[Found]) -> Verdict | None:
    first, second = (countries_of(value.text) for value in values)
    if not first or not second:
        return None
    said = [f"{o}: {', '.join(sorted(c))}" for o, c in zip(question.options, (first, second), strict=True)]
    return Verdict("yes" if first & second else "no", f"{said[0]}; {said[1]}; compared as countries.")
