"""Answers compared by what they are: yes or no, numbers with units, dates, spans, long text.

After Mixed-R1 (arXiv 2505.24164): one verifier for each kind of answer. The list of kinds is from its abstract;
every formula here is our formalisation, the usual 5 % tolerance for values read from charts included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache

import numpy as np
import numpy.typing as npt
from safetensors import safe_open

from index.encoders import tokenizer
from index.minilm import model_folder
from training.metrics import exact_match, f1, normalize
from training.rewards.guards import SILENT, negation_guard, number_guard, quantities, same_quantity
from training.rewards.sentences import trigram_uniqueness

CHART_TOLERANCE = 0.05
LONG_ANSWER_WORDS = 12
# Formats with the parts they fix: year, month, day.
_DATES = (
    ("%d %B %Y", 3), ("%d %b %Y", 3), ("%B %d, %Y", 3), ("%b %d, %Y", 3), ("%B %d %Y", 3), ("%Y-%m-%d", 3),
    ("%B %Y", 2), ("%b %Y", 2), ("%Y-%m", 2), ("%Y", 1),
)  # fmt: skip
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")
_INTERVAL = re.compile(r"\s*(\d+)\s*(?:-|–|\.\.|to|,)\s*(\d+)\s*")
_STOP_WORDS = frozenset(
    "a an the of in on at to for from by with and or is are was were be been it its this that as which who "
    "what . , ; : ! ? ' \" ( ) -".split()
)


def interval_iou(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Intersection over union of two half-open spans, 0 to 1; 0 where one of them is empty.

    [0, 10) and [5, 15): 5 shared of 15.

    >>> round(interval_iou((0, 10), (5, 15)), 4), interval_iou((0, 5), (5, 9))
    (0.3333, 0.0)
    """
    if a[1] <= a[0] or b[1] <= b[0]:
        return 0.0
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    return shared / ((a[1] - a[0]) + (b[1] - b[0]) - shared)


def parse_date(text: str) -> tuple[int, ...] | None:
    """(year), (year, month) or (year, month, day), as precise as the text; None where it is no date.

    >>> parse_date("3 May 1850"), parse_date("May 1850"), parse_date("tomorrow")
    ((1850, 5, 3), (1850, 5), None)
    """
    plain = _ORDINAL.sub("", text.strip().rstrip("."))
    for pattern, parts in _DATES:
        try:
            found = datetime.strptime(plain, pattern)
        except ValueError:
            continue
        return (found.year, found.month, found.day)[:parts]
    return None


def date_match(answer: str, gold: str) -> float:
    """Share of the gold's year, month and day that agree, from the year on; a wrong part stops the count.

    A wrong part earns nothing at all: "4 May 1850" for "3 May 1850" is a wrong date, "1850" a coarse one.

    >>> date_match("May 3rd, 1850", "3 May 1850"), round(date_match("1850", "3 May 1850"), 3)
    (1.0, 0.333)
    >>> date_match("4 May 1850", "3 May 1850")
    0.0
    """
    wanted, said = parse_date(gold), parse_date(answer)
    if wanted is None or said is None:
        return exact_match(answer, [gold])
    shared = min(len(wanted), len(said))
    return shared / len(wanted) if wanted[:shared] == said[:shared] else 0.0


def number_match(answer: str, gold: str, tolerance: float = 0.0) -> float:
    """Numbers agreed on over the larger count of the two, units converted; listing guesses does not help.

    `tolerance` is relative (0.05 for values read from charts). 0.0 where the answer holds no number.

    >>> number_match("172,000 m", "172 km"), number_match("1 2 3 4", "3"), number_match("103", "100", 0.05)
    (1.0, 0.25, 1.0)
    """
    wanted, said = quantities(gold), quantities(answer)
    if not wanted or not said:
        return 0.0

    def near(w: tuple[float, str], s: tuple[float, str]) -> bool:
        fits = not (w[1] and s[1]) or w[1] == s[1]
        return same_quantity(w, s) or (fits and abs(w[0] - s[0]) <= tolerance * abs(w[0]))

    return sum(any(near(w, s) for s in said) for w in wanted) / max(len(wanted), len(said))


def interval_match(answer: str, gold: str) -> float:
    """IoU of two spans written as "start-end"; 0.0 where the answer is none.

    >>> round(interval_match("0-10", "5-15"), 4)
    0.3333
    """
    said, wanted = _INTERVAL.fullmatch(answer), _INTERVAL.fullmatch(gold)
    if said is None or wanted is None:
        return 0.0
    return interval_iou((float(said[1]), float(said[2])), (float(wanted[1]), float(wanted[2])))


def answer_kind(gold: str) -> str:
    """The kind a gold answer shows: yes_no, date, number, text (long) or phrase.

    >>> [answer_kind(gold) for gold in ("Yes", "3 May 1850", "172 km", "Mira Vell")]
    ['yes_no', 'date', 'number', 'phrase']
    """
    if normalize(gold) in ("yes", "no"):
        return "yes_no"
    if parse_date(gold) is not None:
        return "date"
    if re.fullmatch(r"\W*-?\d[\d,.]*\s*[a-z%]*\W*", gold.strip(), re.I):
        return "number"
    return "text" if len(gold.split()) > LONG_ANSWER_WORDS else "phrase"


def typed_answer(answer: str, gold: str, kind: str = "") -> float:
    """Match of an answer with one gold by the gold's kind, 0 to 1, halved where one is negated. Empty: 0.

    Raises ValueError for a kind nobody knows.

    >>> typed_answer("Yes.", "yes"), typed_answer("no", "yes"), typed_answer("Mira", "Mira Vell")
    (1.0, 0.0, 0.6666666666666666)
    """
    if not answer.strip():
        return 0.0
    kind = kind or answer_kind(gold)
    if kind not in _MATCHERS:
        raise ValueError(f"unknown kind of answer {kind!r}; known: {', '.join(_MATCHERS)}")
    return _MATCHERS[kind](answer, gold) * (negation_guard(answer, gold) if kind != "yes_no" else 1.0)


def similarity_parts(matrix: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Mean of the row maxima (answer side) and of the column maxima (reference side) of cosines.

    >>> p, q = similarity_parts(np.array([[1, 0.2], [0.1, 0.6], [0.3, 0.4]]))
    >>> round(p, 4), round(q, 4)
    (0.6667, 0.8)
    """
    return float(matrix.max(axis=1).mean()), float(matrix.max(axis=0).mean())


def bmas(matrix: npt.NDArray[np.float64], harmonic: bool = False) -> float:
    """Bidirectional max-average similarity: (P + Q) / 2, or 2PQ / (P + Q); the exact mean is not published.

    >>> S = np.array([[1, 0.2], [0.1, 0.6], [0.3, 0.4]])
    >>> round(bmas(S), 4), round(bmas(S, harmonic=True), 4)
    (0.7333, 0.7273)
    """
    p, q = similarity_parts(matrix)
    if harmonic:
        return 2 * p * q / (p + q) if p + q > 0 else 0.0
    return (p + q) / 2


def static_bmas(answer: str, reference: str, idf: Mapping[str, float] | None = None) -> float:
    """BMAS over the encoder's table of token vectors, no forward pass, stop words left out: 0 to 1.

    A bag of words passes it by design, so it is multiplied by the number guard and by the uniqueness of
    trigrams, and must stand beside an outcome. `idf` weighs tokens by rarity in the collection.
    """
    left, right = _tokens(answer), _tokens(reference)
    if not left or not right:
        return 0.0
    table = _token_vectors()
    matrix = np.clip(table[[i for i, _ in left]] @ table[[i for i, _ in right]].T, 0.0, 1.0)
    p = _weighted(matrix.max(axis=1), [token for _, token in left], idf)
    q = _weighted(matrix.max(axis=0), [token for _, token in right], idf)
    numbers = number_guard(answer, reference)
    if not quantities(answer):
        numbers = max(numbers, SILENT)
    return (p + q) / 2 * numbers * trigram_uniqueness(answer)


def _weighted(values: npt.NDArray[np.float32], tokens: list[str], idf: Mapping[str, float] | None) -> float:
    weights = [1.0 if idf is None else idf.get(token, 1.0) for token in tokens]
    return float(np.average(values, weights=weights)) if sum(weights) > 0 else 0.0


def _tokens(text: str) -> list[tuple[int, str]]:
    encoded = tokenizer().encode(text, add_special_tokens=False)
    return [
        (i, token) for i, token in zip(encoded.ids, encoded.tokens, strict=True) if token not in _STOP_WORDS
    ]


@cache
def _token_vectors() -> npt.NDArray[np.float32]:
    """Unit rows of the encoder's word embeddings: shape (vocabulary, 384)."""
    with safe_open(str(model_folder() / "model.safetensors"), framework="numpy") as file:
        name = next(key for key in file.keys() if key.endswith("word_embeddings.weight"))  # noqa: SIM118
        table = file.get_tensor(name).astype(np.float32)
    return np.asarray(table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12))


def _f1(answer: str, gold: str) -> float:
    return f1(answer, [gold])


def _exact(answer: str, gold: str) -> float:
    return exact_match(answer, [gold])


def _chart(answer: str, gold: str) -> float:
    return number_match(answer, gold, CHART_TOLERANCE) if quantities(gold) else _exact(answer, gold)


_MATCHERS: dict[str, Callable[[str, str], float]] = {
    "yes_no": _exact,
    "choice": _exact,
    "number": number_match,
    "chart": _chart,
    "date": date_match,
    "interval": interval_match,
    "phrase": _f1,
    "text": static_bmas,
}
