"""Questions that describe instead of naming: "the captain of the ship that carried the Progby Expedition".

The innermost description that rests on a name is a question of its own ("Which ship carried the Progby Expedition?").
Its answer takes the description's place, and the question is one step shorter: decomposition by substitution, as
Self-Ask (Press et al. 2023) does with a prompt, here by rules over the wording.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.discourse import PERSON_NOUNS
from agent.question import content_words

_PEOPLE = PERSON_NOUNS | frozenset(
    (
        "performer spouse mom dad parent child grandfather grandmother grandson granddaughter uncle aunt cousin nephew niece "
        "screenwriter lyricist songwriter star host creator developer discoverer successor predecessor chairman ceo coach "
        "manager guitarist drummer vocalist bassist winner champion illustrator narrator starring emperor prince "
        "princess pope bishop governor senator minister general admiral patron sponsor master"
    ).split()
)
_CAPITAL = r"(?:[A-Z0-9][\w'’&.\-–]*|\"[^\"]+\"|“[^”]+”|'[^']{3,}')"
# A name as it stands in a question: capitalised words, small words only between them, what is in brackets behind it.
_NAME = (
    rf"(?:the |The )?{_CAPITAL}(?:,? (?:(?:of|the|and|de|du|la|le|van|von|der|den|del|di|al|for|in|on|to|a|an|at|by|with|from) ){{0,2}}"
    rf"{_CAPITAL})*(?: \([^)]+\))?"
)
_MODIFIED = r"(?:(?!(?:that|which|who|where|whose|and|of|in|by|is|was)\b)[A-Za-z0-9][\w\-]* ){0,3}?"
_BORN = r"(?:(?:is|was|are|were|has|had) )?(?:[a-z]+ed|born|located|found|held|built|made|set|won|set)\b"
_SHAPES = (
    # "the author of One Distant Bell Founder", "the director of the 2008 film Rahi"
    rf"\bthe (?P<noun>{_MODIFIED}[a-z][a-z\-]+) (?P<of>of|behind|for|in|at|on|to) (?:the |a |an )?(?P<kind>{_MODIFIED})(?P<name>{_NAME})",
    # "the ship that carried the Sondoe Expedition", "the engineer who designed the Quevolt Bridge"
    rf"\b(?:the|a|an) (?P<noun>{_MODIFIED}[a-z][a-z\-]+) (?:that|which|who) (?P<verb>(?:[a-z]+ ){{1,4}}?)(?P<name>{_NAME})",
    # "the river crossed by the Lekerly Bridge", "the town shown in Washing Day"
    rf"\b(?:the|a|an) (?P<noun>{_MODIFIED}[a-z][a-z\-]+) (?P<done>[a-z]+(?:ed|wn|en|ilt|ade|ung|ld|ept|ing) (?:[a-z]+ ){{0,2}})"
    rf"(?P<name>{_NAME})",
    # "the town where Hembospel Rulund was born"
    rf"\b(?:the|a|an) (?P<noun>{_MODIFIED}[a-z][a-z\-]+) (?P<where>where|in which|at which|on which) (?P<name>{_NAME}) (?P<rest>{_BORN}|is\b|was\b)",
    # "the country Dai Jitao is from"
    rf"\b(?:the|a|an) (?P<noun>{_MODIFIED}[a-z][a-z\-]+) (?P<bare>)(?P<name>{_NAME}) (?P<rest>(?:is|was) (?:from|in)|(?:is|was) [a-z]+ in"
    rf"|(?:lives|lived|died|plays|played|works|worked) (?:in|for|at)|attended|directed|founded|designed|wrote)\b",
)
_POSSESSED = re.compile(rf"(?P<name>{_NAME})['’]s (?P<noun>{_MODIFIED}[a-z][a-z\-]+)")
_SHAPED = tuple(re.compile(shape) for shape in _SHAPES)
_ABSTRACT = frozenset(
    "death birth date year day time end start beginning number amount population length one most first last murder "
    "murders way part list lack win set use".split()
)
_DOER = re.compile(r"(?:[^e]er|or|ist|ian|ress|man|woman)$")
_NO_DOER = frozenset(
    "river tower theater chapter computer center centre letter paper water border number order character winter "
    "quarter newspaper power harbor harbour motor sector factor error color colour floor door corridor tractor list "
    "human cluster cancer summer cover poster charter chamber matter corner war car bar".split()
)
_GOES_ON = frozenset("is was are were did does do has have had".split())
_JOINS = frozenset("in from of for that which who and or on at to by with whose".split())
_EMPTY = frozenset("name names kind type sort same other first last full real".split())
_NOT_NOUNS = frozenset(
    "that which who where is was are were did does do has have had and or but than in of by with from".split()
)


@dataclass(frozen=True, slots=True)
class Description:
    """A described thing: its place in the question, and the question that asks what it is."""

    start: int
    end: int
    asks: str


def innermost(question: str) -> Description | None:
    """The description nearest to a name, where answering it leaves something to ask; None where there is none.

    >>> innermost("Who is the captain of the ship that carried the Progby Expedition?").asks
    'Which ship carried the Progby Expedition?'
    >>> innermost("When was the teacher of the author of Bell Founder born?").asks
    'Who is the author of Bell Founder?'
    >>> innermost("Who is the author of Bell Founder?") is None
    True
    """
    found = []
    for shape in _SHAPED:
        at = 0
        while match := shape.search(question, at):
            at = match.start() + 1
            inner = shape.search(question, match.start() + 1, match.end())
            if inner is None:
                found.append(match)
    found += list(_POSSESSED.finditer(question))
    for match in sorted(found, key=lambda m: (-m.start(), m.end())):
        one = _described(question, match)
        if one is not None:
            return one
    return None


def put(question: str, described: Description, answer: str) -> str:
    """The question with the answer in the description's place.

    >>> asked = "When was the author of Bell Founder born?"
    >>> put(asked, innermost(asked), "Ann Ruhl")
    'When was Ann Ruhl born?'
    """
    return question[: described.start] + answer + question[described.end :]


def _described(question: str, match: re.Match[str]) -> Description | None:
    parts = match.groupdict()
    noun, name = parts["noun"], parts["name"]
    head = noun.split()[-1]
    if head in _EMPTY or head in _NOT_NOUNS or set(noun.split()) & _NOT_NOUNS:
        return None
    if head in _ABSTRACT or not _ends(question, match):
        return None
    rest = question[: match.start()] + " " + question[match.end() :]
    if not [w for w in content_words(rest) if w not in _EMPTY]:
        return None
    person = head in _PEOPLE or bool(_DOER.search(head)) and head not in _NO_DOER
    if parts.get("verb"):
        asks = f"{'Who' if person else f'Which {noun}'} {parts['verb'].strip()} {name}?"
    elif parts.get("done"):
        asks = f"Which {noun} {'' if parts['done'].split()[0].endswith('ing') else 'is '}{parts['done'].strip()} {name}?"
    elif parts.get("where"):
        asks = f"In which {noun} {_inverted(name, parts['rest'])}?"
    elif parts.get("bare") is not None:
        asks = f"Which {noun} {_inverted(name, parts['rest'])}?"
    else:
        of = parts.get("of") or "of"
        kind = question[match.end("of") : match.start("name")] if parts.get("of") else " "
        asks = f"{'Who' if person else 'What'} is the {noun} {of}{kind}{name}?"
    return Description(match.start(), match.end(), asks)


def _ends(question: str, match: re.Match[str]) -> bool:
    """Whether the description ends where it was cut: what follows goes on with the question, not with the name."""
    after = question[match.end() :]
    if not after or after[0] in "?.,;'’" or not after.strip(" ?.'’s"):
        return True
    word = re.match(r"\s*([\w'’\-]*)", after)
    follows = word[1] if word else ""
    if follows.lower() in _GOES_ON:
        return True
    before = re.findall(r"[a-z]+", question[: match.start()].lower())
    if set(before) & {"did", "does", "do"}:
        return follows.islower() and follows not in _JOINS
    return bool(re.search(r"(?:ed|en|wn|born|famous|from)$", follows)) and bool(
        set(before) & {"is", "was", "are", "were", "has", "have", "had", "made"}
    )


def _inverted(name: str, rest: str) -> str:
    first, _, more = rest.partition(" ")
    return f"{first} {name} {more}" if first in ("is", "was", "are", "were", "has", "had") else f"{name} {rest}"
