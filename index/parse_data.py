"""CSV, TSV, JSON and JSON Lines: records as readable lines "name: value"."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from index.errors import LimitError, ParseError
from index.limits import LoadLimits
from index.normalise import decode
from index.tables import table_blocks
from index.types import Block, ParsedDocument

_LONG_VALUE = 300  # characters; longer values are prose and get paragraphs of their own
_MOST_FIELD = 10_000_000  # characters in one CSV cell
_TITLES = ("title", "name", "headline", "subject")


def parse_csv(path: Path, limits: LoadLimits) -> ParsedDocument:
    """Rows as labelled lines, in groups; the delimiter is found by looking."""
    text = decode(path.read_bytes())
    csv.field_size_limit(_MOST_FIELD)
    try:
        rows = csv.reader(text.splitlines(keepends=True), _dialect(text, path.suffix.lower()))
        blocks = tuple(table_blocks(rows))
    except csv.Error as error:
        raise ParseError(
            f"The table could not be read ({error}). Save it again as CSV with one record a line."
        ) from error
    return ParsedDocument("", blocks, "text/csv")


def parse_json(path: Path, limits: LoadLimits) -> ParsedDocument:
    """A JSON document: objects as paragraphs of fields, nested parts under headings."""
    text = decode(path.read_bytes())
    try:
        value = _load(text)
    except json.JSONDecodeError as error:
        if "Extra data" in error.msg:  # one value a line under the wrong name
            return parse_json_lines(path, limits)
        raise _broken(error, error.lineno) from error
    title = ""
    if isinstance(value, dict):
        title = next((v for key in _TITLES if isinstance(v := value.get(key), str) and len(v) < 200), "")
    return ParsedDocument(title, tuple(_value_blocks(value, "", 1)), "application/json")


def parse_json_lines(path: Path, limits: LoadLimits) -> ParsedDocument:
    """One record a line, each a paragraph of its fields."""
    blocks: list[Block] = []
    for number, line in enumerate(decode(path.read_bytes()).split("\n"), start=1):
        if line.strip():
            try:
                blocks += _value_blocks(_load(line), "", 0)
            except json.JSONDecodeError as error:
                raise _broken(error, number) from error
    return ParsedDocument("", tuple(blocks), "application/jsonl")


def _load(text: str) -> Any:
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except RecursionError as error:
        raise LimitError(
            "The JSON is nested too deeply to be a document (about a thousand levels). Store it flatter."
        ) from error


def _broken(error: json.JSONDecodeError, line: int) -> ParseError:
    return ParseError(f"The file is not valid JSON: {error.msg} in line {line}. Correct it and add it again.")


def _dialect(text: str, suffix: str) -> type[csv.Dialect]:
    if suffix == ".tsv":
        return csv.excel_tab
    try:
        return csv.Sniffer().sniff(text[:16_384], delimiters=",;\t|")
    except csv.Error:
        return csv.excel


def _value_blocks(value: Any, name: str, level: int) -> Iterator[Block]:
    """Blocks of a JSON value; `level` > 0 asks for headings above named parts."""
    if isinstance(value, dict):
        yield from _object_blocks(value, name, level)
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        if name and level:
            yield Block("heading", name, level=level)
        for item in value:
            yield from _value_blocks(item, "" if level else name, 0)
    else:
        yield from _field_blocks({name: value})


def _object_blocks(record: dict[str, Any], name: str, level: int) -> Iterator[Block]:
    if name and level:
        yield Block("heading", name, level=level)
        name = ""
    flat: dict[str, Any] = {}
    parts: list[tuple[str, Any]] = []
    for key, value in record.items():
        full = f"{name}.{key}" if name else key
        if isinstance(value, (dict, list)) and not _is_plain_list(value):
            parts.append((full, value))
        else:
            flat[full] = value
    yield from _field_blocks(flat)
    for key, value in parts:
        deeper = level + 1 if 0 < level < 4 else 0
        yield from _value_blocks(value, key, deeper)


def _is_plain_list(value: Any) -> bool:
    return isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value)


def _field_blocks(fields: dict[str, Any]) -> Iterator[Block]:
    """Short fields as lines of one paragraph, long ones as paragraphs."""
    lines: list[str] = []
    prose: list[str] = []
    for key, value in fields.items():
        text = ", ".join(map(_scalar, value)) if isinstance(value, list) else _scalar(value)
        if text.strip():
            line = f"{key}: {text}" if key else text
            (prose if len(text) > _LONG_VALUE or "\n" in text else lines).append(line)
    if lines:
        yield Block("paragraph", "\n".join(lines))
    for text in prose:
        for part in text.split("\n\n"):
            yield Block("paragraph", part)


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
