import json
import subprocess
from pathlib import Path

import pytest

from index.errors import InputError
from training import report
from training.report import Grid, choices, open_output, percent, provenance, show, whole_numbers

GRID = Grid("Pools [dev]", ("mode", "R@5"), (("bm25", "68.9"), ("[b]", "-")))


def test_markdown_table() -> None:
    assert GRID.markdown() == (
        "**Pools [dev]**\n\n| mode | R@5 |\n| --- | ---: |\n| bm25 | 68.9 |\n| [b] | - |\n"
    )


def test_tables_print_every_cell_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show(GRID, markdown=False)
    printed = capsys.readouterr().out
    for text in ("Pools [dev]", "R@5", "68.9", "[b]"):
        assert text in printed
    show(GRID, markdown=True)
    assert GRID.markdown() in capsys.readouterr().out


def test_percent() -> None:
    assert percent(0.6888) == "68.9"
    assert percent(None) == "-"


@pytest.mark.parametrize("text", ["", "0,5", "-1", "2,x", "2.5", "2,,5"])
def test_bad_depths(text: str) -> None:
    with pytest.raises(InputError, match="--k"):
        whole_numbers(text, "--k")


def test_depths_and_modes() -> None:
    assert whole_numbers("10, 2,5,2", "--k") == (2, 5, 10)
    assert choices("dense, bm25,dense", "--modes", ("bm25", "dense")) == ("dense", "bm25")
    with pytest.raises(InputError, match="no 'graph'. Choose from bm25, dense"):
        choices("bm25,graph", "--modes", ("bm25", "dense"))


def test_output_is_checked_before_the_work(tmp_path: Path) -> None:
    assert open_output(tmp_path / "a" / "b.json").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        open_output(tmp_path / "file" / "b.json")


def test_short_parts_of_a_result_stand_on_one_line(tmp_path: Path) -> None:
    result = {
        "a": {"b": [1, None, "x { [\n"]},
        "long": ["y" * 50] * 3,
        "empty": {},
        "rows": {"é": ({"c": "z" * 150},)},
    }
    report.write_json(tmp_path / "r.json", result)
    lines = (tmp_path / "r.json").read_text(encoding="utf-8").splitlines()
    assert lines[1] == '  "a": {"b": [1, null, "x { [\\n"]},'
    assert '  "empty": {},' in lines and max(map(len, lines)) <= 170
    assert json.loads("\n".join(lines)) == json.loads(json.dumps(result))


def test_provenance_names_commit_and_facts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.argv", ["/somewhere/bin/forage", "eval", "--data", "a b"])
    facts = provenance(split="dev")
    assert facts["command"] == "forage eval --data 'a b'"
    assert facts["split"] == "dev"
    json.dumps(facts)
    monkeypatch.setattr(report, "__file__", str(tmp_path / "report.py"))
    assert report.commit() is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    commit = report.commit()
    assert commit is not None
    assert len(commit) == 12
    (tmp_path / "new.txt").write_text("x")
    subprocess.run([*git, "add", "new.txt"], check=True)
    assert report.commit() == commit + "+"


def test_the_command_names_the_data_folder_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORAGE_DATA", "/some/where/data")
    monkeypatch.setattr("sys.argv", ["forage", "eval", "answers", "--data", "/some/where/data/qa/x"])
    assert provenance()["command"] == "forage eval answers --data $FORAGE_DATA/qa/x"
