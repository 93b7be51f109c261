"""The Memory page, the Why view and the corrected follow-up, as Streamlit runs them over a real data folder."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from agent.trace import trajectory_from
from app.session import Workspace, workspace
from app.why import why_html
from index.ingest import ingest
from index.types import Scope

MAIN = Path(__file__).parents[2] / "app" / "main.py"
SECONDS = 90.0
BRIDGE = "# The Tern Bridge\n\nThe Tern Bridge was designed by Ilse Marn. It was opened in May 1902.\n"
MARN = "# Ilse Marn\n\nIlse Marn was an engineer. Ilse Marn was born in Vell in 1861.\n"
WHO = "Who designed the Tern Bridge?"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace with two documents and one conversation of two turns."""
    folder = tmp_path_factory.mktemp("memory-page")
    (folder / "files").mkdir()
    (folder / "files" / "bridge.md").write_text(BRIDGE)
    (folder / "files" / "marn.md").write_text(MARN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORAGE_DATA_DIR", str(folder / "data"))
        made = workspace()
        assert made.ready.wait(SECONDS)
        ingest(made.store, [folder / "files"], "osterland")
        yield made
        made.runner.close()
        st.cache_resource.clear()


@pytest.fixture(scope="module")
def talk(opened: Workspace) -> str:
    """A conversation: a question and a follow-up, both answered."""
    scope = Scope(("osterland",))
    conversation = opened.conversations.start(WHO, scope)
    for question in (WHO, "Where was she born?"):
        opened.ask(conversation, question, scope)
        _answered(opened, conversation)
    return conversation


def _answered(opened: Workspace, conversation: str) -> None:
    for message in opened.conversations.messages(conversation):
        assert opened.runner.wait(message.job_id, SECONDS).state == "done", opened.runner.job(message.job_id)


def _page(path: str = "", **query: str) -> AppTest:
    page = AppTest.from_file(str(MAIN), default_timeout=SECONDS)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    if path:
        page.switch_page(path).run()
    assert not page.exception, page.exception
    return page


def _html(page: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in page.get("html"))


def test_a_follow_up_shows_what_it_was_taken_to_mean_and_can_be_corrected(
    opened: Workspace, talk: str
) -> None:
    page = _page(c=talk)
    message = opened.conversations.messages(talk)[1]
    assert "Understood as: Where was Ilse Marn born?" in _html(page)
    page.button(key=f"correct-{message.id}").click().run()
    field = page.text_input(key=f"text-meaning-{message.id}")
    assert field.value == "Where was Ilse Marn born?"
    field.set_value("In what year was Ilse Marn born?")
    next(b for b in page.button if b.label == "Ask this").click().run()
    _answered(opened, talk)
    again = opened.conversations.messages(talk)[1]
    assert again.trajectory is not None and again.question == "Where was she born?"
    assert again.trajectory["asked"] == "In what year was Ilse Marn born?"
    assert "1861" in again.trajectory["answer"]["short"]


def test_capitals_alone_are_put_right_without_a_word(opened: Workspace) -> None:
    scope = Scope(("osterland",))
    conversation = opened.conversations.start(WHO, scope)
    opened.ask(conversation, WHO.lower(), scope)
    _answered(opened, conversation)
    message = opened.conversations.messages(conversation)[0]
    assert message.trajectory is not None and message.trajectory["asked"] == "who designed the Tern Bridge?"
    assert "Ilse Marn" in message.trajectory["answer"]["short"]
    assert "Understood as" not in _html(_page(c=conversation))


def test_why_shows_each_decision_and_the_run_can_be_taken_along(opened: Workspace, talk: str) -> None:
    page = _page(c=talk)
    message = opened.conversations.messages(talk)[0]
    assert message.trajectory is not None
    assert "Instead of:" not in _html(page)
    page.button(key=f"toggle-why-{message.id}").click().run()
    shown = _html(page)
    for word in ("Chose <b>", "Instead of:", "Kept: ", " ms", "Policy packaged@", "It hung on"):
        assert word in shown, word
    assert page.get("download_button")
    assert (
        trajectory_from(json.loads(json.dumps(message.trajectory))).to_dict()
        == trajectory_from(message.trajectory).to_dict()
    )
    hostile = json.loads(json.dumps(message.trajectory))
    hostile["steps"][0]["summary"] = "<script>alert(1)</script>"
    assert "<script>" not in why_html(hostile, None)
    described = json.loads(json.dumps(message.trajectory))
    read = next(step for step in described["steps"] if step["stage"] == "read")
    read["detail"]["steps"] = [{"asks": "Who built <b>it</b>?", "answer": "Ilse Marn", "probability": 0.8123}]
    read["detail"]["waits"] = "Where was Ilse Marn born?"
    told = why_html(described, None)
    assert "Step: Who built &lt;b&gt;it&lt;/b&gt;? Ilse Marn (81%)" in told
    assert "Still to find: Where was Ilse Marn born?" in told


def test_the_memory_page_shows_corrects_forgets_and_exports(opened: Workspace, talk: str) -> None:
    page = _page("memory.py")
    shown = _html(page)
    assert WHO in shown and "Ilse Marn" in shown and "Usefulness" in shown
    memory = opened.agent().memory
    assert memory is not None
    entry = next(e for e in memory.remembered("osterland") if e.question == WHO)
    page.button(key=f"edit-{entry.key}").click().run()
    page.text_area(key=f"text-{entry.key}").set_value("Ilse Marn of Vell designed it.")
    next(b for b in page.button if b.label == "Save").click().run()
    assert "Ilse Marn of Vell designed it." in _html(page) and "by a person" in _html(page)
    run = opened.agent().run("By whom was the Tern Bridge designed?", Scope(("osterland",)))
    assert run.answer.cost.searches == 0 and run.answer.text == "Ilse Marn of Vell designed it. [1]"
    assert run.answer.notice == "A person corrected this answer."
    exported = [e.exported() for e in memory.remembered("osterland")]
    assert json.dumps(exported) and exported[0]["quotes"]

    page.text_input(key="memory-find").set_value("no such words").run()
    assert not [b for b in page.button if (b.key or "").startswith("forget-")]
    page.text_input(key="memory-find").set_value("").run()
    page.button(key=f"forget-{entry.key}").click().run()
    assert memory.recall(WHO, Scope(("osterland",))).answer is None
    page.button(key="memory-forget-all").click().run()
    page.button(key="memory-forget-sure").click().run()
    assert not memory.remembered("osterland") and not memory.records.list("note")


def test_a_thumb_in_the_chat_moves_the_usefulness(opened: Workspace) -> None:
    scope = Scope(("osterland",))
    conversation = opened.conversations.start("When was the Tern Bridge opened?", scope)
    opened.ask(conversation, "When was the Tern Bridge opened?", scope)
    _answered(opened, conversation)
    memory = opened.agent().memory
    assert memory is not None
    before = memory.remembered("osterland")[0].q
    page = _page(c=conversation)
    message = opened.conversations.messages(conversation)[0]
    page.feedback(key=f"thumb-{message.id}").set_value(0).run()
    assert memory.remembered("osterland")[0].q < before
    assert memory.recall("When was the Tern Bridge opened?", scope).answer is None
