"""What a conversation has spoken of: names, answers and described persons, each with its kind, newest first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.question import analyse, names_in, words
from agent.types import Turn
from index.stop_words import STOP_WORDS

PERSON_NOUNS = frozenset(
    (
        "person man woman author writer poet architect engineer designer builder founder director composer president "
        "captain commander painter inventor scientist artist king queen mayor explorer actor actress singer player "
        "leader teacher pupil student maker creator publisher editor owner producer father mother husband wife son "
        "daughter brother sister"
    ).split()
)
_PERSON_NAME = (  # what only a person does or has
    r"\b(?:was|is|were) {0} (?:born|a pupil|a student|married|taught|trained|educated|buried)\b",
    r"\b(?:did|does|has) {0} (?:die|write|study|train|marry|teach|live|learn|compose|paint|design|build|work|attend|"
    r"lead|say|draw|invent|direct|play|sing|command)\b",
    r"\b{0}['’]s? (?:pupil|teacher|father|mother|wife|husband|birthplace|death|birth|student|son|daughter|brother|"
    r"sister|profession|occupation|job)\b",
    r"\b(?:pupil|teacher|father|mother|wife|husband|student|birthplace|birth|death|son|daughter|brother|sister) of "
    r"{0}\b",
    r"\b(?:written|designed|built|founded|led|directed|composed|painted|taught|commanded) by {0}\b",
)
_DESCRIBED = re.compile(
    r"\bthe (?:\w+ )?(?P<noun>\w+) (?:of|who|that)\b(?P<rest>.*?)"
    r"(?= (?:born|die|come|train|study|live|learn)\b|[?.,]|$)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Mention:
    """Something that was spoken of."""

    text: str
    kind: str  # person, place, date, number, thing
    nouns: frozenset[str]  # words by which it may be called: those of its name, and of what was asked for
    age: int  # turns ago; 0 is the last one
    answered: bool = False  # it was an answer, not part of a question


def spoken_of(history: Sequence[Turn]) -> list[Mention]:
    """Everything named in a conversation, newest turn first; in a turn its answer first."""
    found: list[Mention] = []
    people = {turn.short for turn in history if turn.short and analyse(turn.question).expects == "person"} | {
        name for turn in history for name in names_in(turn.question) if _is_person(name, turn.question)
    }
    for age, turn in enumerate(reversed(history)):
        question = analyse(turn.question)
        if turn.short:
            kind = _kind_of_answer(turn.short, question.expects)
            named = frozenset(words(turn.short)) | ({question.head} if question.head else frozenset())
            found.append(Mention(_in_full(turn, question.head), kind, named, age, answered=True))
        described = _described(turn.question)
        found.extend(Mention(text, "person", frozenset({noun}), age) for text, noun in described)
        for name in dict.fromkeys([*question.options, *question.names]):
            bare = re.sub(r"^(?:the|a|an) ", "", name)
            kind = "person" if bare in people else "thing"
            if re.search(rf"\S The {re.escape(bare)}", turn.question):  # the article is part of a title
                bare = f"The {bare}"
            found.append(Mention(bare, kind, frozenset(words(bare)) - STOP_WORDS, age))
    return _distinct(found)


def with_short(turn: Turn) -> Turn:
    """The bare answer of a turn; records from before it was kept have only the sentence."""
    if turn.short or not turn.answer:
        return turn
    first = re.sub(r"\[\d+\]", "", turn.answer).split("\n")[0].split(". ")[0]
    names = names_in(first, opening=False)
    asked = {n.lower() for n in names_in(turn.question)}
    new = [n for n in names if n.lower() not in asked]
    return replace(
        turn, short=new[0] if new and analyse(turn.question).expects in ("person", "place") else ""
    )


def pair_of(history: Sequence[Turn]) -> tuple[str, str] | None:
    """The two things last compared or last spoken of one after the other, in the order they came up."""
    for turn in reversed(history):
        options = analyse(turn.question).options
        if len(options) == 2:
            return options[0], options[1]
    seen: list[Mention] = []
    for mention in spoken_of(history):
        if mention.kind != "thing" or mention.answered:
            continue
        twin = next((m for m in seen if m.nouns & mention.nouns and m.text != mention.text), None)
        if twin is not None:
            return mention.text, twin.text
        seen.append(mention)
    return None


def _in_full(turn: Turn, head: str) -> str:
    """The short answer as the answer's text names it with the word that was asked for: Mirnil -> River Mirnil."""
    if not head or head in words(turn.short):
        return turn.short
    forms = (name for name in names_in(turn.answer, opening=False) if turn.short in name)
    return next((name for name in forms if set(words(name)) == {head, *words(turn.short)}), turn.short)


def _kind_of_answer(short: str, expects: str) -> str:
    if expects in ("person", "place", "number"):
        return expects
    if expects in ("date", "year") or re.fullmatch(
        r"(?:\d{1,2} )?(?:[A-Z][a-z]+ )?(?:\d{1,2}, )?\d{4}", short
    ):
        return "date"
    return "thing" if re.search(r"[A-Z]", short) else "number" if re.match(r"\d", short) else "words"


def _described(question: str) -> list[tuple[str, str]]:
    """Persons that a question describes instead of naming: ("the designer of the Teal Bridge", "designer")."""
    found = []
    for match in _DESCRIBED.finditer(question):
        noun = match.group("noun").lower()
        if noun in PERSON_NOUNS and names_in(match.group("rest"), opening=False):
            found.append((match.group().strip(), noun))
    return found[:1]


def _is_person(name: str, question: str) -> bool:
    return any(re.search(p.format(re.escape(name)), question, re.I) for p in _PERSON_NAME)


def _distinct(mentions: list[Mention]) -> list[Mention]:
    """Each thing once, at its newest place, with all the words it was called by."""
    kept: dict[str, Mention] = {}
    for m in mentions:
        key = re.sub(r"^the ", "", m.text.lower())
        old = kept.get(key)
        if old is None:
            kept[key] = m
        else:
            kind = old.kind if old.kind != "thing" else m.kind
            kept[key] = Mention(old.text, kind, old.nouns | m.nouns, old.age, old.answered)
    return list(kept.values())
