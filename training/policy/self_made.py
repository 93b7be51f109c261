"""Questions made from a person's own documents, with known evidence: no labels, no language model.

After MaskSearch (arXiv 2505.20285, RAMP): a name, date or figure of a sentence is hidden and asked for, where no other
document holds it. Sentences that point elsewhere ("this", "it") are asked of their document by its title. Beside them:
fields ("Status: Final") that many documents have; two documents joined by a name that only they hold, or by a field
that names the other; and questions without an answer, because the field is not there or because their document is left
out of the search.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from random import Random

from index.store import Store
from index.types import Scope
from training.policy.collect import Asked
from training.policy.own_facts import Cloze, Collected, hidden
from training.policy.trees import Tree
from training.skills.ramp import salient

LONGEST = 220  # characters of a question
_ADDRESS = re.compile(r"\s*<[^<>]*>")


def own_questions(store: Store, count: int, seed: int = 7) -> list[Asked]:
    """Up to `count` questions: a quarter of two documents where there are as many, a quarter without an answer, the
    rest of one document."""
    rng = Random(f"forage-own/{seed}")
    held = Collected.of(store)
    quarter = count // 4
    kinds = (
        ("own-two-hop", quarter, _alternately(_joined_by_name(held, rng), _joined_by_field(held, rng))),
        ("own-unanswerable", quarter, _alternately(_left_out(held, rng), _missing(held, rng))),
        ("own-single", count, _alternately(_sentences(held, rng), _fields(held, rng))),
    )
    made: dict[str, Asked] = {}
    for source, wanted, asked in kinds:
        fresh = (one for one in asked if len(one.text) <= LONGEST and one.text not in made)
        for one in islice(fresh, min(wanted, count - len(made))):
            made[one.text] = _asked(held, one, source)
    found = list(made.values())
    rng.shuffle(found)
    return found


@dataclass(frozen=True, slots=True)
class _Made:
    text: str
    answer: str = ""  # "": none
    evidence: tuple[int, ...] = ()  # documents
    left_out: int | None = None  # a document that is not searched


def _sentences(held: Collected, rng: Random) -> Iterator[_Made]:
    for one, at in _drawn(held, rng):
        yield _Made(one.asks, one.answer, (at,))


def _left_out(held: Collected, rng: Random) -> Iterator[_Made]:
    """Questions of sentences whose document is not searched."""
    for one, at in _drawn(held, rng):
        yield _Made(one.asks, left_out=at)


def _drawn(held: Collected, rng: Random) -> Iterator[tuple[Cloze, int]]:
    """Clozes in random order, one a sentence, documents by turns."""
    rows: dict[int, list[Cloze]] = defaultdict(list)
    for cloze in held.clozes:
        rows[held.holders[cloze.span.key][0]].append(cloze)
    order = sorted(rows)
    rng.shuffle(order)
    for at in order:
        rng.shuffle(rows[at])
    seen: set[tuple[int, tuple[int, int]]] = set()
    while any(rows.values()):
        for at in order:
            while rows[at]:
                one = rows[at].pop()
                if (one.passage.id, one.sentence) not in seen:
                    seen.add((one.passage.id, one.sentence))
                    yield one, at
                    break


def _fields(held: Collected, rng: Random) -> Iterator[_Made]:
    for at, label in _cells(held, rng):
        value, title = held.fields[at].get(label, ""), held.passages[at][0].title
        if value and value.casefold() not in title.casefold():
            yield _Made(_of_field(label, _quoted(held, at), rng), value, (at,))


def _missing(held: Collected, rng: Random) -> Iterator[_Made]:
    """Fields that other documents have and this one lacks."""
    for at, label in _cells(held, rng):
        if held.fields[at] and not any(
            label.lower() in passage.text.lower() for passage in held.passages[at]
        ):
            yield _Made(_of_field(label, _quoted(held, at), rng))


def _cells(held: Collected, rng: Random) -> list[tuple[int, str]]:
    found = [(at, label) for at in range(len(held.passages)) for label in held.columns]
    rng.shuffle(found)
    return found


def _of_field(label: str, of: str, rng: Random) -> str:
    return rng.choice(
        (f"What is the {_spoken(label)} of {of}?", f"What is given as {_spoken(label)} for {of}?")
    )


def _spoken(label: str) -> str:
    return label.lower().replace("-", " ")


def _quoted(held: Collected, at: int) -> str:
    return f'"{held.passages[at][0].title}"'


def _joined_by_field(held: Collected, rng: Random) -> Iterator[_Made]:
    """A field of the document that a field of another one names ("Replaces: 12")."""
    named = {(key, row[key]): at for at, row in enumerate(held.fields) for key in held.keys if key in row}
    for at, label in _cells(held, rng):
        value = held.fields[at].get(label, "")
        targets = [(named[key, value], key) for key in held.keys if key != label and (key, value) in named]
        if len(targets) != 1 or targets[0][0] == at:
            continue
        to, key = targets[0]
        rest = [one for one in held.fields[to] if one not in (key, label) and one in held.columns]
        if rest:
            asked = rng.choice(rest)
            name = f"the {key} that is given as {_spoken(label)} for {_quoted(held, at)}"
            yield _Made(_of_field(asked, name, rng), held.fields[to][asked], (at, to))


def _joined_by_name(held: Collected, rng: Random) -> Iterator[_Made]:
    """A sentence that names what one other document speaks of, asked for by what that one says."""
    for one, at in _drawn(held, rng):
        for name in salient(one.passage.text):
            other = next((to for to in held.holders[name.key] if to != at), None)
            told = held.shared.get((name.key, other)) if other is not None else None
            if told is None or len(held.holders[name.key]) != 2 or one.answer in told.text:
                continue
            called = one.passage.text[name.start : name.end]
            if (
                one.sentence[0] <= name.start
                and name.end <= one.sentence[1]
                and called not in one.passage.title
            ):
                first = hidden(told.passage.text, told.sentence, told.span, "X")
                asked = f"{one.asks[:-1].replace(called, 'X')}, where X is this: {first}?"
                yield _Made(asked, one.answer, (other or 0, at))
                break


def _alternately(*kinds: Iterator[_Made]) -> Iterator[_Made]:
    """One of each kind by turns, as long as there are any."""
    left = list(kinds)
    while left:
        for kind in tuple(left):
            one = next(kind, None)
            if one is None:
                left.remove(kind)
            else:
                yield one


def _asked(held: Collected, made: _Made, source: str) -> Asked:
    ids = [row[0].document_id for row in held.passages]
    searched = (
        () if made.left_out is None else tuple(one for at, one in enumerate(ids) if at != made.left_out)
    )
    golds = tuple(dict.fromkeys((made.answer, _ADDRESS.sub("", made.answer)))) if made.answer else ()
    key = sha256(made.text.encode()).hexdigest()[:12]
    blank = Tree(
        key, made.text, source, (), (), golds=golds, evidence=tuple(ids[at] for at in made.evidence),
        answerable=bool(golds), origin="self-made",
    )  # fmt: skip
    return Asked(blank, held.data_dir, Scope(documents=searched))
