from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import LimitError, ParseError
from index.limits import LoadLimits
from index.parse import format_of, parse_file, supported_extensions
from index.parse_text import text_blocks

LIMITS = LoadLimits()


def parse(tmp_path: Path, content: str | bytes, name: str = "notes.txt", limits: LoadLimits = LIMITS):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return parse_file(path, name, limits)


def shape(document):
    return [(block.kind, block.level, block.text) for block in document.blocks]


def test_paragraphs_headings_and_lists(tmp_path):
    document = parse(
        tmp_path,
        "Harbour rules\n=============\n\nBoats longer than twelve metres moor at the outer pier, and"
        " nowhere\n"
        "else in the harbour.\n\nFees\n----\n- boats: 12\n- rafts, which are\n  lighter: 3\n1. pay\n2."
        " moor\n\n"
        "OPENING HOURS\n\nMonday\nTuesday\n",
    )
    assert shape(document) == [
        ("heading", 1, "Harbour rules"),
        (
            "paragraph",
            0,
            "Boats longer than twelve metres moor at the outer pier, and nowhere else in the harbour.",
        ),
        ("heading", 2, "Fees"),
        ("list_item", 0, "boats: 12"),
        ("list_item", 0, "rafts, which are lighter: 3"),
        ("list_item", 0, "1. pay"),
        ("list_item", 0, "2. moor"),
        ("heading", 3, "OPENING HOURS"),
        ("paragraph", 0, "Monday\nTuesday"),
    ]
    assert (document.title, document.media_type, document.pages) == ("Harbour rules", "text/plain", None)


def test_form_feeds_are_pages(tmp_path):
    document = parse(tmp_path, "First page.\fSecond page.\f\n")
    assert [(block.page, block.text) for block in document.blocks] == [
        (1, "First page."),
        (2, "Second page."),
    ]
    assert document.pages == 2


def test_title_is_a_lone_first_line_or_the_file_name(tmp_path):
    assert parse(tmp_path, "The last ferry\n\nIt left at nine.").title == "The last ferry"
    assert (
        parse(tmp_path, "It left at nine.\n\nNobody saw it.", "AMAZON_2017_10K.txt").title
        == "AMAZON 2017 10K"
    )


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "shift_jis"])
def test_other_encodings(tmp_path, encoding):
    text = {"shift_jis": "図書館の本は二週間まで借りることができます。"}.get(
        encoding, "Die Straße führt über den Fluß."
    )
    assert parse(tmp_path, (text + "\n\n" + text).encode(encoding)).blocks[0].text == text


def test_binary_data_named_txt_is_refused(tmp_path):
    with pytest.raises(ParseError, match="not text.*binary"):
        parse(tmp_path, b"MZ\x90\x00\x03" + bytes(range(256)) * 8)


def test_text_without_text_is_refused(tmp_path):
    with pytest.raises(ParseError, match="contains no text"):
        parse(tmp_path, " \n\t\n\u200b")


def test_more_characters_than_allowed(tmp_path):
    with pytest.raises(LimitError, match="more than 1,000 characters"):
        parse(tmp_path, "word " * 300, limits=LoadLimits(max_characters=1000))


def test_formats_by_name():
    assert format_of("REPORT.PDF").media_type == "application/pdf"
    assert ".pdf" in supported_extensions() and ".zip" not in supported_extensions()
    with pytest.raises(ParseError, match=r'"\.png" are not supported.*\.docx.*\.zip'):
        format_of("photo.png")


@given(st.text(alphabet=st.characters(blacklist_categories=("Cc", "Cs", "Cf")) | st.just("\n")))
def test_no_word_is_lost(text):
    """All words come back in order, but for underlines and bullets."""
    found = " ".join(block.text for block in text_blocks(text)).split()
    expected = [word for word in text.split() if any(map(str.isalnum, word))]
    assert [word for word in found if any(map(str.isalnum, word))] == expected
