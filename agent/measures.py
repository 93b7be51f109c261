"""Comparisons by a measure: "Which ship is longer, A or B?", "Which book has fewer pages, A or B?".

What each thing is asked for, and when two read values may be compared. Plain code compares them (agent.compare).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.compare import amount
from agent.matching import stems
from agent.question import Question
from index.stop_words import STOP_WORDS

_ADJECTIVES = (  # wording of the question, what to ask each thing
    (r"\b(?:long|short)e(?:r|st)\b", "How long is {}?"),
    (r"\b(?:tall|high)e(?:r|st)\b", "How high is {}?"),
    (r"\b(?:large|small|bigg)e?(?:r|st)\b", "How large is {}?"),
    (r"\bheav(?:ier|iest)\b|\blighte(?:r|st)\b", "How heavy is {}?"),
    (r"\b(?:deep|shallow)e(?:r|st)\b", "How deep is {}?"),
    (r"\b(?:wide|narrowe)(?:r|st)\b", "How wide is {}?"),
    (r"\b(?:fast|slow)e(?:r|st)\b", "How fast is {}?"),
    (r"\bexpensive\b|\bcheape(?:r|st)\b|\bcosts? (?:more|less)\b", "How much does {} cost?"),
)
_COUNTED = re.compile(r"\b(?:more|most|fewer|fewest|less|least)\s+((?:[\w'-]+\s+){0,3}?[a-z][\w-]*s)\b")
_PEOPLE = re.compile(r"\bpopulat\w+|\bpopulous\b|\b(?:inhabitants|residents)\b", re.I)
_NOT_OF_A_THING = re.compile(r"\blive[ds]?\b|\btimes?\b|\byears?\b|\bfurther\b|\bfarther\b", re.I)
_METRIC = frozenset(
    "mm cm m km millimetre centimetre metre kilometre millimeter centimeter meter kilometer".split()
)
_NUMBER = re.compile(
    r"\d+(?:[, ]\d{3})*(?:\.\d+)?|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b"
)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a question compares its two things by."""

    asks: str  # with {} for the thing
    counted: frozenset[str]  # stems of which one is counted ("page"); empty for a size, which needs a unit


def measure_in(question: Question) -> Measure | None:
    """What each of the two things is to be asked for; None where the question does not compare by a number.

    >>> from agent.question import analyse
    >>> measure_in(analyse("Which book has fewer pages, Blue Weir or Red Mill?")).asks
    'How many pages does {} have?'
    """
    if len(question.options) != 2 or question.direction not in ("more", "less"):
        return None
    about = question.text
    for option in question.options:
        about = about.replace(option, " ")
    if _NOT_OF_A_THING.search(about):
        return None
    if _PEOPLE.search(about):
        return Measure("What is the population of {}?", stems("population people inhabitants residents"))
    counted = _COUNTED.search(about)
    if counted is not None and counted[1].split()[0] not in STOP_WORDS:
        return Measure(f"How many {counted[1]} does {{}} have?", stems(counted[1].split()[-1]))
    asks = next((asks for wording, asks in _ADJECTIVES if re.search(wording, about, re.I)), "")
    return Measure(asks, frozenset()) if asks else None


def comparable(measure: Measure, left: str, right: str) -> bool:
    """Whether two read values can be compared: numbers of one unit, or metric lengths; counts, also ranges
    ("10 to 20") that do not overlap.

    >>> size = Measure("How long is {}?", frozenset())
    >>> comparable(size, "900 m", "1.2 km"), comparable(size, "900 m", "3 feet")
    (True, False)
    >>> pages = Measure("How many pages does {} have?", stems("pages"))
    >>> comparable(pages, "490 pages", "10 to 20"), comparable(pages, "15", "10 to 20")
    (True, False)
    """
    if measure.counted:
        one, other = (sorted(_numbers(text)) for text in (left, right))
        return bool(one and other) and (one[-1] < other[0] or other[-1] < one[0])
    if amount(left) is None or amount(right) is None:
        return False
    units = unit_of(left), unit_of(right)
    return stems(units[0]) == stems(units[1]) or {unit.removesuffix("s") for unit in units} <= _METRIC


def _numbers(text: str) -> list[float]:
    scale = re.search(r"\b(?:hundred|thousand|million|billion)\b", text.lower())
    found = [amount(f"{one[0]} {scale[0] if scale else ''}") for one in _NUMBER.finditer(text.lower())]
    return [one for one in found if one is not None]


def says(measure: Measure, value: str, sentence: str) -> bool:
    """Whether a value read in a sentence is of this measure: a number of what is counted there, or with a unit."""
    if amount(value) is None:
        return False
    if measure.counted:
        return bool(measure.counted & stems(sentence))
    unit = unit_of(value)
    return bool(unit) and unit not in STOP_WORDS


def unit_of(text: str) -> str:
    """The word behind a text's first number, "million" and the like left out; a currency's sign; "" without one.

    >>> unit_of("some 3.5 million crowns a year"), unit_of("$40"), unit_of("in 1912.")
    ('crowns', '$', '')
    """
    lower = text.lower()
    number = _NUMBER.search(lower)
    if number is None:
        return ""
    sign = re.search(r"[$€£¥]\s*$", lower[: number.start()])
    if sign:
        return sign[0].strip()
    word = re.match(
        r"[\s-]*(?:(?:hundred|thousand|million|billion)[\s-]+)*([^\W\d_]+)", lower[number.end() :]
    )
    return word[1] if word else ""
