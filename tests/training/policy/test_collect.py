"""Exploring with the real agent on the small pool: what is kept, resumed and compared."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.policy import ACTIONS, FEATURES, LEVELS
from agent.promotion import audit, live_name
from index.errors import Cancelled, InputError
from training.policy import collect as collecting
from training.policy.collect import Asked, Plan, collect, known
from training.policy.contest import open_named, play
from training.policy.forest import plant
from training.policy.rewarding import Pricing, load_policy_preset
from training.policy.sources import gather
from training.policy.trees import Tree, dump, prefixes
from training.policy_cli import policy_commands
from training.skills_cli import train_commands

PLAN = Plan(budget=3, longest=2)


@pytest.fixture(scope="module")
def asked(pool: Path, cache: Path) -> list[Asked]:
    return gather([pool], split="dev", limit=None, cache=cache, seed=1)


@pytest.fixture(scope="module")
def explored(asked: list[Asked], tmp_path_factory: pytest.TempPathFactory) -> tuple[Tree, ...]:
    return collect(asked, tmp_path_factory.mktemp("trees") / "trees.jsonl", PLAN)


def bare(tree: Tree) -> Tree:
    """Without times, which differ from run to run."""
    return replace(tree, moves={key: replace(move, seconds=0.0) for key, move in tree.moves.items()})


def test_small_talk_is_not_asked(asked: list[Asked]) -> None:
    assert [one.blank.id for one in asked] == ["q1", "q2", "q3", "q4"]
    assert asked[3].blank.answerable is False and asked[1].blank.evidence


def test_every_legal_action_was_explored_to_an_ending(explored: tuple[Tree, ...]) -> None:
    forest = plant(explored, ACTIONS, load_policy_preset(), Pricing())
    assert len(forest.trees) == 4 and forest.legal.any(axis=1).all()
    for tree in explored:
        assert all(len(s.features) == len(FEATURES) for s in tree.situations)
        for ending in tree.endings:
            assert all(key in tree.moves for key in prefixes(ending.path))
            assert sum(action in LEVELS for action in ending.path) <= PLAN.longest
    easy = explored[0]
    assert any(e.answer == "Mira Vell" and e.cited for e in easy.endings)
    assert any(move.useful for move in easy.moves.values())


def test_a_killed_collection_goes_on_and_ends_the_same(
    asked: list[Asked], explored: tuple[Tree, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, told = tmp_path / "trees.jsonl", []
    with pytest.raises(Cancelled):
        collect(
            asked, out, PLAN, tell=lambda done, of: told.append((done, of)), cancelled=lambda: len(told) == 2
        )
    out.write_text(out.read_text() + dump(explored[2])[:200])  # killed in the middle of a line
    calls = []
    work = collecting._one
    monkeypatch.setattr(collecting, "_one", lambda one, *rest: (calls.append(one.key), work(one, *rest))[1])
    again = collect(asked, out, PLAN)
    assert len(calls) == 2
    assert [bare(tree) for tree in again] == [bare(tree) for tree in explored]
    assert len(known(out)) == 4


def test_a_question_that_fails_is_recorded_and_the_others_go_on(
    asked: list[Asked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(agent: object, one: Asked, *_: object) -> Tree:
        if one.blank.id == "q1":
            raise InputError("broken")
        return replace(one.blank, id="made")

    monkeypatch.setattr(collecting, "explore_question", failing)
    assert len(collect(asked[:2], tmp_path / "trees.jsonl", PLAN)) == 1
    failures = [json.loads(line) for line in (tmp_path / collecting.FAILED).read_text().splitlines()]
    assert failures == [{"question": "smallpool/q1", "error": "broken"}]


def test_live_runs_of_two_policies(asked: list[Asked], tmp_path: Path) -> None:
    single, deep = play(
        [(name, open_named(name, tmp_path, None)) for name in ("always-single", "fixed-3-hop")],
        asked,
        Pricing(),
    )
    assert single.ids == deep.ids and single.mean("searches") == 1.0
    assert (deep.mean("searches") or 0) > 1 and (deep.mean("seconds") or 0) > 0
    with pytest.raises(InputError, match="no policy 'nobody'"):
        open_named("nobody", tmp_path, None)


def test_the_command_line_trains_compares_promotes_and_rolls_back(
    explored: tuple[Tree, ...], tmp_path: Path
) -> None:
    trees = tmp_path / "trees.jsonl"
    copies = [
        replace(t, id=f"{t.id}-{n}", question=f"{t.question} ({n})") for n in range(8) for t in explored
    ]
    trees.write_text("".join(dump(tree) + "\n" for tree in copies))
    run, data = tmp_path / "runs" / "first", tmp_path / "data"
    shell = CliRunner()

    def forage(group: str, *arguments: str) -> str:
        commands = {"train": train_commands, "policy": policy_commands}[group]
        done = shell.invoke(commands, list(arguments), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    where = ["--runs", str(run.parent), "--data-dir", str(data)]
    forage(
        "train", "policy", "--trees", str(trees), "--rounds", "1", "--out", str(run), "--data-dir", str(data)
    )
    assert {"config.json", "curves.json", "comparison.json", "policies.json", "report.md", "held_out.jsonl",
            "pairs-1.jsonl", "trajectories-sft.jsonl"} <= {path.name for path in run.iterdir()}  # fmt: skip
    out = tmp_path / "compare.json"
    forage("policy", "compare", "first", "oracle", "--trees", str(trees), "--json", str(out), *where)
    found = json.loads(out.read_text())
    assert found["n"] == 32 and found["measures"]["value"]["difference"]["mean"] <= 1e-9
    forage("policy", "promote", "first", "--force", *where)
    assert live_name(data) == "first"
    with pytest.raises(InputError, match="not better beyond noise"):
        shell.invoke(policy_commands, ["promote", "first", *where], catch_exceptions=False)
    listed = json.loads(forage("policy", "list", "--json", *where))
    assert listed["live"] == "first" and listed["runs"][0]["finished"]
    assert "The default policy is live again" in forage("policy", "rollback", *where[2:])
    assert [record.event for record in audit(data)] == ["promote", "rollback"]
