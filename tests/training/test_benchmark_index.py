import json
import shutil
from pathlib import Path

import pytest

from index.encoders import MiniLMEmbedder
from index.errors import InputError
from training import benchmark_index
from training.benchmark_index import default_cache, fingerprint, open_index
from training.data import load_questions, open_data


def test_pool_is_indexed_once_and_found_again(
    pool: Path, cache: Path, embedder: MiniLMEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = open_data(pool)
    first = open_index(data, load_questions(pool / "dev.jsonl"), embedder, cache)
    assert [(c.name, c.documents, c.passages) for c in first.store.collections()] == [("smallpool", 8, 8)]

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("indexed twice")

    monkeypatch.setattr(benchmark_index, "ingest_passages", fail)
    second = open_index(data, (), embedder, cache)
    assert second.store.data_dir == first.store.data_dir
    assert second.locator.document_ids(["mill"]) == first.locator.document_ids(["mill"])
    first.store.close()
    second.store.close()


def test_an_interrupted_build_goes_on(
    pool: Path, tmp_path: Path, embedder: MiniLMEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    real = benchmark_index.ingest_passages

    def once(store: object, rows: list[object], *rest: object, **named: object) -> int:
        if calls:
            raise KeyboardInterrupt
        calls.append(len(rows))
        return real(store, rows, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(benchmark_index, "SLICE", 3)
    monkeypatch.setattr(benchmark_index, "ingest_passages", once)
    with pytest.raises(KeyboardInterrupt):
        open_index(open_data(pool), (), embedder, tmp_path)
    monkeypatch.setattr(benchmark_index, "ingest_passages", real)
    index = open_index(open_data(pool), (), embedder, tmp_path)
    assert calls == [3]
    assert [c.passages for c in index.store.collections()] == [8]
    index.store.close()


def test_library_files_become_the_collection(library: Path, cache: Path, embedder: MiniLMEmbedder) -> None:
    examples = load_questions(library / "questions.jsonl")
    index = open_index(open_data(library), examples, embedder, cache)
    mill, people = index.locator.gold_of(examples[1])
    text = index.store.document_text(mill.document_id)
    assert mill.span is not None
    assert text[slice(*mill.span)] == "built in 1901 by Mira Vell"
    assert index.store.document(people.document_id).source.endswith("people.txt")
    index.store.close()


def test_evidence_that_is_not_there_is_named(
    library: Path, tmp_path: Path, cache: Path, embedder: MiniLMEmbedder
) -> None:
    index = open_index(open_data(library), (), embedder, cache)
    base = {"id": "q9", "question": "Why?", "answers": ["x"]}
    for item, message in (
        ({"source": "works/mill.md", "quote": "razed in 1950"}, "q9: its evidence 'razed in 1950'"),
        ({"source": "absent.md", "quote": "x"}, "'absent.md' is not in the collection"),
    ):
        path = tmp_path / "q.jsonl"
        path.write_text(json.dumps(base | {"evidence": [item]}))
        with pytest.raises(InputError, match=message):
            index.locator.gold_of(load_questions(path)[0])
    index.store.close()


def test_fingerprint_changes_with_corpus_and_embedder(
    pool: Path, library: Path, tmp_path: Path, embedder: MiniLMEmbedder
) -> None:
    class Renamed(MiniLMEmbedder):
        def __init__(self) -> None:
            super().__init__()
            self.name = "another"

    data = open_data(pool)
    assert fingerprint(data, embedder) == fingerprint(data, embedder)
    assert fingerprint(data, embedder) != fingerprint(data, Renamed())
    copy = open_data(shutil.copytree(library, tmp_path / "copy"))
    before = fingerprint(copy, embedder)
    (copy.corpus / "people.txt").write_text("Changed.")
    assert fingerprint(copy, embedder) != before


def test_questions_of_another_corpus_are_refused(
    pool: Path, tmp_path: Path, cache: Path, embedder: MiniLMEmbedder
) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('{"id": "q", "question": "Why?", "answers": ["x"], "supporting": ["elsewhere"]}')
    with pytest.raises(InputError, match="q names the passage elsewhere"):
        open_index(open_data(pool), load_questions(path), embedder, cache)


def test_the_default_cache_is_below_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(
        benchmark_index.platformdirs, "user_cache_dir", lambda name, appauthor: tmp_path / name
    )
    assert default_cache() == tmp_path / "forage" / "evaluation"
