"""The writing door: files to committed documents, resumable at every point.

A file is known by its source and the hash of its bytes, so a second run does only what is missing:
that is also the whole recovery after a crash. Parsing runs ahead in a child process (index.load),
passages of many documents are encoded together, and each document is one commit.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

import numpy as np

from index import chunk
from index.encoders import load_embedder
from index.errors import ParseError
from index.extract import RuleExtractor
from index.faiss_index import DenseCache
from index.graph_cache import GraphCache
from index.ingest_progress import IngestEvent, IngestReport, Run
from index.load import FailedFile, LoadLimits, discover, parse_all
from index.parse import VERSION as PARSE_VERSION
from index.records import DocumentVersion
from index.store import Store
from index.types import Draft, Embedder, ParsedDocument, SourceFile, Vectors

BUFFER_PASSAGES = 256  # encoded together: enough to batch by length, little to lose
SLICE_PASSAGES = 16  # between two looks at the stop flag: under two seconds on a busy machine
KEEP_ORIGINALS = ("application/pdf",)  # formats whose pages are shown as images


@dataclass(slots=True)
class _Pending:
    """A parsed and chunked document waiting for its vectors."""

    file: SourceFile
    parsed: ParsedDocument
    content_hash: str
    size: int
    text: str
    drafts: tuple[Draft, ...]
    status: str


def ingest(
    store: Store,
    paths: Sequence[Path],
    collection: str,
    *,
    embedder: Embedder | None = None,
    limits: LoadLimits = LoadLimits(),  # noqa: B008
    progress: Callable[[IngestEvent], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> IngestReport:
    """Bring files, folders and zip archives into a collection.

    Unchanged files are skipped, changed ones replaced, unreadable ones reported and remembered while the
    rest goes on. Raises InputError for a path that does not exist and StoreError for the data folder.
    """
    embedder = embedder or load_embedder()
    run = Run(progress, cancelled or (lambda: False))
    store.require_embedder(embedder.name)
    collection_id = store.create_collection(collection)
    run.tell("stage", "", "", "scanning")
    with tempfile.TemporaryDirectory(prefix="forage-") as workspace:
        todo = _plan(store, collection_id, discover(paths, limits, Path(workspace)), embedder, run)
        stopped = run.cancelled()
        if todo and not stopped:
            run.encoding_since = time.monotonic()
            pending = _parsed(store, collection_id, todo, limits, run)
            stopped = not _encode_and_commit(store, collection_id, pending, embedder, run)
    store.sweep_originals()
    DenseCache(store, embedder.dimension).refresh(collection_id)
    GraphCache(store).refresh(collection_id)
    run.tell("done", "", "", "cancelled" if stopped else "done")
    return run.report(stopped)


def ingest_passages(
    store: Store,
    rows: Iterable[Mapping[str, str]],
    collection: str,
    *,
    embedder: Embedder | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Ready-made passages {id, title, text}, one document each (`source` is the id); how many are new.

    For evaluation corpora, whose gold labels name passages. `progress` gets the size of each batch that is done.
    """
    embedder = embedder or load_embedder()
    store.require_embedder(embedder.name)
    collection_id = store.create_collection(collection)
    known = store.known(collection_id)
    done = 0
    iterator = iter(rows)
    while batch := list(islice(iterator, 2048)):
        hashes = [sha256(f"{row['title']}\0{row['text']}".encode()).hexdigest() for row in batch]
        new = [
            (row, digest)
            for row, digest in zip(batch, hashes, strict=True)
            if known.get(row["id"], ("", "", ""))[:2] != (digest, embedder.name)
        ]
        vectors = embedder.embed([_embedded_text(row["title"], "", row["text"]) for row, _ in new])
        for (row, digest), vector in zip(new, vectors, strict=True):
            text = row["text"]
            drafts = (Draft(0, len(text), text, ""),)
            store.commit(
                collection_id,
                DocumentVersion(
                    source=row["id"], title=row["title"], media_type="text/plain", content_hash=digest,
                    recipe=embedder.name, size=len(text.encode()), pages=None, text=text,
                    drafts=drafts, vectors=vector.reshape(1, -1),
                    knowledge=RuleExtractor().extract(row["title"], text, drafts),
                ),
            )  # fmt: skip
        done += len(new)
        if progress:
            progress(len(batch))
    DenseCache(store, embedder.dimension).refresh(collection_id)
    GraphCache(store).refresh(collection_id)
    return done


def _plan(
    store: Store, collection_id: int, found: Iterable[SourceFile | FailedFile], embedder: Embedder, run: Run
) -> list[tuple[SourceFile, str, int, str]]:
    """Files that need work: (file, content hash, size, status to report)."""
    known = store.known(collection_id)
    recipe = _recipe(embedder)
    todo = []
    for file in found:
        if run.cancelled():
            break
        run.files_total += 1
        if isinstance(file, FailedFile):
            store.record_failure(collection_id, file.source, file.name, 0, file.error)
            run.finish(file.source, file.name, "failed", error=file.error)
            continue
        size, digest = file.path.stat().st_size, _hash(file.path)
        old = known.get(file.source)
        if old is not None and old == (digest, recipe, "ready"):
            run.finish(file.source, file.name, "unchanged")
            continue
        run.bytes_total += size
        todo.append((file, digest, size, "added" if old is None or not old[0] else "updated"))
    return todo


def _parsed(
    store: Store,
    collection_id: int,
    todo: Sequence[tuple[SourceFile, str, int, str]],
    limits: LoadLimits,
    run: Run,
) -> Iterator[_Pending]:
    """Documents in order as the parser delivers them; failures are recorded on the way."""
    outcomes = parse_all([entry[0] for entry in todo], limits, run.cancelled)
    for (file, outcome), (_, digest, size, status) in zip(outcomes, todo, strict=False):
        run.tell("stage", file.source, file.name, "parsing")
        if isinstance(outcome, ParseError):
            error = str(outcome)
        else:
            text, drafts = chunk.split(outcome)
            if drafts:
                yield _Pending(file, outcome, digest, size, text, drafts, status)
                continue
            error = "The file was read but holds no text. Forage needs text to search in."
        store.record_failure(collection_id, file.source, file.name, size, error)
        run.finish(file.source, file.name, "failed", size, error)


def _encode_and_commit(
    store: Store, collection_id: int, documents: Iterator[_Pending], embedder: Embedder, run: Run
) -> bool:
    """Encode buffer by buffer and commit document by document; False when stopped on the way."""
    buffer: list[_Pending] = []
    held = 0
    for document in documents:
        buffer.append(document)
        held += len(document.drafts)
        if held >= BUFFER_PASSAGES:
            if not _flush(store, collection_id, buffer, embedder, run):
                return False
            buffer, held = [], 0
    return _flush(store, collection_id, buffer, embedder, run) and not run.cancelled()


def _flush(
    store: Store, collection_id: int, buffer: Sequence[_Pending], embedder: Embedder, run: Run
) -> bool:
    texts = [
        _embedded_text(pending.parsed.title, draft.heading, draft.text)
        for pending in buffer
        for draft in pending.drafts
    ]
    vectors = np.zeros((len(texts), embedder.dimension), dtype=np.float32)
    by_length = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    for at in range(0, len(texts), SLICE_PASSAGES):
        if run.cancelled():
            return False
        rows = by_length[at : at + SLICE_PASSAGES]
        vectors[rows] = embedder.embed([texts[row] for row in rows])
        run.passages += len(rows)
        run.tell("stage", buffer[0].file.source, buffer[0].file.name, "encoding")
    at = 0
    for pending in buffer:
        own = vectors[at : at + len(pending.drafts)]
        at += len(pending.drafts)
        store.commit(collection_id, _version(pending, own, embedder))
        run.finish(pending.file.source, pending.file.name, pending.status, pending.size)
    return True


def _version(pending: _Pending, vectors: Vectors, embedder: Embedder) -> DocumentVersion:
    parsed = pending.parsed
    return DocumentVersion(
        source=pending.file.source,
        title=parsed.title,
        media_type=parsed.media_type,
        content_hash=pending.content_hash,
        recipe=_recipe(embedder),
        size=pending.size,
        pages=parsed.pages,
        text=pending.text,
        drafts=pending.drafts,
        vectors=vectors,
        original=pending.file.path if parsed.media_type in KEEP_ORIGINALS else None,
        meta={"name": pending.file.name, **parsed.meta},
        knowledge=RuleExtractor().extract(parsed.title, pending.text, pending.drafts),
    )


def _embedded_text(title: str, heading: str, text: str) -> str:
    """What the encoder sees: a passage with the place it stands in."""
    return "\n".join(part for part in (title, heading, text) if part)


def _recipe(embedder: Embedder) -> str:
    return f"{PARSE_VERSION}+{chunk.VERSION}+{embedder.name}"


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


__all__ = ["IngestEvent", "IngestReport", "ingest", "ingest_passages"]
