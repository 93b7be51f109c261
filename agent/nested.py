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
        "performer spouse mom dad parent child grandfather grandmother grandson granddaughter uncle aunt cousin nephew "
        "niece screenwriter lyricist songwriter star host creator developer discoverer successor predecessor chairman "
        "ceo coach manager guitarist drummer vocalist bassist winner champion illustrator narrator emperor prince "
        "princess pope bishop governor senator minister general admiral patron sponsor master"
    ).split()
)
# What is asked of a thing by "of" and is a thing again, which more can be asked of.
_RELATED = frozenset(
    (
        "town city village country state county province region district capital birthplace hometown home place "
        "location headquarters seat employer company school university college mater band team club label publisher "
        "institution museum network league newspaper magazine airline river lake sea island continent "
        "successor predecessor parent subsidiary owner house language religion party currency"
    ).split()
)
_QUOTED = "\"[^\"]+\"|“[^”]+”|'[^']{3,}'"
_WORD = rf"(?:[A-Z][\w'’&.\-–]*|[0-9][\w.\-–]*|{_QUOTED})"
_FIRST = rf"(?:[A-Z][\w'’&.\-–]*|[0-9][\w.\-–]*(?= [A-Z]|\?)|{_QUOTED})"
_SMALL = "of|the|and|de|du|la|le|van|von|der|den|del|di|al|for|in|on|to|a|an|at|by|with|from"
# A name as it stands in a question: capitalised words, small words only between them, what is in brackets behind it.
_NAME = rf"(?P<name>(?:the |The )?{_FIRST}(?:[,;:!]? (?:(?:{_SMALL}) ){{0,2}}{_WORD})*!?(?: \([^)]+\))?)"
_MODIFIED = r"(?:(?!(?:that|which|who|where|whose|and|of|in|by|is|was)\b)[A-Za-z0-9][\w\-]* ){0,3}?"
_NOUN = rf"(?P<noun>{_MODIFIED}(?:alma mater|[a-z][a-z\-]+))"
_THING = rf"\bthe {_NOUN}"
_DONE = r"[a-z]+(?:ed|wn|en|ilt|ade|ung|ld|ept|ing)"
_PLACED = r"(?:(?:is|was|are|were|has|had) )?(?:[a-z]+ed|born|found|held|built|made|won|set)\b|is\b|was\b"
_BARE = (
    r"(?:is|was) (?:from|in)|(?:is|was) [a-z]+ in|(?:lives|lived|died|plays|played|works|worked) (?:in|for|at)"
    r"|attended|directed|founded|designed|wrote"
)
_SHAPED = tuple(
    re.compile(shape)
    for shape in (
        # "the author of One Distant Bell Founder", "the director of the 2008 film Rahi"
        rf"\bthe {_NOUN} (?P<of>of|behind|for|in|at|on|to) (?P<kind>(?:the |a |an )?{_MODIFIED}){_NAME}",
        # "the ship that carried the Sondoe Expedition", "the engineer who designed the Quevolt Bridge"
        rf"{_THING} (?:that|which|who) (?P<verb>(?:[a-z]+ ){{1,4}}?){_NAME}",
        # "the river crossed by the Lekerly Bridge", "the town shown in Washing Day"
        rf"{_THING} (?P<done>{_DONE} (?:[a-z]+ ){{0,2}}){_NAME}",
        # "the town where Hembospel Rulund was born"
        rf"{_THING} (?P<where>where|in which|at which|on which) {_NAME} (?P<placed>{_PLACED})",
        # "the country Ann Ruhl is from"
        rf"{_THING} {_NAME} (?P<bare>{_BARE})\b",
    )
)
_POSSESSED = re.compile(rf"{_NAME}['’]s {_NOUN}")  # "Ann Ruhl's teacher"
_ABSTRACT = frozenset(
    "death birth date year day time end start beginning number amount population length one most first last murder "
    "murders staff size cost price height weight way part list lack win set use".split()
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
    if (
        name.endswith(("'s", "’s"))
        or head in _EMPTY | _ABSTRACT
        or set(noun.split()) & _NOT_NOUNS
        or not _ends(question, match)
    ):
        return None
    before, after = question[: match.start()], question[match.end() :]
    if not [word for word in content_words(f"{before} {after}") if word not in _EMPTY]:
        return None
    of = parts.get("of") or "of"
    if of != "of" and (re.search(r"\b(?:did|does|do) $", before) or re.search(rf" {_DONE}$", noun)):
        return None  # a subject with its verb; a participle, which has a shape of its own
    inside = question[match.end("noun") : match.start("name")]
    if re.search(r"\b(?:what|whose)\b|\b(?:which|who)\b.*\b(?:which|who)\b", inside):
        return None  # it holds what is asked for
    person = head in _PEOPLE or bool(_DOER.search(head) and head not in _NO_DOER)
    shaped = parts.get("verb") or parts.get("done") or parts.get("placed") or parts.get("bare")
    if not shaped and not person and not (of == "of" and set(noun.split()) & _RELATED):
        return None
    if parts.get("verb"):
        asks = f"{'Who' if person else f'Which {noun}'} {parts['verb']}{name}?"
    elif parts.get("done"):
        passive = "" if parts["done"].split()[0].endswith("ing") else "is "
        asks = f"Which {noun} {passive}{parts['done']}{name}?"
    elif parts.get("placed"):
        asks = f"In which {noun} {_inverted(name, parts['placed'])}?"
    elif parts.get("bare"):
        asks = f"Which {noun} {_inverted(name, parts['bare'])}?"
    else:
        asks = f"{'Who' if person else 'What'} is the {noun} {of} {parts.get('kind') or ''}{name}?"
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
    return bool(re.search(r"(?:ed|en|wn|born|famous|from|best)$", follows)) and bool(
        set(before) & {"is", "was", "are", "were", "has", "have", "had", "made"}
    )


def _inverted(name: str, rest: str) -> str:
    first, _, more = rest.partition(" ")
    return (
        f"{first} {name} {more}".strip()
        if first in ("is", "was", "are", "were", "has", "had")
        else f"{name} {rest}"
    )
