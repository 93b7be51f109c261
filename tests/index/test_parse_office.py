"""Office files and EPUB books, read in the child process: docling is never imported here (it is slow)."""

import datetime as dt
import zipfile
from collections.abc import Iterator
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from pptx.util import Inches

from index.errors import LimitError, ParseError
from index.limits import LoadLimits
from index.load import Parser
from index.types import ParsedDocument, SourceFile


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    with Parser(LoadLimits()) as shared:
        yield shared


def read(parser: Parser, path: Path) -> ParsedDocument:
    return parser.parse(SourceFile(str(path), path, path.name))


def shape(document: ParsedDocument) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, block.text) for block in document.blocks]


def word_file(path: Path) -> Path:
    document = docx.Document()
    document.core_properties.author = "Ann"
    document.add_heading("Annual report", 0)
    document.add_heading("Scope", 1)
    paragraph = document.add_paragraph("This is ")
    paragraph.add_run("bold").bold = True
    paragraph.add_run(", and un")
    paragraph.add_run("believ").italic = True
    paragraph.add_run("able (see ")
    paragraph.add_run("here").bold = True
    paragraph.add_run(").")
    document.add_paragraph("first", style="List Bullet")
    document.add_paragraph("one", style="List Number")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        [*table.rows[0].cells, *table.rows[1].cells], ["Name", "Born", "Mira", "1987"], strict=True
    ):
        cell.text = text
    document.save(str(path))
    return path


def replace_part(path: Path, part: str, content: str) -> None:
    """Put another content into one part of an Office file."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts[part] = content.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, data)


def test_word(parser, tmp_path):
    document = read(parser, word_file(tmp_path / "a.docx"))
    assert shape(document) == [
        ("heading", 1, "Annual report"),
        ("heading", 2, "Scope"),
        ("paragraph", 0, "This is bold, and unbelievable (see here)."),
        ("list_item", 0, "first"),
        ("list_item", 0, "1. one"),
        ("table", 0, "Name: Mira; Born: 1987"),
    ]
    assert document.title == "Annual report"
    assert document.meta["author"] == "Ann"


def test_powerpoint_pages_are_slides(parser, tmp_path):
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "The wheel", "turns\nstops"
    slide.notes_slide.notes_text_frame.text = "Speak slowly."
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Figures"
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for cell, text in zip(table.iter_cells(), ["Part", "Weight", "wheel", "12"], strict=True):
        cell.text = text
    deck.save(str(tmp_path / "a.pptx"))
    document = read(parser, tmp_path / "a.pptx")
    assert [(block.page, block.kind, block.text) for block in document.blocks] == [
        (1, "heading", "The wheel"),
        (1, "list_item", "turns"),
        (1, "list_item", "stops"),
        (1, "paragraph", "Speak slowly."),
        (2, "heading", "Figures"),
        (2, "table", "Part: wheel; Weight: 12"),
    ]
    assert (document.title, document.pages) == ("The wheel", 2)


def test_excel_sheets_and_tables(parser, tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sales"
    sheet.append(["Region", "Year", "Revenue", "When"])
    for number in range(200):
        sheet.append([f"R{number}", 2000 + number, number * 0.5, dt.datetime(2020, 1, 1)])
    sheet["B205"], sheet["C205"], sheet["B206"], sheet["C206"] = "Part", "Weight", "wheel", 12.0
    book.create_sheet("Empty")
    hidden = book.create_sheet("Hidden")
    hidden["A1"], hidden.sheet_state = "secret", "hidden"
    book.save(tmp_path / "sales_2020.xlsx")
    document = read(parser, tmp_path / "sales_2020.xlsx")
    assert shape(document)[0] == ("heading", 1, "Sales")
    text = "\n".join(block.text for block in document.blocks)
    assert "Region: R3; Year: 2003; Revenue: 1.5; When: 2020-01-01\n" in text
    assert "Part: wheel; Weight: 12" in text
    assert text.count("Region: ") == 200 and "secret" not in text and "Empty" not in text
    assert all(block.page == 1 for block in document.blocks)


def epub_file(path: Path, chapters: dict[str, str]) -> Path:
    manifest = "".join(f'<item id="{n}" href="{n}.xhtml"/>' for n in chapters)
    spine = "".join(f'<itemref idref="{n}"/>' for n in chapters)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OPS/p.opf"/></rootfiles></container>',
        )
        book.writestr(
            "OPS/p.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
            "<dc:title>On mills</dc:title><dc:creator>Ann</dc:creator></metadata>"
            f"<manifest>{manifest}</manifest><spine>{spine}</spine></package>",
        )
        for name, body in chapters.items():
            book.writestr(f"OPS/{name}.xhtml", f"<?xml version='1.0'?><html><body>{body}</body></html>")
    return path


def test_epub_chapters_in_order(parser, tmp_path):
    path = epub_file(
        tmp_path / "b.epub", {"z": "<h1>One</h1><p>First <i>words</i>.</p>", "a": "<h1>Two</h1>"}
    )
    document = read(parser, path)
    assert shape(document) == [("heading", 1, "One"), ("paragraph", 0, "First words."), ("heading", 1, "Two")]
    assert (document.title, document.meta["author"]) == ("On mills", "Ann")


def test_external_entity_in_a_word_file_is_refused(parser, tmp_path):
    (tmp_path / "secret.txt").write_text("SECRET")
    path = word_file(tmp_path / "a.docx")
    replace_part(
        path,
        "word/document.xml",
        f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file://{tmp_path}/secret.txt">]>'
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r>'
        "<w:t>&x;</w:t></w:r></w:p></w:body></w:document>",
    )
    with pytest.raises(ParseError, match="declares XML entities in word/document.xml"):
        read(parser, path)


def test_billion_laughs_in_office_files_are_refused(parser, tmp_path):
    entities = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    bomb = f"<?xml version='1.0'?><!DOCTYPE d [{entities}]><d>&i;</d>"
    path = word_file(tmp_path / "a.docx")
    replace_part(path, "docProps/core.xml", bomb)
    with pytest.raises(ParseError, match="declares XML entities"):
        read(parser, path)
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    replace_part(tmp_path / "a.xlsx", "xl/worksheets/sheet1.xml", bomb)
    with pytest.raises(ParseError, match="declares XML entities"):
        read(parser, tmp_path / "a.xlsx")
    epub = epub_file(tmp_path / "a.epub", {"a": "<p>x</p>"})
    replace_part(epub, "OPS/p.opf", bomb)
    with pytest.raises(ParseError, match="declares XML entities"):
        read(parser, epub)


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.xlsx", "a.epub"])
def test_container_bombs_and_damage(parser, tmp_path, name):
    path = tmp_path / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("word/document.xml", b" " * 30_000_000)
    with pytest.raises(LimitError, match="zip bomb"):
        read(parser, path)
    path.write_bytes(b"PK\x03\x04" + b"\x00" * 100)
    with pytest.raises(ParseError, match="damaged or incomplete"):
        read(parser, path)
    path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    with pytest.raises(ParseError, match="protected by a password or in the old Office format"):
        read(parser, path)
    with zipfile.ZipFile(path, "w") as empty:
        empty.writestr("readme.txt", "nothing of the kind")
    with pytest.raises(ParseError, match="damaged|incomplete|could not be read"):
        read(parser, path)


def test_truncated_word_file(parser, tmp_path):
    path = word_file(tmp_path / "a.docx")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ParseError, match="damaged or incomplete"):
        read(parser, path)
