"""Rows of cells to table blocks that stay readable when one is cut out and shown alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from index.normalise import squeeze
from index.types import Block

GROUP_CHARACTERS = 1200  # a table is cut into blocks of about this size, between rows
_MOST_LABELLED = 12  # columns; wider tables repeat their header row instead of labelling each cell
_NUMBER = re.compile(r"[-+(]?[$€£¥]?\s*[\d.,]+\s*%?\)?")


def table_blocks(
    rows: Iterable[Sequence[str]], *, header: bool | None = None, page: int | None = None
) -> Iterator[Block]:
    """Table blocks of a few rows each, one line a row.

    With a header row (`header`, or by its looks when None) a line reads "Name: Mira; Born: 1987", so that
    every row stands alone; very wide tables repeat the header line in each block instead.
    """
    cells = _tidy(rows)
    first = next(cells, None)
    if first is None:
        return
    labelled = header if header is not None else _looks_like_header(first)
    if not labelled or sum(map(bool, first)) < 2:
        yield from _grouped(_chain(first, cells), "", page)
    elif len(first) > _MOST_LABELLED or max(map(len, first)) > 60:
        yield from _grouped((" | ".join(row) for row in cells), " | ".join(first), page)
    else:
        lines = [_label(first, row) for row in cells]
        yield from _grouped(lines or [" | ".join(first)], "", page)


def _chain(first: Sequence[str], rest: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _plain(first)
    for row in rest:
        yield _plain(row)


def _plain(row: Sequence[str]) -> str:
    """A row without labels; of two cells the first names the second."""
    filled = [cell for cell in row if cell]
    if len(row) == 2 and len(filled) == 2 and not _NUMBER.fullmatch(row[0]):
        return f"{row[0].removesuffix(':')}: {row[1]}"
    return " | ".join(filled)


def _label(header: Sequence[str], row: Sequence[str]) -> str:
    named = zip(header, row, strict=False)
    line = "; ".join(f"{label}: {cell}" if label else cell for label, cell in named if cell)
    extra = "; ".join(cell for cell in row[len(header) :] if cell)
    return "; ".join(part for part in (line, extra) if part)


def _tidy(rows: Iterable[Sequence[str]]) -> Iterator[list[str]]:
    for row in rows:
        cells = [squeeze(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield cells


def _looks_like_header(row: Sequence[str]) -> bool:
    filled = [cell for cell in row if cell]
    return (
        len(filled) >= 2
        and len(set(filled)) == len(filled)
        and len(filled) >= len(row) - 1
        and all(len(cell) <= 60 and not _NUMBER.fullmatch(cell) for cell in filled)
    )


def _grouped(lines: Iterable[str], header: str, page: int | None) -> Iterator[Block]:
    group: list[str] = []
    size = 0
    for line in lines:
        if group and size + len(line) > GROUP_CHARACTERS:
            yield Block("table", "\n".join([header, *group] if header else group), page=page)
            group, size = [], 0
        group.append(line)
        size += len(line) + 1
    if group or header:
        yield Block("table", "\n".join([header, *group] if header else group), page=page)
