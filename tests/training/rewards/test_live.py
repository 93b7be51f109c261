"""Logged trajectories as episodes: a real run, older and newer forms of the log, gold from a question set."""

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agent.build import open_agent
from agent.config import Settings
from agent.types import Completion
from app.__main__ import app
from index.errors import InputError
from index.ingest import ingest
from index.store import Store
from training.data import Evidence as GoldQuote
from training.data import QAExample
from training.rewards.compose import load_papers, load_presets
from training.rewards.contract import Step, score_group
from training.rewards.live import (
    Gold,
    GoldBook,
    episode_from,
    shown_ids,
    stop_probability,
    texts_of,
    vectors_of,
    with_gold,
)
from training.rewards.reasons import why
from training.rewards.registry import REWARDS
from training.rewards.scoring import score_records, siblings

BRIDGE = "# The Tern Bridge\n\nThe Tern Bridge was designed by Ilse Marn. It was opened in May 1902.\n"
MARN = "# Ilse Marn\n\nIlse Marn was an engineer. Ilse Marn was born in Vell in 1861.\n"
QUESTION = "Who designed the Tern Bridge?"
EXAMPLE = QAExample(
    "1",
    QUESTION,
    ("Ilse Marn",),
    evidence=(GoldQuote("bridge.md", "The Tern Bridge was designed by Ilse Marn."),),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with three logged runs of the real agent."""
    root = tmp_path_factory.mktemp("live")
    (root / "files").mkdir()
    (root / "files" / "bridge.md").write_text(BRIDGE)
    (root / "files" / "marn.md").write_text(MARN)
    data = root / "data"
    store = Store.open(data)
    ingest(store, [root / "files"], "tern")
    store.close()
    agent = open_agent(data, settings=Settings())
    for question in (QUESTION, "who designed the Tern Bridge", "Hello!"):
        agent.ask(question)
    return data


@pytest.fixture
def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "trajectories.jsonl").read_text().splitlines()]


def test_a_real_run_becomes_an_episode(folder: Path, records: list[dict[str, Any]]) -> None:
    store = Store.open(folder)
    gold = GoldBook(store, [EXAMPLE]).gold("WHO designed the Tern Bridge")
    store.close()
    assert gold is not None and gold.answerable and len(gold.evidence) == 1
    episode = episode_from(records[0], {}, gold)
    assert episode.answer == "Ilse Marn" and not episode.abstained and episode.well_formed
    assert episode.searches and episode.searches[0].results and episode.searches[0].tokens > 0
    assert episode.searches[0].useful and episode.searches[0].accepted is not None
    assert 0 <= (episode.searches[0].stop or 0) <= 1
    assert episode.citations[0].supported and episode.citations[0].passage_id in episode.gold_ids
    assert episode.steps[-1].action == "answer"


def test_scores_without_gold_say_what_they_lack(folder: Path, records: list[dict[str, Any]]) -> None:
    store = Store.open(folder)
    found = score_records(store, records, load_presets())
    store.close()
    assert [len(group["runs"]) for group in found["groups"]] == [
        2
    ]  # spellings of one question; talk left out
    run = found["groups"][0]["runs"][0]
    assert run["right"] is None and run["totals"]["balanced"] is None
    assert 0.3 <= run["totals"]["live"] <= 0.49
    for name, part in run["components"].items():
        assert part["why"], name
        if {"gold", "evidence", "label", "teacher", "feedback"} & set(REWARDS[name].needs):
            assert part["value"] is None, name
    assert run["components"]["em"] == {"value": None, "unit": None, "why": "no gold answer is known"}
    assert run["components"]["citation_supported"]["value"] == 1.0
    json.dumps(found)


def test_scores_with_gold(folder: Path, records: list[dict[str, Any]]) -> None:
    store = Store.open(folder)
    group = score_records(store, records, load_presets(), [EXAMPLE])["groups"][0]
    store.close()
    run = group["runs"][0]
    assert group["gold"] and run["right"] is True and run["totals"]["balanced"] > 0.49
    assert run["components"]["citation_f1"]["value"] == 1.0
    assert run["components"]["em"]["why"] == "“Ilse Marn” against “Ilse Marn”: right, word F1 1.00"


class Judge:
    """A language model that gives every answer the same score by any principle."""

    name = "judge"

    def complete(
        self, system: str, prompt: str, *, max_tokens: int = 512, deadline: float | None = None
    ) -> Completion:
        return Completion('{"A1": 4, "A2": 4}', 1, 1, "stop")


def test_a_language_models_verdicts_stand_beside_ours_and_say_whose_they_are(
    folder: Path, records: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [
        "train",
        "rewards",
        "score",
        "--data-dir",
        str(folder),
        "--with-model",
        "--principle",
        "be concise",
    ]
    with pytest.raises(InputError, match="name no language model"):
        CliRunner().invoke(app, command, catch_exceptions=False)
    monkeypatch.setattr("agent.llm.open_language_model", lambda config: Judge())
    told = CliRunner().invoke(app, [*command, "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert {name for name, made in found["rewards"].items() if made["body"] == "llm"} == {
        "nuggets_llm",
        "principle_llm",
    }
    assert found["rewards"]["principle_llm"]["about"].startswith("The episodes' answers by the principle")
    parts = found["groups"][0]["runs"][0]["components"]
    assert parts["principle_llm"] == {"value": 4.0, "unit": 0.75, "why": "as a language model judged it"}
    assert parts["nuggets_llm"]["value"] is None and "no facts" in parts["nuggets_llm"]["why"]
    shown = CliRunner().invoke(app, command, env={"COLUMNS": "160"}).stdout
    assert any("principle_llm" in line and " llm " in line for line in shown.splitlines())


def test_passages_of_the_store_keep_their_vectors(folder: Path, records: list[dict[str, Any]]) -> None:
    ids = shown_ids(records)
    with closing(Store.open(folder)) as store:
        vectors, texts = vectors_of(store, ids), texts_of(store, ids)
    assert set(vectors) == set(texts.values())
    assert all(abs(float(vector @ vector) - 1) < 1e-3 for vector in vectors.values())


def test_gold_that_is_not_in_the_library_is_left_out(folder: Path) -> None:
    store = Store.open(folder)
    elsewhere = QAExample(
        "2", QUESTION, ("x",), evidence=(GoldQuote("gone.md", "x"), GoldQuote("marn.md", "no quote"))
    )
    gold = GoldBook(store, [elsewhere]).gold(QUESTION)
    store.close()
    assert gold is not None and not gold.evidence


def test_a_log_of_another_age_is_read() -> None:
    bare = episode_from({"question": "q", "steps": [{"stage": "new"}], "answer": {"kind": "abstention"}})
    assert bare.abstained and not bare.searches and bare.confidence is None
    empty = episode_from({})
    assert empty.answer == "" and [step.action for step in empty.steps] == ["answer"]
    assert not episode_from({"answer": {"stopped": "cancelled"}}).well_formed


def test_the_probability_of_stopping_sums_every_way_to_stop() -> None:
    options = ["answer", "abstain", "search_hybrid"]
    listed = {"options": options, "chosen": "answer", "probabilities": [0.5, 0.2, 0.3]}
    assert stop_probability(listed) == pytest.approx(0.7)
    mapped = {**listed, "probabilities": dict(zip(options, (0.5, 0.2, 0.3), strict=True))}
    assert stop_probability(mapped) == pytest.approx(0.7)
    assert stop_probability({"options": options, "chosen": "answer"}) is None


def test_a_choice_that_only_stops_is_no_verdict() -> None:
    hit = {"stage": "search", "detail": {"query": "a", "hits": [{"passage_id": 1}]}}
    conclude = {"stage": "judge", "decision": {"options": ["answer", "abstain"], "chosen": "answer"}}
    assert episode_from({"question": "q", "steps": [hit, conclude]}).searches[0].accepted is None


def test_only_the_first_sight_of_gold_is_useful() -> None:
    hit = {"stage": "search", "detail": {"query": "a", "hits": [{"passage_id": 1, "score": 1}]}}
    from training.rewards.contract import Evidence

    episode = with_gold(
        episode_from({"question": "q", "steps": [hit, hit]}), Gold(("x",), True, (Evidence("1"),))
    )
    assert [step.useful for step in episode.searches] == [True, False]


@pytest.mark.parametrize("name", [r.name for r in REWARDS.values() if r.level != "formula"])
def test_every_value_has_a_reason(name: str) -> None:
    from training.rewards.hack_scenes import SCENES, honest, refusing, without_answer, wrong

    reward = REWARDS[name]
    group = [honest(SCENES[0]), wrong(SCENES[0]), refusing(SCENES[0])]
    for episode, value in zip(group, score_group(reward, group), strict=True):
        assert why(reward, episode, value).strip()
    bare = without_answer("q?", refuses=True)
    assert why(reward, bare, score_group(reward, [bare])[0]).strip()


def test_siblings_are_newest_first() -> None:
    made = [
        {"question": "A?", "started_at": 1},
        {"question": "b", "started_at": 2},
        {"question": "a", "started_at": 3},
    ]
    assert [[r["started_at"] for r in group] for group in siblings(made)] == [[1, 3], [2]]


def test_the_command(folder: Path, records: list[dict[str, Any]], tmp_path: Path) -> None:
    runner = CliRunner()
    scored = runner.invoke(app, ["train", "rewards", "score", "--data-dir", str(folder), "--json"])
    assert scored.exit_code == 0 and json.loads(scored.stdout)["preset"] == "live"
    asked = tmp_path / "questions.jsonl"
    asked.write_text(json.dumps({k: v for k, v in asdict(EXAMPLE).items() if k != "unanswerable"}))
    told = runner.invoke(
        app,
        ["train", "rewards", "score", "--data-dir", str(folder), "--trajectory", records[0]["id"][:9],
         "--preset", "citation", "--questions", str(asked)],
        env={"COLUMNS": "160"},
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert "1 passage cited, 1 of 1 gold ones" in told.stdout
    listed = json.loads(runner.invoke(app, ["train", "rewards", "list", "--json"]).stdout)
    assert {entry["name"] for entry in listed["rewards"]} == set(REWARDS) and listed[
        "presets"
    ].keys() == load_presets().keys() | load_papers().keys()
    assert all(entry["about"] for entry in listed["rewards"])
    assert "stop_choice" in runner.invoke(app, ["train", "rewards", "list", "--role", "process"]).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preset", "none"], "no preset 'none'"),
        (["--trajectory", "zzz"], "is not in it"),
        (["--limit", "2", "--data-dir", "nowhere"], "nothing was asked"),
    ],
)
def test_mistakes_are_told(folder: Path, arguments: list[str], message: str, tmp_path: Path) -> None:
    place = [] if "--data-dir" in arguments else ["--data-dir", str(folder)]
    with pytest.raises(Exception, match=message):
        CliRunner().invoke(app, ["train", "rewards", "score", *place, *arguments], catch_exceptions=False)


def test_a_step_has_defaults_for_what_was_not_logged() -> None:
    assert Step("search").stop is None
