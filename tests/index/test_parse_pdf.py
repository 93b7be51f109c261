from pathlib import Path

import pytest

from index.errors import LimitError, ParseError
from index.limits import LoadLimits
from index.parse import parse_file
from index.pdf_lines import HYPHEN, Word, lines_of

BODY = 10
LIMITS = LoadLimits()


def pdf(pages, title: str = "", encrypted: bool = False) -> bytes:
    """A PDF of pages of (x, y, size, font, text); font B is bold. No text at all where a page is None."""
    kids = " ".join(f"{6 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>",
        f"<< /Title ({title}) /Author (Ann) /CreationDate (D:20260202090000) >>",
    ]
    for number, page in enumerate(pages):
        drawing = (
            "".join(
                f"BT /{font} {size} Tf {x} {y} Td ({text}) Tj ET\n" for x, y, size, font, text in page or ()
            )
            or "0 0 100 100 re f\n"
        )
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {7 + 2 * number} 0 R"
            " /Resources << /Font << /F 3 0 R /B 4 0 R >> >> >>",
            f"<< /Length {len(drawing)} >>\nstream\n{drawing}endstream",
        ]
    data = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        content = body.encode("latin-1") if isinstance(body, str) else body
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    key = f"/O <{'41' * 32}> /U <{'42' * 32}>"
    lock = f"/Encrypt << /Filter /Standard /V 1 /R 2 /P -44 {key} >> /ID [<00><00>]" if encrypted else ""
    trailer = f"trailer << /Size {len(objects) + 1} /Root 1 0 R /Info 5 0 R {lock} >>"
    return data + f"{trailer}\nstartxref\n{start}\n%%EOF".encode()


def column(lines, top: float = 700, x: float = 72, size: float = BODY, font: str = "F"):
    return [(x, top - 12 * n, size, font, line) for n, line in enumerate(lines)]


def parse(tmp_path: Path, data: bytes, limits: LoadLimits = LIMITS, name: str = "Mill_Report_2025.pdf"):
    path = tmp_path / name
    path.write_bytes(data)
    return parse_file(path, name, limits)


FILLER = "The mill stands by the river and has turned its wheel since the old days of the town"


def test_paragraphs_headings_pages_and_furniture(tmp_path):
    pages = [
        [
            (72, 770, 8, "F", "Mill report 2025"),
            (72, 730, 18, "F", f"The wheel {page}"),
            *column([FILLER, FILLER, "and it ends here."]),
            *column([FILLER, "second part."], top=650),
            (72, 600, BODY, "B", "Repairs"),
            *column([FILLER, FILLER], top=580),
            (300, 30, 8, "F", str(page)),
        ]
        for page in range(1, 5)
    ]
    document = parse(tmp_path, pdf(pages))
    first = [(b.kind, b.level, b.text) for b in document.blocks if b.page == 1]
    assert first == [
        ("heading", 1, "The wheel 1"),
        ("paragraph", 0, f"{FILLER} {FILLER} and it ends here."),
        ("paragraph", 0, f"{FILLER} second part."),
        ("heading", 2, "Repairs"),
        ("paragraph", 0, f"{FILLER} {FILLER}"),
    ]
    assert [b.page for b in document.blocks if b.text.startswith("The wheel")] == [1, 2, 3, 4]
    assert document.pages == 4
    assert document.meta == {"author": "Ann", "date": "2026-02-02"}


def test_table_rows_stay_on_their_lines(tmp_path):
    rows = [("Wheel", "12", "$ 1,200"), ("Stone", "90", "(350)"), ("Sails", "4", "$ 75")]
    cells = [
        (x, 600 - 12 * n, BODY, "F", text.replace("(", "\\(").replace(")", "\\)"))
        for n, row in enumerate([("Part", "Weight", "Price"), *rows])
        for x, text in zip((72, 300, 450), row, strict=True)
    ]
    document = parse(tmp_path, pdf([[*column([FILLER, "the parts:"]), *cells]]))
    table = [block for block in document.blocks if block.kind == "table"]
    assert [block.text.split("\n") for block in table] == [
        ["Part  Weight  Price", "Wheel  12  $ 1,200", "Stone  90  (350)", "Sails  4  $ 75"]
    ]


def test_words_broken_at_a_line_end_are_joined(tmp_path):
    lines = [
        f"{FILLER} accord-",
        f"ing to what is known. {FILLER} well-",
        "known and according to all, a well-known thing.",
    ]
    text = parse(tmp_path, pdf([column(lines)])).blocks[0].text
    assert "according to what" in text and "town well-known and" in text


def test_bullets_become_list_items(tmp_path):
    lines = [FILLER + ":", "- the wheel, which turns", "- the stone"]
    kinds = [(block.kind, block.text) for block in parse(tmp_path, pdf([column(lines)])).blocks]
    assert kinds[1:] == [("list_item", "the wheel, which turns"), ("list_item", "the stone")]


def test_title_property_unless_it_is_none(tmp_path):
    page = [column([FILLER])]
    assert parse(tmp_path, pdf(page, title="Annual mill report")).title == "Annual mill report"
    for unusable in ("Microsoft Word - x.docx", "0001018724-18-000005", "report final.pdf", ""):
        assert parse(tmp_path, pdf(page, title=unusable)).title == "Mill Report 2025"


def test_encrypted_scanned_broken_and_long_files(tmp_path):
    page = column([FILLER])
    with pytest.raises(ParseError, match="protected by a password"):
        parse(tmp_path, pdf([page], encrypted=True))
    with pytest.raises(ParseError, match="no text layer.*OCR.*not included"):
        parse(tmp_path, pdf([None, None]))
    with pytest.raises(ParseError, match="damaged or incomplete"):
        parse(tmp_path, pdf([page] * 3)[:200].replace(b"/Type /Page", b""))
    with pytest.raises(ParseError, match="damaged or incomplete"):
        parse(tmp_path, b"%PDF-1.7\n")
    with pytest.raises(LimitError, match="3 pages, more than the limit of 2"):
        parse(tmp_path, pdf([page] * 3), LoadLimits(max_pages=2))


def test_lines_follow_the_places_of_words():
    def word(text, left, right, y, size=10.0):
        return Word(text, left, right, y, size, False, y / 800)

    words = [
        word("1", 10, 15, 700), word("st", 15.2, 20, 703, 6), word("wheel", 24, 50, 700),
        word("90", 200, 215, 700),
        word(f"accord{HYPHEN}", 10, 50, 688), word("ing", 10, 25, 676), word("left", 5, 9, 676),
    ]  # fmt: skip
    lines = lines_of(words)
    assert [(line.text, line.cells) for line in lines] == [
        ("1st wheel  90", 2), (f"accord{HYPHEN}", 1), ("ing", 1), ("left", 1)
    ]  # fmt: skip
