"""Word documents and PowerPoint decks through docling's backends, which know their many corners.

Only the backends are used: `docling.document_converter` loads model libraries we do not need. In the
child process those libraries are hidden (index.sandbox), so docling's optional imports of them cost nothing.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import docx
import pptx
from docling.backend.abstract_backend import DeclarativeDocumentBackend
from docling.backend.mspowerpoint_backend import MsPowerpointDocumentBackend
from docling.backend.msword_backend import MsWordDocumentBackend
from docling.datamodel.base_models import InputFormat
from docling.datamodel.document import InputDocument
from docling_core.types.doc.document import (
    CodeItem,
    ContentLayer,
    DoclingDocument,
    FormulaItem,
    InlineGroup,
    ListItem,
    SectionHeaderItem,
    TableItem,
    TextItem,
    TitleItem,
)  # fmt: skip

from index.archive import check_container
from index.errors import ParseError
from index.limits import LoadLimits
from index.tables import table_blocks
from index.types import Block, ParsedDocument

_LAYERS = {ContentLayer.BODY, ContentLayer.NOTES}
_NO_SPACE_BEFORE = re.compile(r"[,.;:!?%)\]}’”»]")
_NO_SPACE_AFTER = re.compile(r".*[(\[{‘“«/]", re.DOTALL)
_SPACE = re.compile(r"\s+")


def parse_docx(path: Path, limits: LoadLimits) -> ParsedDocument:
    """Blocks of a Word document."""
    check_container(path, limits, "Word document")
    document = _convert(path, InputFormat.DOCX, MsWordDocumentBackend, "Word document")
    source = docx.Document(str(path))
    exact = {_SPACE.sub("", text): text for text in _paragraph_texts(source)}
    blocks = tuple(_blocks(document, exact, slides=False))
    return ParsedDocument(_title(source.core_properties), blocks, "", meta=_meta(source.core_properties))


def parse_pptx(path: Path, limits: LoadLimits) -> ParsedDocument:
    """Blocks of a deck; `page` is the number of the slide."""
    check_container(path, limits, "PowerPoint deck")
    document = _convert(path, InputFormat.PPTX, MsPowerpointDocumentBackend, "PowerPoint deck")
    source = pptx.Presentation(str(path))
    blocks = tuple(_blocks(document, {}, slides=True))
    properties, pages = source.core_properties, len(source.slides)
    return ParsedDocument(_title(properties), blocks, "", pages=pages, meta=_meta(properties))


def _convert(
    path: Path, kind: InputFormat, backend: type[DeclarativeDocumentBackend], label: str
) -> DoclingDocument:
    source = InputDocument(path_or_stream=path, format=kind, backend=backend)
    if not source.valid:
        raise ParseError(f"The {label} is damaged or incomplete. Open it in its program and save it again.")
    try:
        return source._backend.convert()
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ParseError(
            f"The {label} could not be read ({error}). Open it in its program and save it again."
        ) from error


def _blocks(document: DoclingDocument, exact: dict[str, str], *, slides: bool) -> Iterator[Block]:
    """docling's items in reading order, with the pieces of a sentence put together again."""
    inside: set[str] = set()  # items that were taken as a part of a group or list item
    for item, _ in document.iterate_items(with_groups=True, included_content_layers=_LAYERS):
        if item.self_ref in inside:
            inside.update(child.cref for child in item.children)
            continue
        page = item.prov[0].page_no if slides and getattr(item, "prov", None) else None
        if isinstance(item, InlineGroup):
            inside.update(child.cref for child in item.children)
            pieces = [child.resolve(document) for child in item.children]
            text = _join([piece.text for piece in pieces if isinstance(piece, TextItem)], exact)
            yield Block("paragraph", text, page=page)
        elif isinstance(item, TableItem):
            rows = [[cell.text for cell in row] for row in item.data.grid]
            headed = bool(item.data.grid) and all(cell.column_header for cell in item.data.grid[0])
            yield from table_blocks(rows, header=None if not headed or len(rows) < 2 else True, page=page)
        elif isinstance(item, ListItem):
            yield _list_item(item, document, exact, inside, page)
        elif isinstance(item, TextItem):
            yield _text_block(item, page, slides)


def _list_item(
    item: ListItem, document: DoclingDocument, exact: dict[str, str], inside: set[str], page: int | None
) -> Block:
    """A list item; where its text is cut into an inline group, the group is its text."""
    text = item.text
    for child in item.children:
        group = child.resolve(document)
        if not text and isinstance(group, InlineGroup):
            inside.add(group.self_ref)
            inside.update(piece.cref for piece in group.children)
            pieces = [piece.resolve(document) for piece in group.children]
            text = _join([piece.text for piece in pieces if isinstance(piece, TextItem)], exact)
    marker = f"{item.marker} " if item.enumerated and item.marker else ""
    return Block("list_item", marker + text, page=page)


def _text_block(item: TextItem, page: int | None, slides: bool) -> Block:
    if isinstance(item, TitleItem):
        return Block("heading", item.text, level=1, page=page)
    if isinstance(item, SectionHeaderItem):
        # Level 1 is for the title of the document (or slide).
        return Block("heading", item.text, level=item.level + 1, page=page)
    if isinstance(item, (CodeItem, FormulaItem)):
        return Block("code", item.text, page=page)
    return Block("paragraph", item.text, page=page)


def _join(pieces: list[str], exact: dict[str, str]) -> str:
    """Pieces of a sentence with their spaces: as the paragraph has them, else by punctuation."""
    key = _SPACE.sub("", "".join(pieces))
    if key in exact:
        return exact[key]
    text = ""
    for piece in pieces:
        tight = not text or _NO_SPACE_BEFORE.match(piece) or _NO_SPACE_AFTER.fullmatch(text)
        text += piece if tight else " " + piece
    return text


def _paragraph_texts(source: Any) -> Iterable[str]:
    """Texts of all paragraphs that consist of several runs (the only ones that docling cuts)."""
    for element in source.element.body.iter("{*}p"):
        texts = [node.text or "" for node in element.iter("{*}t")]
        if len(texts) > 1:
            yield "".join(texts)


def _title(properties: Any) -> str:
    """The title property, unless it is what programs put there unasked."""
    title = (properties.title or "").strip()
    unasked = title.lower() in (
        "powerpoint presentation",
        "word document",
        "presentation",
        "untitled",
        "document1",
    )
    return "" if unasked or title.lower().endswith((".doc", ".docx", ".ppt", ".pptx")) else title


def _meta(properties: Any) -> dict[str, str]:
    created = properties.created
    return {
        "author": properties.author or "",
        "date": created.date().isoformat() if created else "",
    }
