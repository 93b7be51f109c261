"""The Rewards page's arithmetic equals the trainers', and its job runs the real command."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from app.jobs import JobRunner
from app.scores import Ranked, moves, preset_weights, ranked, read_scores, scoring, state_of
from training.rewards.compose import compose, load_presets
from training.rewards.contract import unit
from training.rewards.hack_scenes import SCENES, blundering, honest, wrong
from training.rewards.registry import REWARDS
from training.rewards.scoring import preset_record

RUN = {
    "id": "r1", "question": "Who?", "started_at": 1.0, "steps": [], "notes": [], "policy": "rules",
    "answer": {"kind": "answer", "short": "Mira Vell", "text": "Mira Vell.", "citations": [], "cost": {}},
}  # fmt: skip


def _run(name: str, right: bool | None, **units: float | None) -> dict[str, Any]:
    return {"id": name, "right": right, "components": {k: {"unit": v} for k, v in units.items()}}


@pytest.mark.parametrize("name", ["balanced", "cost"])
def test_a_presets_own_weights_give_the_trainers_totals(name: str) -> None:
    preset, episodes = load_presets()[name], [honest(SCENES[0]), blundering(SCENES[0])]
    scored = compose(preset, episodes)
    runs = [
        _run(str(at), one.right, **{n: unit(REWARDS[n], value) for n, value in one.raw.items()})
        for at, one in enumerate(scored)
    ]
    found = {one.run["id"]: one.total for one in ranked(runs, preset.right)}
    assert [found[str(at)] for at in range(2)] == pytest.approx([one.total for one in scored])


def test_weights_of_a_preset_depend_on_what_is_known() -> None:
    live = preset_record(load_presets()["live"])
    unknown = preset_weights(live, [_run("a", None)])
    assert unknown == pytest.approx(live["unknown"])
    assert sum(preset_weights(live, [_run("a", True)]).values()) == pytest.approx(1.0)
    assert preset_weights({"right": {"em": 2.0}, "wrong": {}, "unknown": {}}, [_run("a", None)]) == {
        "em": 1.0
    }


def test_moving_a_slider_turns_the_ranking() -> None:
    runs = [_run("thorough", None, a=1.0, b=0.0), _run("cheap", None, a=0.0, b=1.0)]
    before, after = ranked(runs, {"a": 0.9, "b": 0.1}), ranked(runs, {"a": 0.1, "b": 0.9})
    assert [one.run["id"] for one in before] == ["thorough", "cheap"]
    assert [one.run["id"] for one in after] == ["cheap", "thorough"]
    assert moves(before, after) == {"cheap": 1, "thorough": -1}


def test_a_wrong_run_never_rises_above_a_right_one_and_nothing_is_made_up() -> None:
    runs = [_run("wrong", False, a=1.0), _run("right", True, a=0.0)]
    assert [one.run["id"] for one in ranked(runs, {"a": 1.0})] == ["right", "wrong"]
    assert ranked([_run("x", None, a=None)], {"a": 1.0}) == [Ranked(_run("x", None, a=None), None)]
    assert wrong(SCENES[0]).answer != honest(SCENES[0]).answer


def test_the_job_runs_the_command(tmp_path: Path) -> None:
    from index.store import Store

    Store.open(tmp_path).close()
    (tmp_path / "trajectories.jsonl").write_text(json.dumps(RUN) + "\n")
    runner = JobRunner(tmp_path / "jobs")
    done = runner.wait(runner.submit("rewards", scoring(tmp_path), {}), 110)
    runner.close()
    assert done.state == "done", done.error
    assert done.result["state"] == state_of(tmp_path) != ""
    found = read_scores(tmp_path)
    assert found is not None and found["groups"][0]["runs"][0]["answer"] == "Mira Vell"


def test_a_failure_is_told_and_stop_ends_the_process(tmp_path: Path) -> None:
    runner = JobRunner(tmp_path / "jobs")
    failed = runner.wait(runner.submit("rewards", scoring(tmp_path), {}), 110)
    assert failed.state == "failed" and "could not be scored" in failed.error
    job = runner.submit("rewards", scoring(tmp_path), {})
    threading.Event().wait(0.3)
    runner.cancel(job)
    assert runner.wait(job, 60).state in ("cancelled", "failed")
    runner.close()
    assert read_scores(tmp_path) is None
