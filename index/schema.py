"""The SQLite schema of a data folder and its forward migrations.

SQLite is the truth (decision 0003): documents, passages, lexical index and vectors change together in one
transaction per document. Everything else on disk is a cache that can be rebuilt from here.
"""

from __future__ import annotations

import sqlite3

from index.errors import StoreError

APPLICATION_ID = 0x466F7267  # "Forg": tells our file from any other SQLite file

# `scope` repeats the collection as a word inside the lexical index, so that BM25 never scores a
# passage of another collection. The FTS table keeps no copy of the text (external content).
_VERSION_1 = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE collections (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  created_at REAL NOT NULL,
  generation INTEGER NOT NULL DEFAULT 0  -- grows with every change of its passages
);
CREATE TABLE documents (
  id TEXT PRIMARY KEY,
  collection_id INTEGER NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
  source TEXT NOT NULL,
  title TEXT NOT NULL,
  media_type TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  recipe TEXT NOT NULL,                  -- parser + chunker + embedder that made the passages
  size INTEGER NOT NULL,
  pages INTEGER,
  passages INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('ready', 'failed')),
  error TEXT NOT NULL DEFAULT '',
  text TEXT NOT NULL,
  original TEXT NOT NULL DEFAULT '',     -- kept copy, relative to the data folder
  meta TEXT NOT NULL DEFAULT '{}',
  added_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  UNIQUE (collection_id, source)
);
CREATE TABLE passages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused: caches add by "id greater than"
  document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
  collection_id INTEGER NOT NULL,
  scope TEXT NOT NULL,
  title TEXT NOT NULL,
  heading TEXT NOT NULL,
  text TEXT NOT NULL,
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  page INTEGER,
  page_end INTEGER,
  vector BLOB NOT NULL                   -- float16 unit vector
);
CREATE INDEX passages_by_document ON passages(document_id);
CREATE INDEX passages_by_collection ON passages(collection_id, id);
CREATE VIRTUAL TABLE passages_text USING fts5(
  scope, title, heading, text, content='passages', content_rowid='id',
  tokenize='porter unicode61 remove_diacritics 2'
);
CREATE TRIGGER passages_added AFTER INSERT ON passages BEGIN
  INSERT INTO passages_text(rowid, scope, title, heading, text)
  VALUES (new.id, new.scope, new.title, new.heading, new.text);
END;
CREATE TRIGGER passages_removed AFTER DELETE ON passages BEGIN
  INSERT INTO passages_text(passages_text, rowid, scope, title, heading, text)
  VALUES ('delete', old.id, old.scope, old.title, old.heading, old.text);
END;
"""

# What a passage says (index.extract). Every row belongs to one passage and goes with it, so the graph needs no
# clean-up of its own. `extracted` names the recipe; documents of another one are extracted again from their
# stored text when the graph is next brought up to date.
_VERSION_2 = """
ALTER TABLE documents ADD COLUMN extracted TEXT NOT NULL DEFAULT '';
CREATE TABLE sentences (
  passage_id INTEGER NOT NULL REFERENCES passages(id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  start INTEGER NOT NULL,                -- characters of the document's text
  "end" INTEGER NOT NULL,
  PRIMARY KEY (passage_id, number)
) WITHOUT ROWID;
CREATE TABLE mentions (
  passage_id INTEGER NOT NULL REFERENCES passages(id) ON DELETE CASCADE,
  sentence INTEGER NOT NULL,
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  entity TEXT NOT NULL,                  -- key of the entity (index.names)
  kind TEXT NOT NULL,
  PRIMARY KEY (passage_id, sentence, start, "end", entity)
) WITHOUT ROWID;
CREATE TABLE triplets (
  passage_id INTEGER NOT NULL REFERENCES passages(id) ON DELETE CASCADE,
  sentence INTEGER NOT NULL,
  subject TEXT NOT NULL,
  relation TEXT NOT NULL,
  object TEXT NOT NULL,
  PRIMARY KEY (passage_id, sentence, subject, relation, object)
) WITHOUT ROWID;
CREATE TABLE aliases (
  passage_id INTEGER NOT NULL REFERENCES passages(id) ON DELETE CASCADE,
  alias TEXT NOT NULL,
  entity TEXT NOT NULL,
  PRIMARY KEY (passage_id, alias, entity)
) WITHOUT ROWID;
"""

# What other floors worked out from documents and keep beside them (index.derived): notes, answers, episodes.
# A record that rests on a document goes in the transaction that replaces or removes it. Before and not after the
# delete: by then the cascade has taken the links.
_VERSION_3 = """
CREATE TABLE derived (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,  -- grows with every write: caches take up "greater than"
  key TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  collection_id INTEGER NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
  scope TEXT NOT NULL,                   -- where it holds, in its owner's spelling
  value TEXT NOT NULL,                   -- JSON
  vector BLOB,                           -- float16 unit vector of what it is found by
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL
);
CREATE INDEX derived_by_collection ON derived(collection_id, kind);
CREATE TABLE rests_on (
  document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
  key TEXT NOT NULL REFERENCES derived(key) ON DELETE CASCADE,
  PRIMARY KEY (document_id, key)
) WITHOUT ROWID;
CREATE INDEX rests_on_by_key ON rests_on(key);
CREATE TRIGGER derived_outdated BEFORE DELETE ON documents BEGIN
  DELETE FROM derived WHERE key IN (SELECT key FROM rests_on WHERE document_id = old.id);
END;
"""

MIGRATIONS = (_VERSION_1, _VERSION_2, _VERSION_3)  # entry i brings a file from version i to i + 1
VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring an open data file to `VERSION`; raises StoreError for a newer or foreign file."""
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    if found == VERSION and owner == APPLICATION_ID:
        return
    if found > VERSION:
        raise StoreError(
            f"This data folder was written by a newer Forage (format {found}; this program reads up to "
            f"{VERSION}). Update Forage, or use another --data-dir."
        )
    if owner not in (0, APPLICATION_ID):
        raise StoreError("forage.db in this folder is another program's database. Use another --data-dir.")
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have migrated while we waited for the lock.
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        for script in MIGRATIONS[found:]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> list[str]:
    """Split a script so that it can run inside one transaction (executescript would commit)."""
    statements, lines = [], []
    for line in script.splitlines():
        lines.append(line)
        joined = "\n".join(lines)
        if joined.strip() and sqlite3.complete_statement(joined):
            statements.append(joined)
            lines = []
    return statements
