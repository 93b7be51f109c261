"""Many questions at once: nothing of one gets into another, and memory stays bounded."""

import resource
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.agent import Agent
from agent.build import open_agent
from agent.types import Trajectory, Turn
from index.types import Scope

WORLD = Scope(("world",))
ASKED = {
    "Who designed the Teal Bridge?": "Mira Vell",
    "When was the Iron Bridge opened?": "1902",
    "How long is the River Aske?": "172",
    "Who founded the Lantern Press?": "Jon Aldin",
    "In which town was the designer of the Teal Bridge born?": "Tarsholm",
    "How long is the Iron Bridge?": "300",
}
SESSIONS, QUESTIONS = 8, 200


@pytest.mark.slow
@pytest.mark.timeout(900)  # seconds; eight sessions on one busy core
@pytest.mark.parametrize("memory", [False, True], ids=["searching", "remembering"])
def test_two_hundred_questions_from_eight_sessions(
    corpus_dir: Path, tmp_path: Path, memory: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    ignored = shutil.ignore_patterns("trajectories*", "memory", "runs", "checkpoints*")
    shutil.copytree(corpus_dir, tmp_path / "data", ignore=ignored)
    agent = open_agent(tmp_path / "data", memory=memory)
    alone = {question: agent.run(question, WORLD) for question in ASKED}
    before = _resident()
    seconds: list[float] = []

    def session(number: int) -> list[Trajectory]:
        return _talk(agent, number, seconds)

    with ThreadPoolExecutor(SESSIONS) as pool:
        talks = list(pool.map(session, range(SESSIONS)))
    grown = _resident() - before
    runs = [run for talk in talks for run in talk]
    assert len(runs) == QUESTIONS and len({run.id for run in runs}) == QUESTIONS
    for run in runs:
        question = run.asked or run.question
        assert ASKED[question] in run.answer.short, (question, run.answer.short)
        assert [s.index for s in run.steps] == list(range(len(run.steps)))
        cited = {c.source for c in run.answer.citations}
        assert cited == {c.source for c in alone[question].answer.citations}
    assert agent.runs is not None and not list((tmp_path / "data" / "runs").iterdir())
    if agent.memory is not None:
        assert len(agent.memory.remembered("world")) == len(ASKED)
    seconds.sort()
    with capsys.disabled():
        sys.stdout.write(
            f"\n{QUESTIONS} questions, {SESSIONS} sessions, memory {memory}: p50 {seconds[len(seconds) // 2]:.2f} s, "
            f"p95 {seconds[int(0.95 * len(seconds))]:.2f} s, grown by {grown:.0f} MB\n"
        )
    assert grown < 400, "megabytes; the models' own buffers are part of it"


def _talk(agent: Agent, number: int, seconds: list[float]) -> list[Trajectory]:
    """A session of its own: questions in an order of its own, every fourth one a follow-up."""
    questions = list(ASKED)
    runs: list[Trajectory] = []
    for turn in range(QUESTIONS // SESSIONS):
        question = questions[(turn * (number + 1) + number) % len(questions)]
        history: tuple[Turn, ...] = ()
        if turn % 4 == 3:
            question, history = (
                "How long is it?",
                (Turn("When was the Iron Bridge opened?", "1902.", "1902"),),
            )
        began = time.monotonic()
        runs.append(agent.run(question, WORLD, history))
        seconds.append(time.monotonic() - began)
    return runs


def _resident() -> float:
    """Resident megabytes of this process now (Linux), else its peak."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
