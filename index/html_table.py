"""Tables of an HTML page as rows of cells, spans unfolded, and the kinds of tags a reader must know."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from index.normalise import squeeze

DROPPED_TAGS = frozenset(
    str.split(
        "script style template noscript head nav svg iframe object embed canvas audio video select button"
        " input textarea datalist map"
    )
)
BLOCK_TAGS = frozenset(
    str.split(
        "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset"
        " figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu ol option p"
        " pre section summary table tbody td tfoot th thead tr ul"
    )
)
_LAYOUT_TAGS = frozenset(str.split("table h1 h2 h3 h4 h5 h6 ul ol dl pre form"))
_CELLS = ("td", "th")


def is_data_table(table: etree._Element) -> bool:
    """False for tables that only arrange the page: they hold headings, lists or other tables."""
    rows = 0
    for element in table.iterdescendants():
        if element.tag in _LAYOUT_TAGS:
            return False
        rows += element.tag == "tr"
    return rows > 1


def has_header(table: etree._Element) -> bool | None:
    """True when the first row says it is a header, None when it does not say."""
    first = next(table.iter("tr"), None)
    if first is None:
        return None
    cells = [cell for cell in first if cell.tag in _CELLS]
    headed = bool(cells) and all(cell.tag == "th" for cell in cells)
    return True if headed or first.getparent().tag == "thead" else None


def rows(table: etree._Element) -> Iterator[list[str]]:
    """Rows of the table's grid; spans repeat their text so that columns stay aligned."""
    hanging: dict[int, tuple[int, str]] = {}  # column -> (rows still covered from above, text)
    for row in table.iter("tr"):
        pending = [cell for cell in row if cell.tag in _CELLS][::-1]
        cells: list[str] = []
        while pending or len(cells) in hanging:
            column = len(cells)
            if column in hanging:
                left, text = hanging.pop(column)
                if left > 1:
                    hanging[column] = (left - 1, text)
                cells.append(text)
                continue
            cell = pending.pop()
            text, down = _cell_text(cell), _span(cell, "rowspan")
            for offset in range(_span(cell, "colspan")):
                if down > 1:
                    hanging[column + offset] = (down - 1, text)
                cells.append(text)
        yield cells


def _span(cell: etree._Element, name: str) -> int:
    value = cell.get(name) or "1"
    return max(1, min(int(value), 50)) if value.isdecimal() and len(value) < 6 else 1


def _cell_text(cell: etree._Element) -> str:
    parts: list[str] = []
    walker = etree.iterwalk(cell, events=("start", "end"))
    for event, element in walker:
        if element.tag in BLOCK_TAGS or element.tag == "br":
            parts.append(" ")
        if event == "start" and element.tag in DROPPED_TAGS:
            walker.skip_subtree()
        elif event == "start":
            parts.append(element.text or "")
        elif element is not cell:
            parts.append(element.tail or "")
    return squeeze("".join(parts))
