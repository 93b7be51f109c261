"""PDF through pypdfium2 (PDFium): words with their places on the page, then paragraphs and headings.

PDFium gives the text in reading order and the box of each character. Which words make a line is told by
their places (index.pdf_lines); which lines make a paragraph, heading or table row, by places and sizes
(index.pdf_layout).
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
from index.pdf_layout import Outline, page_blocks, prepare
from index.pdf_lines import HYPHEN, Word, lines_of
from index.types import ParsedDocument

_FIELDS = {"Author": "author", "Subject": "subject", "CreationDate": "date", "Keywords": "keywords"}
_DATE = re.compile(r"D:(\d{4})(\d{2})(\d{2})")
_BOLD = (b"bold", b"black", b"heavy")  # in the name of a font; PDFium's weights are unreliable
_WORD = re.compile(f"[^\\s{HYPHEN}]*{HYPHEN}|[^\\s{HYPHEN}]+")


def parse(path: Path, limits: LoadLimits) -> ParsedDocument:
    """Blocks of a PDF with 1-based pages. Raises ParseError for encrypted and scanned files."""
    document = _open(path)
    try:
        pages = len(document)
        if pages > limits.max_pages:
            raise LimitError(
                f"The PDF has {pages:,} pages, more than the limit of {limits.max_pages:,}. Split it."
            )
        lines = [lines_of(_page_words(document, number)) for number in range(pages)]
        if not any(lines):
            raise ParseError(
                "The PDF has no text layer: its pages are pictures, probably from a scanner. Reading pictures"
                " (OCR) is not included; run the file through an OCR program and add the result."
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


def _page_words(document: pdfium.PdfDocument, number: int) -> list[Word]:
    """Words of one page in reading order; a page that PDFium cannot load has none."""
    try:
        page = document[number]
    except pdfium.PdfiumError:
        return []
    try:
        height = page.get_height() or 1.0
        textpage = page.get_textpage()
        try:
            return list(_words(textpage, height))
        finally:
            textpage.close()
    finally:
        page.close()


def _words(textpage: pdfium.PdfTextPage, height: float) -> Iterator[Word]:
    """Words with their boxes. PDFium's own line breaks are only a hint: it misses some."""
    at = 0  # place in the text in UTF-16 units, which is what PDFium counts
    for text in textpage.get_text_range().split("\r\n"):
        wide = not text.isascii() and any(character > "\uffff" for character in text)
        for match in _WORD.finditer(text):
            start, end = match.span()
            if wide:
                start, end = _units(text[:start]), _units(text[:end])
            word = match.group()
            ends = at + end - 1 - word.endswith(HYPHEN)
            yield _measured(textpage.raw, word, at + start, max(at + start, ends), height)
        at += (_units(text) if wide else len(text)) + 2


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _measured(textpage: raw.FPDF_TEXTPAGE, word: str, start: int, end: int, height: float) -> Word:
    first = raw.FPDFText_GetCharIndexFromTextIndex(textpage, start)
    last = raw.FPDFText_GetCharIndexFromTextIndex(textpage, end)
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(textpage, first, x, y)
    left, right = raw.FS_RECTF(), raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(textpage, first, left)
    raw.FPDFText_GetLooseCharBox(textpage, max(first, last), right)
    name, flags = ctypes.create_string_buffer(64), ctypes.c_int()
    raw.FPDFText_GetFontInfo(textpage, first, name, 64, flags)
    bold = any(mark in name.value.lower() for mark in _BOLD)
    size = round(left.top - left.bottom, 1)
    return Word(word, x.value, right.right, y.value, size, bold, y.value / height)


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
