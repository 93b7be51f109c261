"""The four scenarios: pairs are fair, rewards that read gold pass, blind ones do not, the command runs."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.__main__ import app
from index.errors import InputError
from training.rewards.contract import Episode, Reward, Score, score_group
from training.rewards.evaluate import accuracy, evaluate
from training.rewards.inspection import inspected
from training.rewards.learned_rows import trained
from training.rewards.registry import REWARDS
from training.rewards.scenario_sets import set_cases
from training.rewards.scenario_world import world_cases
from training.rewards.scenarios import SCENARIOS, Case, Pair, balanced, pairs_of
from training.rewards.speed import siblings, speed, speed_of_new_words
from training.rewards.suite_run import chosen

CASES = world_cases(11, 6)
PAIRS = balanced([pair for case in CASES for pair in pairs_of(case)])


def _accuracy(reward: Reward, scenario: str) -> float:
    return float(evaluate([reward], PAIRS)[reward.name][scenario]["accuracy"]["mean"])


def test_every_scenario_has_pairs_of_every_kind() -> None:
    kinds = {(pair.scenario, pair.kind) for pair in PAIRS}
    assert {scenario for scenario, _ in kinds} == set(SCENARIOS)
    assert len(kinds) == 12


def test_length_tells_nothing() -> None:
    for scenario in SCENARIOS:
        better, worse = (
            sum(len(getattr(pair, side).written.split()) for pair in PAIRS if pair.scenario == scenario)
            for side in ("better", "worse")
        )
        assert abs(better - worse) / better < 0.08, scenario


def test_refusing_always_and_answering_always_are_chance() -> None:
    for wanted in (True, False):
        lazy = Reward(
            "lazy", lambda e, w=wanted: float(e.abstained is w), 0, 1, "", "outcome", ("answer",), (), ""
        )
        assert _accuracy(lazy, "abstention") == pytest.approx(0.5, abs=0.02)


def test_gold_is_seen_and_what_does_not_see_it_is_blind() -> None:
    assert _accuracy(REWARDS["correct"], "conflict") == 1.0
    assert _accuracy(REWARDS["correct"], "abstention") == 1.0
    assert _accuracy(REWARDS["citation_f1"], "citation") == 1.0
    assert _accuracy(REWARDS["correct"], "citation") == 0.5  # the answer is the same
    assert _accuracy(REWARDS["right_and_cheap"], "multi-hop") == 1.0
    assert _accuracy(REWARDS["consistency"], "multi-hop") > 0.7  # a lost search forgets the bridge
    supported = evaluate([REWARDS["citation_supported"]], PAIRS, faults=True)["citation_supported"][
        "conflict"
    ]
    assert (
        supported["kinds"]["believes the false passage"]["ties"] == 1.0
    )  # its span does bear the false claim


def test_a_reward_that_turns_everything_round_scores_nothing() -> None:
    def against(episode: Episode) -> Score:
        found = REWARDS["correct"].score(episode)
        return None if found is None else 1 - found

    contrary = Reward("contrary", against, 0, 1, "", "outcome", ("answer",), (), "")
    assert _accuracy(contrary, "conflict") == 0.0


def test_the_interval_is_over_questions_and_none_is_counted_apart() -> None:
    def pair(case: str) -> Pair:
        return Pair("citation", "none", case, "s", Episode("q"), Episode("q"))

    found = accuracy([pair("a"), pair("a"), pair("b"), pair("c")], [1.0, 0.0, 1.0, None])
    assert found.interval.mean == pytest.approx(0.75)
    assert (found.scored, found.not_computable, found.ties) == (3, 1, 0.0)


def test_worlds_are_repeatable_and_answers_stand_in_their_passages() -> None:
    again = world_cases(11, 6)
    assert again == CASES and Counter(c.id.split("-")[0] for c in CASES).keys() >= {"single", "unanswerable"}
    for case in CASES:
        assert not case.golds or "comparison" in case.id or case.golds[0] in case.gold[-1].text
        assert all(s in p.text for s, p in zip(case.sentences, case.gold, strict=True))
        assert case.decoy not in case.golds


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Question sets of invented text in the form of the public ones."""
    draw = random.Random(0)
    names = [
        f"{first} {last}" for first in ("Orla", "Jon", "Mira", "Tess") for last in ("Fenn", "Aldin", "Vell")
    ]
    rows = [
        {
            "id": f"p{at}",
            "title": name,
            "text": f"{name} built the {place} Mill in {1800 + at}. It was opened soon after.",
        }
        for at, (name, place) in enumerate(
            zip(names, draw.sample([f"Oster{n}" for n in "abcdefghijkl"], 12), strict=True)
        )
    ]
    docs = [
        {"pid": "p0", "label": "correct", "answer": names[0]},
        {"pid": "p1", "label": "misinfo", "answer": names[1]},
    ]
    questions = [
        {"id": "one", "question": "Who built the first mill?", "answers": [names[0]], "supporting": ["p0"],
         "context": ["p0", "p1", "p2"], "meta": {"docs": docs}},
        {"id": "two", "question": "Who built the other?", "answers": [names[3]], "supporting": ["p2", "p3"],
         "context": ["p2", "p3", "p4", "p5"]},
        {"id": "when", "question": "In which year?", "answers": ["1804"], "supporting": ["p4"],
         "context": ["p4", "p5"]},
        {"id": "gone", "question": "Who painted it?", "answers": [], "supporting": [], "context": ["p6", "p7"],
         "meta": {"unanswerable": True}},
    ]  # fmt: skip
    folder = tmp_path / "invented"
    folder.mkdir()
    for file, records in (("corpus", rows), ("dev", questions)):
        (folder / f"{file}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return tmp_path


def test_cases_of_a_question_set(sets: Path) -> None:
    cases = {case.id: case for case in set_cases(sets, "invented", 9)}
    assert set(cases) == {"one", "two", "when", "gone"}
    assert cases["one"].lies[0].answer == "Jon Aldin" or cases["one"].lies[0].passage.id == "p1"
    assert (
        cases["two"].gold[-1].id == "p3" and cases["when"].decoy.isdigit() and cases["when"].decoy != "1804"
    )
    assert not cases["gone"].golds and cases["gone"].decoy
    kinds = {(p.scenario, p.kind) for case in cases.values() for p in pairs_of(case)}
    assert ("conflict", "believes the false passage") in kinds and ("abstention", "unanswerable") in kinds
    with pytest.raises(InputError, match="no question set"):
        set_cases(sets, "other", 3)


def test_a_case_without_a_wrong_answer_yields_only_citations() -> None:
    case = next(case for case in CASES if case.golds)
    bare = Case(case.id, case.source, case.question, case.golds, case.gold, case.sentences, case.noise)
    assert {pair.scenario for pair in pairs_of(bare)} == {"citation"}


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORAGE_DATA", raising=False)
    out = tmp_path / "rewards.json"
    run = CliRunner().invoke(
        app,
        ["eval", "rewards", "--rewards", "correct,encoder,preset citation", "--limit", "3",
         "--groups", "2", "--markdown", "--json", str(out)],
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    assert "| `" not in run.stdout and "| correct |" in run.stdout and "set FORAGE_DATA" in run.stdout
    result = json.loads(out.read_text())
    assert "kinds" not in out.read_text()  # only with --faults
    assert set(result["sources"]) == {"closed world"} and result["command"] and result["seed"] == 11
    assert set(result["speed"]["rewards"]) == {"(the encoder alone)", "encoder", "(all of these together)"}
    assert (
        result["sources"]["closed world"]["rewards"]["preset citation"]["citation"]["accuracy"]["mean"] == 1.0
    )


def test_an_unknown_reward_is_named() -> None:
    with pytest.raises(InputError, match="no 'nonsense'"):
        chosen("nonsense")


def test_speed_meets_new_texts_each_time() -> None:
    first, second = (speed_of_new_words([REWARDS["encoder"]], PAIRS, 2) for _ in range(2))
    assert first.answers == 16 and second.mean > 0.2 * first.mean  # the second run finds no cached answers


def test_siblings_are_the_different_runs_of_a_question() -> None:
    groups = siblings(PAIRS)
    assert len(groups) == len({(pair.source, pair.case) for pair in PAIRS})
    assert all(group.count(episode) == 1 for group in groups for episode in group)
    first, second = (speed([REWARDS["encoder"]], groups[:2]) for _ in range(2))
    assert first.answers == len(groups[0]) + len(groups[1]) and second.mean > 0.2 * first.mean


def test_learned_rewards_are_trained_on_another_world_and_looked_into() -> None:
    (model,) = trained(["learned pairs"], cases=2)
    rows = evaluate([model.reward], [pair for pair in PAIRS if pair.scenario == "conflict"][:4])
    assert rows["learned pairs"]["conflict"]["scored"] == 4
    said, silent = Episode("Who built it?", answer="Mira Vell"), Episode("Who built it?", abstained=True)
    together = score_group(model.reward, [said, silent, said])
    assert together == [pytest.approx(model.model.reward(said)), None, together[0]]
    found = inspected([model], {"closed world": PAIRS})
    probed = found["probes"]["another answer"]
    assert probed["pairs"] >= 8 and set(probed["by"]) == {
        "the answer's vector", "question and answer", "learned pairs",
    }  # fmt: skip
    assert all(0 <= row["accuracy"] <= 1 for row in probed["by"].values())
    assert "same answer, worse path" not in found["probes"]  # its words are the same
    halves = found["confidence"]["closed world"]["learned pairs"]
    assert set(halves) == {"surer half", "the rest"} and 0 <= halves["surer half"]["mean"] <= 1
    assert inspected([], {"closed world": PAIRS}) == {}
