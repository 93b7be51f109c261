"""Numbers, names and negations of two texts compared: what an encoder's cosine does not see.

"Opened in 1887" and "opened in 1878" have nearly the same vector. Each guard is a factor from 0 to 1 that
is multiplied onto a similarity; all of them are our own formalisation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from training.metrics import normalize

RELATIVE_TOLERANCE = 0.001  # two spellings of one number, after the change of units
# The mark of a citation, "[1]", is no number of the text.
_NUMBER = re.compile(r"(?<![\w.\[])-?\d[\d,]*(?:\.\d+)?(?:\s*(?:%|[a-zµ°]{1,12}\b))?", re.I)
_PARTS = re.compile(r"(-?\d[\d,]*(?:\.\d+)?)\s*(.*)", re.S)
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|cannot|without|unable|denied|denies)\b|n['’]t\b", re.I
)
_NAME = re.compile(r"\b[^\W\d_a-z][\w'’-]*(?:\s+(?:(?:of|the|de|van|von)\s+)?[^\W\d_a-z][\w'’-]*)*")
OPENERS = frozenset(
    "a an the it he she they we i this that these those in on at by for from of to and but or if when while "
    "where who what which why how is are was were there here no not yes all some each its his her their".split()
)
SILENT = 0.5  # factor for a number or a name left out, nothing false put in its place
SHARED_WORDS, ORDER_SHARE = (
    3,
    0.3,
)  # fewer words, or a larger share of kept neighbours, say nothing against a text
# Factor to the base unit of its kind: lengths in metres, weights in kilograms, times in seconds.
_UNITS = {
    "mm": ("m", 0.001), "cm": ("m", 0.01), "m": ("m", 1.0), "metre": ("m", 1.0), "meter": ("m", 1.0),
    "km": ("m", 1000.0), "kilometre": ("m", 1000.0), "kilometer": ("m", 1000.0),
    "g": ("kg", 0.001), "gram": ("kg", 0.001), "kg": ("kg", 1.0), "kilogram": ("kg", 1.0), "t": ("kg", 1000.0),
    "tonne": ("kg", 1000.0), "s": ("s", 1.0), "second": ("s", 1.0), "min": ("s", 60.0), "minute": ("s", 60.0),
    "h": ("s", 3600.0), "hour": ("s", 3600.0), "%": ("%", 1.0), "percent": ("%", 1.0),
}  # fmt: skip

Quantity = tuple[float, str]


def quantities(text: str) -> list[Quantity]:
    """Numbers of a text in base units; a word that is no unit is left away.

    >>> quantities("172 km long, opened in 1887, 4,210 people")
    [(172000.0, 'm'), (1887.0, ''), (4210.0, '')]
    """
    return list(_quantities(text))


@lru_cache(maxsize=20_000)
def _quantities(text: str) -> tuple[Quantity, ...]:
    found = []
    for match in _NUMBER.finditer(text):
        parts = _PARTS.match(match.group())
        assert parts is not None  # the pattern above starts with the same number
        number, word = float(parts[1].replace(",", "")), parts[2].strip().lower()
        base, factor = _UNITS.get(word) or _UNITS.get(word.removesuffix("s")) or ("", 1.0)
        found.append((number * factor, base))
    return tuple(found)


def same_quantity(a: Quantity, b: Quantity) -> bool:
    """Equal within the tolerance; a number without a unit matches any unit, except that years stay exact."""
    if a[1] and b[1] and a[1] != b[1]:
        return False
    if not a[1] and not b[1]:
        return a[0] == b[0]
    return abs(a[0] - b[0]) <= RELATIVE_TOLERANCE * max(abs(a[0]), abs(b[0]))


def number_guard(answer: str, reference: str) -> float:
    """Share of the reference's numbers that the answer holds, order-free; 1.0 where it has none.

    >>> number_guard("It is 172,000 m long.", "172 km"), number_guard("in 1878", "in 1887")
    (1.0, 0.0)
    """
    wanted, said = quantities(reference), quantities(answer)
    if not wanted:
        return 1.0
    return sum(any(same_quantity(w, s) for s in said) for w in wanted) / len(wanted)


@lru_cache(maxsize=20_000)
def spaced(text: str) -> str:
    """The normalised text between spaces, so that a word is looked for as a whole.

    >>> spaced("The Teal Bridge.")
    ' teal bridge '
    """
    return f" {normalize(text)} "


def spelled_names(text: str) -> list[str]:
    """Capitalised spans as they are written, each once. A sentence's first word counts only as part of a longer name
    or where it is no common opener.

    >>> spelled_names("The Teal Bridge was designed by Mira Vell. It opened in 1887.")
    ['Teal Bridge', 'Mira Vell']
    """
    return list(_spelled_names(text))


@lru_cache(maxsize=20_000)
def _spelled_names(text: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for match in _NAME.finditer(text):
        words = match.group().split()
        while words and words[0].lower() in OPENERS:
            words = words[1:]
        if words:
            found.setdefault(" ".join(words))
    return tuple(found)


def names(text: str) -> list[str]:
    """`spelled_names`, normalised.

    >>> names("The Teal Bridge was designed by Mira Vell. It opened in 1887.")
    ['teal bridge', 'mira vell']
    """
    return list(dict.fromkeys(name for name in map(normalize, spelled_names(text)) if name))


def entity_guard(answer: str, reference: str) -> float:
    """Share of the reference's names found in the answer as whole words; 1.0 where it has none.

    >>> entity_guard("Built by Vell.", "Mira Vell built it in Oster.")
    0.0
    """
    wanted = names(reference)
    if not wanted:
        return 1.0
    said = spaced(answer)
    return sum(f" {name} " in said for name in wanted) / len(wanted)


def negations(text: str) -> int:
    """How many words of negation a text holds.

    >>> negations("It wasn't built and never opened.")
    2
    """
    return len(_NEGATION.findall(text))


def negation_guard(answer: str, reference: str) -> float:
    """1.0 if both hold as many cues of negation, else 0.5.

    >>> negation_guard("It was not built.", "It was built.")
    0.5
    """
    return 1.0 if negations(answer) == negations(reference) else 0.5


@lru_cache(maxsize=50_000)
def guard(answer: str, reference: str) -> float:
    """Product of the three guards, 0 to 1; silence costs half, another number or name everything.

    A sentence that leaves a number out is incomplete, one that states another number is wrong.

    >>> guard("It opened.", "It opened in 1887."), guard("It opened in 1878.", "It opened in 1887.")
    (0.5, 0.0)
    """
    numbers, people = number_guard(answer, reference), entity_guard(answer, reference)
    if not quantities(answer):
        numbers = max(numbers, SILENT)
    known = spaced(reference)
    if all(f" {name} " in known for name in names(answer)):
        people = max(people, SILENT)
    return numbers * people * negation_guard(answer, reference)


def missing(answer: str, reference: str) -> int:
    """How many numbers and names of the reference the answer lacks."""
    said, flat = quantities(answer), spaced(answer)
    numbers = sum(not any(same_quantity(w, s) for s in said) for w in quantities(reference))
    return numbers + sum(f" {name} " not in flat for name in names(reference))


def order_guard(text: str, source: str) -> float:
    """1.0 where a text keeps word order of its source, falling to 0 for a shuffled one.

    Share of the text's neighbouring word pairs (of words that the source holds) that are neighbours in the source too,
    full from 0.3: a paraphrase keeps phrases, a shuffle keeps none. Fewer than three shared words: 1.0.

    >>> source = "The Oster Mill was built in 1901."
    >>> order_guard("It was built in 1901.", source), order_guard("In mill oster built 1901 was", source)
    (1.0, 0.0)
    """
    there = normalize(source).split()
    shared = [word for word in normalize(text).split() if word in set(there)]
    pairs = list(zip(shared, shared[1:], strict=False))
    if len(shared) < SHARED_WORDS:
        return 1.0
    known = set(zip(there, there[1:], strict=False))
    return min(sum(pair in known for pair in pairs) / len(pairs) / ORDER_SHARE, 1.0)


def jaccard(a: Sequence[str], b: Sequence[str]) -> float:
    """Multiset intersection over union; 1.0 for two empty lists.

    >>> jaccard(["search"], ["search", "search"])
    0.5
    """
    left, right = Counter(a), Counter(b)
    union = (left | right).total()
    return (left & right).total() / union if union else 1.0


def word_jaccard(a: str, b: str) -> float:
    """Jaccard of the two texts' distinct normalised words."""
    return jaccard(sorted(set(normalize(a).split())), sorted(set(normalize(b).split())))


REMEMBERING = (_quantities, _spelled_names, guard, spaced)  # what keeps results by text
