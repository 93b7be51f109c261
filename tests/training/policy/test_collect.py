"""Exploring with the real agent on the small pool: what is kept, resumed and compared."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.policy import ACTIONS, FEATURES, LEVELS, Choice, always_single
from agent.policy import Situation as Seen
from agent.promotion import audit, live_name
from index.errors import Cancelled, InputError
from training.policy import collect as collecting
from training.policy.collect import Asked, Plan, baselines, collect, known
from training.policy.contest import open_named, play
from training.policy.forest import plant
from training.policy.rewarding import Pricing, load_policy_preset
from training.policy.sources import gather
from training.policy.straying import share_straying, strays
from training.policy.trees import Tree, dump, parse, prefixes
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


class Insistent:
    """Searches as the cheap way goes as often as it may, which no baseline does."""

    name = "insistent"

    def decide(self, situation: Seen) -> Choice:
        for action in ("hybrid", "refine", "answer", "abstain"):
            if action in situation.legal:
                return Choice(action, {})
        return Choice(situation.legal[0], {})


def test_a_known_tree_is_explored_further_only_where_a_policy_would_leave_it(
    asked: list[Asked], explored: tuple[Tree, ...], tmp_path: Path
) -> None:
    policy, out = Insistent(), tmp_path / "trees.jsonl"
    assert not any(strays(named, tree) for named in baselines() for tree in explored)
    out.write_text("".join(dump(tree) + "\n" for tree in explored))
    left = [strays(policy, tree) for tree in explored]
    assert True in left and share_straying(policy, explored) == sum(map(bool, left)) / 4
    told: list[tuple[int, int]] = []
    grown = collect(asked, out, PLAN, policies=[policy], tell=lambda *done: told.append(done))
    assert len(told) == sum(map(bool, left)) and share_straying(policy, grown) == 0.0
    for before, after in zip(explored, grown, strict=True):
        assert {(e.path, e.answer) for e in before.endings} <= {(e.path, e.answer) for e in after.endings}
        assert before.moves.items() <= after.moves.items()
    assert plant(grown, ACTIONS, load_policy_preset(), Pricing()).legal.any(axis=1).all()
    lines = len(out.read_text().splitlines())
    collect(asked, out, PLAN, policies=[policy])
    assert len(out.read_text().splitlines()) == lines and len(known(out)) == 4


def test_a_file_that_does_not_tell_what_was_allowed(explored: tuple[Tree, ...]) -> None:
    older = json.loads(dump(explored[0]))
    for situation in older["situations"]:
        del situation["allowed"]
    tree = parse(json.dumps(older))
    assert strays(always_single(), tree) is None and share_straying(always_single(), [tree]) is None
    assert share_straying(always_single(), []) is None


def small(pool: Path, cache: Path) -> list[str]:
    """Options of a little exploring."""
    return ["--data", str(pool), "--split", "dev", "--budget", "2", "--cache", str(cache)]


def test_training_that_looks_where_its_policy_goes(pool: Path, cache: Path, tmp_path: Path) -> None:
    shell, out = CliRunner(), tmp_path / "run"
    ask = ["policy", "--rounds", "1", *small(pool, cache)]

    def train(*more: str) -> str:
        done = shell.invoke(train_commands, [*ask, "--out", str(out), "--data-dir", str(tmp_path), *more])
        return done.output + str(done.exception or "")

    said = train("--deepen", "1")
    assert (out / "policy.safetensors").is_file() and (out / "before-1" / "policy.safetensors").is_file(), (
        said
    )
    trees = list(known(next(cache.glob("explored-dev-*.jsonl"))).values())
    first = open_named(str(out / "before-1"), tmp_path, None)
    assert first is not None and share_straying(first, trees) == 0.0
    assert "--deepen asks the documents again" in str(
        shell.invoke(
            train_commands, ["policy", "--trees", str(tmp_path / "x"), "--deepen", "1", "--out", str(out)]
        ).exception
    )


def test_exploring_by_command(pool: Path, cache: Path, tmp_path: Path) -> None:
    shell, out = CliRunner(), tmp_path / "explored.jsonl"
    ask = ["explore", "--out", str(out), *small(pool, cache)]
    done = shell.invoke(policy_commands, [*ask, "--policy", "live", "--data-dir", str(tmp_path)])
    assert done.exit_code == 0 and "4 of 4 questions explored" in done.output
    shipped = open_named("live", tmp_path, tmp_path)
    assert shipped is not None and share_straying(shipped, list(known(out).values())) == 0.0
    oracle = shell.invoke(policy_commands, [*ask, "--policy", "oracle"])
    assert isinstance(oracle.exception, InputError) and "oracle" in str(oracle.exception)
    nothing = shell.invoke(policy_commands, ["explore", "--out", str(out)])
    assert isinstance(nothing.exception, InputError) and "--data" in str(nothing.exception)


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
