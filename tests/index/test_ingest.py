import json
import zipfile
from pathlib import Path

import pytest

from index.encoders import MiniLMEmbedder
from index.errors import InputError
from index.ingest import IngestEvent, ingest
from index.retrieve import Searcher
from index.store import Store
from index.types import Scope


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "documents"
    made.mkdir()
    (made / "bridge.md").write_text(
        "# Teal Bridge\n\n## Design\n\nThe Teal Bridge was designed by Mira Vell.\n"
    )
    (made / "prices.csv").write_text("Item,Price\nBrass compass,42 crowns\nGlass lamp,7 crowns\n")
    (made / "empty.txt").write_text("")
    with zipfile.ZipFile(made / "more.zip", "w") as archive:
        archive.writestr("inner/aske.txt", "The River Aske is 172 kilometres long.")
    return made


def run(store: Store, folder: Path, embedder: MiniLMEmbedder, **more: object):  # type: ignore[no-untyped-def]
    return ingest(store, [folder], "docs", embedder=embedder, **more)  # type: ignore[arg-type]


def test_files_come_in_once_change_and_go(store: Store, folder: Path, embedder: MiniLMEmbedder) -> None:
    events: list[IngestEvent] = []
    report = run(store, folder, embedder, progress=events.append)
    assert (report.added, report.updated, report.unchanged) == (3, 0, 0)
    assert [Path(source).name for source, _ in report.failed] == ["empty.txt"]
    assert events[-1].kind == "done" and events[-1].files_done == events[-1].files_total == 4
    assert {e.status for e in events if e.kind == "file"} == {"added", "failed"}

    again = run(store, folder, embedder)
    assert (again.added, again.updated, again.unchanged, again.passages) == (0, 0, 3, 0)

    (folder / "bridge.md").write_text("# Teal Bridge\n\nThe Teal Bridge was designed by Orla Fenn.\n")
    third = run(store, folder, embedder)
    assert (third.updated, third.unchanged) == (1, 2)
    searcher = Searcher(store, embedder)
    hits = searcher.search("Who designed the Teal Bridge? Mira Vell", 10, "bm25", Scope(("docs",)))
    assert all("Mira Vell" not in hit.passage.text for hit in hits)
    assert searcher.search("Aske long", 1, "hybrid")[0].passage.source.endswith("more.zip!inner/aske.txt")
    failed = next(d for d in store.documents("docs") if d.status == "failed")
    assert "empty" in failed.error.lower() or "no " in failed.error.lower()


def test_a_failed_file_can_be_mended_and_retried(
    store: Store, folder: Path, embedder: MiniLMEmbedder
) -> None:
    run(store, folder, embedder)
    (folder / "empty.txt").write_text("Now there is something to read about walnuts.")
    report = run(store, folder, embedder)
    assert (report.added, report.failed) == (1, ())
    assert all(d.status == "ready" and not d.error for d in store.documents("docs"))


def test_stop_keeps_what_is_done_and_the_next_run_goes_on(
    store: Store, tmp_path: Path, embedder: MiniLMEmbedder
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(40):
        text = " ".join(f"Line {n} of file {number} tells about lamps." for n in range(150))
        (many / f"{number:02}.txt").write_text(text)
    seen: list[IngestEvent] = []
    report = run(
        store, many, embedder, progress=seen.append, cancelled=lambda: any(e.status == "added" for e in seen)
    )
    assert report.cancelled and 0 < len(store.documents("docs")) < 40
    rest = run(store, many, embedder)
    assert not rest.cancelled and rest.unchanged + rest.added == 40
    assert len(store.documents("docs")) == 40


def test_offsets_point_into_the_stored_text(store: Store, folder: Path, embedder: MiniLMEmbedder) -> None:
    run(store, folder, embedder)
    for document in store.documents("docs"):
        if document.status == "ready":
            text = store.document_text(document.id)
            for passage in store.passages_of(document.id):
                assert text[passage.start : passage.end] == passage.text
    bridge = next(d for d in store.documents("docs") if d.source.endswith("bridge.md"))
    assert bridge.title == "Teal Bridge"
    assert "Design" in store.passages_of(bridge.id)[0].heading


def test_a_path_that_is_not_there_is_told_before_anything_happens(
    store: Store, embedder: MiniLMEmbedder
) -> None:
    with pytest.raises(InputError, match="nowhere"):
        ingest(store, [Path("nowhere")], "docs", embedder=embedder)


def test_json_lines(store: Store, tmp_path: Path, embedder: MiniLMEmbedder) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps({"town": f"Town {n}", "mayor": f"Mayor {n}"}) for n in range(5)))
    assert ingest(store, [file], "docs", embedder=embedder).added == 1
    assert Searcher(store, embedder).search("mayor of Town 3", 1, "bm25")
