"""Answers that stand in a cell of a table whose columns are periods: "Gross profit  662  645  1,330  1,295".

Reports in PDF keep such tables as lines of text: a line of years, perhaps under a line of longer periods ("Three
months ended December 31,  Six months ended December 31,"), then rows of a label and one figure for each column. Which
figure is meant is a matter of counting, which a reader of prose gets wrong. Here plain code finds the row whose label
the question asks for and the one column whose period it names; in doubt it finds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.chain import Chain, make_chain
from agent.fields import FIELD, KNOWN
from agent.matching import stems
from agent.question import MONTHS, Question, content_words
from agent.reader import Evidence
from agent.spans import Candidate
from index.types import Hit, Passage

Lead = Callable[[Passage, int], str]  # what stands before a passage in its document, that many characters

LEAD = 900  # characters before a passage in which the head of its table may stand
_YEAR = r"(?:19|20)\d{2}"
_PERIOD = rf"(?:[A-Z][a-z]+\.? \d{{1,2}}, )?{_YEAR}(?! vs)"
_HEAD = re.compile(rf"^(?P<label>[^\d\n]*?)\s*(?P<periods>{_PERIOD}(?:\s+{_PERIOD})+)(?P<more>(?:\s.*)?)$")
_VALUE = re.compile(
    r"(?P<sign>[$€£¥])?\s*(?P<figure>\(?-?\d[\d,]*(?:\.\d+)?\)?|[—–])(?P<share>\s*%\)?)?(?=\s|$)"
)
_ROW = re.compile(r"^(?P<label>[^\n]*?[A-Za-z)][^\n]*?)\s+(?P<values>(?:[$€£¥]\s*)?(?:\(?-?\d|[—–]).*)$")
_PLAIN = stems(
    "total net end period year amount quarter ended of at the and in for on"
)  # say nothing of their own
_ASKED = re.compile(rf"\b{_YEAR}\b")
_MONTHS = stems(MONTHS.replace("|", " "))
_PERIODS = stems("three six nine twelve months month quarter year half")


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure with the names of its row and column; offsets in the passage's text."""

    row: str
    column: str
    value: str
    start: int
    end: int


def cells_of(text: str, lead: str = "") -> Iterator[Cell]:
    """The cells of the tables in a text. lead: what stands before it, where the head of its first table may be.

    >>> table = "Six months ended June 30,\\n2015  2014\\nGross profit  $ 662  $ 645"
    >>> [(cell.row, cell.column, cell.value) for cell in cells_of(table)][1]
    ('Gross profit', 'Six months ended June 30, 2014', '$645')
    """
    columns: tuple[str, ...] = ()
    above, at, exact = "", -len(lead), True
    for line in (lead + text).splitlines(keepends=True):
        bare = line.strip()
        head = _HEAD.match(bare)
        if head and not _VALUE.search(head["label"]):
            columns, exact = _columns(re.findall(_PERIOD, head["periods"]), above), not head["more"].strip()
        elif columns and (row := _ROW.match(bare)):
            shift = at + line.index(bare) + row.start("values")
            yield from (c for c in _cells(row["label"], row["values"], shift, columns, exact) if c.start >= 0)
        if bare and not re.fullmatch(r"\(.*\)", bare):
            above = line.rstrip("\n")
        at += len(line)


def _columns(periods: Sequence[str], above: str) -> tuple[str, ...]:
    """The periods, each after the part of the line above that spans it."""
    spans = [part.strip() for part in re.split(r"\s{2,}", above.strip()) if re.search(r"[A-Za-z]", part)]
    spans = [part for part in spans if re.search(r"\b(?:ended|months?|quarters?|years?|of)\b", part, re.I)]
    if not spans or len(periods) % len(spans):
        return tuple(periods)
    each = len(periods) // len(spans)
    return tuple(f"{spans[at // each]} {period}" for at, period in enumerate(periods))


def _cells(label: str, values: str, shift: int, columns: Sequence[str], exact: bool) -> Iterator[Cell]:
    found = list(_VALUE.finditer(values))
    if len(found) > len(columns) and exact:
        found = [match for match in found if not match["share"]]  # figures with their shares beside them
    if len(found) < len(columns) or (exact and len(found) > len(columns)):
        return
    for match, column in zip(found, columns, strict=False):
        value = f"{match['sign'] or ''}{match['figure']}{(match['share'] or '').strip()}"
        start = match.start("sign") if match["sign"] else match.start("figure")
        yield Cell(label.strip(" .:"), column, value, shift + start, shift + match.end())


@dataclass(frozen=True, slots=True)
class Held:
    """A cell that answers, and how much of the question its row, column and place hold (0 to 1)."""

    cell: Cell
    passage: Passage
    known: float


def cell_in(question: Question, weights: np.ndarray, passages: Sequence[Passage], lead: Lead) -> Held | None:
    """The cell that answers the question; None where no row and column fit, or several do.

    weights: one per question term, sum 1; lead: the text before a passage, at most that many characters.
    """
    if question.options or not _ASKED.search(question.text) or question.expects not in ("number", "thing"):
        return None
    fitting = [
        Held(cell, passage, known)
        for passage in passages
        for cell in cells_of(passage.text, lead(passage, LEAD))
        if (known := _known(question, weights, cell, passage)) is not None
    ]
    if not fitting:
        return None
    best = max(fitting, key=lambda held: (held.known, len(_label(held.cell))))
    said, label = stems(best.cell.value), _label(best.cell)
    near = [h for h in fitting if h.known >= best.known - 0.01 and _label(h.cell) >= label]
    rivals = [h for h in near if stems(h.cell.value) != said]
    return None if rivals else best


def cell_beside(
    question: Question, weights: np.ndarray, hits: Sequence[Hit], others: Sequence[Hit], lead: Lead
) -> Hit | None:
    """The one of `others` with the cell that answers; None where none has it or one of `hits` has it already."""
    held = cell_in(question, weights, [hit.passage for hit in (*hits, *others)], lead)
    if held is None or any(hit.passage == held.passage for hit in hits):
        return None
    return next(hit for hit in others if hit.passage == held.passage)


def cell_answer(
    question: Question,
    weights: np.ndarray,
    pool: Sequence[Evidence],
    useful: Mapping[int, float],
    lead: Lead,
) -> Chain | None:
    """The figure asked for as an evidence chain of its row; None where no cell answers.

    weights: one per question term; useful: passage id -> usefulness (0 to 1); lead: as for `cell_in`.
    """
    passages = {one.passage.id: one.passage for one in pool}
    ranked = sorted(passages.values(), key=lambda passage: -useful.get(passage.id, 0.0))
    held = cell_in(question, weights, ranked, lead)
    if held is None:
        return None
    start, end = held.passage.start + held.cell.start, held.passage.start + held.cell.end
    line = [e for e in pool if e.passage.id == held.passage.id and e.start <= start and end <= e.end]
    if not line:
        return None
    chain = make_chain(question, weights, (max(line, key=lambda e: e.score),))
    why = f"So says the row “{held.cell.row}” in the column “{held.cell.column}”."
    return replace(chain, answers=(Candidate(held.cell.value, -1, -1, FIELD, held.known),), why=why)


def _known(question: Question, weights: np.ndarray, cell: Cell, passage: Passage) -> float | None:
    """The share of the question that a cell's row, column and place hold; None where it does not answer it."""
    asked, label = stems(question.text), _label(cell)
    if not label or not label <= asked or not any(c.isdigit() for c in cell.value):
        return None
    column = stems(cell.column)
    if not set(_ASKED.findall(question.text)) & column or (asked & _PERIODS) - column - {"year"}:
        return None
    if column & _MONTHS and (asked & _MONTHS) - column:
        return None
    held = label | column | stems(f"{passage.title}\n{passage.heading}")
    named = stems(" ".join(question.names)) - stems(question.text.split()[0])
    if any(stems(term) <= named and not stems(term) <= held | _PLAIN for term in question.terms):
        return None
    known = sum(w for t, w in zip(question.terms, weights.tolist(), strict=True) if stems(t) <= held | _PLAIN)
    return known if known >= KNOWN else None


def _label(cell: Cell) -> frozenset[str]:
    """Stems of the words that tell a row from others."""
    return stems(" ".join(content_words(cell.row))) - _PLAIN
