"""EPUB books: the package lists the chapters, each chapter is an HTML page."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError as XmlSyntaxError
from defusedxml.ElementTree import fromstring

from index.archive import check_container
from index.errors import LimitError, ParseError
from index.limits import LoadLimits
from index.normalise import decode
from index.parse_html import html_blocks
from index.types import Block, ParsedDocument

_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_PACKAGE = "{http://www.idpf.org/2007/opf}"
_DUBLIN = "{http://purl.org/dc/elements/1.1/}"
_FIELDS = {"creator": "author", "date": "date", "publisher": "publisher", "language": "language"}


def parse(path: Path, limits: LoadLimits) -> ParsedDocument:
    """Blocks of all chapters in reading order; title and author as the package states them."""
    check_container(path, limits, "EPUB book")
    try:
        with zipfile.ZipFile(path) as book:
            return _read(book, limits)
    except (XmlSyntaxError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise ParseError(
            f"The EPUB is damaged or incomplete ({error}). Download or export it again."
        ) from error
    except DefusedXmlException as error:
        raise ParseError(f"The EPUB declares XML entities ({error}) and was not opened.") from error


def _read(book: zipfile.ZipFile, limits: LoadLimits) -> ParsedDocument:
    rootfile = fromstring(_member(book, "META-INF/container.xml", limits)).find(f".//{_CONTAINER}rootfile")
    place = rootfile.get("full-path", "") if rootfile is not None else ""
    package = fromstring(_member(book, place, limits))
    meta = {
        name: value
        for tag, name in _FIELDS.items()
        if (value := (package.findtext(f".//{_DUBLIN}{tag}") or "").strip())
    }
    files = {item.get("id"): item.get("href", "") for item in package.iter(f"{_PACKAGE}item")}
    blocks: list[Block] = []
    for reference in package.iter(f"{_PACKAGE}itemref"):
        if reference.get("linear") != "no" and (href := files.get(reference.get("idref"))):
            name = posixpath.normpath(posixpath.join(posixpath.dirname(place), unquote(href)))
            blocks += _chapter(book, name, limits)
    title = package.findtext(f".//{_DUBLIN}title") or ""
    return ParsedDocument(title, tuple(blocks), "application/epub+zip", meta=meta)


def _chapter(book: zipfile.ZipFile, name: str, limits: LoadLimits) -> Iterator[Block]:
    if name in book.namelist():  # a chapter that is listed but missing does not spoil the book
        source = decode(_member(book, name, limits))
        if source.strip():
            yield from html_blocks(source)


def _member(book: zipfile.ZipFile, name: str, limits: LoadLimits) -> bytes:
    if book.getinfo(name).file_size > limits.max_bytes:
        raise LimitError(
            f"A part of the EPUB ({name}) is larger than the limit for one file. Split the book."
        )
    return book.read(name)
