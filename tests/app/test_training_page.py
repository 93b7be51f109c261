import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.jobs import JobRunner
from app.session import Workspace, workspace
from app.training_jobs import RUNS, run_command, runs_of, training
from index.errors import InputError

MAIN = Path(__file__).parents[2] / "app" / "main.py"


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("FORAGE_DATA_DIR", str(tmp_path / "data"))
    made = workspace()
    assert made.ready.wait(90)
    yield made
    made.runner.close()
    st.cache_resource.clear()


def a_run(data_dir: Path) -> None:
    """The files that a finished run leaves."""
    folder = data_dir / RUNS / "first"
    folder.mkdir(parents=True)
    row = {"right": 0.8, "f1": 0.7, "cost": 0.6, "searches": 1.1, "value": 0.75}
    gap = {"mean": 0.05, "low": 0.01, "high": 0.09}
    (folder / "config.json").write_text("{}")
    (folder / "policies.json").write_text(json.dumps({"policies": {"first": row, "rules": row}}))
    stage = {"held_out": row, "rewards": {"correct": 0.8}, "accepted": True}
    (folder / "curves.json").write_text(
        json.dumps({"stages": {"sft": stage, "ip-dpo-1": {**stage, "accepted": False}}})
    )
    side = {"answer": "Oster", "right": True, "path": "hybrid > answer"}
    (folder / "comparison.json").write_text(json.dumps({
        "a": "first", "b": "live", "n": 40, "better": True, "reasons": ["better beyond noise"], "changed_count": 1,
        "measures": {"f1": {"a": gap, "b": gap, "difference": gap}},
        "changed": [{"question": "Where?", "first": side, "live": side}],
    }))  # fmt: skip


def test_the_page_shows_a_run(opened: Workspace) -> None:
    a_run(opened.data_dir)
    page = AppTest.from_file(str(MAIN), default_timeout=90).run()
    page.switch_page("training.py").run()
    assert not page.exception
    text = " ".join(str(one.value) for one in (*page.markdown, *page.caption, *page.subheader))
    assert "Accuracy against cost" in text and "Against what was live (40 held-out questions)" in text
    assert "ip-dpo-1" in text and "the default" in text
    labels = {button.label: button for button in page.button}
    assert labels["Roll back"].disabled and not labels["Promote"].disabled


def test_names_and_folders_are_checked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="letters, digits"):
        training(tmp_path, "../x", tmp_path, "grpo", 1, 20, logs=False)
    with pytest.raises(InputError, match="no folder"):
        training(tmp_path, "x", tmp_path / "none", "grpo", 1, 20, logs=False)
    assert runs_of(tmp_path) == []


def test_a_command_can_be_watched_stopped_and_may_fail(tmp_path: Path) -> None:
    runner = JobRunner(tmp_path, {"train": 1})

    def job(code: str) -> str:
        return runner.submit(
            "train", lambda handle: run_command([sys.executable, "-c", code], handle) or {}, {}
        )

    done = job("print('one'); print('two')")
    assert runner.wait(done, 60).state == "done"
    assert [e.data["line"] for e in runner.events(done) if e.type == "line"] == ["one", "two"]
    failed = runner.wait(job("raise SystemExit('no luck')"), 60)
    assert failed.state == "failed" and "no luck" in failed.error
    long = job("import time; print('on', flush=True); time.sleep(100)")
    while not any(e.type == "line" for e in runner.events(long)):
        time.sleep(0.05)
    runner.cancel(long)
    assert runner.wait(long, 60).state == "cancelled"
    runner.close()
