"""One file to one ParsedDocument: the table of formats, and what all formats have in common.

Format modules (`index.parse_*`) take the structure out of a file; here it is cleaned, counted, checked
for emptiness and given a title. Runs inside the child process (index.sandbox), which imports a format's
module and its libraries at the first file that needs them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from index.errors import LimitError, ParseError
from index.limits import LoadLimits
from index.normalise import clean, squeeze, squeeze_lines, trim_code
from index.types import Block, ParsedDocument

VERSION = "parse-2"  # part of the recipe: another version re-reads all files
SERIES = 4  # letters at most of a header field that numbers a series of documents: PEP, RFC, EIP

# A format module offers parse(path, limits) -> ParsedDocument; title may be empty, blocks may be raw.
Parse = Callable[[Path, LoadLimits], ParsedDocument]


class Format(NamedTuple):
    """How a file ending is read."""

    label: str  # what a person calls it
    media_type: str
    module: str
    function: str = "parse"
    headings_are_certain: bool = True  # False: guessed from type sizes, not good enough for a title


_OFFICE = "application/vnd.openxmlformats-officedocument"
_DOCX = Format("Word document", f"{_OFFICE}.wordprocessingml.document", "parse_office", "parse_docx")
_PPTX = Format("PowerPoint deck", f"{_OFFICE}.presentationml.presentation", "parse_office", "parse_pptx")
_XLSX = Format("Excel workbook", f"{_OFFICE}.spreadsheetml.sheet", "parse_xlsx")
_HTML = Format("HTML page", "text/html", "parse_html")
_MARKDOWN = Format("Markdown file", "text/markdown", "parse_markdown")
_RST = Format("reStructuredText file", "text/x-rst", "parse_rst")
_TEXT = Format("text file", "text/plain", "parse_text")
_XML = Format("XML file", "application/xml", "parse_xml")
_JSON_LINES = Format("JSON Lines file", "application/jsonl", "parse_data", "parse_json_lines")

FORMATS: dict[str, Format] = {
    ".pdf": Format("PDF", "application/pdf", "parse_pdf", headings_are_certain=False),
    ".docx": _DOCX,
    ".pptx": _PPTX,
    ".xlsx": _XLSX,
    ".xlsm": _XLSX,
    ".html": _HTML,
    ".htm": _HTML,
    ".xhtml": _HTML,
    ".md": _MARKDOWN,
    ".markdown": _MARKDOWN,
    ".rst": _RST,
    ".rest": _RST,
    ".txt": _TEXT,
    ".text": _TEXT,
    ".log": _TEXT,
    ".csv": Format("CSV file", "text/csv", "parse_data", "parse_csv"),
    ".tsv": Format("TSV file", "text/tab-separated-values", "parse_data", "parse_csv"),
    ".json": Format("JSON file", "application/json", "parse_data", "parse_json"),
    ".jsonl": _JSON_LINES,
    ".ndjson": _JSON_LINES,
    ".eml": Format("e-mail", "message/rfc822", "parse_mail"),
    ".epub": Format("EPUB book", "application/epub+zip", "parse_epub"),
    ".xml": _XML,
    ".cnxml": _XML,
}

# Headings that open a document without saying which one it is.
# Underscores, and hyphens next to a letter: those between digits belong to a date.
_BETWEEN_WORDS = re.compile(r"[_\s]+|(?<=[^\W\d_])-(?=[^\W_])|(?<=\d)-(?=[^\W\d_])")
_NO_TITLE = frozenset(
    str.split(
        "abstract contents description index introduction motivation name overview preface readme summary"
    )
) | {"table of contents", "synopsis"}


def supported_extensions() -> tuple[str, ...]:
    """Endings of the files that can be read, zip archives apart, in alphabetical order."""
    return tuple(sorted(FORMATS))


def format_of(name: str) -> Format:
    """The format of a file by its name. Raises ParseError naming the supported ones."""
    ending = Path(name).suffix.lower()
    if ending not in FORMATS:
        kind = f'files ending in "{ending}" are not supported' if ending else "the name has no ending"
        known = ", ".join(supported_extensions())
        raise ParseError(f"The file was left out: {kind}. Supported are {known} and .zip.")
    return FORMATS[ending]


def warm(name: str) -> Parse:
    """The parse function for a file name, its libraries loaded."""
    chosen = format_of(name)
    parse: Parse = getattr(import_module(f"index.{chosen.module}"), chosen.function)
    return parse


def parse_file(path: Path, name: str, limits: LoadLimits) -> ParsedDocument:
    """Read one file. Raises ParseError (LimitError for a limit) with one clear sentence."""
    raw = warm(name)(path, limits)
    blocks = tuple(_tidied(raw.blocks, limits))
    if not any(block.text for block in blocks):
        raise ParseError(
            "The file was read but contains no text. Forage searches text; pictures and drawings are ignored."
        )
    chosen = format_of(name)
    title = squeeze(raw.title)[:300] or (_title_of(blocks) if chosen.headings_are_certain else "")
    meta = {key: squeeze(value) for key, value in raw.meta.items() if value.strip()}
    title = numbered(title or _title_from_name(name), meta, name)
    return replace(raw, title=title, blocks=blocks, media_type=chosen.media_type, meta=meta)


def _tidied(blocks: Iterable[Block], limits: LoadLimits) -> Iterator[Block]:
    """Non-empty blocks with clean text, at most `max_characters` of it."""
    characters = 0
    for block in blocks:
        text = _tidy_text(block)
        characters += len(text)
        if characters > limits.max_characters:
            raise LimitError(
                f"The file holds more than {limits.max_characters:,} characters of text, the limit for one"
                " file. Split it into smaller files."
            )
        if text:
            yield replace(block, text=text)


def _tidy_text(block: Block) -> str:
    if block.kind == "code":
        return trim_code(block.text)
    if block.kind == "heading":
        return squeeze(block.text)
    if block.kind == "table":
        return clean(block.text).strip()
    return squeeze_lines(block.text)


def _title_of(blocks: tuple[Block, ...]) -> str:
    """The first heading, if it stands near the beginning and says more than "Summary"."""
    for place, block in enumerate(blocks[:4]):
        if block.kind == "heading":
            lone = sum(1 for other in blocks if other.kind == "heading" and other.level <= block.level) == 1
            telling = block.text.casefold().strip(" .:") not in _NO_TITLE
            return block.text[:300] if telling and (lone or place == 0) else ""
    return ""


def numbered(title: str, meta: Mapping[str, str], name: str) -> str:
    """A title with the number that its document goes by, where a header field and the file's name both state it.

    People cite such documents by number ("PEP 304"), and their text hardly ever does.

    >>> numbered("Milling", {"eip": "304", "created": "1999"}, "eip-0304.md")
    'EIP 304: Milling'
    """
    in_name = {int(digits) for digits in re.findall(r"\d{1,9}", Path(name).stem)}
    for label, value in meta.items():
        if label.isalpha() and len(label) <= SERIES and re.fullmatch(r"\d{1,9}", value):
            number = f"{label.upper()} {int(value)}"
            if int(value) in in_name and number.casefold() not in title.casefold():
                return f"{number}: {title}"
    return title


def _title_from_name(name: str) -> str:
    """A readable title from a file name: "AMAZON_2017_10K.pdf" is "AMAZON 2017 10K"."""
    return _BETWEEN_WORDS.sub(" ", Path(name).stem).strip() or name
