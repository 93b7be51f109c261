"""A killed process's question goes on where it stood, and nothing is done twice."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.build import open_agent
from agent.durable import OpenRuns
from agent.trace import TraceLog
from agent.types import Step, Trajectory
from index.errors import NotFoundError
from index.types import Scope

QUESTION = "In which town was the designer of the Teal Bridge born?"
SCRIPT = """
import sys, time
from agent.build import open_agent
from agent.types import Step
from index.types import Scope
agent = open_agent(sys.argv[1])
stop_after = sys.argv[3]
remember = agent.memory.remember
if stop_after == "log":
    agent.memory.remember = lambda run: (print("here", flush=True), time.sleep(600))
if stop_after == "memory":
    agent.runs.close = lambda run: (print("here", flush=True), time.sleep(600))
for item in agent.stream(sys.argv[2], Scope(("world",)), run_id="the-run"):
    if isinstance(item, Step) and item.stage == stop_after:
        print("here", flush=True)
        time.sleep(600)
"""


@pytest.fixture
def folder(corpus_dir: Path, tmp_path: Path) -> Path:
    """A copy of the little corpus without a history."""
    ignored = shutil.ignore_patterns("trajectories*", "memory", "runs", "checkpoints*")
    shutil.copytree(corpus_dir, tmp_path / "data", ignore=ignored)
    return tmp_path / "data"


def _killed(folder: Path, stop_after: str) -> None:
    """A process that asks, and is killed with SIGKILL where it stands."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), QUESTION, stop_after], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline().strip() == "here"
        process.send_signal(signal.SIGKILL)
        process.wait(10)


@pytest.mark.slow
@pytest.mark.parametrize("stop_after", ["read", "memory", "log"])
def test_a_killed_question_goes_on_and_leaves_one_line_and_one_memory(folder: Path, stop_after: str) -> None:
    _killed(folder, stop_after)
    agent = open_agent(folder)
    assert agent.runs is not None and agent.memory is not None
    (left,) = agent.runs.abandoned()
    assert left.id == "the-run" and left.question == QUESTION and left.scope == Scope(("world",))
    *steps, record = agent.resume(left.id)
    assert isinstance(record, Trajectory) and record.answer.short == "Tarsholm"
    assert record.id == "the-run" and [s.index for s in record.steps] == list(range(len(steps)))
    log = list(TraceLog(folder / "trajectories.jsonl").read())
    assert [line.id for line in log] == ["the-run"]
    (episode,) = agent.memory.records.list("episode")
    assert episode.value["visits"] == 1 and episode.value["runs"] == ["the-run"]
    assert not agent.runs.abandoned() and not list((folder / "runs").iterdir())
    with pytest.raises(NotFoundError, match="unfinished"):
        list(agent.resume(left.id))
    rows = agent.runs.checkpointer.conn.execute("SELECT count(*) FROM checkpoints").fetchone()
    assert rows == (0,)
    again = open_agent(folder, memory=False).run(QUESTION, Scope(("world",)))
    assert [(s.stage, s.summary) for s in again.steps] == [(s.stage, s.summary) for s in record.steps]


def test_a_run_of_a_living_process_is_not_taken_over(folder: Path) -> None:
    agent = open_agent(folder, memory=False)
    assert agent.runs is not None
    items = agent.stream(QUESTION, run_id="mine")
    assert isinstance(next(iter(items)), Step)
    assert OpenRuns(folder).abandoned() == []
    with pytest.raises(NotFoundError):
        OpenRuns(folder).take_over("mine")
    items.close()  # type: ignore[attr-defined]
    assert not list((folder / "runs").iterdir()), "a run that was given up is not kept"


def test_checkpoints_hold_plain_data_only(folder: Path) -> None:
    assert os.environ["LANGGRAPH_STRICT_MSGPACK"] == "true"
    agent = open_agent(folder, memory=False)
    assert agent.runs is not None
    began = time.monotonic()
    for item in agent.stream(QUESTION, run_id="plain"):
        if isinstance(item, Step):
            saved = agent.runs.checkpointer.get({"configurable": {"thread_id": "plain"}})
            assert saved is None or _plain(saved["channel_values"])
    assert time.monotonic() - began < 100


def _plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(k, str) and _plain(v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return all(map(_plain, value))
    return value is None or isinstance(value, str | int | float | bool)
