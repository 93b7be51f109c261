import ctypes
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.page_image import MARK, find, joined, letters
from app.preview import excerpt, page_picture
from index.errors import ParseError

LINES = ("The Tern Bridge was designed by Ilse", "Marn and opened in May 1902 after four", "years of work.")


def _pdf(path: Path, pages: Sequence[Sequence[str]], rotation: int = 0) -> Path:
    """A real PDF with one text object per line, 14 points, from the top."""
    document = pdfium.PdfDocument.new()
    for number, lines in enumerate(pages):
        page = pdfium_c.FPDFPage_New(document, number, 400, 300)
        for row, line in enumerate(lines):
            item = pdfium_c.FPDFPageObj_NewTextObj(document, b"Helvetica", 14.0)
            buffer = (line + "\0").encode("utf-16-le")
            pdfium_c.FPDFText_SetText(item, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)))
            pdfium_c.FPDFPageObj_Transform(item, 1, 0, 0, 1, 40, 250 - 24 * row)
            pdfium_c.FPDFPage_InsertObject(page, item)
        pdfium_c.FPDFPage_SetRotation(page, rotation)
        pdfium_c.FPDFPage_GenerateContent(page)
        pdfium_c.FPDF_ClosePage(page)
    document.save(path)
    document.close()
    return path


def _marked_share(jpeg: bytes, box: tuple[int, int, int, int]) -> float:
    """Share of pixels of a box that have the colour of the marker."""
    pixels = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB").crop(box), dtype=int)
    return float((abs(pixels - np.array(MARK)) < 30).all(axis=2).mean())


def test_a_quote_over_two_lines_is_marked_on_both_and_nowhere_else(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "bridge.pdf", [("Another page.",), LINES])
    picture = page_picture(path, 2, "designed by Ilse Marn and opened in May 1902")
    assert (picture.pages, picture.width, picture.marked) == (2, 1400, True)
    assert len(picture.boxes) == 2
    for box in picture.boxes:
        assert _marked_share(picture.jpeg, box) > 0.5
    upper, lower = picture.boxes
    assert upper[0] > 40 * 3.5 * 2, "the mark starts inside the first line, after 'The Tern Bridge was'"
    assert lower[0] == pytest.approx(40 * 3.5, abs=12), "the second line is marked from its start"
    outside = (0, upper[3] + 400, picture.width, picture.height)
    assert _marked_share(picture.jpeg, outside) == 0


def test_the_mark_follows_a_rotated_page(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "turned.pdf", [LINES], rotation=1)
    picture = page_picture(path, 1, "opened in May 1902")
    assert picture.height > picture.width
    (box,) = picture.boxes
    assert box[3] - box[1] > box[2] - box[0], "a line of a turned page runs downwards"
    assert _marked_share(picture.jpeg, box) > 0.5


@pytest.mark.parametrize("quote", ["The Heron Bridge was designed by nobody", "1902", ""])
def test_what_is_not_surely_there_is_not_marked(tmp_path: Path, quote: str) -> None:
    picture = page_picture(_pdf(tmp_path / "bridge.pdf", [LINES]), 1, quote)
    assert not picture.marked
    assert _marked_share(picture.jpeg, (0, 0, picture.width, picture.height)) == 0


def test_a_repeated_quote_is_told_apart_by_its_surroundings_or_not_marked(tmp_path: Path) -> None:
    lines = ("In the north the toll is two crowns.", "In the south the toll is two crowns.")
    path = _pdf(tmp_path / "tolls.pdf", [lines])
    text = "\n".join(lines)
    start = text.rindex("the toll is")
    picture = page_picture(path, 1, "the toll is two crowns", text, start, start + 22)
    (box,) = picture.boxes
    first = page_picture(
        path, 1, "the toll is two crowns", text, text.index("the toll is"), text.index("\n") - 1
    )
    assert first.boxes[0][1] < box[1]
    assert not page_picture(path, 1, "the toll is two crowns").marked


def test_a_broken_file_and_a_missing_page_are_told_in_one_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 and then nothing")
    with pytest.raises(ParseError, match="Page 1 cannot be drawn"):
        page_picture(broken, 1)
    with pytest.raises(ParseError, match="page 9 was asked for"):
        page_picture(_pdf(tmp_path / "bridge.pdf", [LINES]), 9)


def test_a_changed_file_is_drawn_anew(tmp_path: Path) -> None:
    path = tmp_path / "bridge.pdf"
    before = page_picture(_pdf(path, [LINES]), 1)
    import os

    _pdf(path, [("Something else entirely.",)])
    os.utime(path, ns=(1, 1))
    assert page_picture(path, 1).jpeg != before.jpeg


@given(st.text(alphabet="abc \n-", max_size=60), st.integers(0, 60), st.integers(6, 30))
def test_what_is_found_reads_like_the_quote(text: str, start: int, length: int) -> None:
    quote = text[start : start + length]
    span = find(letters(list(text)), quote)
    if span is not None:
        assert letters(list(text[span[0] : span[1] + 1])).text == letters(list(quote)).text


def test_ligatures_hyphens_breaks_and_case_do_not_matter() -> None:
    page = letters(list("The e\ufb03cient co-\noperative\u00a0of 1902"))
    assert find(page, "efficient COOPERATIVE of") == (4, 27)


def test_boxes_of_one_line_are_joined_and_of_two_lines_not() -> None:
    assert joined([[0, 0, 10, 10], [12, 1, 30, 11], [0, 20, 10, 30]]) == [[0, 0, 30, 11], [0, 20, 10, 30]]


@given(st.text(max_size=400), st.integers(0, 400), st.integers(0, 40), st.integers(0, 100))
def test_an_excerpt_is_a_piece_of_the_text_around_the_quote(
    text: str, start: int, length: int, around: int
) -> None:
    start = min(start, len(text))
    end = min(start + length, len(text))
    found = excerpt(text, start, end, text[start:end], around)
    assert found.quote == text[start:end]
    assert (
        text[start - len(found.before) : end + len(found.after)] == found.before + found.quote + found.after
    )
    assert len(found.before) <= around and len(found.after) <= around
    assert found.cut_before == (start - len(found.before) > 0)
    assert found.cut_after == (end + len(found.after) < len(text))


def test_an_excerpt_of_a_changed_document_finds_the_quote_again_or_marks_nothing() -> None:
    text = "New first line.\nThe Tern Bridge opened in 1902.\n"
    found = excerpt(text, 0, 31, "The Tern Bridge opened in 1902.")
    assert found.before == "New first line.\n" and found.quote.startswith("The Tern Bridge opened in 1902")
    lost = excerpt(text, 4, 20, "The Heron Bridge never opened.")
    assert lost.quote == "" and lost.before + lost.after == text
