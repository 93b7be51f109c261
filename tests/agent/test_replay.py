"""A recorded run can be run again: same decisions over the same documents, the first difference over others."""

import json
import shutil
from pathlib import Path

import pytest

from agent.agent import Agent
from agent.build import open_agent
from agent.replay import replay
from agent.trace import trajectory_from
from agent.types import Turn
from index.encoders import load_embedder
from index.ingest import ingest_passages
from index.types import Scope

WORLD = Scope(("world",))
BORN = "In which town was the designer of the Teal Bridge born?"


@pytest.fixture
def agent(corpus_dir: Path, tmp_path: Path) -> Agent:
    """An agent with memory over its own copy of the little corpus."""
    ignored = shutil.ignore_patterns("trajectories*", "memory", "runs", "checkpoints*")
    shutil.copytree(corpus_dir, tmp_path / "data", ignore=ignored)
    return open_agent(tmp_path / "data")


def test_every_decision_is_reproduced_also_of_answers_from_memory(agent: Agent) -> None:
    runs = [agent.run(question, WORLD) for question in (BORN, "Who paid for the Iron Bridge?", "Hello!")]
    runs.append(agent.run("What is the birthplace of the designer of the Teal Bridge?", WORLD))
    assert runs[-1].answer.cost.searches == 0
    runs.append(
        agent.run("When was it opened?", WORLD, (Turn("Who designed the Teal Bridge?", "", "Mira Vell"),))
    )
    assert runs[-1].asked == "When was the Teal Bridge opened?"
    other = open_agent(agent.store.data_dir, memory=False, durable=False)
    for run in runs:
        record = trajectory_from(json.loads(json.dumps(run.to_dict())))
        found = replay(other, record)
        assert found.same, (run.question, found.difference)
        assert len(found.steps) == len(run.steps) and not found.remarks
    log = agent.store.data_dir / "trajectories.jsonl"
    assert len(log.read_text().splitlines()) == len(runs), "a replay leaves no trace"


def test_the_first_difference_is_named_with_what_changed(agent: Agent) -> None:
    run = agent.run("When was the Teal Bridge opened?", WORLD)
    text = "The Teal Bridge was designed by Mira Vell and opened in 1891."
    row = {"id": "bridge", "title": "Teal Bridge", "text": text}
    ingest_passages(agent.store, [row], "world", embedder=load_embedder())
    found = replay(agent, run)
    assert not found.same and found.difference is not None
    assert found.remarks == ("“Teal Bridge” has changed since.",)
    tampered = json.loads(json.dumps(run.to_dict()))
    tampered["steps"][0]["decision"]["chosen"] = "small_talk"
    found = replay(agent, trajectory_from(tampered))
    assert found.difference is not None and found.difference.what == "decision.chosen"
    assert (found.difference.step, found.difference.recorded, found.difference.now) == (
        0,
        "small_talk",
        "search",
    )
