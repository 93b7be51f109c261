import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import ParseError
from index.normalise import clean, decode, squeeze, squeeze_lines, trim_code

GERMAN = "Die Straße über den Fluß führt nach Süden, wo größere Städte liegen. Früher war sie schmal.\n"
JAPANESE = "図書館の本は二週間まで借りることができます。返却が遅れる場合は連絡してください。\n" * 4


def test_clean_removes_what_is_no_text_and_keeps_what_is():
    assert clean("a\x00b\u00adc\u200bd\ufeff e\x07") == "abcd e"
    assert clean("one\r\ntwo\rthree\x0cfour\u2028five") == "one\ntwo\nthree\nfour\nfive"
    assert clean("cafe\u0301") == "café"
    assert clean("می\u200cخواهم") == "می\u200cخواهم"  # this joiner is spelling, not decoration
    assert clean("ok\ud800") == "ok"


@given(st.text())
def test_clean_is_idempotent_and_normal(text):
    once = clean(text)
    assert clean(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert "\0" not in once and "\r" not in once


@given(st.text())
def test_squeezed_text_has_single_spaces_only(text):
    assert "  " not in squeeze(text) and "\n" not in squeeze(text)
    assert "\n\n\n" not in squeeze_lines(text)
    assert squeeze_lines(text) == squeeze_lines(text).strip()


def test_trim_code_keeps_indentation():
    assert trim_code("\n\n\tif x:  \n\t\ty()\n\n") == "    if x:\n        y()"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_decode_unicode_encodings(encoding):
    assert decode(GERMAN.encode(encoding)).lstrip("\ufeff") == GERMAN


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_decode_western_code_pages(encoding):
    assert decode((GERMAN * 3).encode(encoding)) == GERMAN * 3
    assert decode("Café Müller".encode(encoding)) == "Café Müller"


@pytest.mark.parametrize("encoding", ["shift_jis", "euc_jp"])
def test_decode_japanese_behind_a_long_ascii_beginning(encoding):
    text = "Nothing but ASCII here.\n" * 3000 + JAPANESE
    assert decode(text.encode(encoding)) == text


def test_decode_cyrillic():
    text = "Библиотека открыта каждый день с девяти до восемнадцати часов, кроме понедельника.\n" * 3
    assert decode(text.encode("cp1251")) == text


@pytest.mark.parametrize(
    "data", [bytes(range(256)) * 20, b"\x7fELF\x02\x01\x01" + bytes(50), b"\x01\x02\x03" * 99]
)
def test_decode_refuses_binary_data(data):
    with pytest.raises(ParseError, match="not text"):
        decode(data)


@given(st.binary(max_size=400))
def test_decode_ends_in_text_or_a_parse_error(data):
    try:
        assert isinstance(decode(data), str)
    except ParseError as error:
        assert "binary" in str(error)
