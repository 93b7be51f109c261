"""Rows of the store and the records they become; what one commit writes for a document."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from index.extract import Knowledge
from index.types import Document, Draft, Vectors

PASSAGE_COLUMNS = (
    'p.id, p.document_id, c.name, p.title, d.source, p.heading, p.text, p.start, p."end", p.page, p.page_end'
)
PASSAGE_TABLES = (
    "passages p JOIN documents d ON d.id = p.document_id JOIN collections c ON c.id = p.collection_id"
)
DOCUMENT_COLUMNS = (
    "d.id, c.name, d.source, d.title, d.media_type, d.content_hash, d.size, d.pages, d.passages, d.status, "
    "d.error, d.added_at, d.updated_at, d.meta"
)


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    """Everything one commit writes for a document."""

    source: str
    title: str
    media_type: str
    content_hash: str
    recipe: str
    size: int
    pages: int | None
    text: str
    drafts: tuple[Draft, ...]
    vectors: Vectors  # (len(drafts), dimension)
    original: Path | None = None  # file to keep a copy of, for page images
    meta: dict[str, str] = field(default_factory=dict)
    knowledge: tuple[Knowledge, ...] = ()  # one for each draft; empty: extracted later


def document_key(collection_id: int, source: str) -> str:
    """Stable id of a source inside a collection; a new version keeps it."""
    return sha256(f"{collection_id}\0{source}".encode()).hexdigest()[:16]


def as_document(row: tuple[Any, ...]) -> Document:
    """A row of DOCUMENT_COLUMNS as a record."""
    return Document(*(*row[:-1], json.loads(row[-1])))
