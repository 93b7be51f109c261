"""PDF through pypdfium2 (PDFium): lines with their places on the page, then paragraphs and headings.

PDFium gives text in reading order, line by line. Whether two lines belong to one paragraph, and which
line is a heading, is told by where they stand and how large they are (index.pdf_layout).
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from index.errors import LimitError, ParseError
from index.limits import LoadLimits
from index.normalise import squeeze
from index.pdf_layout import Line, Outline, page_blocks, prepare
from index.types import ParsedDocument

_FIELDS = {"Author": "author", "Subject": "subject", "CreationDate": "date", "Keywords": "keywords"}
_DATE = re.compile(r"D:(\d{4})(\d{2})(\d{2})")
_BOLD = 600  # font weight from which type is bold


def parse(path: Path, limits: LoadLimits) -> ParsedDocument:
    """Blocks of a PDF with 1-based pages. Raises ParseError for encrypted and scanned files."""
    document = _open(path)
    try:
        pages = len(document)
        if pages > limits.max_pages:
            raise LimitError(
                f"The PDF has {pages:,} pages, more than the limit of {limits.max_pages:,}. Split it into parts."
            )
        lines = [list(_lines(document, number)) for number in range(pages)]
        if not any(lines):
            raise ParseError(
                "The PDF has no text layer: its pages are pictures, probably from a scanner. Reading pictures (OCR)"
                " is not included; run the file through an OCR program and add the result."
            )
        outline: Outline = {
            squeeze(mark.get_title()).casefold(): mark.level + 1 for mark in document.get_toc(max_depth=6)
        }
        meta = document.get_metadata_dict(skip_empty=True)
    finally:
        document.close()
    layout = prepare(lines, outline)
    blocks = tuple(
        block for number, page in enumerate(lines, start=1) for block in page_blocks(page, layout, number)
    )
    fields = {name: _date(meta[key]) for key, name in _FIELDS.items() if key in meta}
    return ParsedDocument(_title(meta.get("Title", "")) or layout.title, blocks, "", pages=pages, meta=fields)


def _open(path: Path) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise ParseError(
                "The PDF is protected by a password. Save a copy without a password and add that."
            ) from error
        raise ParseError(
            "The PDF is damaged or incomplete and cannot be opened. Download or export it again."
        ) from error


def _lines(document: pdfium.PdfDocument, number: int) -> Iterator[Line]:
    """Lines of one page in reading order; a page that PDFium cannot load has none."""
    try:
        page = document[number]
    except pdfium.PdfiumError:
        return
    try:
        height = page.get_height()
        textpage = page.get_textpage()
        try:
            yield from _text_lines(textpage, height)
        finally:
            textpage.close()
    finally:
        page.close()


def _text_lines(textpage: pdfium.PdfTextPage, height: float) -> Iterator[Line]:
    at = 0  # place in the text in UTF-16 units, which is what PDFium counts
    for text in textpage.get_text_range().split("\r\n"):
        length = len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
        if text.strip():
            indent = len(text) - len(text.lstrip())
            first = raw.FPDFText_GetCharIndexFromTextIndex(textpage.raw, at + indent)
            last = raw.FPDFText_GetCharIndexFromTextIndex(textpage.raw, at + max(0, len(text.rstrip()) - 1))
            yield _measured(textpage.raw, text.strip(), first, max(first, last), height)
        at += length + 2


def _measured(textpage: raw.FPDF_TEXTPAGE, text: str, first: int, last: int, height: float) -> Line:
    x, y, end_y = ctypes.c_double(), ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(textpage, first, x, y)
    left, right = raw.FS_RECTF(), raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(textpage, first, left)
    raw.FPDFText_GetLooseCharBox(textpage, last, right)
    raw.FPDFText_GetCharOrigin(textpage, last, ctypes.c_double(), end_y)
    middle = (first + last) // 2
    bold = all(raw.FPDFText_GetFontWeight(textpage, index) >= _BOLD for index in (first, middle, last))
    return Line(
        text=text,
        left=x.value,
        right=right.right,
        y=y.value,
        end_y=end_y.value,
        size=round(left.top - left.bottom, 1),
        bold=bold,
        place=y.value / height if height else 0.5,
    )


def _title(title: str) -> str:
    """The title property, unless it is a file name, a number or what a program put there unasked."""
    title = squeeze(title)
    words = re.findall(r"[^\W\d_]{2,}", title)
    file_like = re.search(r"\.(docx?|pdf|xlsx?|pptx?|indd|tex|html?)$", title, re.IGNORECASE)
    unasked = re.match(r"(microsoft|untitled|powerpoint|slide 1\b|print|about:blank)", title, re.IGNORECASE)
    return "" if len(words) < 2 or file_like or unasked else title


def _date(value: str) -> str:
    match = _DATE.match(value)
    return "-".join(match.groups()) if match else value
