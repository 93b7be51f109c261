"""A candidate in the shadow: real questions, answered again, compared, and nothing of the live side touched."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from agent import shadow
from agent.build import open_agent
from agent.config import AgentConfig, MemoryConfig, Settings
from agent.policy import ACTIONS, FEATURES
from agent.policy_net import PolicyNet, save_net
from agent.promotion import audit, live_name, promote, rollback
from index.errors import Cancelled, InputError, StoreError
from index.store import Store
from index.types import Scope
from training.policy.shadowing import shadow_grid, shadowed

QUESTIONS = (
    "Who is the head of the Harbour School?",
    "How much does entrance to the Tarsholm Fair cost for adults?",
)


def candidate(path: Path, favourite: str = "abstain") -> Path:
    """A network that likes one action best, whatever it sees."""
    n = len(FEATURES)
    bias = np.array([float(action == favourite) for action in ACTIONS], np.float32)
    arrays = {
        "mean": np.zeros(n), "deviation": np.ones(n), "projection": np.zeros((0, 0)), "w1": np.zeros((n, 4)),
        "b1": np.zeros(4), "w2": np.zeros((4, 4)), "b2": np.zeros(4), "w3": np.zeros((4, len(ACTIONS))), "b3": bias,
    }  # fmt: skip
    save_net(path, PolicyNet(FEATURES, ACTIONS, {k: v.astype(np.float32) for k, v in arrays.items()}, {}))
    return path


@pytest.fixture
def data_dir(corpus_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(corpus_dir, tmp_path / "data"))


def test_a_real_run_is_compared_and_leaves_the_live_side_alone(data_dir: Path, tmp_path: Path) -> None:
    agent = open_agent(data_dir, settings=Settings(memory=MemoryConfig(use=False)), durable=False)
    before_shadow = agent.run(QUESTIONS[0])  # asked before the candidate was there: not its business
    shadow.start(data_dir, candidate(tmp_path / "silent.safetensors"), "silent", 1.0)
    asked = [agent.run(question) for question in QUESTIONS]
    log = (data_dir / "trajectories.jsonl").read_bytes()
    store = Store(data_dir)
    kept = store.generation(store.scope_ids(Scope())[0])

    assert shadow.work(data_dir, agent) == 2
    done = shadow.results(data_dir, "silent")
    assert {one.id for one in done} == {run.id for run in asked} and before_shadow.id not in {
        o.id for o in done
    }
    for one, run in zip(done, asked, strict=True):
        assert one.live["short"] == run.answer.short and one.live["searches"] == run.answer.cost.searches
        assert one.live["answered"] == 1.0 and one.candidate["answered"] == 0.0 and not one.same
        assert one.candidate["actions"] == ["abstain"] and one.candidate["searches"] == 0
        assert one.policies[1].startswith("silent@") and not one.error
    assert (data_dir / "trajectories.jsonl").read_bytes() == log
    assert store.generation(store.scope_ids(Scope())[0]) == kept
    assert not live_name(data_dir)
    assert shadow.work(data_dir, agent) == 0  # nothing is compared twice

    found = shadowed(data_dir)
    assert found["compared"] == 2 and found["running"] and not found["budget_spent"]
    assert found["same"]["mean"] == 0.0
    gap = found["measures"]["searches"]["difference"]
    assert gap["mean"] == -sum(run.answer.cost.searches for run in asked) / 2 and gap["low"] <= gap["mean"]
    assert {row["candidate"]["answer"] for row in found["changed"]} == {"(none)"}
    assert "2 questions compared" in shadow_grid(found).title
    store.close()


def test_start_stop_budget_and_audit(data_dir: Path, tmp_path: Path) -> None:
    weights = candidate(tmp_path / "p.safetensors", "graph")
    promote(data_dir, weights, "first")
    for share in (0.0, 1.2):
        with pytest.raises(InputError, match="--share"):
            shadow.start(data_dir, weights, "second", share)
    with pytest.raises(InputError, match="cannot be called"):
        shadow.start(data_dir, weights, "../x", 0.5)
    (tmp_path / "bad.safetensors").write_bytes(b"no")
    with pytest.raises(StoreError):
        shadow.start(data_dir, tmp_path / "bad.safetensors", "bad", 0.5)
    shadow.start(data_dir, weights, "second", 0.25, questions=1)
    state = shadow.current(data_dir)
    assert state is not None and live_name(data_dir) == "first"
    drawn = sum(state.draws(f"run-{n}") for n in range(4000))
    assert 900 < drawn < 1100
    record = shadow.stop(data_dir)
    assert (record.event, record.before) == ("shadow-end", "first")
    with pytest.raises(InputError, match="No policy runs"):
        shadow.stop(data_dir)
    assert [one.event for one in audit(data_dir)] == ["promote", "shadow", "shadow-end"]
    assert rollback(data_dir).event == "rollback"  # a shadow is no promotion that could be taken back
    (data_dir / "policies" / shadow.STATE).write_text("{broken")
    assert shadow.current(data_dir) is None


def test_it_waits_for_people_stops_when_told_and_keeps_to_its_budget(data_dir: Path, tmp_path: Path) -> None:
    agent = open_agent(data_dir, settings=Settings(memory=MemoryConfig(use=False)), durable=False)
    shadow.start(data_dir, candidate(tmp_path / "p.safetensors", "graph"), "slow", 1.0, questions=1)
    for question in QUESTIONS:
        agent.run(question)
    looks = []

    def busy() -> bool:
        looks.append(len(shadow.results(data_dir, "slow")))
        return len(looks) in (2, 3)  # twice somebody asks in the middle

    with pytest.raises(Cancelled):
        shadow.work(data_dir, agent, cancelled=lambda: len(looks) > 3, busy=busy)
    assert not shadow.results(data_dir, "slow")
    looks.clear()
    assert shadow.work(data_dir, agent, busy=busy) == 1  # the second one is beyond the budget of one question
    assert shadowed(data_dir)["budget_spent"] and len(looks) > 4


def test_a_failing_candidate_is_on_record(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = open_agent(
        data_dir, settings=Settings(agent=AgentConfig(policy="always-single"), memory=MemoryConfig(use=False)),
        durable=False,
    )  # fmt: skip
    shadow.start(data_dir, candidate(tmp_path / "p.safetensors"), "broken", 1.0)
    agent.run(QUESTIONS[0])

    def fails(*_: object, **__: object) -> object:
        raise StoreError("the disk is gone")

    monkeypatch.setattr("agent.shadow.Agent.stream", fails)
    assert shadow.work(data_dir, agent) == 1
    (one,) = shadow.results(data_dir, "broken")
    assert one.error == "the disk is gone" and shadowed(data_dir)["failed"] == 1
    path = data_dir / "policies" / "broken" / shadow.RESULTS
    path.write_text(path.read_text() + json.dumps({"id": "cut"})[:4])
    assert len(shadow.results(data_dir, "broken")) == 1
