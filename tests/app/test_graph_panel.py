"""The graph under an answer and in the library, as Streamlit runs them; and its commands."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from agent.types import Answer, Citation, Claim, Cost, Note, Step, Trajectory
from app.graph_panel import answered
from app.session import Workspace, workspace
from index.encoders import MiniLMEmbedder
from index.ingest import ingest_passages
from index.types import Passage, Scope

MAIN = Path(__file__).parents[2] / "app" / "main.py"
SECONDS = 60.0
HOSTILE = "<img src=x onerror=alert(1)> Vell"
ROWS = [
    {"id": "bridge", "title": "Teal Bridge", "text": "The Teal Bridge was designed by Mira Vell."},
    {"id": "vell", "title": HOSTILE, "text": "Mira Vell was born in Tarsholm."},
    {"id": "press", "title": "Lantern Press", "text": "The Lantern Press printed almanacs."},
]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, embedder: MiniLMEmbedder) -> Iterator[Workspace]:
    """A workspace with one small collection."""
    folder = tmp_path_factory.mktemp("graph")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORAGE_DATA_DIR", str(folder))
        made = workspace()
        assert made.ready.wait(SECONDS)
        ingest_passages(made.store, ROWS, "world", embedder=embedder)
        yield made
        made.runner.close()
        st.cache_resource.clear()


def passages(opened: Workspace) -> dict[str, Passage]:
    return {d.source: opened.store.passages_of(d.id)[0] for d in opened.store.documents("world")}


def trajectory(opened: Workspace) -> dict[str, Any]:
    """The record of a question that was answered from two passages."""
    found = passages(opened)
    notes, citations = [], []
    for number, name in enumerate(("bridge", "vell"), start=1):
        p = found[name]
        notes.append(
            Note(
                f"n{number}",
                p.text,
                p.text,
                p.id,
                p.document_id,
                p.title,
                p.source,
                "",
                None,
                p.start,
                p.end,
                "",
                0.9,
                3,
            )
        )
        citations.append(
            Citation(
                number,
                f"n{number}",
                p.id,
                p.document_id,
                p.title,
                p.source,
                "",
                None,
                p.start,
                p.end,
                p.text,
                True,
                0.9,
            )
        )
    hits = [{"passage_id": p.id, "title": p.title, "score": 0.5, "rank": 1} for p in found.values()]
    answer = Answer(
        "Tarsholm. [2]",
        "Tarsholm",
        "answer",
        (Claim("Tarsholm.", (2,)),),
        tuple(citations),
        0.9,
        cost=Cost(1, 90),
    )
    return Trajectory(
        id="t",
        question="Where was the designer of the Teal Bridge born?",
        collections=(),
        documents=(),
        history=(),
        steps=(Step(0, "search", "Found 3 passages", 0.1, {"hits": hits}),),
        notes=tuple(notes),
        answer=answer,
        policy="rules",
        fingerprint="",
        started_at=0.0,
    ).to_dict()


def conversation(opened: Workspace, record: dict[str, Any]) -> tuple[str, str]:
    """(conversation, message) with that answer."""
    made = opened.conversations.start(record["question"], Scope())
    message = opened.conversations.ask(made, record["question"])
    opened.conversations.answer(message, record)
    return made, message


def page_of(opened: Workspace, record: dict[str, Any], shown: bool = True) -> AppTest:
    made, message = conversation(opened, record)
    page = AppTest.from_file(str(MAIN), default_timeout=SECONDS)
    page.query_params["c"] = made
    if shown:
        page.session_state["graphs"] = {message}  # what a click on "Graph" leaves behind
    page.run()
    assert not page.exception, page.exception
    return page


def html(page: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in page.get("html"))


def charts(page: AppTest) -> list[dict[str, Any]]:
    return [json.loads(element.proto.spec) for element in page.get("echarts_chart")]


def test_a_record_becomes_what_the_picture_needs(opened: Workspace) -> None:
    record = trajectory(opened)
    found = passages(opened)
    made = answered(record)
    assert made.cited == (found["bridge"].id, found["vell"].id) and made.answer == found["vell"].id
    assert set(made.hits) == {p.id for p in found.values()}
    assert made.quotes[found["vell"].id] == "Mira Vell was born in Tarsholm."
    nothing = {**record, "notes": [], "answer": {**record["answer"], "citations": [], "short": ""}}
    assert replace(answered(nothing), hits={}) == answered({**nothing, "steps": []})


def test_the_graph_opens_under_its_answer_and_shows_the_way(opened: Workspace) -> None:
    page = page_of(opened, trajectory(opened))
    (option,) = charts(page)
    names = [node["name"] for node in option["media"][1]["option"]["series"][0]["data"]]
    assert {"Question", "Teal Bridge", "Mira Vell", "Tarsholm"} <= set(names)
    assert "Question → Teal Bridge → “Teal Bridge” → Mira Vell → “&lt;img src=x" in html(page)
    assert "<img" not in html(page)
    page.segmented_control[0].set_value("More").run()
    assert not page.exception and len(charts(page)) == 1


def test_no_picture_is_made_before_it_is_asked_for(opened: Workspace) -> None:
    assert charts(page_of(opened, trajectory(opened), shown=False)) == []


def test_an_abstention_shows_what_was_found_without_a_way(opened: Workspace) -> None:
    record = trajectory(opened)
    answer = {
        **record["answer"],
        "kind": "abstention",
        "citations": [],
        "claims": [],
        "short": "",
        "missing": "it",
    }
    page = page_of(opened, {**record, "notes": [], "answer": answer})
    assert len(charts(page)) == 1 and 'class="fg-way"' not in html(page)


def test_an_answer_whose_passages_are_gone_says_so(opened: Workspace) -> None:
    record = json.loads(json.dumps(trajectory(opened)).replace('"passage_id": ', '"passage_id": 99'))
    page = page_of(opened, record)
    assert charts(page) == [] and "no longer in the library" in html(page)


def test_small_talk_has_no_graph(opened: Workspace) -> None:
    record = trajectory(opened)
    answer = {**record["answer"], "kind": "small_talk", "citations": [], "claims": [], "text": "Hello."}
    assert charts(page_of(opened, {**record, "steps": [], "notes": [], "answer": answer})) == []


def test_the_library_counts_a_collection_when_its_graph_is_opened(opened: Workspace) -> None:
    page = AppTest.from_file(str(MAIN), default_timeout=SECONDS).run()
    page.switch_page("library.py").run()
    assert "Named by most documents" not in html(page)
    page.session_state["graph-of-world"] = True
    page.run()
    assert not page.exception
    assert "Named by most documents" in html(page) and "Mira Vell</span><b>2 documents" in html(page)
