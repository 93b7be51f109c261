import json
import threading
import time
from pathlib import Path

import pytest

from agent.agent import Agent
from agent.build import open_agent
from agent.config import AgentConfig, ModelConfig, Settings
from agent.trace import TraceLog, trajectory_from
from agent.types import Step, Trajectory
from index.errors import InputError
from index.types import Scope


@pytest.fixture(scope="module")
def agent(corpus_dir: Path) -> Agent:
    return open_agent(corpus_dir, memory=False)


def test_a_question_is_answered_with_a_checked_citation(agent: Agent) -> None:
    answer = agent.ask("Who designed the Teal Bridge?")
    assert answer.short == "Mira Vell" and answer.kind == "answer"
    citation = answer.citations[0]
    assert citation.source == "bridge" and citation.supported
    text = agent.store.document_text(citation.document_id)
    assert text[citation.start : citation.end] == citation.quote
    assert "Mira Vell" in citation.quote
    assert all(claim.citations for claim in answer.claims)
    assert {n for c in answer.claims for n in c.citations} == {c.number for c in answer.citations}


def test_two_hops_cite_both_documents(agent: Agent) -> None:
    answer = agent.ask("In which town was the designer of the Teal Bridge born?")
    assert answer.short == "Tarsholm"
    assert {c.source for c in answer.citations} >= {"bridge", "vell"}


def test_what_is_not_there_is_not_made_up(agent: Agent) -> None:
    for question in ("Who paid for the Iron Bridge?", "What is the capital of Zelvonia?"):
        answer = agent.ask(question)
        assert answer.abstained, (question, answer.text)
        assert answer.short == "" and not answer.citations
        assert answer.missing


def test_talk_and_the_library_cost_no_search(agent: Agent) -> None:
    for message, kind in (("Hello!", "small_talk"), ("Thank you", "small_talk"),
                          ("How many documents are in this collection?", "library")):  # fmt: skip
        run = agent.run(message)
        assert run.answer.kind == kind and run.answer.cost.searches == 0
        assert [s.stage for s in run.steps] == ["gate", "answer"]
    assert "8 documents" in agent.ask("How many documents are in this collection?").text


def test_steps_stream_and_the_record_reads_back(agent: Agent) -> None:
    items = list(agent.stream("How long is the River Aske?"))
    *steps, record = items
    assert all(isinstance(step, Step) for step in steps) and isinstance(record, Trajectory)
    stages = [step.stage for step in record.steps]
    assert (
        stages[0] == "gate" and stages[-1] == "verify" and {"goal", "search", "read", "judge"} <= set(stages)
    )
    assert [step.index for step in record.steps] == list(range(len(steps)))
    assert record.answer.short.startswith("172")
    assert trajectory_from(json.loads(json.dumps(record.to_dict()))) == record


def test_every_run_is_logged_as_one_line(corpus_dir: Path, agent: Agent) -> None:
    log = TraceLog(corpus_dir / "trajectories.jsonl")
    before = len(list(log.read()))
    agent.ask("Who founded the Lantern Press?")
    records = list(log.read())
    assert len(records) == before + 1 and records[-1].question == "Who founded the Lantern Press?"
    with log.path.open("a") as file:
        file.write('{"half a line')
    assert len(list(log.read())) == before + 1
    log.append(records[-1])  # a process that was killed spoils only its own line
    assert len(list(log.read())) == before + 2


def test_budgets_end_in_an_answer_or_an_abstention(corpus_dir: Path) -> None:
    tight = open_agent(
        corpus_dir, memory=False, settings=Settings(agent=AgentConfig(max_searches=1, max_seconds=0.001))
    )
    answer = tight.ask("In which town was the designer of the Teal Bridge born?")
    assert answer.kind in ("answer", "abstention") and answer.cost.searches <= 1


def test_stop_ends_the_run(agent: Agent) -> None:
    seen: list[Step | Trajectory] = []
    for item in agent.stream("Who designed the Teal Bridge?", cancelled=lambda: len(seen) >= 2):
        seen.append(item)
    assert isinstance(seen[-1], Trajectory) and seen[-1].answer.stopped == "cancelled"
    assert len(seen) <= 4


def test_scope_is_respected(agent: Agent) -> None:
    iron = next(d.id for d in agent.store.documents() if d.source == "iron")
    answer = agent.ask("Who designed the Teal Bridge?", Scope(documents=(iron,)))
    assert {c.document_id for c in answer.citations} <= {iron}
    assert answer.abstained


def test_questions_in_parallel_do_not_mix(agent: Agent) -> None:
    wanted = {
        "Who designed the Teal Bridge?": "Mira Vell",
        "How long is the River Aske?": "172",
        "Who founded the Lantern Press?": "Jon Aldin",
    }
    found: dict[str, str] = {}

    def work(question: str) -> None:
        found[question] = agent.ask(question).short

    threads = [threading.Thread(target=work, args=(question,)) for question in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found[q].startswith(short) for q, short in wanted.items()), found


def test_odd_input(agent: Agent) -> None:
    with pytest.raises(InputError, match="empty"):
        agent.ask("   ")
    with pytest.raises(InputError, match="10,000"):
        agent.ask("a" * 10_001)
    agent.ask("?!? \x00 \u202e 中文")


def test_an_empty_data_folder_answers_honestly(tmp_path: Path) -> None:
    empty = open_agent(tmp_path)
    assert empty.ask("Who designed the Teal Bridge?").abstained
    assert "no documents" in empty.ask("Hello!").text


def test_a_dead_model_endpoint_leaves_an_answer_and_a_notice(corpus_dir: Path) -> None:
    model = ModelConfig(
        kind="openai", name="m", base_url="http://127.0.0.1:9/v1", max_retries=0, timeout_seconds=2
    )
    began = time.monotonic()
    answer = open_agent(corpus_dir, memory=False, settings=Settings(model=model)).ask(
        "Who designed the Teal Bridge?"
    )
    assert answer.short == "Mira Vell" and answer.brain == "embedded"
    assert "language model" in answer.notice
    assert time.monotonic() - began < 60
