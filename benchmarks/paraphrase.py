"""The same question in other words, by rules over its grammar; and its twin that asks for something else.

For measuring memory on question sets whose texts stay where they are: everything is made at run time. The rules are
about English questions in general and know nothing of how memory compares them. `near_miss` changes one thing that
changes the answer (a name, a year, the relation): memory must never take it for the question it came from.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Rule = Callable[[str], str | None]

_NOUN_OF = {
    "directed": "director", "wrote": "author", "composed": "composer", "founded": "founder", "designed": "designer",
    "produced": "producer", "invented": "inventor", "built": "builder", "painted": "painter", "published": "publisher",
    "performed": "performer", "discovered": "discoverer", "created": "creator",
}  # fmt: skip
_OPENINGS = (
    "Could you tell me: {}?",
    "I would like to know {}",
    "Please tell me {}",
    "Do you know {}?",
    "Tell me, {}?",
)
_OTHER_RELATION = (
    ("born", "buried"), ("father", "mother"), ("mother", "father"), ("die", "retire"), ("died", "retired"),
    ("director", "producer"),
    ("directed", "produced"), ("wrote", "edited"), ("husband", "brother"), ("wife", "sister"), ("first", "last"),
    ("older", "younger"), ("younger", "older"), ("longer", "shorter"), ("earlier", "later"), ("later", "earlier"),
    ("birth", "burial"), ("death", "birth"), ("founded", "dissolved"), ("largest", "smallest"), ("highest", "lowest"),
    ("who", "when"), ("when", "where"), ("where", "when"),
)  # fmt: skip


def _bare(question: str) -> str:
    return question.strip().rstrip("?. ")


def _agent_noun(question: str) -> str | None:
    """Who directed X? -> Who was the director of X?"""
    match = re.match(r"^who (\w+) (.+)$", _bare(question), re.I)
    noun = _NOUN_OF.get(match.group(1).lower()) if match else None
    return f"Who was the {noun} of {match.group(2)}?" if match and noun else None


def _passive(question: str) -> str | None:
    """Who founded X? -> By whom was X founded?"""
    match = re.match(r"^who (founded|directed|composed|designed|produced|invented|built|painted) (.+)$",
                     _bare(question), re.I)  # fmt: skip
    return f"By whom was {match.group(2)} {match.group(1).lower()}?" if match else None


def _birthplace(question: str) -> str | None:
    """Where was X born? <-> What is the place of birth of X?"""
    flat = _bare(question)
    if match := re.match(
        r"^(?:what|where) (?:is|was) the (?:place of birth|birthplace) of (.+)$", flat, re.I
    ):
        return f"Where was {match.group(1)} born?"
    if match := re.match(r"^where was (.+) born$", flat, re.I):
        return f"What is the birthplace of {match.group(1)}?"
    if match := re.match(r"^(?:what|when) (?:is|was) the (?:date of birth|birthday) of (.+)$", flat, re.I):
        return f"When was {match.group(1)} born?"
    if match := re.match(r"^when was (.+) born$", flat, re.I):
        return f"What is the date of birth of {match.group(1)}?"
    return None


def _death(question: str) -> str | None:
    """When did X die? <-> What is the date of death of X?"""
    flat = _bare(question)
    if match := re.match(r"^(?:what|when) (?:is|was) the date of death of (.+)$", flat, re.I):
        return f"When did {match.group(1)} die?"
    if match := re.match(r"^(?:what|where) (?:is|was) the place of death of (.+)$", flat, re.I):
        return f"Where did {match.group(1)} die?"
    if match := re.match(r"^when did (.+) die$", flat, re.I):
        return f"What is the date of death of {match.group(1)}?"
    if match := re.match(r"^where did (.+) die$", flat, re.I):
        return f"What was the place of death of {match.group(1)}?"
    return None


def _possessive(question: str) -> str | None:
    """X's father -> the father of X, and back."""
    flat = _bare(question)
    name = r"((?:[A-Z][\w.\-]*)(?: (?:of |the |de |van )?[A-Z][\w.\-]*)*)"
    if match := re.search(rf"{name}['’]s ([a-z]+)\b(?! [a-z]+er\b)", flat):
        return f"{flat[: match.start()]}the {match.group(2)} of {match.group(1)}{flat[match.end() :]}?"
    kin = "father|mother|wife|husband|occupation|director|spouse|son|daughter"
    if match := re.search(rf"\bthe ({kin}) of {name}(?= (?:is|was|did|born|die)|$)", flat):
        return f"{flat[: match.start()]}{match.group(2)}'s {match.group(1)}{flat[match.end() :]}?"
    return None


def _swapped_options(question: str) -> str | None:
    """Which ..., A or B? -> Which ..., B or A?"""
    match = re.match(r"^(.+?), ((?:the )?[A-Z\"].+?) or ((?:the )?[A-Z\"][^,]+)$", _bare(question))
    return f"{match.group(1)}, {match.group(3)} or {match.group(2)}?" if match else None


def _moved_preposition(question: str) -> str | None:
    """In which year did ...? -> Which year did ... in?"""
    match = re.match(r"^(in|on|at|from|for|by) (which|what) (\w+ .+)$", _bare(question), re.I)
    if not match:
        return None
    return f"{match.group(2).capitalize()} {match.group(3)} {match.group(1).lower()}?"


def _asked_politely(question: str) -> str | None:
    """A request around the same question."""
    flat = _bare(question)
    inner = (
        flat[:1].lower() + flat[1:]
        if re.match(r"(?:who|what|when|where|which|why|how|in|on|is|was|are|did)\b", flat, re.I)
        else flat
    )
    return _OPENINGS[sum(map(ord, flat)) % len(_OPENINGS)].format(inner)


def _typed_carelessly(question: str) -> str | None:
    """No capitals, no question mark, double spaces."""
    return "  ".join(_bare(question).lower().split(" ", 1))


RULES: dict[str, Rule] = {
    "agent noun": _agent_noun,
    "passive": _passive,
    "place or date of birth": _birthplace,
    "place or date of death": _death,
    "possessive": _possessive,
    "options swapped": _swapped_options,
    "preposition moved": _moved_preposition,
    "asked politely": _asked_politely,
    "typed carelessly": _typed_carelessly,
}
_PLAIN = ("asked politely", "typed carelessly")


def paraphrase(question: str, chance: random.Random) -> tuple[str, str]:
    """(the question in other words, names of the rules used): one rule of grammar if any fits, else of style; half
    of the former get one of style as well."""
    fitting = [
        (name, made) for name, rule in RULES.items() if name not in _PLAIN and (made := rule(question))
    ]
    if fitting:
        name, made = chance.choice(fitting)
        if chance.random() < 0.5:
            style = chance.choice(_PLAIN)
            return RULES[style](made) or made, f"{name} + {style}"
        return made, name
    style = chance.choice(_PLAIN)
    return RULES[style](question) or question, style


def near_miss(question: str, others: list[str], chance: random.Random) -> tuple[str, str] | None:
    """(a like question with another answer, what was changed); None where nothing can be changed."""
    ways = []
    if year := re.search(r"\b(?:1[5-9]|20)\d\d\b", question):
        ways.append((question.replace(year.group(), str(int(year.group()) + 1)), "year"))
    names = re.findall(r"(?:[A-Z][\w'.\-]+)(?: (?:of |the )?[A-Z][\w'.\-]+)+", question[1:])
    if names and others:
        ways.append((question.replace(chance.choice(names), chance.choice(others)), "name"))
    for word, other in _OTHER_RELATION:
        if re.search(rf"\b{word}\b", question, re.I):
            ways.append((re.sub(rf"\b{word}\b", other, question, count=1, flags=re.I), "relation"))
            break
    if not any(what == "relation" for _, what in ways):
        counted = re.sub(r"\b(?:which|what) (?=[a-z]+[^s\W]s\b)", "how many ", question, count=1, flags=re.I)
        ways.append((counted, "relation"))
    ways = [(made, what) for made, what in ways if made != question]
    return chance.choice(ways) if ways else None
