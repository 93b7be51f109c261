"""Excel workbooks through openpyxl in read-only mode: each sheet a heading with its tables.

Not docling here: it holds every cell as an object, which large sheets make heavy.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import openpyxl

from index.archive import check_container
from index.errors import LimitError
from index.limits import LoadLimits
from index.tables import table_blocks
from index.types import Block, ParsedDocument


def parse(path: Path, limits: LoadLimits) -> ParsedDocument:
    """Blocks of a workbook, computed values rather than formulas; `page` is the number of the sheet."""
    check_container(path, limits, "Excel workbook")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # unsupported decorations of the sheet are no concern of ours
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            blocks = tuple(_sheets(book, limits))
            properties = book.properties
        finally:
            book.close()
    meta = {"author": properties.creator or ""}
    sheets = len(book.sheetnames)
    return ParsedDocument(properties.title or "", blocks, "", pages=sheets, meta=meta)


def _sheets(book: Any, limits: LoadLimits) -> Iterator[Block]:
    characters = 0
    for number, sheet in enumerate(book.worksheets, start=1):
        if sheet.sheet_state != "visible":
            continue
        heading: Block | None = Block("heading", sheet.title, level=1, page=number)
        for table in _tables(sheet.iter_rows(values_only=True)):
            for block in table_blocks(table, page=number):
                if heading is not None:
                    yield heading
                    heading = None
                characters += len(block.text)
                if characters > limits.max_characters:
                    raise LimitError(
                        f"The workbook holds more than {limits.max_characters:,} characters, the limit for"
                        " one file. Split it."
                    )
                yield block


def _tables(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[list[str]]]:
    """Groups of rows between empty rows; empty columns on the left are cut off."""
    group: list[list[str]] = []
    for row in rows:
        cells = [_text(value) for value in row]
        if any(cells):
            group.append(cells)
        elif group:
            yield _without_margin(group)
            group = []
    if group:
        yield _without_margin(group)


def _without_margin(rows: list[list[str]]) -> list[list[str]]:
    margin = min(next(place for place, cell in enumerate(row) if cell) for row in rows)
    return [row[margin:] for row in rows]


def _text(value: Any) -> str:
    """A cell as people read it: no midnight behind a date, no .0 behind a whole number."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.12g}"
    return str(value).strip()
