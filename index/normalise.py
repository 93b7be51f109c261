"""Bytes to text and text to clean text: encodings, Unicode normal form, invisible characters."""

from __future__ import annotations

import codecs
import re
import unicodedata

from charset_normalizer import from_bytes

from index.errors import ParseError

# Control characters, soft hyphen, zero-width space and joiners of no language, direction overrides,
# byte order mark, noncharacters and lone surrogates: none of them is text, all of them break quotes.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_NEWLINES = re.compile("\r\n|[\r\f\x85\u2028\u2029]")
_SPACES = re.compile("[^\\S\n]+")
_BLANK_LINES = re.compile(r"\n(?: *\n){2,}")
_SAMPLE = 32 * 1024
_FEW = 256  # bytes of lines with other than ASCII characters
_TYPOGRAPHY = "‘’“”„‚«»–—…•·°§£€©®\xa0"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = (
    "The file is not text: it holds binary data, although its name says otherwise. "
    "Give it the ending of its real format, or leave it out."
)


def clean(text: str) -> str:
    """Unicode NFC, line ends as \\n, no control or invisible characters; spaces are kept."""
    text = _INVISIBLE.sub("", _NEWLINES.sub("\n", text))
    return unicodedata.normalize("NFC", text)


def squeeze(text: str) -> str:
    """Clean text on one line: every run of white space is one space."""
    return " ".join(clean(text).split())


def squeeze_lines(text: str) -> str:
    """Clean text whose line breaks mean something: each line squeezed, no outer or double empty lines."""
    lines = (_SPACES.sub(" ", line).strip() for line in clean(text).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def trim_code(text: str) -> str:
    """Clean preformatted text: indentation stays, tabs become four spaces, outer empty lines go."""
    lines = [line.rstrip() for line in clean(text).expandtabs(4).split("\n")]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines)


def decode(data: bytes) -> str:
    """Text of a file in whatever encoding it is. Raises ParseError when it is no text at all."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, errors="replace")
    if (wide := _wide_encoding(data)) is not None:
        return data.decode(wide, errors="replace")
    if b"\0" in data:
        raise ParseError(_BINARY)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode(_guess(data), errors="replace")
    sample = text[:_SAMPLE]
    strange = sum(1 for character in sample if character < " " and character not in "\t\n\r\f\x1b")
    if strange > len(sample) // 50:
        raise ParseError(_BINARY)
    return text


def _wide_encoding(data: bytes) -> str | None:
    """UTF-16 without a byte order mark: in most scripts one of the two bytes is often zero."""
    sample = data[:_SAMPLE]
    if len(sample) < 4:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if odd > half * 0.4 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.05:
        return "utf-16-be"
    return None


def _guess(data: bytes) -> str:
    """Encoding of text that is not UTF-8, judged by its lines with other than ASCII bytes."""
    sample = bytearray()
    for line in data.splitlines(keepends=True):
        if not line.isascii():
            sample += line
        if len(sample) >= _SAMPLE:
            break
    high = sum(byte > 127 for byte in sample)
    if len(sample) < _FEW and high * 3 < len(sample) and _reads_as_western(bytes(sample)):
        return "cp1252"
    best = from_bytes(bytes(sample[: 2 * _SAMPLE])).best()
    if best is None:
        raise ParseError(_BINARY)
    return best.encoding


def _reads_as_western(sample: bytes) -> bool:
    """A few bytes are too few for statistics; Western text is then told by letters among letters."""
    text = sample.decode("cp1252", errors="replace")
    return all(character.isalpha() or character in _TYPOGRAPHY for character in text if character > "\x7f")
