"""Documents of a world to files, each in its own format, byte for byte the same every time."""

from __future__ import annotations

import csv
import io
import json
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from types import MappingProxyType

from training.world import markup, office
from training.world.records import WorldDocument

Writer = Callable[[WorldDocument], bytes]


def file_names(documents: Sequence[WorldDocument]) -> dict[str, str]:
    """Document id to file name: the title in lower case; year and number are added where titles repeat."""
    titles = Counter(document.title for document in documents)
    names: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for document in documents:
        stem = re.sub(r"[^a-z0-9]+", "-", document.title.lower().removeprefix("re: ")).strip("-")
        year = f"-{document.date[:4]}" if titles[document.title] > 1 else ""
        taken[f"{stem}{year}"] += 1
        again = f"-{taken[f'{stem}{year}']}" if taken[f"{stem}{year}"] > 1 else ""
        names[document.id] = f"{stem}{year}{again}{document.suffix}"
    return names


def to_bytes(document: WorldDocument) -> bytes:
    """The document as a file of its format (`document.suffix`). KeyError for an unknown format."""
    return WRITERS[document.suffix](document)


def _markdown(document: WorldDocument) -> bytes:
    parts = [f"# {document.title}"]
    for block in document.blocks:
        if block.kind == "heading":
            parts.append(f"{'#' * block.level} {block.text}")
        elif block.kind == "list":
            parts.append("\n".join(f"- {item.text}" for item in block.sentences))
        elif block.kind == "table":
            rows = [block.header, ("---",) * len(block.header), *(row.cells for row in block.rows)]
            parts.append("\n".join(f"| {' | '.join(cells)} |" for cells in rows))
        else:
            parts.append(block.text)
    return _encode(parts)


def _text(document: WorldDocument) -> bytes:
    parts = [f"{document.title}\n{'=' * len(document.title)}"]
    for block in document.blocks:
        underline = f"\n{'-' * len(block.text)}" if block.kind == "heading" else ""
        parts.append(block.text + underline)
    return _encode(parts)


def _restructured(document: WorldDocument) -> bytes:
    rule = "=" * len(document.title)
    parts = [f"{rule}\n{document.title}\n{rule}"]
    for block in document.blocks:
        if block.kind == "heading":
            parts.append(f"{block.text}\n{'-' * len(block.text)}")
        elif block.kind == "list":
            parts.append("\n".join(f"* {item.text}" for item in block.sentences))
        elif block.kind == "table":
            rows = (block.header, *(row.cells for row in block.rows))
            cells = ("   * - " + "\n     - ".join(row) for row in rows)
            parts.append(".. list-table::\n   :header-rows: 1\n\n" + "\n".join(cells))
        else:
            parts.append(block.text)
    return _encode(parts)


def _csv(document: WorldDocument) -> bytes:
    out = io.StringIO()
    table = next(block for block in document.blocks if block.kind == "table")
    csv.writer(out, lineterminator="\n").writerows((table.header, *(row.cells for row in table.rows)))
    return out.getvalue().encode()


def _json(document: WorldDocument) -> bytes:
    about, entries, heading = "", [], ""
    for block in document.blocks:
        if block.kind == "heading":
            heading = block.text
        elif heading:
            entries.append({"title": heading, "entry": block.text})
        else:
            about = block.text
    record = {"title": document.title, "date": document.date, "about": about, "entries": entries}
    return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode()


def _mail(document: WorldDocument) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = document.meta["sender"], document.meta["recipient"]
    message["Subject"] = document.title
    when = datetime.fromisoformat(f"{document.date}T09:12:00").replace(tzinfo=UTC)
    message["Date"] = format_datetime(when)
    message["Message-ID"] = f"<{document.date}.{document.id}@forage.example>"
    paragraphs = ("\n".join(textwrap.wrap(block.text, 76)) for block in document.blocks)
    message.set_content("\n\n".join(paragraphs) + "\n", cte="8bit")
    return message.as_bytes()


def _encode(parts: Sequence[str]) -> bytes:
    return ("\n\n".join(parts) + "\n").encode()


WRITERS: Mapping[str, Writer] = MappingProxyType(
    {
        ".md": _markdown,
        ".txt": _text,
        ".rst": _restructured,
        ".html": markup.page,
        ".csv": _csv,
        ".json": _json,
        ".eml": _mail,
        ".epub": markup.epub,
        ".docx": office.word,
        ".pptx": office.slides,
        ".xlsx": office.sheet,
        ".pdf": office.pdf,
    }
)
