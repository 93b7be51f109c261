"""Questions that compare two things: read each one's value, then let plain code compare the values."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from agent.matching import stems
from agent.question import MONTHS, SHORT_MONTHS, Question, analyse
from index.stop_words import STOP_WORDS

_MONTHS = [name.lower() for name in MONTHS.split("|")]
_MONTH = re.compile(rf"\b(?:{MONTHS}|{SHORT_MONTHS})", re.I)
_NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        (
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
            "sixteen seventeen eighteen nineteen twenty"
        ).split()
    )
} | {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
    "dozen": 12,
}
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "km": 1e3, "kilometres": 1e3,
           "kilometers": 1e3, "tonnes": 1e3, "tons": 1e3, "cm": 1e-2, "centimetres": 1e-2, "mm": 1e-3}  # fmt: skip
_UNITS = {  # base unit -> what amount() turns into it
    "m": frozenset("m metre metres meter meters km kilometre kilometres kilometer kilometers cm mm".split()),
    "kg": frozenset("kg kilogram kilograms kilo kilos tonne tonnes ton tons".split()),
}
# The noun behind an adjective, to ask each thing for its value.
_NOUNS = {
    "long": "length", "tall": "height", "high": "height", "large": "size", "big": "size", "heavi": "weight",
    "light": "weight", "deep": "depth", "wide": "width", "narrow": "width", "expens": "price", "cheap": "price",
    "cost": "price", "short": "length", "small": "size", "fast": "speed", "slow": "speed", "shallow": "depth",
}  # fmt: skip
_EVENTS = "born, founded, opened or published"
_COMPARING = re.compile(
    r"\b(?:both|same|either|earlier|later|first|last|older|younger|newer|before|after|more|most|less|least|fewer|"
    r"oldest|youngest|newest|earliest|latest|two|than|recently|recent)\b",
    re.I,
)


_CLOSED = re.compile(r"(?:is|was|did|does|do|has|are|were)\b.*\b(?:than|before|after)\b", re.I)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome of a comparison: the short answer and the reasoning shown to the person."""

    short: str
    rationale: str


def is_comparison(question: Question) -> bool:
    """Whether two named things are to be compared."""
    return len(question.options) == 2 and bool(question.direction)


def sub_questions(question: Question) -> tuple[Question, ...]:
    """One question per thing, asking for the value that decides.

    >>> [q.text for q in sub_questions(analyse("Who was born first, Mira Vell or Jon Aske?"))]
    ['When was Mira Vell born?', 'When was Jon Aske born?']
    """
    attribute = _attribute(question)
    made = []
    for option in question.options:
        if question.direction in ("earlier", "later"):
            sub = replace(analyse(f"When was {option} {attribute or _EVENTS}?"), expects="date")
            if not attribute:  # any founding event will do: do not ask for all of them to be covered
                sub = replace(sub, terms=tuple(t for t in sub.terms if t not in _EVENTS))
        elif question.direction in ("more", "less"):
            noun = " ".join(w for w in attribute.split() if w != question.head) or attribute
            plural = noun.endswith("s") and not noun.endswith("ss")
            asked = f"How many {noun} does {option} have?" if plural else f"What is the {noun} of {option}?"
            sub = replace(analyse(asked), expects="number", head="")
        else:
            sub = analyse(_same_question(question, option))
        made.append(replace(sub, names=(option,), options=(), direction=""))
    return tuple(made)


def _same_question(question: Question, option: str) -> str:
    """'Were A and B born in the same town?' asks 'In which town was A born?'."""
    shared = re.search(r"\bsame\s+([a-z]+)", question.text)
    noun = shared[1] if shared else _attribute(question) or "kind"
    verb = re.search(r"\b(born|[a-z]{3,}(?:ed|ilt|ade|ept|eld))\b(?=.*\bsame\b)", question.text)
    if verb:
        return f"In which {noun} was {option} {verb[1]}?"
    return f"What is the {noun} of {option}?"


def _attribute(question: Question) -> str:
    taken = stems(" ".join(question.options))
    text = _COMPARING.sub(" ", question.text)
    kept = []
    for word in re.findall(r"[A-Za-z\-]+", text):
        lower = word.lower()
        if lower in STOP_WORDS or stems(lower) <= taken:
            continue
        stem = next(iter(stems(re.sub(r"(?:er|est)$", "", lower))), lower)
        kept.append(_NOUNS.get(stem, _NOUNS.get(re.sub(r"(.)\1$", r"\1", stem), lower)))
    if question.direction in ("earlier", "later"):
        return " ".join(w for w in kept if w.endswith("ed") or w in ("born", "built", "begun", "won", "made"))
    return " ".join(dict.fromkeys(kept)) or "size"


def decide(question: Question, values: tuple[str, str]) -> Verdict | None:
    """Compare the two values; None when they cannot be compared.

    >>> decide(analyse("Who was born first, Mira Vell or Jon Aske?"), ("3 May 1880", "1879")).short
    'Jon Aske'
    """
    first, second = question.options
    if question.direction == "same":
        alike = stems(values[0]) <= stems(values[1]) or stems(values[1]) <= stems(values[0])
        return Verdict(
            "yes" if alike else "no", f"{first}: {values[0]}; {second}: {values[1]}; compared as text."
        )
    by_date = question.direction in ("earlier", "later")
    order = _date_order(*values) if by_date else _amount_order(*values)
    if not order:
        return None
    small_first = question.direction in ("earlier", "less")
    winner = first if (order < 0) == small_first else second
    return Verdict(
        _spoken(question, winner),
        f"{first}: {values[0]}; {second}: {values[1]}; {question.direction} decides.",
    )


def _date_order(left: str, right: str) -> int:
    """-1 when left is earlier, 1 when later, 0 when that cannot be said."""
    one, other = date_key(left), date_key(right)
    if one is None or other is None:
        return 0
    depth = min(sum(part > 0 for part in key) for key in (one, other))  # only as precisely as both are known
    return (one[:depth] > other[:depth]) - (one[:depth] < other[:depth])


def _amount_order(left: str, right: str) -> int:
    one, other = amount(left), amount(right)
    return 0 if one is None or other is None else (one > other) - (one < other)


def _spoken(question: Question, winner: str) -> str:
    """'Is A longer than B?' and 'Was A built before B?' want yes or no; 'Which is longer, A or B?' wants the thing."""
    if _CLOSED.match(question.text):
        return "yes" if winner == question.options[0] else "no"
    return winner


def date_key(text: str) -> tuple[int, int, int] | None:
    """(year, month, day) with 0 for what is not said; None without a year.

    >>> date_key("05-Sep-2017"), date_key("March 1931"), date_key("29 Jun. 2003")
    ((2017, 9, 5), (1931, 3, 0), (2003, 6, 29))
    """
    iso = re.search(r"\b(\d{4})-(\d{2})-(\d{2})\b", text)
    if iso:
        return int(iso[1]), int(iso[2]), int(iso[3])
    year = re.search(r"\b(\d{3,4})\b", text)
    if not year:
        return None
    named = _MONTH.search(text)
    opens = named[0].lower()[:3] if named else ""
    month = next((at for at, name in enumerate(_MONTHS, start=1) if opens and name.startswith(opens)), 0)
    day = re.search(r"\b(\d{1,2})(?:st|nd|rd|th)?\b", text)
    return int(year[1]), month, int(day[1]) if day and month else 0


def alike(one: str, other: str) -> bool:
    """Whether two amounts are of one kind: the same unit, scales of one unit, or one without any.

    >>> alike("129 kilometres", "172 kilometres long"), alike("3 km", "900 m"), alike("31 metres", "4 miles")
    (True, True, False)
    """
    units = [_unit(text) for text in (one, other)]
    return not all(units) or units[0] == units[1]


def _unit(text: str) -> str:
    """The stem of the word behind a figure, lengths and weights by their base unit; "" without one."""
    found = re.search(r"\d[\d.,]*\s*((?:hundred|thousand|million|billion)?\s*)([a-z²³%]+)", text.lower())
    if found is None:
        return ""
    base = next((unit for unit, forms in _UNITS.items() if found[2] in forms), None)
    return base or next(iter(stems(found[2])), "")


def amount(text: str) -> float | None:
    """The number in a text in base units, words and scales understood; None without one.

    >>> amount("1.2 km"), amount("forty-two"), amount("3,400")
    (1200.0, 42.0, 3400.0)
    """
    lower = text.lower()
    match = re.search(r"\d+(?:[, ]\d{3})*(?:\.\d+)?", lower)
    if match:
        value = float(re.sub(r"[, ]", "", match.group()))
        rest = lower[match.end() :]
    else:
        words = re.findall(r"[a-z]+", lower)
        known = [_NUMBER_WORDS[w] for w in words if w in _NUMBER_WORDS]
        if not known:
            return None
        value, rest = float(sum(known)), lower
    for word, scale in _SCALES.items():
        if re.search(rf"(?:^|[\s\d]){word}\b", rest):
            value *= scale
    return value
