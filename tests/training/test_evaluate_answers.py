import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.types import Answer, Citation, Cost, Step, Trajectory
from index.encoders import MiniLMEmbedder
from index.errors import InputError, ModelError
from index.types import Scope
from training.benchmark_index import BenchmarkIndex, open_index
from training.cli import eval_commands
from training.data import load_questions, open_data
from training.evaluate_answers import METRICS, collect, evaluate, grids, make_cases, result


@pytest.fixture(scope="module")
def index(pool: Path, cache: Path, embedder: MiniLMEmbedder) -> Iterator[BenchmarkIndex]:
    with open_index(open_data(pool), (), embedder, cache) as opened:
        yield opened


class Scripted:
    """Answers by a fixed table, each citing the whole document it names."""

    def __init__(self, index: BenchmarkIndex) -> None:
        self.index = index
        self.scopes: list[Scope] = []
        self.threads: set[int] = set()
        self._lock = threading.Lock()

    def run(self, question: str, scope: Scope = Scope()) -> Trajectory:  # noqa: B008
        with self._lock:
            self.scopes.append(scope)
            self.threads.add(threading.get_ident())
        if question.startswith("How deep"):
            raise ModelError("The reader broke.")
        if question.startswith("Who built"):
            return self._made(
                question, Answer("Mira Vell.", "Mira Vell", "answer", citations=self._cite("mill"))
            )
        if question.startswith("In which"):
            return self._made(question, Answer("", "", "abstention"))
        if question.startswith("Who directed"):
            return self._made(question, Answer("", "", "abstention"))
        return self._made(question, Answer("Hello!", "", "small_talk"), searches=0)

    def _cite(self, source: str) -> tuple[Citation, ...]:
        document_id = self.index.locator.ids_by_source[source]
        text = self.index.store.document_text(document_id)
        return (Citation(1, "n", 1, document_id, source, source, "", None, 0, len(text), text, True, 1.0),)

    def _made(self, question: str, answer: Answer, searches: int = 1) -> Trajectory:
        answer = replace(answer, cost=Cost(searches=searches, context_tokens=100))
        steps = (Step(0, "gate", "looked", 0.1),)
        return Trajectory("t", question, (), (), (), steps, (), answer, "p", "f", 0.0)


@pytest.mark.parametrize("workers", [1, 3])
def test_run_is_scored_and_written(index: BenchmarkIndex, pool: Path, tmp_path: Path, workers: int) -> None:
    agent, data = Scripted(index), open_data(pool)
    cases = make_cases(load_questions(pool / "dev.jsonl"), data, index.locator, "pool")
    out = tmp_path / "out.jsonl"
    outcomes = collect(evaluate(agent, index.store, cases, workers), out)
    found = result(outcomes, {"data": "smallpool"})

    assert set(METRICS) <= found.keys()
    assert all(set(found[name]) == {"mean", "low", "high"} for name in METRICS)
    assert found["n"] == 5
    assert found["failed"] == 1
    assert found["em"]["mean"] == pytest.approx(1 / 3)  # q1 right, q2 abstained, q3 broke
    assert found["evidence_recall"]["mean"] == pytest.approx(1 / 3)
    assert found["citation_precision"]["mean"] == 1.0
    assert found["abstain_precision"]["mean"] == 0.5  # q4 of q2 and q4
    assert found["abstain_recall"]["mean"] == 1.0
    assert found["searches"]["mean"] == 0.75  # the broken run has no searches to count
    assert found["right"]["mean"] == pytest.approx(3 / 5)
    assert found["by_type"]["one"] == found["by_type"]["one"] | {"n": 2, "em": 0.5, "abstain_recall": None}
    assert found["by_type"]["small_talk"]["right"] == 1.0

    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["id"] for line in lines] == ["q1", "q2", "q3", "q4", "q5"]
    assert lines[0]["short"] == "Mira Vell"
    assert lines[0]["evidence_found"] == ["mill"]
    assert lines[0]["citations"][0]["source"] == "mill"
    assert lines[0]["citations"][0]["valid"]
    assert lines[0]["stages"] == [{"stage": "gate", "seconds": 0.1, "summary": "looked"}]
    assert lines[1]["evidence_missed"] == ["mill", "vell"]
    assert lines[2]["error"] == "The reader broke."
    assert {scope.collections for scope in agent.scopes} == {("smallpool",)}
    assert {scope.documents for scope in agent.scopes} == {()}


def test_tables_show_every_metric(index: BenchmarkIndex, pool: Path) -> None:
    cases = make_cases(load_questions(pool / "dev.jsonl"), open_data(pool), index.locator, "pool")
    main, by_type = grids(result(tuple(evaluate(Scripted(index), index.store, cases)), {}), "smallpool")
    shown = {row[0]: row[1] for row in main.rows}
    assert shown["em"] == "33.3"
    assert shown["searches"] == "0.75"
    assert [row[:2] for row in by_type.rows] == [
        ("none", "1"),
        ("one", "2"),
        ("small_talk", "1"),
        ("two", "1"),
    ]


def test_context_scope_is_the_questions_own_documents(index: BenchmarkIndex, pool: Path) -> None:
    cases = make_cases(load_questions(pool / "dev.jsonl"), open_data(pool), index.locator, "context")
    sources = {
        case.example.id: {index.store.document(i).source for i in case.scope.documents} for case in cases
    }
    # q1 has candidates, q2 and q3 only their gold; q4 and q5 name nothing and are left out.
    assert sources == {"q1": {"mill", "bread", "choir"}, "q2": {"mill", "vell"}, "q3": {"brune"}}


def test_context_scope_without_any_context_is_an_error(index: BenchmarkIndex, pool: Path) -> None:
    talk = load_questions(pool / "dev.jsonl")[3:]
    with pytest.raises(InputError, match="None of the 2 questions"):
        make_cases(talk, open_data(pool), index.locator, "context")


def test_an_interrupted_run_keeps_its_lines(index: BenchmarkIndex, pool: Path, tmp_path: Path) -> None:
    cases = make_cases(load_questions(pool / "dev.jsonl"), open_data(pool), index.locator, "pool")

    def until_stopped() -> Iterator[object]:
        yield from list(evaluate(Scripted(index), index.store, cases[:2]))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(until_stopped(), tmp_path / "out.jsonl")  # type: ignore[arg-type]
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("scope", "ids"), [("pool", ["q1", "q2", "q3", "q4", "q5"]), ("context", ["q1", "q2", "q3"])]
)
def test_the_real_agent_end_to_end(
    pool: Path, cache: Path, tmp_path: Path, scope: str, ids: list[str]
) -> None:
    out = tmp_path / "out.json"
    arguments = [
        "--data",
        str(pool),
        "--cache",
        str(cache),
        "--scope",
        scope,
        "--json",
        str(out),
        "--markdown",
    ]
    done = CliRunner().invoke(eval_commands, ["answers", *arguments])
    if done.exception is not None:
        raise done.exception
    found = json.loads(out.read_text())
    lines = [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ids
    assert found["n"] == len(ids)
    assert found["scope"] == scope
    assert found["failed"] == 0
    assert found["em"]["low"] <= found["em"]["mean"] <= found["em"]["high"]
    assert found["citation_valid"]["mean"] == 1.0
    assert found["seconds"]["mean"] > 0
    assert f"| em | {100 * found['em']['mean']:.1f} |" in done.output
    first = lines[0]
    assert first["citations"]
    assert {c["source"] for c in first["citations"]} <= {"mill", "bread", "choir"} or scope == "pool"
    assert [stage["stage"] for stage in first["stages"]][0] == "gate"
    if scope == "pool":
        assert lines[4]["kind"] == "small_talk"
        assert lines[4]["metrics"]["right"] == 1.0
    else:
        assert "2 questions name no passages" in done.output


def test_questions_asked_without_capitals_are_answered_alike(pool: Path, cache: Path, tmp_path: Path) -> None:
    said = {}
    for name, extra in (("written", []), ("lower", ["--lower-case"])):
        out = tmp_path / f"{name}.json"
        arguments = ["answers", "--data", str(pool), "--cache", str(cache), "--json", str(out), *extra]
        done = CliRunner().invoke(eval_commands, arguments)
        assert done.exception is None, done.exception
        said[name] = [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()]
    assert all(line["question"] == line["question"].lower() for line in said["lower"])
    assert [line["short"] for line in said["lower"]] == [line["short"] for line in said["written"]]
