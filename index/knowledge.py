"""The extracted rows of documents in the store: written with the document, read by the graph cache."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from index.database import Database
from index.extract import VERSION, Extractor, Knowledge, RuleExtractor
from index.types import Draft

BATCH = 64  # documents of one backfill transaction: other writers wait this long at most


def write_knowledge(
    connection: sqlite3.Connection, document_id: str, knowledge: Sequence[Knowledge], recipe: str = VERSION
) -> None:
    """Replace what is known of a document's passages, in their reading order; inside the caller's transaction."""
    rows = connection.execute("SELECT id FROM passages WHERE document_id = ? ORDER BY id", (document_id,))
    ids = [row[0] for row in rows]
    sentences, mentions, triplets, aliases = [], [], [], []
    for passage, known in zip(ids, knowledge, strict=True):
        sentences += [(passage, number, *span) for number, span in enumerate(known.sentences)]
        mentions += [(passage, at, m.start, m.end, m.key, m.kind) for at, m in known.mentions]
        triplets += [(passage, t.sentence, t.subject, t.relation, t.object) for t in known.triplets]
        aliases += [(passage, alias, entity) for alias, entity in known.aliases]
    for table, found in (
        ("sentences", sentences),
        ("mentions", mentions),
        ("triplets", triplets),
        ("aliases", aliases),
    ):
        connection.executemany(f"DELETE FROM {table} WHERE passage_id = ?", [(i,) for i in ids])
        if found:
            marks = ", ".join("?" * len(found[0]))
            connection.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", found)
    connection.execute("UPDATE documents SET extracted = ? WHERE id = ?", (recipe, document_id))


def backfill(
    database: Database,
    collection_id: int,
    extractor: Extractor | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Extract the documents of a collection that another recipe (or none) made; how many there were.

    Batch by batch, each its own transaction, so a kill loses at most one batch of work.
    """
    extractor = extractor or RuleExtractor()
    done = 0
    while True:
        rows = database.connection.execute(
            "SELECT id, title, text FROM documents"
            " WHERE collection_id = ? AND status = 'ready' AND extracted <> ? LIMIT ?",
            (collection_id, VERSION, BATCH),
        ).fetchall()
        if not rows:
            return done
        _extract_again(database, collection_id, rows, extractor)
        done += len(rows)
        if progress:
            progress(done)


def extract_again(
    database: Database,
    collection_id: int,
    extractor: Extractor,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Extract every document of a collection once more with another extractor; how many there were.

    Graphs are built anew from what it says, document by document as it goes on. A later recipe of the rules
    (`VERSION`) extracts by rules again.
    """
    keys = [
        row[0]
        for row in database.connection.execute(
            "SELECT id FROM documents WHERE collection_id = ? AND status = 'ready' ORDER BY rowid",
            (collection_id,),
        )
    ]
    for done, key in enumerate(keys, start=1):
        rows = database.connection.execute(
            "SELECT id, title, text FROM documents WHERE id = ?", (key,)
        ).fetchall()
        _extract_again(database, collection_id, rows, extractor, anew=True)
        if progress:
            progress(done)
    return len(keys)


def graph_recipe(connection: sqlite3.Connection, collection_id: int) -> str:
    """What a graph of the collection was made with: the rules' recipe, and how often it was extracted anew."""
    row = connection.execute("SELECT value FROM settings WHERE key = ?", (_anew(collection_id),)).fetchone()
    return f"{VERSION}/{row[0]}" if row else VERSION


def _extract_again(
    database: Database,
    collection_id: int,
    rows: Sequence[tuple[str, str, str]],
    extractor: Extractor,
    anew: bool = False,
) -> None:
    """Extract documents (id, title, text) and write what they say in one transaction. anew: old graphs are void."""
    made = [
        (key, extractor.extract(title, text, _drafts(database, key)), _version_of(database, key))
        for key, title, text in rows
    ]
    with database.writing() as connection:
        for key, knowledge, version in made:
            if version is not None and _version_of(database, key) == version:  # else replaced or deleted
                write_knowledge(connection, key, knowledge)
        if anew:
            connection.execute(
                "INSERT INTO settings VALUES (?, '1')"
                " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
                (_anew(collection_id),),
            )
        connection.execute(
            "UPDATE collections SET generation = generation + 1 WHERE id = ?", (collection_id,)
        )


def _anew(collection_id: int) -> str:
    return f"extracted anew {collection_id}"


def mention_counts(connection: sqlite3.Connection, collection_id: int) -> Iterator[tuple[int, str, str]]:
    """(passage id, entity, kind) for every mention of a collection."""
    yield from connection.execute(
        "SELECT m.passage_id, m.entity, m.kind FROM passages p JOIN mentions m ON m.passage_id = p.id"
        " WHERE p.collection_id = ?",
        (collection_id,),
    )


def triplets_of(
    connection: sqlite3.Connection, passages: Sequence[int]
) -> list[tuple[int, int, str, str, str]]:
    """(passage id, sentence, subject, relation, object) of some passages."""
    return _of(connection, "SELECT passage_id, sentence, subject, relation, object FROM triplets", passages)


def sentences_of(connection: sqlite3.Connection, passages: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """(passage id, number, start, end) of the sentences of some passages."""
    return _of(connection, 'SELECT passage_id, number, start, "end" FROM sentences', passages)


def mentions_of(connection: sqlite3.Connection, passages: Sequence[int]) -> list[tuple[int, int, str, str]]:
    """(passage id, sentence, entity, kind) of some passages."""
    return _of(connection, "SELECT passage_id, sentence, entity, kind FROM mentions", passages)


def _of(connection: sqlite3.Connection, select: str, passages: Sequence[int]) -> list[Any]:
    found: list[Any] = []
    for at in range(0, len(passages), 500):
        part = list(passages[at : at + 500])
        found += connection.execute(
            f"{select} WHERE passage_id IN ({','.join('?' * len(part))})", part
        ).fetchall()
    return found


def _drafts(database: Database, document_id: str) -> list[Draft]:
    rows = database.connection.execute(
        'SELECT start, "end", text, heading FROM passages WHERE document_id = ? ORDER BY id', (document_id,)
    )
    return [Draft(start, end, text, heading) for start, end, text, heading in rows]


def _version_of(database: Database, document_id: str) -> tuple[str, float] | None:
    row = database.connection.execute(
        "SELECT content_hash, updated_at FROM documents WHERE id = ?", (document_id,)
    ).fetchone()
    return (row[0], row[1]) if row else None
