"""The index of an evaluation: a data folder per corpus and embedder, built once and kept in the user's cache.

Its name holds the hash of what is in it, so a changed corpus or another embedder never meets old vectors.
An interrupted build goes on where it stopped: ingestion skips what is committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import platformdirs

from index.errors import InputError
from index.ingest import ingest, ingest_passages
from index.store import Store
from index.types import Embedder
from training.data import CorpusRow, DataFolder, QAExample, check_references, load_corpus
from training.evidence import GoldLocator
from training.report import progress_bar

SLICE = 512  # passages between two looks at the progress bar


@dataclass(frozen=True, slots=True)
class BenchmarkIndex:
    """An open data folder that holds one evaluation corpus as one collection."""

    store: Store
    collection: str
    locator: GoldLocator

    def __enter__(self) -> BenchmarkIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()


def open_index(
    data: DataFolder,
    examples: Sequence[QAExample],
    embedder: Embedder,
    cache: Path | None = None,
    titles: bool = True,
) -> BenchmarkIndex:
    """The corpus of `data` as a collection, indexed now if it is not in the cache yet.

    titles: False indexes a pool's passages without their titles, as people's own documents often are.
    InputError where the corpus is malformed or unreadable, or `examples` name passages it lacks.
    """
    rows: tuple[CorpusRow, ...] = ()
    if data.layout == "pool":
        rows = load_corpus(data.root)
        check_references(examples, rows)
        rows = rows if titles else tuple(replace(row, title="") for row in rows)
    elif not titles:
        raise InputError(f"{data.root} is a library of files, whose titles cannot be left out. Give a pool.")
    root = cache if cache is not None else default_cache()
    suffix = "" if titles else "-untitled"
    store = Store.open(root / f"{data.name}-{fingerprint(data, embedder)[:16]}{suffix}")
    if data.layout == "pool":
        _fill_from_rows(store, rows, data.name, embedder)
    else:
        _fill_from_files(store, data, embedder)
    return BenchmarkIndex(store, data.name, GoldLocator(store, data.name))


def default_cache() -> Path:
    """Where indexes are kept unless a folder is named: below the user's cache folder of the platform."""
    return Path(platformdirs.user_cache_dir("forage", appauthor=False)) / "evaluation"


def fingerprint(data: DataFolder, embedder: Embedder) -> str:
    """Hash of the corpus and the name of the embedder; for files also of the place, which is their name."""
    digest = sha256(embedder.name.encode())
    if data.layout == "pool":
        digest.update(data.corpus.read_bytes())
        return digest.hexdigest()
    digest.update(str(data.corpus).encode())
    for path in sorted(p for p in data.corpus.rglob("*") if p.is_file()):
        digest.update(f"\0{path.relative_to(data.corpus).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _fill_from_rows(store: Store, rows: Sequence[CorpusRow], name: str, embedder: Embedder) -> None:
    if any(c.name == name and c.passages == len(rows) for c in store.collections()):
        return
    with progress_bar() as bar:
        task = bar.add_task(f"indexing {name}", total=len(rows))
        for at in range(0, len(rows), SLICE):
            part = rows[at : at + SLICE]
            records = [{"id": row.id, "title": row.title, "text": row.text} for row in part]
            ingest_passages(store, records, name, embedder=embedder)
            bar.advance(task, len(part))


def _fill_from_files(store: Store, data: DataFolder, embedder: Embedder) -> None:
    with progress_bar() as bar:
        task = bar.add_task(f"indexing {data.name}", total=None)
        report = ingest(
            store,
            [data.corpus],
            data.name,
            embedder=embedder,
            progress=lambda event: bar.update(
                task, completed=event.files_done, total=event.files_total or None
            ),
        )
    if report.failed:
        reasons = "; ".join(f"{source}: {reason}" for source, reason in report.failed[:3])
        raise InputError(
            f"{len(report.failed)} files of {data.corpus} could not be read, so their evidence could not be "
            f"found. Mend or remove them. {reasons}"
        )
