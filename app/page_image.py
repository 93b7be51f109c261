"""One page of a PDF as a picture with a quote marked: a program of its own, run by `preview`.

PDFs are untrusted and PDFium is neither thread-safe nor unbreakable, so pages are drawn in a child
process: a page that crashes or hangs it costs a picture, not the chat. Input: one JSON object on
stdin (path, page, quote, before, after, width). Output: one JSON line (marked, width, height, pages),
then the JPEG.
"""

from __future__ import annotations

import ctypes
import io
import json
import resource
import sys
import unicodedata
from dataclasses import dataclass
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageChops, ImageDraw

MEMORY_LIMIT = 3 << 30  # bytes of address space; a page of text needs about 0.3 GB of it
MAX_SIDE = 4000  # pixels: some plans and posters are metres wide
MIN_LETTERS = 6  # a shorter quote would be found by accident
MARK = (255, 226, 110)
PADDING = 0.12  # of a line's height around each rectangle


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters and digits of a text, folded, with the index each one had."""

    text: str
    places: tuple[int, ...]


def letters(characters: list[str]) -> Letters:
    """What is left for comparing: no spaces, hyphens or marks, no case, ligatures taken apart.

    >>> letters(list("ﬁ-\\nre X")).text
    'firex'
    """
    folded, places = [], []
    for index, character in enumerate(characters):
        for piece in unicodedata.normalize("NFKD", character).casefold():
            if piece.isalnum():
                folded.append(piece)
                places.append(index)
    return Letters("".join(folded), tuple(places))


def find(page: Letters, quote: str, before: str = "", after: str = "") -> tuple[int, int] | None:
    """First and last index of the quote in the page, or None when it is absent or in doubt.

    A quote found more than once is told apart by the text around it.
    """
    wanted = letters(list(quote)).text
    if len(wanted) < MIN_LETTERS:
        return None
    found = _all(page.text, wanted)
    if len(found) > 1:
        left, right = letters(list(before)).text[-24:], letters(list(after)).text[:24]
        fit = [_neighbours(page.text, at, at + len(wanted), left, right) for at in found]
        best = max(fit)
        found = [at for at, score in zip(found, fit, strict=True) if score == best]
    if len(found) != 1:
        return None
    return page.places[found[0]], page.places[found[0] + len(wanted) - 1]


def _all(text: str, wanted: str) -> list[int]:
    found, at = [], text.find(wanted)
    while at >= 0:
        found.append(at)
        at = text.find(wanted, at + 1)
    return found


def _neighbours(text: str, start: int, end: int, left: str, right: str) -> int:
    """How many letters on both sides agree, counted outward from the quote."""
    score = 0
    while score < len(left) and start - score > 0 and text[start - score - 1] == left[-score - 1]:
        score += 1
    ahead = 0
    while ahead < len(right) and end + ahead < len(text) and text[end + ahead] == right[ahead]:
        ahead += 1
    return score + ahead


def page_characters(text_page: Any) -> list[str]:
    """The page's characters by PDFium's own numbers, which the rectangles refer to."""
    count = pdfium_c.FPDFText_CountChars(text_page)
    codes = (pdfium_c.FPDFText_GetUnicode(text_page, index) for index in range(count))
    return [chr(code) if code < 0xD800 or 0xDFFF < code < 0x110000 else "" for code in codes]


def rectangles(page: Any, text_page: Any, first: int, last: int, size: tuple[int, int]) -> list[list[int]]:
    """Pixel boxes (left, top, right, bottom) of the characters first..last, one per line of text."""
    boxes = []
    for index in range(pdfium_c.FPDFText_CountRects(text_page, first, last - first + 1)):
        edges = [ctypes.c_double() for _ in range(4)]
        pdfium_c.FPDFText_GetRect(text_page, index, *(ctypes.byref(edge) for edge in edges))
        left, top, right, bottom = (edge.value for edge in edges)
        corners = [_to_pixels(page, x, y, size) for x, y in ((left, top), (right, bottom))]
        xs, ys = sorted(x for x, _ in corners), sorted(y for _, y in corners)
        pad = max(1, round((ys[1] - ys[0]) * PADDING))
        boxes.append([xs[0] - pad, ys[0] - pad, xs[1] + pad, ys[1] + pad])
    return joined(boxes)


def joined(boxes: list[list[int]]) -> list[list[int]]:
    """Boxes of one line become one: PDFium starts a new one at every change of font."""
    lines: list[list[int]] = []
    for left, top, right, bottom in boxes:
        last = lines[-1] if lines else None
        height = bottom - top
        if (
            last
            and min(last[3], bottom) - max(last[1], top) > height / 2
            and abs(left - last[2]) < height * 2
        ):
            last[:] = [min(last[0], left), min(last[1], top), max(last[2], right), max(last[3], bottom)]
        else:
            lines.append([left, top, right, bottom])
    return lines


def _to_pixels(page: Any, x: float, y: float, size: tuple[int, int]) -> tuple[int, int]:
    """Page coordinates to picture coordinates, with the page's own rotation and crop."""
    column, row = ctypes.c_int(), ctypes.c_int()
    pdfium_c.FPDF_PageToDevice(page, 0, 0, *size, 0, x, y, ctypes.byref(column), ctypes.byref(row))
    return column.value, row.value


def mark(picture: Image.Image, boxes: list[list[int]]) -> Image.Image:
    """The picture with boxes coloured as by a felt pen: the letters stay black."""
    ink = Image.new("RGB", picture.size, (255, 255, 255))
    brush = ImageDraw.Draw(ink)
    for box in boxes:
        brush.rectangle(box, fill=MARK)
    return ImageChops.multiply(picture, ink)


def draw(
    path: str, page: int, quote: str, before: str, after: str, width: int
) -> tuple[dict[str, Any], bytes]:
    """Draw 1-based `page`, `width` pixels wide; `boxes` is empty when the quote was not found for sure."""
    document = pdfium.PdfDocument(path)
    if not 1 <= page <= len(document):
        raise ValueError(f"the file has {len(document)} pages, and page {page} was asked for")
    leaf = document[page - 1]
    across, down = leaf.get_size()
    scale = min(width / across, MAX_SIDE / max(across, down))
    picture = leaf.render(scale=scale).to_pil().convert("RGB")
    text_page = leaf.get_textpage()
    span = find(letters(page_characters(text_page)), quote, before, after) if quote else None
    boxes = rectangles(leaf, text_page, *span, picture.size) if span else []
    out = io.BytesIO()
    mark(picture, boxes).save(out, "JPEG", quality=88)
    facts = {"boxes": boxes, "width": picture.width, "height": picture.height, "pages": len(document)}
    return facts, out.getvalue()


def main() -> int:
    """Read the request, write the picture; a failure is one line on stderr."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    try:
        facts, picture = draw(**json.load(sys.stdin))
    except (ValueError, OSError, MemoryError, pdfium.PdfiumError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
