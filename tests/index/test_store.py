import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.errors import InputError, NotFoundError, StoreError
from index.records import DocumentVersion
from index.retrieve import Searcher
from index.store import Store
from index.types import Draft, Scope


class Nowhere:
    """An embedder for tests that only look at lexical search and bookkeeping."""

    name, dimension = "nowhere", 4

    def embed(self, texts: list[str]) -> np.ndarray:
        return np.tile(np.array([1, 0, 0, 0], dtype=np.float32), (len(texts), 1))


def version(source: str, text: str, title: str = "Title", original: Path | None = None) -> DocumentVersion:
    half = len(text) // 2
    drafts = tuple(Draft(a, b, text[a:b], "Part") for a, b in ((0, half), (half, len(text))) if b > a)
    vectors = np.tile(np.array([1, 0, 0, 0], dtype=np.float32), (len(drafts), 1))
    return DocumentVersion(
        source=source, title=title, media_type="text/plain", content_hash=str(hash(text)), recipe="r", size=len(text),
        pages=None, text=text, drafts=drafts, vectors=vectors, original=original, meta={"name": source},
    )  # fmt: skip


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All rows that belong to documents, ids left out."""
    c = store.connection
    return {
        "documents": c.execute(
            "SELECT source, title, text, status, error FROM documents ORDER BY 1"
        ).fetchall(),
        "passages": c.execute(
            "SELECT title, heading, text, start, vector FROM passages ORDER BY 3, 4"
        ).fetchall(),
        "words": c.execute(
            "SELECT text FROM passages_text WHERE passages_text MATCH 'text : a*' ORDER BY 1"
        ).fetchall(),
    }


def test_a_document_is_stored_and_found(store: Store) -> None:
    collection = store.create_collection("one")
    key = store.commit(collection, version("a.txt", "Alpha apples grow. Beta bears sleep."))
    assert store.document(key).passages == 2
    assert store.document_text(key) == "Alpha apples grow. Beta bears sleep."
    for passage in store.passages_of(key):
        assert store.document_text(key)[passage.start : passage.end] == passage.text
    hits = Searcher(store, Nowhere()).search("bears", mode="bm25")
    assert "bears" in hits[0].passage.text.lower()


def test_a_new_version_leaves_nothing_of_the_old(store: Store) -> None:
    collection = store.create_collection("one")
    key = store.commit(collection, version("a.txt", "The zeppelin landed here."))
    assert store.commit(collection, version("a.txt", "The balloon landed here.")) == key
    searcher = Searcher(store, Nowhere())
    assert not searcher.search("zeppelin", mode="bm25")
    assert len(store.documents("one")) == 1
    store.connection.execute("INSERT INTO passages_text(passages_text) VALUES ('integrity-check')")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.text("ab cd", min_size=4, max_size=30)), min_size=1, max_size=6
    )
)
def test_add_then_delete_equals_never_added(tmp_path: Path, texts: list[tuple[str, str]]) -> None:
    store = Store.open(tmp_path / "data")
    collection = store.create_collection("one")
    store.commit(collection, version("stays.txt", "an anchor that stays"))
    before = everything(store)
    for name, text in texts:
        store.commit(collection, version(f"{name}.txt", text))
    for document in store.documents("one"):
        if document.source != "stays.txt":
            store.delete_document(document.id)
    assert everything(store) == before
    store.connection.execute("INSERT INTO passages_text(passages_text) VALUES ('integrity-check')")
    store.close()


def test_collections_do_not_leak(store: Store) -> None:
    for name in ("left", "right"):
        store.commit(store.create_collection(name), version("same.txt", f"The {name} secret is a walnut."))
    searcher = Searcher(store, Nowhere())
    for mode in ("bm25", "dense", "hybrid"):
        found = searcher.search("walnut secret", 10, mode, Scope(("left",)))
        assert found and {hit.passage.collection for hit in found} == {"left"}
    store.delete_collection("left")
    assert {hit.passage.collection for hit in searcher.search("walnut", mode="hybrid")} == {"right"}


def test_a_failed_new_version_keeps_the_old_one_searchable(store: Store) -> None:
    collection = store.create_collection("one")
    store.commit(collection, version("a.txt", "An old but readable text about walnuts."))
    store.record_failure(collection, "a.txt", "a.txt", 3, "The file is cut off.")
    document = store.documents("one")[0]
    assert (document.status, document.error) == ("ready", "The file is cut off.")
    assert Searcher(store, Nowhere()).search("walnuts", mode="bm25")


def test_originals_are_kept_once_and_swept(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "paper.pdf"
    file.write_bytes(b"%PDF-1.4 not really")
    collection = store.create_collection("one")
    key = store.commit(collection, version("paper.pdf", "Some text of the paper.", original=file))
    kept = store.original(key)
    assert kept is not None and kept.read_bytes() == file.read_bytes()
    store.delete_document(key)
    assert not kept.exists()


def test_writers_in_two_threads_both_land(store: Store) -> None:
    collection = store.create_collection("one")

    def write(name: str) -> None:
        for number in range(20):
            store.commit(collection, version(f"{name}{number}", f"Text {name} {number} about apples."))

    threads = [threading.Thread(target=write, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.documents("one")) == 40


def test_mistakes_are_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no collection named 'x'"):
        store.collection_id("x")
    with pytest.raises(InputError, match="1 to 100"):
        store.create_collection(" ")
    with pytest.raises(NotFoundError):
        store.document("nope")
    store.require_embedder("first")
    with pytest.raises(StoreError, match="made by first"):
        store.require_embedder("second")


def test_a_newer_or_foreign_or_damaged_file_is_refused(tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    Store.open(newer).close()
    connection = sqlite3.connect(newer / "forage.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer Forage"):
        Store.open(newer)
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "forage.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store.open(damaged)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store.open(damaged / "forage.db" / "inside")
