"""The pages run as Streamlit runs them, over a real data folder, a real agent and real jobs."""

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.session import Workspace, workspace
from index.ingest import ingest
from index.types import Scope

MAIN = Path(__file__).parents[2] / "app" / "main.py"
SECONDS = 60.0
BRIDGE = """# The Tern Bridge

The Tern Bridge was designed by Ilse Marn. It crosses the Oster at Holm and was opened in May 1902.

## Toll

The toll was two crowns until 1931.
"""
MARN = """# Ilse Marn

Ilse Marn was an engineer of Osterland. Ilse Marn was born in Vell in 1861.
"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace with two documents and one file that could not be read."""
    folder = tmp_path_factory.mktemp("pages")
    files = folder / "files"
    files.mkdir()
    (files / "bridge.md").write_text(BRIDGE)
    (files / "marn.md").write_text(MARN)
    (files / "broken.pdf").write_bytes(b"%PDF-1.7 nothing more")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORAGE_DATA_DIR", str(folder / "data"))
        made = workspace()
        assert made.ready.wait(SECONDS)
        ingest(made.store, [files], "osterland")
        yield made
        made.runner.close()
        st.cache_resource.clear()


def _page(path: str = "", **query: str) -> AppTest:
    page = AppTest.from_file(str(MAIN), default_timeout=SECONDS)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    if path:
        page.switch_page(path)
        for name, value in query.items():
            page.query_params[name] = value
        page.run()
    assert not page.exception, page.exception
    return page


def _html(page: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in page.get("html"))


def _conversation(page: AppTest) -> str:
    """The conversation in the address bar; AppTest gives a list when the script did not set it itself."""
    found = page.query_params["c"]
    return found if isinstance(found, str) else found[0]


def _until_answered(opened: Workspace, page: AppTest) -> AppTest:
    for message in opened.conversations.messages(_conversation(page)):
        assert opened.runner.wait(message.job_id, SECONDS).state == "done", opened.runner.job(message.job_id)
    return page.run()


def test_the_empty_chat_offers_questions_made_from_these_documents(opened: Workspace) -> None:
    page = _page()
    deadline = time.monotonic() + SECONDS
    while opened.suggestions(Scope()) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    page.run()
    offered = [button.label for button in page.button if (button.key or "").startswith("example-")]
    assert "Who designed the Tern Bridge?" in offered
    assert "Answers come from your 2 documents" in _html(page)


def test_a_question_is_answered_with_a_citation_that_opens_its_evidence(opened: Workspace) -> None:
    page = _page()
    page.chat_input[0].set_value("Who designed the Tern Bridge?").run()
    page = _until_answered(opened, page)
    (message,) = opened.conversations.messages(_conversation(page))
    assert message.trajectory is not None
    answer = message.trajectory["answer"]
    assert "Ilse Marn" in answer["text"] and answer["citations"]
    assert "<summary>" in _html(page), "the steps are folded"

    number = answer["citations"][0]["number"]
    page.session_state["evidence"] = (message.id, number)  # what a click on a chip leaves behind
    page.run()
    marked = _html(page).split('<mark id="fg-quote">')[1].split("</mark>")[0]
    assert marked == answer["citations"][0]["quote"]
    page.button(key="close-evidence").click().run()
    assert "<mark" not in _html(page)


def test_a_reload_and_another_tab_find_the_conversation_by_its_address(opened: Workspace) -> None:
    page = _page()
    page.chat_input[0].set_value("When was Ilse Marn born?").run()
    page = _until_answered(opened, page)
    again = _page(c=_conversation(page))
    assert "When was Ilse Marn born?" in _html(again)
    assert any("When was Ilse Marn born" in button.label for button in again.sidebar.button)
    lost = _page(c="gone")
    assert "c" not in lost.query_params and "What would you like to know" in _html(lost)


def test_thumbs_down_asks_one_question_and_keeps_its_answer(opened: Workspace) -> None:
    page = _page()
    page.chat_input[0].set_value("Where was Ilse Marn born?").run()
    page = _until_answered(opened, page)
    conversation = _conversation(page)
    (message,) = opened.conversations.messages(conversation)
    page.feedback(key=f"thumb-{message.id}").set_value(0).run()
    page.get_by_key(f"cause-{message.id}").set_value("wrong evidence").run()
    (message,) = opened.conversations.messages(conversation)
    assert (message.thumb, message.cause) == (0, "wrong evidence")


def test_a_failed_job_says_why_and_can_be_asked_again(opened: Workspace) -> None:
    conversation = opened.conversations.start("Who designed the Tern Bridge?", Scope())
    message = opened.conversations.ask(conversation, "Who designed the Tern Bridge?")

    def broken(handle: object) -> dict[str, object]:
        raise OSError("the disk is full")

    opened.conversations.assign(message, opened.runner.submit("ask", broken, {}))
    opened.runner.wait(opened.conversations.messages(conversation)[0].job_id, SECONDS)
    page = _page(c=conversation)
    assert "the disk is full" in _html(page)
    page.button(key=f"again-{message}").click().run()
    page = _until_answered(opened, page)
    assert opened.conversations.messages(conversation)[0].trajectory is not None


def test_hostile_words_reach_the_page_as_text(opened: Workspace) -> None:
    hostile = '<img src=x onerror=alert(1)> ![p](https://evil.example/p.png) <script>alert("x")</script>'
    conversation = opened.conversations.start(hostile, Scope())
    message = opened.conversations.ask(conversation, hostile)
    opened.conversations.assign(message, opened.runner.submit("ask", lambda handle: {}, {}))
    page = _page(c=conversation)
    assert "<img" not in _html(page) and "<script" not in _html(page)
    assert "&lt;img src=x onerror=alert(1)&gt;" in _html(page)
    label = next(button.label for button in page.sidebar.button if button.key == f"open-{conversation}")
    assert "\\!\\[p\\]\\(" in label and "\\<img" in label
    opened.conversations.delete(conversation)


def test_the_scope_stays_with_its_conversation_and_narrows_the_answer(opened: Workspace) -> None:
    marn = next(d for d in opened.store.documents("osterland") if d.title == "Ilse Marn")
    conversation = opened.conversations.start("q", Scope(("osterland",), (marn.id,)))
    page = _page(c=conversation)
    assert page.button(key="scope").label == "1 document"
    page.chat_input[0].set_value("Who designed the Tern Bridge?").run()
    page = _until_answered(opened, page)
    (message,) = opened.conversations.messages(conversation)
    assert message.trajectory is not None
    assert all(c["document_id"] == marn.id for c in message.trajectory["answer"]["citations"])
    page.button(key="scope").click().run()
    assert page.multiselect(key="scope-collections").value == ["osterland"]
    assert page.multiselect(key="scope-documents").value == [marn.id]


def test_the_library_lists_documents_with_their_problems(opened: Workspace) -> None:
    page = _page("library.py")
    table = page.dataframe[0].value
    rows = {row["Title"]: row for _, row in table.iterrows()}
    assert rows["The Tern Bridge"]["Status"] == "ready" and rows["The Tern Bridge"]["Passages"] >= 1
    assert rows["broken.pdf"]["Status"] == "failed" and rows["broken.pdf"]["Problem"]
    page.text_input(key="find").set_value("marn").run()
    assert list(page.dataframe[0].value["Title"]) == ["Ilse Marn"]


def test_an_upload_becomes_a_searchable_document(opened: Workspace) -> None:
    opened.store.create_collection("lamps")  # AppTest cannot type a new option into a selectbox
    page = _page("library.py")
    page.file_uploader[0].set_value(
        ("../../lamps.md", b"# Lamps\n\nThe lamps of Holm burn whale oil.\n", "text/markdown")
    )
    page.selectbox(key="into").set_value("lamps").run()
    page.button(key="add").click().run()
    (job, *_) = opened.runner.jobs("ingest")
    assert opened.runner.wait(job.id, SECONDS).result["added"] == 1
    (document,) = opened.store.documents("lamps")
    path = Path(document.source)
    assert path.name == "lamps.md" and path.parents[1] == (opened.data_dir / "uploads").resolve()
    page.run()
    assert "1 added" in _html(page)
    assert "Lamps" in list(page.dataframe[0].value["Title"])


def test_one_document_is_shown_as_it_was_read(opened: Workspace) -> None:
    bridge = next(d for d in opened.store.documents("osterland") if d.title == "The Tern Bridge")
    page = _page("library.py", document=bridge.id)
    assert "two crowns until 1931" in _html(page)
    gone = _page("library.py", document="nothing")
    assert "does not exist here" in _html(gone)


def test_settings_save_a_model_without_ever_showing_its_key(opened: Workspace) -> None:
    page = _page("settings.py")
    page.radio(key="model-kind").set_value("openai").run()
    page.text_input(key="model-url").set_value("http://127.0.0.1:9/v1")
    page.text_input(key="model-name").set_value("tiny")
    page.text_input(key="model-key").set_value("sk-canary-1234")
    page.button(key="save").click().run()
    again = _page("settings.py")
    assert again.text_input(key="model-url").value == "http://127.0.0.1:9/v1"
    assert "sk-canary-1234" not in str([element.proto for element in again.main])
    page.text_input(key="model-url").set_value("ftp://nowhere")
    page.button(key="save").click().run()
    assert "http" in page.error[0].value
    again.radio(key="model-kind").set_value("none").run()
    again.button(key="save").click().run()
    assert not again.exception


def test_a_model_that_is_not_there_fails_its_test_in_words(opened: Workspace) -> None:
    page = _page("settings.py")
    page.radio(key="model-kind").set_value("openai").run()
    page.text_input(key="model-url").set_value("http://127.0.0.1:9/v1")
    page.text_input(key="model-name").set_value("tiny")
    page.number_input(key="model-timeout").set_value(2.0)
    page.button(key="test").click().run()
    assert opened.runner.wait(page.session_state["test-job"], SECONDS).state == "failed"
    page.run()
    assert page.error and "127" in page.error[0].value


def test_kept_uploads_are_versions_of_one_document(opened: Workspace) -> None:
    from app.work import forget_upload, keep_upload

    first = keep_upload(
        opened.store, opened.data_dir, "notes", "a.md", io.BytesIO(b"# A\n\nThe first text here.\n")
    )
    ingest(opened.store, [first], "notes")
    second = keep_upload(
        opened.store, opened.data_dir, "notes", "a.md", io.BytesIO(b"# A\n\nAnother text here.\n")
    )
    assert second == first
    ingest(opened.store, [second], "notes")
    (document,) = opened.store.documents("notes")
    assert "Another" in opened.store.document_text(document.id)
    assert keep_upload(opened.store, opened.data_dir, "other", "a.md", io.BytesIO(b"x")) != first
    forget_upload(opened.data_dir, document.source)
    assert not first.exists()


def test_reruns_do_not_use_up_file_descriptors(opened: Workspace) -> None:
    page = _page("library.py")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(8):
        page.run()
    assert len(os.listdir("/proc/self/fd")) - before < 8
