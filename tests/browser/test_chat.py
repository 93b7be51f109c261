"""The whole application in a real headless Chromium: what a stranger does in the first five minutes."""

import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.config import AgentConfig, ModelConfig, Settings, save_settings
from index.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
playwright = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "collection"
PATIENCE = 120_000  # milliseconds: the machine may be busy
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def _rows(kind: str) -> list[dict[str, Any]]:
    """The example questions of one type with their answers and evidence."""
    rows = [json.loads(line) for line in (EXAMPLES.parent / "questions.jsonl").read_text().splitlines()]
    return [row for row in rows if row["type"] == kind]


def _about_a_pdf() -> dict[str, Any]:
    """A single-hop question whose evidence stands in a PDF."""
    return next(row for row in _rows("single") if row["evidence"][0]["source"].endswith(".pdf"))


def _states(text: str, row: dict[str, Any]) -> bool:
    return any(answer in text for answer in row["answers"])


@pytest.fixture
def page(browser: "playwright.Browser", address: str) -> Iterator["playwright.Page"]:
    """A fresh desktop page that fails the test when anything is asked of another machine."""
    context = browser.new_context(viewport=DESKTOP)
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    strangers: list[str] = []
    opened.on("request", lambda r: strangers.append(r.url) if not _ours(r.url, address) else None)
    opened.goto(address)
    opened.get_by_placeholder("Ask your documents").wait_for()
    yield opened
    context.close()
    assert not strangers, strangers


def _ours(url: str, address: str) -> bool:
    return url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))


def _ask(page: "playwright.Page", question: str) -> None:
    page.get_by_placeholder("Ask your documents").fill(question)
    page.keyboard.press("Enter")
    page.locator(".fg-question", has_text=question).last.wait_for()


def _until_answered(page: "playwright.Page") -> None:
    page.get_by_role("button", name="Copy the answer").last.wait_for()
    page.locator(".st-key-stop").wait_for(state="detached")


@contextmanager
def _model_that_never_answers(data: Path) -> Iterator[None]:
    """Settings that name a model server which takes every request and stays silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        model = ModelConfig(kind="openai", name="silent", base_url=url, timeout_seconds=120.0)
        save_settings(data, Settings(model=model, agent=AgentConfig(max_seconds=120.0)))
        try:
            yield
        finally:
            save_settings(data, Settings())


def test_the_empty_page_offers_three_questions_and_one_click_asks_it(page: "playwright.Page") -> None:
    examples = page.locator("[class*='st-key-example-'] button")
    examples.nth(2).wait_for()
    question = examples.first.inner_text()
    examples.first.click()
    _until_answered(page)
    assert page.locator(".fg-question").inner_text() == question
    page.get_by_test_id("source-1").wait_for()


def test_a_two_hop_question_streams_steps_answers_and_opens_its_marked_quote(page: "playwright.Page") -> None:
    row = _rows("two_hop")[0]
    _ask(page, row["question"])
    page.locator(".fg-running .fg-stage").first.wait_for()
    _until_answered(page)
    assert page.locator(".fg-fold summary").inner_text().endswith(" s")
    said = page.locator(".answer").inner_text()
    assert _states(said, row), said

    quotes = []
    for number in range(1, page.locator(".foot .source").count() + 1):
        page.get_by_test_id(f"source-{number}").click()
        page.get_by_text(f"Evidence {number}", exact=True).wait_for()
        place = page.locator("#fg-quote, .st-key-page-marked img").first
        place.wait_for()
        quotes.append(place.inner_text() if page.locator("#fg-quote").count() else "page")
    assert quotes and all(quotes)
    if picture := os.environ.get("FORAGE_SCREENSHOT"):  # how docs/screenshot.png is made
        page.get_by_test_id("source-1").click()
        page.get_by_text("Evidence 1", exact=True).wait_for()
        page.wait_for_timeout(2500)
        page.locator(".fg-fold summary").click()
        page.mouse.move(700, 10)
        page.wait_for_timeout(1000)
        page.screenshot(path=picture)
    page.get_by_role("button", name="Close").click()
    page.locator(".st-key-evidence").wait_for(state="detached")


def test_a_chip_shows_its_quote_on_hover_and_opens_it_on_click(page: "playwright.Page") -> None:
    row = _rows("single")[0]
    _ask(page, row["question"])
    _until_answered(page)
    chip = page.get_by_role("button", name=re.compile(r"^Citation 1")).first
    chip.hover()
    assert _states(page.locator(".chip .card").first.inner_text(), row)
    chip.click()
    page.locator("#fg-quote, .st-key-page-marked img").first.wait_for()
    assert _states(page.locator(".st-key-evidence").inner_text(), row)


def test_an_uploaded_pdf_is_read_asked_about_and_shown_with_the_quote_marked(
    page: "playwright.Page", address: str, data: Path
) -> None:
    row = _about_a_pdf()
    page.get_by_role("link", name="Library").click()
    page.locator("input[type=file]").set_input_files(str(EXAMPLES / row["evidence"][0]["source"]))
    into = page.get_by_role("combobox", name="Into collection")
    into.fill("surveys")
    into.press("Enter")
    page.get_by_role("button", name="Add 1 file").click()
    page.locator("[class*='st-key-ingest-'], [class*='st-key-ended-']").first.wait_for()
    page.get_by_text("surveys: 1 added").wait_for()

    page.get_by_role("link", name="Chat").click()
    page.locator(".st-key-scope button").click()
    scope = page.get_by_role("combobox", name="Collections")
    scope.fill("surveys")
    scope.press("Enter")
    page.locator(".st-key-scope-apply button").click()  # the open list hides it from the role tree
    page.locator(".st-key-scope button", has_text="surveys").wait_for()
    _ask(page, row["question"])
    _until_answered(page)
    page.get_by_test_id("source-1").last.click()
    picture = page.get_by_role("img", name=re.compile("lines around the marked quote"))
    picture.wait_for()
    yellow = page.evaluate(
        """async (picture) => {
             await picture.decode();
             const canvas = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight);
             const pen = canvas.getContext("2d");
             pen.drawImage(picture, 0, 0);
             const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
             let count = 0;
             for (let i = 0; i < data.length; i += 4)
               if (data[i] > 225 && data[i + 1] > 195 && data[i + 2] < 150) count++;
             return count / (data.length / 4);
           }""",
        picture.element_handle(),
    )
    assert 0.005 < yellow < 0.5


def test_stop_ends_a_long_ingest_within_two_seconds(
    page: "playwright.Page", data: Path, tmp_path: Path
) -> None:
    long = tmp_path / "long.txt"
    lines = (f"The lamp number {n} of the street stands by house {n * 7 % 991}.\n\n" for n in range(60_000))
    long.write_text("".join(lines))
    page.get_by_role("link", name="Library").click()
    page.locator("input[type=file]").set_input_files(str(long))
    page.get_by_role("button", name="Add 1 file").click()
    page.get_by_text(re.compile(r"Encoding .* passages")).wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text(re.compile(r"^Stopped\.")).wait_for()
    log = max((data / "jobs").glob("*-ingest-*.jsonl"))
    at = {event["type"]: event["at"] for event in map(json.loads, log.read_text().splitlines())}
    assert at["cancelled"] - at["stopping"] < 2
    store = Store.open(data)
    assert all("long.txt" not in document.source for document in store.documents())
    store.close()


def test_stop_ends_an_answer_within_two_seconds_and_it_can_be_asked_again(
    page: "playwright.Page", data: Path
) -> None:
    with _model_that_never_answers(data):
        _ask(page, _rows("single")[0]["question"])
        page.locator(".fg-running .fg-what", has_text="note").first.wait_for()  # the model is writing now
        page.wait_for_timeout(1000)
        page.locator(".st-key-stop button").click()
        page.get_by_text("Stopped.", exact=True).wait_for()
    log = max((data / "jobs").glob("*-ask-*.jsonl"))
    at = {event["type"]: event["at"] for event in map(json.loads, log.read_text().splitlines())}
    assert at["cancelled"] - at["stopping"] < 2
    page.get_by_role("button", name="Ask again").click()
    _until_answered(page)
    assert _states(page.locator(".answer").inner_text(), _rows("single")[0])


def test_a_reload_keeps_the_conversation_and_deleting_it_removes_it(page: "playwright.Page") -> None:
    row = _rows("single")[1]
    _ask(page, row["question"])
    page.wait_for_url(re.compile(r"\?c="))
    page.reload()  # in the middle of the answer
    _until_answered(page)
    assert _states(page.locator(".answer").inner_text(), row)
    page.reload()
    page.get_by_role("button", name="Copy the answer").wait_for()
    row = page.locator("[class*='st-key-here-']")
    row.hover()
    row.locator("button").last.click()
    page.get_by_text("Delete", exact=True).click()
    page.locator(".st-key-delete-conversation button").click()
    page.get_by_text("What would you like to know?").wait_for()
    assert "?c=" not in page.url


def test_two_questions_at_once_do_not_mix(browser: "playwright.Browser", address: str) -> None:
    rows = _rows("single")[2:4]
    pages = []
    for row in rows:
        context = browser.new_context(viewport=DESKTOP)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.get_by_placeholder("Ask your documents").fill(row["question"])
        pages.append(page)
    for page in pages:
        page.keyboard.press("Enter")
    for page, row in zip(pages, rows, strict=True):
        page.get_by_role("button", name="Copy the answer").wait_for()
        assert page.locator(".fg-question").all_inner_texts() == [row["question"]]
        assert _states(page.locator(".answer").inner_text(), row)
        page.context.close()


def test_on_a_phone_nothing_runs_out_of_the_page_and_evidence_is_a_sheet(
    browser: "playwright.Browser", address: str
) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.get_by_placeholder("Ask your documents").wait_for()
    _ask(page, _rows("single")[0]["question"])
    _until_answered(page)
    page.get_by_test_id("source-1").tap()
    sheet = page.locator(".st-key-evidence")
    sheet.wait_for()
    box = sheet.bounding_box()
    assert box is not None and box["width"] == PHONE["width"] and box["y"] > 100
    page.get_by_role("button", name="Close").tap()
    for path in ("", "library", "rewards", "settings"):
        page.goto(f"{address}/{path}")
        page.locator(".st-key-thread, .st-key-library, .st-key-rewards, .st-key-settings").first.wait_for()
        page.wait_for_timeout(1500)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    context.close()
