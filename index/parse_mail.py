"""E-mail (.eml) through the standard library: the header people read, then the body."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from index.errors import ParseError
from index.limits import LoadLimits
from index.parse_html import html_blocks
from index.parse_text import text_blocks
from index.types import Block, ParsedDocument

_HEADERS = ("Subject", "From", "To", "Cc", "Date")


def parse(path: Path, limits: LoadLimits) -> ParsedDocument:
    """Blocks of a mail; attachments are named, not opened."""
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    fields = {name: value for name in _HEADERS if (value := _header(message, name))}
    if not fields:
        raise ParseError(
            "The file is not an e-mail: it has no Subject, From, To or Date."
            " Export the message again as .eml."
        )
    lines = [f"{name}: {value}" for name, value in fields.items()]
    if attachments := ", ".join(_attachments(message)):
        lines.append(f"Attachments: {attachments}")
    blocks = (Block("paragraph", "\n".join(lines)), *_body(message))
    meta = {name.lower(): value for name, value in fields.items()}
    return ParsedDocument(fields.get("Subject", ""), blocks, "message/rfc822", meta=meta)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except (ValueError, IndexError, AttributeError):  # the header parser trips over some malformed headers
        return ""


def _attachments(message: EmailMessage) -> Iterator[str]:
    for part in message.walk():
        if part.get_content_disposition() == "attachment" and (name := part.get_filename()):
            yield name


def _body(message: EmailMessage) -> Iterator[Block]:
    body = message.get_body(preferencelist=("plain", "html"))
    if body is None:
        return
    try:
        content = body.get_content()
    except (LookupError, ValueError):  # an unknown charset or broken transfer encoding
        payload = body.get_payload(decode=True)
        content = payload.decode("utf-8", errors="replace") if isinstance(payload, bytes) else ""
    if body.get_content_subtype() == "html":
        yield from html_blocks(content)
    else:
        yield from text_blocks(content)
