"""Extraction by a language model behind the same protocol as the rules, which stay in charge of what it gets wrong.

The rules give sentences, titles, headings, dates, numbers and aliases; the model gives names and triplets in place
of theirs. Its reply must be one JSON object `{"entities": [...], "triplets": [[subject, relation, object], ...]}`.
Nothing is taken on trust: an entity must stand in the passage word by word, a triplet must join two things the
passage names. What fails is left out and recorded as a `Mistake`; a reply that is no such object, or a model that
fails, leaves the passage to the rules. The model comes as a plain callable, because `index` knows no endpoint.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import regex

from index.errors import ModelError
from index.extract import RELATION_WORDS, Knowledge, RuleExtractor, Triplet
from index.names import MAX_NAME_CHARACTERS, Mention, bare_title, name_key
from index.types import Draft

Ask = Callable[[str, str], str]  # system message and prompt to the model's reply
SYSTEM = (
    "You list what a passage names and states. Reply with one JSON object and nothing else: "
    '{"entities": ["..."], "triplets": [["subject", "relation", "object"]]}. '
    "Copy entities from the passage letter by letter: people, places, organisations, works, events, terms. "
    "Subjects and objects of triplets are entities of your list or the title; a relation is a few words."
)
MOST = 60  # entities, and triplets, of one passage
SHOWN = 200  # characters of a reply that a mistake keeps
_FENCE = regex.compile(r"^\s*```(?:json)?\s*|\s*```\s*$")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What the model got wrong in the passage at [start, end) of a document's text."""

    start: int
    end: int
    reason: str
    reply: str


class ModelExtractor:
    """Extraction by a model; `mistakes` grow as it works. One request for each passage."""

    def __init__(self, ask: Ask) -> None:
        self._ask, self._rules = ask, RuleExtractor()
        self.mistakes: list[Mistake] = []

    def extract(self, title: str, text: str, drafts: Sequence[Draft]) -> tuple[Knowledge, ...]:
        """Knowledge of each draft. `text` is the document's stored text that the drafts point into."""
        known = self._rules.extract(title, text, drafts)
        return tuple(self._passage(title, text, draft, one) for draft, one in zip(drafts, known, strict=True))

    def _passage(self, title: str, text: str, draft: Draft, by_rules: Knowledge) -> Knowledge:
        body = text[draft.start : draft.end]
        prompt = f"Title: {title}\n\nPassage:\n{body}"
        try:
            reply = self._ask(SYSTEM, prompt)
        except ModelError as error:
            self.mistakes.append(Mistake(draft.start, draft.end, f"the model failed: {error}", ""))
            return by_rules
        try:
            entities, triplets = parse(reply)
        except ValueError as error:
            self.mistakes.append(Mistake(draft.start, draft.end, str(error), reply[:SHOWN]))
            return by_rules

        def wrong(reason: str) -> None:
            self.mistakes.append(Mistake(draft.start, draft.end, reason, reply[:SHOWN]))

        names = _names(text, draft, by_rules, entities, wrong)
        kept = [(at, m) for at, m in by_rules.mentions if m.kind not in ("name", "quoted")]
        titles = {m.key for _, m in by_rules.mentions if m.kind == "title"}
        stated = _triplets(triplets, names, titles, bare_title(title), wrong)
        mentions = sorted([*kept, *names], key=lambda one: (one[0], one[1].start, -one[1].end))
        return replace(by_rules, mentions=tuple(mentions), triplets=stated)


def parse(reply: str) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Entities and triplets of a reply. ValueError, saying why, for anything but the object asked for."""
    try:
        found: Any = json.loads(_FENCE.sub("", reply))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"the reply is not JSON: {error}") from error
    if not isinstance(found, Mapping) or set(found) != {"entities", "triplets"}:
        raise ValueError("the reply is not an object with entities and triplets")
    entities, triplets = found["entities"], found["triplets"]
    if not isinstance(entities, list) or not all(isinstance(one, str) for one in entities):
        raise ValueError("entities is not a list of texts")
    good = isinstance(triplets, list) and all(
        isinstance(one, list) and len(one) == 3 and all(isinstance(part, str) for part in one)
        for one in triplets
    )
    if not good:
        raise ValueError("triplets is not a list of [subject, relation, object]")
    if len(entities) > MOST or len(triplets) > MOST:
        raise ValueError(f"more than {MOST} entities or triplets for one passage")
    return entities, [(one[0], one[1], one[2]) for one in triplets]


def _names(
    text: str, draft: Draft, known: Knowledge, entities: Sequence[str], wrong: Callable[[str], None]
) -> list[tuple[int, Mention]]:
    """Every place where an entity stands as whole words, with the number of its sentence."""
    found: dict[tuple[int, int], tuple[int, Mention]] = {}
    for entity in dict.fromkeys(entities):
        key = name_key(entity)
        if not key or len(entity) > MAX_NAME_CHARACTERS:
            wrong(f"{entity[:MAX_NAME_CHARACTERS]!r} is not a name")
            continue
        before, after = (r"\b" if regex.match(r"\w", c) else "" for c in (entity[0], entity[-1]))
        pattern = regex.compile(before + regex.escape(entity) + after)
        places = [m.span() for m in pattern.finditer(text, draft.start, draft.end)]
        if not places:
            wrong(f"{entity!r} does not stand in the passage")
        for start, end in places:
            number = next((n for n, span in enumerate(known.sentences) if span[0] <= start < span[1]), 0)
            found.setdefault((start, end), (number, Mention(start, end, key, "name")))
    return list(found.values())


def _triplets(
    triplets: Sequence[tuple[str, str, str]],
    names: Sequence[tuple[int, Mention]],
    titles: set[str],
    title: str,
    wrong: Callable[[str], None],
) -> tuple[Triplet, ...]:
    """The triplets that join two named things, each at the first sentence that names its object (or subject)."""
    sentence: dict[str, int] = {}
    for number, mention in names:
        sentence[mention.key] = min(number, sentence.get(mention.key, number))
    own = name_key(title)
    found: list[Triplet] = []
    for subject, relation, other in triplets:
        ends = name_key(subject), name_key(other)
        words = regex.findall(r"[\p{L}\p{M}]+", relation)
        if ends[0] == ends[1] or not words or not all(e in sentence or e in titles or e == own for e in ends):
            wrong(f"{[subject, relation, other]!r} does not join two things that the passage names")
            continue
        at = sentence.get(ends[1], sentence.get(ends[0], 0))
        found.append(Triplet(at, ends[0], " ".join(words[:RELATION_WORDS]), ends[1]))
    return tuple(dict.fromkeys(found))
