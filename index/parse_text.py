"""Plain text of any encoding: paragraphs, underlined or shouted headings, lists, pages at form feeds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from index.limits import LoadLimits
from index.normalise import decode
from index.types import Block, ParsedDocument

_UNDERLINE = re.compile(r"\s*([=\-~^*#\"'+])\1{2,}\s*")
_ITEM = re.compile(r"\s{0,8}(?:[-*•‣◦–]\s+(?P<bullet>\S.*)|(?P<numbered>(?:\d{1,3}|[a-zA-Z])[.)]\s+\S.*))")
_FULL_LINE = 50  # a hard-wrapped paragraph has lines at least this long (its last apart)


def parse(path: Path, limits: LoadLimits) -> ParsedDocument:
    """Blocks of a text file; pages are counted where it has form feeds."""
    pages = decode(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n").split("\f")
    while len(pages) > 1 and not pages[-1].strip():
        pages.pop()
    numbered = len(pages) > 1
    blocks = [
        block
        for number, page in enumerate(pages, start=1)
        for block in text_blocks(page, number if numbered else None)
    ]
    return ParsedDocument(_title(blocks), tuple(blocks), "text/plain", len(pages) if numbered else None)


def text_blocks(text: str, page: int | None = None) -> Iterator[Block]:
    """Blocks of plain text: paragraphs end at empty lines."""
    group: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line.strip():
            group.append(line)
        elif group:
            yield from _paragraph(group, page)
            group = []


def _paragraph(lines: list[str], page: int | None) -> Iterator[Block]:
    heading, level = _heading(lines)
    if heading:
        yield Block("heading", heading, level=level, page=page)
        lines = lines[2 if level < 3 else 1 :]
    plain: list[str] = []
    items: list[str] = []
    for line in lines:
        if _UNDERLINE.fullmatch(line):
            continue
        if match := _ITEM.fullmatch(line):
            items.append(match.group("bullet") or match.group("numbered"))
        elif items:
            items[-1] += " " + line.strip()
        else:
            plain.append(line)
    if plain:
        yield Block("paragraph", _joined(plain), page=page)
    for item in items:
        yield Block("list_item", item, page=page)


def _heading(lines: list[str]) -> tuple[str, int]:
    """(text, level) of a heading at the start of a paragraph: underlined, or alone in capitals."""
    first = lines[0].strip()
    rule = _UNDERLINE.fullmatch(lines[1]) if len(lines) > 1 else None
    if rule is not None and len(first) <= 120 and not _UNDERLINE.fullmatch(first):
        return first, 1 if rule.group(1) in "=#*" else 2
    letters = sum(map(str.isalpha, first))
    if len(lines) == 1 and first.isupper() and letters >= 4 and letters > len(first) / 2 and len(first) <= 80:
        return first, 3
    return "", 0


def _joined(lines: list[str]) -> str:
    """Hard-wrapped lines as one; verse, addresses and columns keep their lines."""
    wrapped = all(len(line) >= _FULL_LINE for line in lines[:-1])
    columns = sum("   " in line.strip() or "\t" in line.strip() for line in lines) * 2 > len(lines)
    return (" " if wrapped and not columns else "\n").join(line.strip() for line in lines)


def _title(blocks: list[Block]) -> str:
    """A lone short first line is a title, though nothing marks it as one."""
    if not blocks or blocks[0].kind != "paragraph" or len(blocks) < 2:
        return ""
    text = blocks[0].text
    titled = "\n" not in text and len(text) <= 90 and text[-1] not in ".,;:!?" and text[0].isalnum()
    return text if titled else ""
