"""Markdown through markdown-it-py: headings, paragraphs, lists, tables, code and front matter.

markdown-it-py rather than docling, whose Markdown backend returns a sentence in pieces at every emphasis
or link and loses the white space between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from index.limits import LoadLimits
from index.normalise import decode
from index.parse_html import html_blocks
from index.tables import table_blocks
from index.types import Block, ParsedDocument

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r"^([A-Za-z][\w .-]{0,40}):[ \t]+(\S.*)$")
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^>]*>", re.DOTALL)
_CAPTION = re.compile(r"""\b(?:caption|alt|title)=(["'])(.+?)\1""")
_ENGINE = MarkdownIt("commonmark", {"maxNesting": 60}).enable(["table", "strikethrough"])


def parse(path: Path, limits: LoadLimits) -> ParsedDocument:
    """Blocks of a Markdown file; front matter becomes the meta data and a first paragraph."""
    text = decode(path.read_bytes()).replace("\r\n", "\n")
    fields: dict[str, str] = {}
    blocks: list[Block] = []
    front = _FRONT_MATTER.match(text)
    if front and (fields := _fields(front.group(1))):
        text = text[front.end() :]
        lines = [f"{_label(key)}: {value}" for key, value in fields.items()]
        blocks.append(Block("paragraph", "\n".join(lines)))
    blocks += markdown_blocks(text)
    return ParsedDocument(fields.get("title", ""), tuple(blocks), "text/markdown", meta=fields)


def markdown_blocks(text: str) -> Iterator[Block]:
    """Blocks of Markdown text, in order."""
    tokens = _ENGINE.parse(text)
    numbers: list[int | None] = []  # one entry per open list: the next number, None for bullets
    marker: str | None = None  # set while the first text of a list item is awaited
    table: list[list[str]] = []
    for place, token in enumerate(tokens):
        if token.type == "inline":
            before = tokens[place - 1].type
            content = _inline(token)
            if before == "heading_open":
                yield Block("heading", content, level=int(tokens[place - 1].tag[1]))
            elif before in ("th_open", "td_open"):
                table[-1].append(content)
            elif content.strip():
                yield Block("paragraph" if marker is None else "list_item", (marker or "") + content)
                marker = None
        elif token.type in ("fence", "code_block"):
            yield Block("code", token.content)
        elif token.type == "html_block":
            yield from _html(token.content)
        elif token.type in ("tr_open", "table_open", "table_close"):
            yield from _table_step(token.type, table)
        else:
            marker = _list_step(token, numbers, marker)


def _table_step(step: str, table: list[list[str]]) -> Iterator[Block]:
    if step == "table_open":
        table.clear()
    elif step == "tr_open":
        table.append([])
    else:
        yield from table_blocks(table, header=True)


def _list_step(token: Token, numbers: list[int | None], marker: str | None) -> str | None:
    """Keep the stack of open lists; returns the marker that the next text bears."""
    if token.type == "bullet_list_open":
        numbers.append(None)
    elif token.type == "ordered_list_open":
        numbers.append(int(token.attrs.get("start", 1)))
    elif token.type in ("bullet_list_close", "ordered_list_close"):
        numbers.pop()
    elif token.type == "list_item_open":
        number = numbers[-1]
        if number is not None:
            numbers[-1] = number + 1
        return "" if number is None else f"{number}. "
    elif token.type == "list_item_close":
        return None
    return marker


def _inline(token: Token) -> str:
    """Text of an inline token: what a reader of the rendered page sees."""
    parts = []
    for child in token.children or ():
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type == "softbreak":
            parts.append(" ")
        elif child.type == "hardbreak":
            parts.append("\n")
        elif child.type == "image" and len(child.content.split()) > 2:  # else a file name, not a description
            parts.append(child.content)
        elif child.type == "html_inline" and re.match(r"<br\b", child.content, re.IGNORECASE):
            parts.append("\n")
    return "".join(parts)


def _html(source: str) -> Iterator[Block]:
    """An HTML island: real HTML through the HTML reader, captions of unknown tags as text."""
    if not _TAG.sub("", source).strip():
        for match in _CAPTION.finditer(source):
            yield Block("paragraph", match.group(2))
        return
    yield from html_blocks(source)


def _label(key: str) -> str:
    return key.upper() if len(key) < 4 else key[:1].upper() + key[1:]


def _fields(source: str) -> dict[str, str]:
    """Scalar fields of front matter, as text; sloppy YAML (a colon in a title) is read line by line."""
    try:
        loaded = yaml.load(source, Loader=yaml.BaseLoader)  # BaseLoader: strings only, nothing is built
    except (yaml.YAMLError, RecursionError):
        loaded = None
    if not isinstance(loaded, dict):
        matches = (_FIELD.match(line) for line in source.splitlines())
        return {match.group(1).strip(): match.group(2).strip() for match in matches if match}
    return {str(key): text for key, value in loaded.items() if (text := _scalar(value))}


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):  # one level only: aliases in YAML can nest without end
        return ", ".join(item for item in value[:100] if isinstance(item, str))
    return ""
