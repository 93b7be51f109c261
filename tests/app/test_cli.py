import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from app.__main__ import main


@dataclass
class Done:
    stdout: str
    stderr: str


def forage(*arguments: str, data: Path | None = None, expect: int = 0) -> Done:
    """Run the command line as `forage` would, in this process (test_offline.py starts real processes)."""
    out, err = io.StringIO(), io.StringIO()
    environment = {"COLUMNS": "200"} | ({"FORAGE_DATA_DIR": str(data)} if data is not None else {})
    code: object = 0
    with (
        patch.object(sys, "argv", ["forage", *arguments]),
        patch.dict("os.environ", environment),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
    assert code == expect, out.getvalue() + err.getvalue()
    assert "Traceback" not in err.getvalue()
    return Done(out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "files").mkdir()
    (folder / "files" / "bridge.md").write_text(
        "# Teal Bridge\n\nThe Teal Bridge was designed by Mira Vell in 1887.\n"
    )
    (folder / "files" / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    done = forage("ingest", str(folder / "files"), "-c", "docs", "--data-dir", str(folder / "data"))
    assert "1 added" in done.stdout and "1 failed" in done.stdout and "broken.pdf" in done.stdout
    return folder / "data"


def test_the_life_of_a_document(data: Path) -> None:
    hits = json.loads(forage("search", "who designed the bridge", "--json", data=data).stdout)
    assert hits[0]["passage"]["title"] == "Teal Bridge"
    run = json.loads(forage("ask", "Who designed the Teal Bridge?", "-c", "docs", "--json", data=data).stdout)
    assert run["answer"]["short"] == "Mira Vell" and run["answer"]["citations"]
    rows = json.loads(forage("documents", "--json", data=data).stdout)
    assert {row["status"] for row in rows} == {"ready", "failed"}
    assert "broken.pdf" in forage("documents", "--failed", data=data).stdout
    assert json.loads(forage("collections", "--json", data=data).stdout)[0]["documents"] == 1
    checks = json.loads(forage("doctor", "--json", data=data).stdout)
    assert all(check["ok"] for check in checks), checks


def test_delete(data: Path, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("A walnut tree stands in the courtyard of the museum.")
    forage("ingest", str(note), "-c", "notes", data=data)
    assert json.loads(forage("search", "walnut", "--mode", "bm25", "-c", "notes", "--json", data=data).stdout)
    forage("delete", "note.txt", "-c", "notes", "--yes", data=data)
    assert not json.loads(
        forage("search", "walnut", "--mode", "bm25", "-c", "notes", "--json", data=data).stdout
    )
    forage("delete", "-c", "notes", "--yes", data=data)
    assert "notes" not in forage("collections", data=data).stdout


def test_the_graph_of_a_collection(data: Path, tmp_path: Path) -> None:
    found = json.loads(forage("graph", "summary", "-c", "docs", "--json", data=data).stdout)
    assert (found["documents"], found["passages"], found["components"]) == (1, 1, 1)
    assert {"name": "Mira Vell", "documents": 1} in found["top"]
    shown = forage("graph", "summary", "--collection", "docs", data=data).stdout
    assert "Mira Vell" in shown and "Isolated: Teal Bridge" in shown
    for form in ("graphml", "json"):
        out = tmp_path / f"graph.{form}"
        said = forage("graph", "export", "-c", "docs", "--format", form, "--out", str(out), data=data).stdout
        assert said.startswith("Wrote ") and "mira vell" in out.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("ask", "  "), 2, "The question is empty"),
        (("ask", "Who?", "-c", "nope"), 2, "There is no collection named 'nope'"),
        (("search", "x", "--mode", "magic"), 2, "bm25, dense, hybrid"),
        (("ingest", "no-such-file.pdf"), 2, "no-such-file.pdf"),
        (("delete",), 2, "Nothing to delete was named"),
        (("delete", "unknown"), 2, "There is no document 'unknown'"),
        (("ask", "Who?", "--model", "openai"), 2, "model.name is empty"),
        (("ask", "Who?", "--model", "magic"), 2, "model.kind"),
        (("graph", "summary", "-c", "nope"), 2, "There is no collection named 'nope'"),
        (("graph", "summary"), 2, "Missing option '--collection'"),
        (("graph", "export", "-c", "docs", "-f", "gexf", "-o", "g"), 2, "graphml, json"),
        (("graph", "export", "-c", "docs", "-o", "no/such/folder/g"), 2, "its folder does not exist"),
        (("frobnicate",), 2, "No such command"),
    ],
)
def test_mistakes_end_in_one_readable_paragraph(
    data: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = forage(*arguments, data=data, expect=code)
    assert says in " ".join((done.stderr + done.stdout).split())


def test_a_run_is_replayed_and_its_memory_listed_and_forgotten(data: Path, tmp_path: Path) -> None:
    question = "Who designed the Teal Bridge?"
    recorded = tmp_path / "run.json"
    recorded.write_text(forage("ask", question, "-c", "docs", "--no-memory", "--json", data=data).stdout)
    assert "as recorded" in forage("replay", str(recorded), data=data).stdout
    run = json.loads(recorded.read_text())
    run["steps"][0]["decision"]["chosen"] = "library"
    recorded.write_text(json.dumps(run))
    found = json.loads(forage("replay", str(recorded), "--json", data=data, expect=1).stdout)
    assert found["difference"]["what"] == "decision.chosen" and not found["same"]
    recorded.write_text("nothing")
    assert "no recorded run" in forage("replay", str(recorded), data=data, expect=2).stderr

    forage("ask", question, "-c", "docs", "--json", data=data)
    again = json.loads(
        forage("ask", "By whom was the Teal Bridge designed?", "-c", "docs", "--json", data=data).stdout
    )
    assert again["answer"]["cost"]["searches"] == 0
    entries = forage("memory", "list", "docs", "--json", data=data).stdout.splitlines()
    assert any(json.loads(line)["question"] == question for line in entries)
    assert question in forage("memory", "list", "docs", data=data).stdout
    forage("memory", "forget", "docs", "--key", "e-nothing", data=data, expect=2)
    assert "Forgot" in forage("memory", "forget", "docs", "--all", data=data).stdout
    assert not forage("memory", "list", "docs", "--json", data=data).stdout
    assert "Nothing to go on with" in forage("resume", data=data).stdout
