"""An ingest that is killed and restarted ends in the same data folder as one that was not."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from index.encoders import load_embedder
from index.ingest import ingest_passages
from index.store import Store

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
ROWS = [
    {"id": f"r{number}", "title": f"Row {number}", "text": f"The {word} stands in row {number}."}
    for number, word in enumerate(("mill", "tower", "bridge", "ferry", "organ"))
]


@pytest.fixture(scope="module")
def differences() -> Callable[..., list[str]]:
    spec = importlib.util.spec_from_file_location("equal_folders", BENCHMARKS / "equal_folders.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    queries = ["mill tower", "ferry bridge", "the organ in its row"]
    return lambda clean, other: list(module.differences(clean, other, queries, load_embedder()))


def make(folder: Path, rows: list[dict[str, str]]) -> Path:
    store = Store.open(folder)
    ingest_passages(store, rows, "rows")
    store.close()
    return folder


def test_equal_folders_have_no_difference(tmp_path: Path, differences: Callable[..., list[str]]) -> None:
    clean = make(tmp_path / "clean", ROWS)
    other = make(tmp_path / "other", ROWS[:2])
    make(other, [ROWS[2] | {"text": "An older version."}])
    make(other, ROWS)  # goes on and replaces the older version
    assert differences(clean, other) == []


def test_every_kind_of_difference_is_found(tmp_path: Path, differences: Callable[..., list[str]]) -> None:
    clean = make(tmp_path / "clean", ROWS)
    assert "document only in the clean folder: rows: r4" in differences(clean, make(tmp_path / "a", ROWS[:4]))

    stale = make(tmp_path / "stale", [*ROWS[:4], ROWS[4] | {"text": "The organ is gone from its row."}])
    found = differences(clean, stale)
    assert {f"{what} of rows: r4 differs" for what in ("record", "text", "passages")} <= set(found)
    assert any(line.startswith("dense results") for line in found)

    store = Store.open(make(tmp_path / "damaged", ROWS))
    with store.writing() as connection:
        connection.execute(
            "INSERT INTO passages_text(passages_text, rowid, scope, title, heading, text)"
            " SELECT 'delete', id, scope, title, heading, text FROM passages LIMIT 1"
        )
    store.close()
    found = differences(clean, tmp_path / "damaged")
    assert any(line.startswith("lexical index: ") for line in found)
    assert any(line.startswith("bm25 results") for line in found)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_killed_ingest_equals_a_clean_one() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "kill_ingest.py"), "--files", "12", "--kills", "3"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 kills" in done.stdout
    assert "equal to a clean ingest" in done.stdout
