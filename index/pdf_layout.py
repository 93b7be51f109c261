"""Lines of PDF pages to headings, paragraphs and table rows, by their places, sizes and repetition."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from index.pdf_lines import HYPHEN, Line
from index.types import Block

Outline = dict[str, int]  # case-folded bookmark titles and their levels

_NUMBER = r"[$€£¥(]*\s?[-+]?\d(?:[\d.,]*\d)?\s?[)%]*"
_ROW = re.compile(rf"(?:.*\s)?(?:(?:{_NUMBER}|[$€£]?\s?[—–-])\s+)+(?:{_NUMBER}|[—–-]|N/A|NM)")
_BULLET = re.compile(r"[•●▪◦■‣∙·]\s*|[-–]\s+|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s+(?=\S)")
_PAGE_NUMBER = re.compile(
    r"(?:page\s+)?[-–]?\s*(?:\d{1,4}|[ivxlc]{1,6})\s*[-–]?(?:\s*(?:of|/)\s*\d{1,4})?", re.I
)
_LARGE = 1.15  # times the size of the running text: a heading
_LONG_LINE = 90  # characters; longer lines are running text
_EDGE = 0.09  # share of the page height where running heads and page numbers stand


@dataclass(frozen=True, slots=True)
class Layout:
    """What holds for the whole document."""

    body: float  # size of the running text
    sizes: tuple[float, ...]  # sizes of headings, largest first
    furniture: frozenset[str]  # running heads and feet, digits as #
    outline: Outline
    words: frozenset[str]  # all words, to decide whether a hyphen at a line end belongs to the word
    title: str


def prepare(pages: Sequence[Sequence[Line]], outline: Outline) -> Layout:
    """Measure the document."""
    weights: Counter[float] = Counter()
    edges: Counter[str] = Counter()
    words: set[str] = set()
    for page in pages:
        for line in page:
            weights[line.size] += len(line.text) * (20 if len(line.text) > _LONG_LINE / 2 else 1)
            words.update(re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", line.text.casefold()))
        edges.update({_mask(line.text) for line in [*page[:1], *page[-1:], *filter(_at_edge, page)]})
    # The largest of the sizes in wide use: tables and notes are set smaller and can outweigh the text.
    most = max(weights.values(), default=0)
    body = max((size for size, weight in weights.items() if weight > 0.3 * most), default=10.0)
    often = max(3, len(pages) * 0.3)
    furniture = frozenset(text for text, count in edges.items() if count >= often)
    larger: Counter[float] = Counter()
    for page in pages:
        larger.update(line.size for line in page if line.size >= body * _LARGE and len(line.text) < 200)
    sizes = tuple(sorted({round(size * 2) / 2 for size in larger}, reverse=True)[:4])
    title = _title(pages[0], body) if pages else ""
    return Layout(body, sizes, furniture, outline, frozenset(words), title)


def page_blocks(lines: Sequence[Line], layout: Layout, page: int) -> Iterator[Block]:
    """Blocks of one page."""
    outer = (0, len(lines) - 1)
    kept = [line for place, line in enumerate(lines) if not _is_furniture(line, layout, place in outer)]
    pitch = _pitch(kept, layout.body)
    right = max((line.right for line in kept), default=0.0)
    rows = _table_rows(kept, right)
    group: list[Line] = []
    for place, line in enumerate(kept):
        if group and (
            rows[place] != rows[place - 1] or (not rows[place] and _breaks(group[-1], line, pitch, right))
        ):
            yield _block(group, rows[place - 1], layout, page)
            group = []
        group.append(line)
    if group:
        yield _block(group, rows[-1], layout, page)


def _block(group: list[Line], is_table: bool, layout: Layout, page: int) -> Block:
    if is_table:
        return Block("table", "\n".join(_joined([line.text], layout.words) for line in group), page=page)
    text = _joined([line.text for line in group], layout.words)
    if level := _heading_level(group, text, layout):
        return Block("heading", text, level=level, page=page)
    bullet = _BULLET.match(text)
    if bullet and not text[0].isdigit():
        return Block("list_item", text[bullet.end() :] if not text[0].isalnum() else text, page=page)
    return Block("list_item" if bullet else "paragraph", text, page=page)


def _heading_level(group: list[Line], text: str, layout: Layout) -> int:
    """Level of a heading, 0 for other text: a bookmark, large type, or a short bold line on its own."""
    if level := layout.outline.get(text.casefold()):
        return level
    size = round(min(line.size for line in group) * 2) / 2
    letters = sum(map(str.isalpha, text))
    if letters < 3 or len(text) > 200 or letters * 2 < len(text):
        return 0
    if size >= layout.body * _LARGE and size in layout.sizes and len(group) <= 4:
        return 1 + layout.sizes.index(size)
    alone = (
        len(group) <= 2
        and len(text) <= 120
        and not _BULLET.match(text)
        and text[-1] not in ".,;:"
        and not text[0].islower()
    )
    return len(layout.sizes) + 1 if alone and all(line.bold for line in group) else 0


def _breaks(before: Line, line: Line, pitch: float, right: float) -> bool:
    """Whether a new paragraph begins: a gap, another size, a bullet, or a short last line before it."""
    gap = before.y - line.y
    if gap < 0 or gap > 1.3 * max(pitch, line.size) or abs(line.size - before.size) > 0.12 * before.size:
        return True
    if line.bold != before.bold and (line.text[0].isupper() or before.text[-1] in ".:"):
        return True
    if _BULLET.match(line.text):
        return True
    short = before.right < before.left + 0.8 * (right - before.left)
    indented = line.left > before.left + 0.8 * line.size
    return before.text[-1] in '.:;!?”"' and (short or indented)


def _pitch(lines: Sequence[Line], body: float) -> float:
    """Usual distance of baselines on the page."""
    gaps = [a.y - b.y for a, b in zip(lines, lines[1:], strict=False)]
    usual = [gap for gap in gaps if 0.6 * body < gap < 2 * body]
    return median(usual) if usual else 1.2 * body


def _table_rows(lines: Sequence[Line], right: float) -> list[bool]:
    """Which lines are table rows, short labels between rows included; a row on its own is none."""
    rows = [_is_row(line) for line in lines]
    for place in range(1, len(lines) - 1):
        label = lines[place].right < 0.7 * right and lines[place].text[-1] not in ".;"
        near = (
            lines[place - 1].y - lines[place + 1].y < 4 * lines[place].size
        )  # else a heading of a new table
        if rows[place - 1] and rows[place + 1] and label and (near or not lines[place].bold):
            rows[place] = True
    lone = [
        row and not (place and rows[place - 1]) and not (place + 1 < len(rows) and rows[place + 1])
        for place, row in enumerate(rows)
    ]
    return [row and not alone for row, alone in zip(rows, lone, strict=True)]


def _is_row(line: Line) -> bool:
    """Several figures at the end, or several cells (a bullet with its text is not two cells)."""
    if _ROW.fullmatch(line.text):
        return True
    first = line.text.split("  ", 1)[0]
    pair = line.cells == 2 and len(line.text) < _LONG_LINE and not _BULLET.fullmatch(f"{first} ")
    return pair or line.cells >= 3


def _joined(texts: list[str], words: frozenset[str]) -> str:
    """Lines as one, words that were broken at a line end made whole."""
    text = " ".join(texts)
    text = re.sub(r"(?<=[^\W\d_])-\s(?=[a-zß-ÿ])", HYPHEN, text) if len(texts) > 1 else text

    def whole(match: re.Match[str]) -> str:
        left, right = match.group(1), match.group(2)
        first, second = left.casefold(), right.casefold()
        if first + second in words:
            return left + right
        compound = f"{first}-{second}" in words or (first in words and second in words)
        return f"{left}-{right}" if compound or not left.isalpha() or right[:1].isupper() else left + right

    return re.sub(rf"(\w*){HYPHEN}\s?(\w*)", whole, text)


def _mask(text: str) -> str:
    return re.sub(r"\d+", "#", text.casefold())


def _at_edge(line: Line) -> bool:
    return line.place < _EDGE or line.place > 1 - _EDGE


def _is_furniture(line: Line, layout: Layout, outer: bool) -> bool:
    """Running heads and feet, page numbers, and rules drawn with characters."""
    if not any(map(str.isalnum, line.text)) and len(line.text) > 3:
        return True
    if line.size >= layout.body * _LARGE:
        return False  # "Step 1", "Step 2", ... in large type are headings, not a running head
    repeated = _mask(line.text) in layout.furniture or bool(_PAGE_NUMBER.fullmatch(line.text))
    return repeated and (outer or _at_edge(line))


def _title(first: Sequence[Line], body: float) -> str:
    """The largest type on the first page, if it is much larger than the text and not a shout."""
    size = max((line.size for line in first), default=0.0)
    text = " ".join(line.text for line in first if line.size > size - 0.6)
    fits = size >= 1.4 * body and len(text.split()) >= 3 and len(text) <= 200 and not text.isupper()
    return text if fits else ""
