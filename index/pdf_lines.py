"""Words of a PDF page to visual lines, with the gaps that separate the cells of a table row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HYPHEN = "\ufffe"  # PDFium's mark for a hyphen at the end of a line
_CELL_GAP = 1.5  # in type sizes; justified text never spreads that far


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its place; lengths in points, y upwards from the foot of the page."""

    text: str
    left: float
    right: float
    y: float  # baseline
    size: float  # height of the type
    bold: bool
    place: float  # y as a share of the page height


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the eye sees it. Two spaces in the text stand between cells."""

    text: str
    left: float
    right: float
    y: float
    size: float
    bold: bool
    place: float
    cells: int


def lines_of(words: Iterable[Word]) -> list[Line]:
    """Lines in reading order: a word opens a new one when it stands lower, higher or to the left."""
    lines: list[list[Word]] = []
    for word in words:
        if lines and _continues(lines[-1][-1], word):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [_line(line) for line in lines]


def _continues(before: Word, word: Word) -> bool:
    size = max(before.size, word.size, 1.0)
    return abs(before.y - word.y) < 0.45 * size and word.left > before.right - 0.5 * size


def _line(words: list[Word]) -> Line:
    parts, cells = [words[0].text], 1
    for before, word in zip(words, words[1:], strict=False):
        gap = word.left - before.right
        if gap > _CELL_GAP * max(word.size, 1.0):
            parts.append("  ")
            cells += 1
        elif gap > 0.1 * word.size or abs(before.y - word.y) < 0.5:
            parts.append(" ")  # a raised or lowered mark without a gap belongs to its word
        parts.append(word.text)
    first, long = words[0], max(words, key=lambda word: len(word.text))
    bold = sum(len(word.text) for word in words if word.bold) * 2 > sum(len(word.text) for word in words)
    return Line(
        "".join(parts), first.left, words[-1].right, first.y, long.size, bold, first.place, cells
    )  # fmt: skip
