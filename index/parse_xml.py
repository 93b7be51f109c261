"""Any XML through defusedxml: titles become headings, text becomes paragraphs, records become lines.

Knows no single vocabulary by heart. What counts is how an element is used: one with text of its own is a
paragraph, one called title or heading is a heading of the part around it, and one whose children are all
short values is a record. Reads CNXML, DocBook, TEI, feeds and data exports well enough to search them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element  # the type only; parsing is defusedxml's

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError as XmlSyntaxError
from defusedxml.ElementTree import fromstring

from index.errors import LimitError, ParseError
from index.limits import LoadLimits
from index.normalise import squeeze
from index.tables import table_blocks
from index.types import Block, ParsedDocument

_TITLES = frozenset(str.split("title head heading name headline label"))
_METADATA = frozenset(str.split("metadata docinfo articleinfo bookinfo info teiheader prolog"))
_PROSE = frozenset(
    str.split("para p simpara text description summary content abstract item li note quote cite")
)
_ITEMS = frozenset(str.split("item li listitem"))
_CODE = frozenset(str.split("code programlisting pre screen preformat literallayout"))
_ROWS = frozenset(str.split("row tr"))
# Elements that stand inside a sentence; any other element inside text starts a block of its own.
_INLINE = frozenset(
    str.split(
        "a abbr acronym b bold br cite code command emph emphasis em filename foreign function hi i"
        " italic link literal name newline q ref span strong sub subscript sup superscript term u ulink"
        " uri var xref footnote date space math mrow mi mn mo msup msub msubsup mfrac mtext msqrt"
    )
)
_DEEPEST = 100  # levels; documents have about twenty


def parse(path: Path, limits: LoadLimits) -> ParsedDocument:
    """Blocks of an XML file; entities and external references are refused."""
    try:
        root: Element = fromstring(path.read_bytes())
    except DefusedXmlException as error:
        raise ParseError(
            "The XML declares entities or external references, which can be used to attack a reader, and was"
            " not read. Remove the declarations and add it again."
        ) from error
    except (XmlSyntaxError, ValueError, LookupError) as error:
        raise ParseError(f"The file is not valid XML ({error}). Correct it and add it again.") from error
    _check_depth(root)
    title = _own_title(root)
    blocks = [*([Block("heading", title, level=1)] if title else []), *_blocks(root, 1, top=True)]
    return ParsedDocument(title, tuple(blocks), "application/xml", meta=_meta(root))


def _check_depth(root: Element) -> None:
    level, depth = [root], 0
    while level:
        level, depth = [child for element in level for child in element], depth + 1
        if depth > _DEEPEST:
            raise LimitError(f"The XML is nested more than {_DEEPEST} levels deep. Store it flatter.")


def _blocks(element: Element, depth: int, *, top: bool = False) -> Iterator[Block]:
    """Blocks of an element's content. `depth` is the level of the heading it stands under."""
    name = _name(element)
    if not top and name in _METADATA:
        return
    title = "" if top else _own_title(element)
    if _is_table(element):
        if title:
            yield Block("paragraph", title)
        yield from table_blocks(_rows(element), header=_has_head(element))
    elif name in _CODE and _INLINE.issuperset(map(_name, element)):
        yield Block("code", "".join(element.itertext()))
    elif _has_own_text(element) or (name in _PROSE and not len(element)):
        yield from _prose(element, depth)
    elif _is_definition(element):
        yield from _definition(element, depth)
    elif _is_record(element):
        yield Block("paragraph", "\n".join(_record_lines(element)))
    else:
        yield from _container(element, depth, title)


def _container(element: Element, depth: int, title: str) -> Iterator[Block]:
    if title:
        yield Block("heading", title, level=min(depth + 1, 9))
    first = True
    for child in element:
        if _name(child) in _TITLES and first and _text(child) == (title or _own_title(element)):
            first = False  # said already
            continue
        yield from _blocks(child, depth + bool(title))
    if alt := element.get("alt", ""):
        yield Block("paragraph", alt)


def _prose(element: Element, depth: int) -> Iterator[Block]:
    """Text with inline elements as paragraphs; a list or table inside it comes between them."""
    kind = "list_item" if _name(element) in _ITEMS else "paragraph"
    parts = [element.text or ""]
    for child in element:
        if _name(child) in _INLINE or not (len(child) or (child.text or "").strip()):
            parts += [" " if _name(child) in ("newline", "br", "space") else "", *child.itertext()]
        else:
            if text := squeeze("".join(parts)):
                yield Block("list_item" if kind == "list_item" else "paragraph", text)
            parts, kind = [], "paragraph"
            yield from _blocks(child, depth)
        parts.append(child.tail or "")
    if text := squeeze("".join(parts)):
        yield Block("list_item" if kind == "list_item" else "paragraph", text)


def _definition(element: Element, depth: int) -> Iterator[Block]:
    """A term with its meaning, on one line."""
    term, *rest = element
    label = _text(term)
    for place, child in enumerate(rest):
        for block in _blocks(child, depth):
            yield Block("paragraph", f"{label}: {block.text}") if not place and label else block
            label = ""


def _is_definition(element: Element) -> bool:
    return len(element) >= 2 and _name(element[0]) == "term" and not (element[0].tail or "").strip()


def _is_record(element: Element) -> bool:
    """True for elements whose children are all plain values, named by their tags: data, not prose."""
    names = {_name(child) for child in element}
    return (
        len(element) >= 2
        and len(names) >= 2
        and names.isdisjoint(_PROSE - {"text", "description", "summary", "content", "name", "title"})
        and all(not len(child) and len(child.text or "") < 1000 for child in element)
        and any((child.text or "").strip() for child in element)
    )


def _record_lines(element: Element) -> Iterator[str]:
    for child in element:
        if text := _text(child):
            yield f"{_name(child)}: {text}"


def _is_table(element: Element) -> bool:
    return _name(element) in ("table", "informaltable", "tgroup") and any(
        _name(child) in _ROWS for child in element.iter()
    )


def _rows(element: Element) -> Iterator[list[str]]:
    for row in element.iter():
        if _name(row) in _ROWS:
            yield [_text(cell) for cell in row]


def _has_head(element: Element) -> bool | None:
    return True if any(_name(child) == "thead" for child in element.iter()) else None


def _own_title(element: Element) -> str:
    """Text of the title child of an element; empty when the element is a record or has none."""
    if _is_record(element):
        return ""
    for child in list(element)[:3]:
        if _name(child) in _TITLES:
            return _text(child)
    return ""


def _has_own_text(element: Element) -> bool:
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)


def _text(element: Element) -> str:
    return squeeze("".join(element.itertext()))


def _name(element: Element) -> str:
    """Local name in lower case; comments and instructions (whose tag is a function) have none."""
    tag: Any = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _meta(root: Element) -> dict[str, str]:
    """Fields of the document's own description, where it has one."""
    found: Iterable[Element] = (child for child in root if _name(child) in _METADATA)
    description = next(iter(found), None)
    if description is None:
        return {}
    return {_name(child): _text(child)[:300] for child in description if not len(child) and _text(child)}
