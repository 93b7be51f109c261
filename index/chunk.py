"""A parsed document to its stored text and its passages.

Passages follow the structure: they never cross a page-long section without need, end at sentence or row
boundaries, and keep their heading path, page and character offsets, so that a citation can mark the
exact quote. There is no overlap; readers that want more context ask for the neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sentencex

from index.encoders import count_tokens
from index.types import Block, Draft, ParsedDocument

TARGET_TOKENS = 180  # with title and heading this stays inside the encoder's 256
SMALL_TOKENS = 60  # a section shorter than this is joined with the next one
VERSION = "chunk-1"


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence, row or heading: the smallest span a passage is made of."""

    start: int
    end: int
    page: int | None
    heading: str
    opens_section: bool


def lay_out(parsed: ParsedDocument) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The document's stored text (blocks separated by an empty line) and each block's span in it."""
    parts: list[str] = []
    spans: list[tuple[int, int]] = []
    at = 0
    for block in parsed.blocks:
        if parts:
            parts.append("\n\n")
            at += 2
        parts.append(block.text)
        spans.append((at, at + len(block.text)))
        at += len(block.text)
    return "".join(parts), tuple(spans)


def sentence_spans(text: str, offset: int = 0) -> list[tuple[int, int]]:
    """Spans of the sentences of a text, white space trimmed, shifted by `offset`."""
    spans, at = [], 0
    for sentence in sentencex.segment("en", text):
        start = text.index(sentence, at)
        at = start + len(sentence)
        left = len(sentence) - len(sentence.lstrip())
        right = len(sentence.rstrip())
        if right > left:
            spans.append((offset + start + left, offset + start + right))
    return spans


def split(parsed: ParsedDocument) -> tuple[str, tuple[Draft, ...]]:
    """Stored text and passages of a document, in reading order."""
    text, spans = lay_out(parsed)
    units = list(_units(parsed.blocks, spans, text))
    sizes = count_tokens([text[u.start : u.end] for u in units]) if units else []
    drafts: list[Draft] = []
    group: list[_Unit] = []
    tokens = 0
    for unit, size in zip(units, sizes, strict=True):
        full = tokens + size > TARGET_TOKENS
        if group and (full or (unit.opens_section and tokens >= SMALL_TOKENS)):
            group, moved = _without_trailing_headings(group)
            drafts.append(_draft(text, group))
            group = moved
            tokens = sum(count_tokens([text[u.start : u.end] for u in moved])) if moved else 0
        group.append(unit)
        tokens += size
    if group:
        drafts.append(_draft(text, group))
    return text, tuple(drafts)


def _units(blocks: tuple[Block, ...], spans: tuple[tuple[int, int], ...], text: str) -> Iterator[_Unit]:
    path: list[tuple[int, str]] = []
    for block, (start, end) in zip(blocks, spans, strict=True):
        if block.kind == "heading":
            path = [entry for entry in path if entry[0] < block.level]
            path.append((block.level, " ".join(block.text.split())))
        heading = " > ".join(title for _, title in path)
        if block.kind == "heading":
            pieces = [(start, end)]
        elif block.kind in ("table", "code"):
            pieces = _line_spans(text, start, end)
        else:
            pieces = sentence_spans(text[start:end], start)
        first = block.kind == "heading"
        for piece in pieces:
            for left, right in _cut(text, *piece):
                yield _Unit(left, right, block.page, heading, first)


def _line_spans(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans, at = [], start
    for line in text[start:end].splitlines(keepends=True):
        if line.strip():
            spans.append((at + len(line) - len(line.lstrip()), at + len(line.rstrip())))
        at += len(line)
    return spans


def _cut(text: str, start: int, end: int, limit: int = 700) -> Iterator[tuple[int, int]]:
    """Break an over-long unit at white space (at any character where there is none)."""
    while end - start > limit:
        space = text.rfind(" ", start + limit // 2, start + limit)
        stop = space if space > 0 else start + limit
        yield start, stop
        start = stop + 1 if space > 0 else stop
    if end > start:
        yield start, end


def _without_trailing_headings(group: list[_Unit]) -> tuple[list[_Unit], list[_Unit]]:
    """A heading belongs to what follows it, not to the passage before."""
    cut = len(group)
    while cut > 1 and group[cut - 1].opens_section:
        cut -= 1
    if cut == 1 and group[0].opens_section and len(group) > 1:
        cut = len(group)  # nothing but headings: keep them together
    return group[:cut], group[cut:]


def _draft(text: str, group: list[_Unit]) -> Draft:
    start, end = group[0].start, group[-1].end
    bodies = [u for u in group if not u.opens_section] or group
    pages = [u.page for u in group if u.page is not None]
    return Draft(
        start=start,
        end=end,
        text=text[start:end],
        heading=bodies[0].heading,
        page=min(pages) if pages else None,
        page_end=max(pages) if pages else None,
    )
