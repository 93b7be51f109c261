import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from agent import promotion
from agent.build import open_agent
from agent.config import AgentConfig, Settings
from agent.policy import ACTIONS, FEATURES, Rules, Situation, always_single
from agent.policy_net import PolicyNet, save_net
from agent.promotion import LivePolicy, audit, live_name, pinned, promote, rollback
from agent.trained import TrainedPolicy, offered, open_trained
from index.errors import InputError, StoreError


def weights(path: Path, favourite: str, features: tuple[str, ...] = FEATURES) -> Path:
    """A network that likes one action best, whatever it sees."""
    n = len(features)
    bias = np.array([float(action == favourite) for action in ACTIONS], np.float32)
    arrays = {
        "mean": np.zeros(n), "deviation": np.ones(n), "projection": np.zeros((0, 0)), "w1": np.zeros((n, 4)),
        "b1": np.zeros(4), "w2": np.zeros((4, 4)), "b2": np.zeros(4), "w3": np.zeros((4, len(ACTIONS))), "b3": bias,
    }  # fmt: skip
    net = PolicyNet(features, ACTIONS, {k: v.astype(np.float32) for k, v in arrays.items()}, {})
    path.parent.mkdir(parents=True, exist_ok=True)
    save_net(path, net)
    return path


def seen(legal: tuple[str, ...], **values: float) -> Situation:
    return Situation(tuple(values.get(name, 0.0) for name in FEATURES), legal)


@pytest.mark.parametrize(
    ("unseen", "now", "action"),
    [
        (["gate_memory"], seen(("memory", "graph", "abstain"), gate_memory=0.9), "memory"),
        (["gate_memory"], seen(("memory", "graph", "abstain"), gate_memory=0.2), "graph"),
        (["gate_hopeless"], seen(("graph", "abstain"), gate_hopeless=1.0), "abstain"),
        (["gate_knows"], seen(("answer", "graph", "abstain"), gate_knows=0.1), "graph"),
        ([], seen(("memory", "graph", "abstain"), gate_memory=0.9), "memory"),
    ],
)
def test_what_training_never_saw_the_gate_decides(unseen: list[str], now: Situation, action: str) -> None:
    favourite = "memory" if not unseen else "graph"
    bias = np.array([float(a == favourite) + 2.0 * (a in ("memory", "answer")) for a in ACTIONS], np.float32)
    n = len(FEATURES)
    arrays = {
        "mean": np.zeros(n), "deviation": np.ones(n), "projection": np.zeros((0, 0)), "w1": np.zeros((n, 4)),
        "b1": np.zeros(4), "w2": np.zeros((4, 4)), "b2": np.zeros(4), "w3": np.zeros((4, len(ACTIONS))), "b3": bias,
    }  # fmt: skip
    net = PolicyNet(
        FEATURES, ACTIONS, {k: v.astype(np.float32) for k, v in arrays.items()}, {"unseen": unseen}
    )
    choice = TrainedPolicy("t", net).decide(now)
    assert choice.action == action
    assert set(choice.probabilities) == set(now.legal) and sum(
        choice.probabilities.values()
    ) == pytest.approx(1)


@pytest.mark.parametrize(
    ("likes", "probability", "legal", "action"),
    [
        ("abstain", 0.40, ("answer", "graph", "abstain"), "answer"),
        ("abstain", 0.2, ("answer", "graph", "abstain"), "abstain"),
        ("answer", 0.2, ("answer", "graph", "abstain"), "abstain"),
        ("answer", 0.40, ("answer", "graph", "abstain"), "answer"),
        ("graph", 0.2, ("answer", "graph", "abstain"), "graph"),
        ("abstain", 0.60, ("graph", "abstain"), "abstain"),
    ],
)
def test_the_judge_draws_the_line_between_an_answer_and_silence(
    tmp_path: Path, likes: str, probability: float, legal: tuple[str, ...], action: str
) -> None:
    policy = open_trained(weights(tmp_path / "p.safetensors", likes), "fixed")
    assert policy.decide(seen(legal, probability=probability, searches=1.0)).action == action


NOW = Situation((0.0,) * len(FEATURES), ("hybrid", "graph", "abstain"))


def test_a_promotion_takes_effect_at_once_and_rolls_back(tmp_path: Path) -> None:
    live = LivePolicy(tmp_path, Rules())
    assert live.current().name == "rules" and live_name(tmp_path) == ""
    promote(tmp_path, weights(tmp_path / "a.safetensors", "hybrid"), "first", reason="better")
    assert live.decide(NOW).action == "hybrid" and live.name == "first"
    promote(tmp_path, weights(tmp_path / "b.safetensors", "abstain"), "second", forced=True)
    assert live.decide(NOW).action == "abstain"
    assert rollback(tmp_path).name == "first" and live.decide(NOW).action == "hybrid"
    assert rollback(tmp_path, "enough").name == "" and live.current().name == "rules"
    with pytest.raises(InputError, match="nothing to roll back"):
        rollback(tmp_path)
    told = [(r.event, r.name, r.before, r.forced) for r in audit(tmp_path)]
    assert told == [
        ("promote", "first", "", False),
        ("promote", "second", "first", True),
        ("rollback", "first", "second", False),
        ("rollback", "", "first", False),
    ]


def test_one_question_keeps_the_policy_it_began_with(tmp_path: Path) -> None:
    live = LivePolicy(tmp_path, always_single())
    begun = pinned(live)
    promote(tmp_path, weights(tmp_path / "a.safetensors", "abstain"), "first")
    assert begun.name == "always-single" and pinned(live).name == "first"
    assert pinned(begun) is begun


def test_damaged_policies_leave_the_default_in_charge(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    live = LivePolicy(tmp_path, Rules())
    promote(tmp_path, weights(tmp_path / "a.safetensors", "hybrid"), "first")
    place = tmp_path / promotion.FOLDER / "first" / promotion.WEIGHTS
    place.write_bytes(place.read_bytes()[:-1] + b"x")
    assert live.current().name == "rules" and "default decides" in caplog.text
    (tmp_path / promotion.FOLDER / promotion.POINTER).write_text("[")
    assert live.current().name == "rules"


def test_other_features_are_refused(tmp_path: Path) -> None:
    other = weights(tmp_path / "a.safetensors", "hybrid", FEATURES[:-1])
    with pytest.raises(StoreError, match="other features"):
        promote(tmp_path, other, "first")
    with pytest.raises(InputError, match="cannot be called"):
        promote(tmp_path, weights(tmp_path / "b.safetensors", "hybrid"), "../first")
    assert not audit(tmp_path)


def test_readers_see_the_old_or_the_new_policy_never_half(tmp_path: Path) -> None:
    paths = [weights(tmp_path / f"{a}.safetensors", a) for a in ("hybrid", "abstain")]
    promote(tmp_path, paths[0], "p0")
    live, seen, done = LivePolicy(tmp_path, Rules()), set(), threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(live.decide(NOW).action)

    reader = threading.Thread(target=read)
    reader.start()
    for at in range(20):
        promote(tmp_path, paths[at % 2], f"p{at % 2}")
    done.set()
    reader.join()
    assert seen <= {"hybrid", "abstain"}


def test_sampling_repeats_and_follows_the_probabilities(tmp_path: Path) -> None:
    policy = open_trained(weights(tmp_path / "a.safetensors", "hybrid"), "x")
    drawn = []
    for seed in range(300):
        sampler = TrainedPolicy("x", policy.net, temperature=1.0, seed=seed)
        choice = sampler.decide(NOW)
        assert choice.action == sampler.decide(NOW).action
        drawn.append(choice.action)
    expected = np.exp(1) / (np.exp(1) + 2)
    assert drawn.count("hybrid") / 300 == pytest.approx(expected, abs=0.08)
    assert sum(policy.decide(NOW).probabilities.values()) == pytest.approx(1)


def test_the_audit_survives_a_cut_line(tmp_path: Path) -> None:
    promote(tmp_path, weights(tmp_path / "a.safetensors", "hybrid"), "first")
    path = tmp_path / promotion.FOLDER / promotion.AUDIT
    path.write_text(path.read_text() + json.dumps({"at": 1})[:-2])
    assert [r.name for r in audit(tmp_path)] == ["first"]
    promote(tmp_path, weights(tmp_path / "b.safetensors", "graph"), "second")
    assert [r.name for r in audit(tmp_path)] == ["first", "second"]


@pytest.mark.parametrize(
    ("likes", "now", "action"),
    [
        ("abstain", seen(("graph", "deep", "abstain")), "hybrid or deeper"),
        ("abstain", seen(("graph", "abstain"), gate_hopeless=0.9), "abstain"),
        ("answer", seen(("answer", "graph", "abstain"), searches=0.25, probability=0.1), "graph or abstain"),
        ("abstain", seen(("answer", "graph", "abstain"), searches=0.25, probability=0.9), "answer or graph"),
        ("abstain", seen(("abstain",), searches=1.0), "abstain"),
    ],
)
def test_one_that_learned_what_is_left_to_it_chooses_among_that(
    tmp_path: Path, likes: str, now: Situation, action: str
) -> None:
    path = weights(tmp_path / "p.safetensors", likes)
    net = open_trained(path, "x").net
    policy = TrainedPolicy("x", PolicyNet(net.features, net.actions, net.arrays, {"played": True}))
    choice = policy.decide(now)
    if action == "abstain":
        assert choice.action == "abstain"
    else:
        assert choice.action in offered(now) and choice.action != likes
        assert choice.probabilities[likes] == 0.0
    assert sum(choice.probabilities.values()) == pytest.approx(1)


def test_a_running_agent_follows_promotions_from_another_process(corpus_dir: Path, tmp_path: Path) -> None:
    """The agent that serves people stays open; `forage policy promote` and `rollback` run beside it."""
    data = Path(shutil.copytree(corpus_dir, tmp_path / "data"))
    weights(tmp_path / "runs" / "graphs" / "policy.safetensors", "graph")
    compared = tmp_path / "compared.json"
    compared.write_text(
        '{"a": "graphs", "b": "live", "n": 0, "measures": {}, "better": false, "reasons": ["not asked"]}'
    )
    agent = open_agent(data, memory=False, settings=Settings(agent=AgentConfig(max_seconds=3600)))
    where = ("--data-dir", str(data))

    def forage(*told: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "app", "policy", *told], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == code, done.stderr
        return " ".join(done.stderr.split())

    def decided() -> tuple[str, set[str]]:
        run = agent.run("Who designed the Teal Bridge?")
        levels = {
            step.decision.chosen for step in run.steps if step.decision and step.decision.name == "policy"
        }
        return run.policy.partition("@")[0], levels & {"hybrid", "graph", "deep"}

    assert decided() == ("packaged", {"deep"})
    given = ("--comparison", str(compared), "--runs", str(tmp_path / "runs"), *where)
    assert "was not promoted: not asked" in forage("promote", "graphs", *given, code=2)
    assert decided() == ("packaged", {"deep"})
    forage("promote", "graphs", "--force", *given)
    assert decided() == ("graphs", {"graph"})
    forage("rollback", "--reason", "enough", *where)
    assert decided() == ("packaged", {"deep"})
    assert [(r.event, r.name, r.before, r.forced) for r in audit(data)] == [
        ("promote", "graphs", "", True),
        ("rollback", "", "graphs", False),
    ]
