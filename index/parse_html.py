"""HTML through lxml (libxml2's forgiving parser): text with the white space a browser would show.

docling's HTML backend was measured first: it cuts a paragraph at every <code> or <em> and strips the
pieces, so the spacing is lost, and it takes six seconds to load. This walk keeps the paragraph whole.
Scripts, styles, forms, navigation and hidden elements are dropped; nothing is ever fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree, html

from index import html_table
from index.errors import LimitError, ParseError
from index.html_table import BLOCK_TAGS, DROPPED_TAGS
from index.limits import LoadLimits
from index.normalise import decode, squeeze
from index.tables import table_blocks
from index.types import Block, ParsedDocument

_HEADING = re.compile(r"h([1-6])")
_JUNK_ROLES = frozenset(str.split("navigation banner contentinfo search menu menubar toolbar"))
_JUNK_NAMES = frozenset(
    str.split(
        "nav navbar navigation breadcrumb breadcrumbs sidebar toc footer site-footer site-header headerlink"
        " skip-link skiplink cookie-banner sphinxsidebar menu pagination anchor-link"
    )
)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]+)""", re.IGNORECASE)
_BREAK = "\x1e"  # a line break that survives the squeezing of white space


def parse(path: Path, limits: LoadLimits) -> ParsedDocument:
    """Blocks of an HTML page; title from <title>, shortened to the first heading where it contains it."""
    source = _decode(path.read_bytes())
    root = _tree(source)
    blocks = tuple(_walk(root, strict=True))
    if not any(block.text for block in blocks):
        blocks = tuple(_walk(root, strict=False))  # a page that is all navigation is still a page
    meta = {
        name: content
        for element in root.iter("meta")
        if (name := element.get("name", "").lower()) in ("author", "date", "description", "keywords")
        and (content := element.get("content", ""))
    }
    return ParsedDocument(_title(root, blocks), blocks, "text/html", meta=meta)


def html_blocks(source: str) -> Iterator[Block]:
    """Blocks of a piece of HTML (a mail body, a chapter, an island in Markdown)."""
    return _walk(_tree(source), strict=True)


def _tree(source: str) -> etree._Element:
    parser = html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True
    )
    try:
        root = html.document_fromstring(source.encode("utf-8", errors="replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise ParseError(
            f"The page holds no readable HTML ({error}). Check that the file is complete."
        ) from error
    if any("xcessive depth" in entry.message for entry in parser.error_log):
        raise LimitError(
            "The HTML is nested too deeply to be a page (thousands of levels). Save it simplified."
        )
    return root


def _decode(data: bytes) -> str:
    declared = _CHARSET.search(data[:4096])
    if declared is not None and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode(declared.group(1).decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass  # a wrong declaration is common; the bytes decide
    return decode(data)


def _title(root: etree._Element, blocks: tuple[Block, ...]) -> str:
    element = root.find(".//title")
    title = squeeze("".join(element.itertext())) if element is not None else ""
    first = next((block for block in blocks if block.kind == "heading"), None)
    if first is not None and title.startswith(squeeze(first.text)) and len(first.text.split()) > 1:
        return first.text  # "Billing guide | Example Ltd" is "Billing guide"
    return title


def _walk(root: etree._Element, *, strict: bool) -> Iterator[Block]:
    """One pass over the tree's start and end events, so that no nesting depth can exhaust the stack."""
    text = _Text()
    walker = etree.iterwalk(root, events=("start", "end"))
    for event, element in walker:
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            if tag in DROPPED_TAGS or (strict and _is_junk(element)):
                walker.skip_subtree()
            elif tag == "table" and html_table.is_data_table(element):
                yield from text.flush()
                yield from table_blocks(html_table.rows(element), header=html_table.has_header(element))
                walker.skip_subtree()
            else:
                yield from text.open(element, tag)
        else:
            if tag in BLOCK_TAGS:
                yield from text.close(tag)
            text.add(element.tail)
    yield from text.flush()


class _Text:
    """The paragraph being read, and what the next one is: a list item, heading, term or code."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._kind = "paragraph"
        self._level = 0
        self._marker = ""
        self._term = ""  # a <dt> waits for its <dd>: "term: explanation" is one readable paragraph
        self._lists: list[int | None] = []

    def add(self, text: str | None) -> None:
        if text:
            self._parts.append(text)

    def open(self, element: etree._Element, tag: str) -> Iterator[Block]:
        if tag in BLOCK_TAGS:
            yield from self.flush()
        if heading := _HEADING.fullmatch(tag):
            self._kind, self._level = "heading", int(heading.group(1))
        elif tag == "pre":
            self._kind = "code"
        elif tag in ("ol", "ul", "menu", "dir"):
            self._lists.append(_start_number(element) if tag == "ol" else None)
        elif tag == "li":
            self._kind, self._marker = "list_item", self._number()
        elif tag == "dt":
            self._kind = "term"
        elif tag == "br":
            self.add("\n" if self._kind == "code" else _BREAK)
        elif tag == "img" and len((element.get("alt") or "").split()) > 2:
            self.add(f" {element.get('alt')} ")
        self.add(element.text)

    def close(self, tag: str) -> Iterator[Block]:
        yield from self.flush()
        if tag in ("ol", "ul", "menu", "dir") and self._lists:
            self._lists.pop()
        if tag in ("li", "pre", "dt") or _HEADING.fullmatch(tag):
            self._kind, self._marker = "paragraph", ""
        if tag == "dl" and self._term:
            term, self._term = self._term, ""
            yield Block("paragraph", term)

    def flush(self) -> Iterator[Block]:
        raw = "".join(self._parts)
        self._parts.clear()
        if self._kind == "code":
            if raw.strip():
                yield Block("code", raw.replace(_BREAK, "\n"))
            return
        lines = [" ".join(line.split()) for line in raw.split(_BREAK)]
        text = "\n".join(lines).strip()
        if not text:
            return
        if self._kind == "term":
            self._term = f"{self._term}, {text}" if self._term else text
        elif self._kind == "heading":
            yield Block("heading", text, level=self._level)
        elif self._kind == "list_item":
            yield Block("list_item", self._marker + self._with_term(text))
            self._kind, self._marker = "paragraph", ""  # further paragraphs of the item
        else:
            yield Block("paragraph", self._with_term(text))

    def _with_term(self, text: str) -> str:
        term, self._term = self._term, ""
        return f"{term.removesuffix(':')}: {text}" if term else text

    def _number(self) -> str:
        if not self._lists or (number := self._lists[-1]) is None:
            return ""
        self._lists[-1] = number + 1
        return f"{number}. "


def _start_number(element: etree._Element) -> int:
    start = element.get("start") or "1"
    return int(start) if start.isdecimal() and len(start) < 7 else 1


def _is_junk(element: etree._Element) -> bool:
    """Navigation, page furniture and what the page itself hides."""
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    if "display:none" in (element.get("style") or "").replace(" ", ""):
        return True
    if element.get("role") in _JUNK_ROLES or (element.tag == "footer" and element.getparent().tag == "body"):
        return True
    names = f"{element.get('id') or ''} {element.get('class') or ''}".lower().split()
    return element.tag != "body" and not _JUNK_NAMES.isdisjoint(names)
