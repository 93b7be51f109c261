"""Core records of the index (parsed documents, passages, hits) and the protocols of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

BlockKind = Literal["heading", "paragraph", "list_item", "table", "code"]
Mode = Literal["bm25", "dense", "hybrid", "graph", "ranked", "deep"]
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Block:
    """One structural piece of a parsed document, in reading order."""

    kind: BlockKind
    text: str
    level: int = 0  # headings only: 1 is the outermost
    page: int | None = None  # 1-based page or slide, where the format has them


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """What a parser made of one file. `blocks` may be empty only together with a ParseError."""

    title: str
    blocks: tuple[Block, ...]
    media_type: str
    pages: int | None = None
    meta: dict[str, str] = field(default_factory=dict)  # author, date, ... as the file states them


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to ingest: where it came from, and where its bytes are now."""

    source: str  # identity inside a collection: absolute path, or "archive.zip!inner/name.md"
    path: Path  # readable file (for archive members a temporary file)
    name: str  # file name shown to people


@dataclass(frozen=True, slots=True)
class Draft:
    """A passage before it has an id: a span of the document's text with its place."""

    start: int
    end: int
    text: str  # == document text[start:end]
    heading: str  # "Part > Chapter"; empty at top level
    page: int | None = None
    page_end: int | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrievable span of a document. Offsets are characters in the document's stored text."""

    id: int
    document_id: str
    collection: str
    title: str
    source: str
    heading: str
    text: str
    start: int
    end: int
    page: int | None = None
    page_end: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query. `parts` keeps the score of every list that proposed it."""

    passage: Passage
    score: float
    rank: int
    retriever: str
    parts: dict[str, float] = field(default_factory=dict)


DocumentStatus = Literal["ready", "failed"]


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document. `error` on a ready document: its newest version failed, the old one serves."""

    id: str
    collection: str
    source: str
    title: str
    media_type: str
    content_hash: str
    size: int  # bytes of the file
    pages: int | None
    passages: int
    status: DocumentStatus
    error: str
    added_at: float  # seconds since the epoch
    updated_at: float
    meta: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of documents."""

    name: str
    documents: int
    failed: int
    passages: int
    created_at: float


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to search. No collections means all; document ids narrow it further."""

    collections: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()


class Embedder(Protocol):
    """Texts to unit vectors."""

    @property
    def name(self) -> str:
        """Fingerprint stored with the index; another name means other vectors."""
        ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit rows of shape (len(texts), dimension), float32, in the order of the texts."""
        ...


class Retriever(Protocol):
    """A question to ranked passages."""

    def search(self, query: str, k: int = 10, mode: Mode = "hybrid", scope: Scope = ...) -> tuple[Hit, ...]:
        """Best first, no passage twice, at most `k`."""
        ...
