"""Spans of a question: one agent span with its steps as children, and nothing private in them by default."""

from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent.agent import Agent
from agent.build import open_agent
from agent.config import Settings, load_settings
from agent.telemetry import Spans
from index.errors import InputError

QUESTION = "Who designed the Teal Bridge?"


def _watched(corpus_dir: Path, content: bool = False) -> tuple[Agent, InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    plain = open_agent(corpus_dir, memory=False, durable=False)
    return Agent(plain.searcher, Settings(), None, spans=Spans(provider, content)), exporter


def test_a_question_is_one_span_with_a_child_for_each_step(corpus_dir: Path) -> None:
    agent, exporter = _watched(corpus_dir)
    run = agent.run(QUESTION)
    spans = exporter.get_finished_spans()
    root = next(span for span in spans if span.name == "invoke_agent forage")
    children = [span for span in spans if span.parent and span.parent.span_id == root.context.span_id]
    assert len(children) == len(run.steps) == len(spans) - 1
    assert root.attributes is not None
    assert root.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert (
        root.attributes["gen_ai.agent.name"] == "forage" and root.attributes["gen_ai.response.id"] == run.id
    )
    assert root.attributes["forage.searches"] == run.answer.cost.searches
    search = next(span for span in children if span.name == "execute_tool search")
    assert search.attributes is not None
    assert search.attributes["gen_ai.tool.name"] == "search" and search.attributes["forage.search.hits"]
    assert search.start_time and search.end_time and search.end_time > search.start_time
    everything = " ".join(str(span.attributes) for span in spans)
    assert "Mira Vell" not in everything and QUESTION not in everything


def test_content_only_on_request_and_errors_are_marked(corpus_dir: Path) -> None:
    agent, exporter = _watched(corpus_dir, content=True)
    agent.run(QUESTION)
    root = exporter.get_finished_spans()[-1]
    assert root.attributes is not None and root.attributes["gen_ai.input.messages"] == QUESTION
    exporter.clear()
    agent._graph = None
    with pytest.raises(AttributeError):
        agent.run(QUESTION)
    (root,) = exporter.get_finished_spans()
    assert root.attributes is not None and root.attributes["error.type"] == "AttributeError"
    with pytest.raises(InputError):
        agent.run(" ")


def test_off_by_default(tmp_path: Path) -> None:
    assert load_settings(tmp_path, environ={}).telemetry.spans is False
    assert load_settings(tmp_path, environ={"FORAGE_TELEMETRY_SPANS": "true"}).telemetry.spans is True
