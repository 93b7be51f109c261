"""The Rewards page on a phone: runs are scored, a component says why, a slider turns the ranking round."""

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
playwright = pytest.importorskip("playwright.sync_api")

PATIENCE = 240_000  # milliseconds: the machine may be busy, and the first scoring loads the encoder
PHONE = {"width": 390, "height": 844}
QUESTIONS = Path(__file__).parents[2] / "examples" / "questions.jsonl"
UNRANKED = "[...document.querySelectorAll('.fg-run .fg-value')].every((e) => e.textContent.includes('–'))"
WIDEST = "document.documentElement.scrollWidth"


def _question() -> str:
    rows = map(json.loads, QUESTIONS.read_text().splitlines())
    return str(next(row for row in rows if row["type"] == "single")["question"])


def _sibling(run: dict[str, Any]) -> dict[str, Any]:
    """The same run a moment later, without its citations and with twice the words read."""
    steps = [
        {**step, "detail": {**step["detail"], "tokens": 2 * int(step["detail"].get("tokens", 0)) + 500}}
        if "hits" in (step.get("detail") or {})
        else step
        for step in run["steps"]
    ]
    answer = {**run["answer"], "citations": [], "short": "Nobody knows", "text": "Nobody knows."}
    return {
        **run,
        "id": f"{run['id']}b",
        "started_at": run["started_at"] + 1,
        "steps": steps,
        "answer": answer,
    }


def _settled(page: "playwright.Page") -> None:
    """Waits until the page has run again after an input: a key pressed before that is lost."""
    page.wait_for_timeout(300)
    page.locator("[data-test-script-state='notRunning']").wait_for()


def _weigh_nothing(page: "playwright.Page", slider: "playwright.Locator") -> None:
    """Moves a slider to 0 until its component has no weight: on a busy machine Streamlit may miss a move."""
    mark = page.locator(".fg-name", has_text=re.compile(rf"^{slider.get_attribute('aria-label')} ×"))
    while mark.count():
        slider.press("ArrowRight")
        _settled(page)
        slider.press("Home")
        with suppress(playwright.TimeoutError):
            mark.wait_for(state="detached", timeout=20_000)


def test_on_a_phone_runs_are_scored_explained_and_weighed_anew(
    browser: "playwright.Browser", address: str, data: Path, tmp_path: Path
) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    ask = page.get_by_placeholder("Ask your documents")
    ask.wait_for()
    _settled(page)
    ask.fill(_question())
    page.keyboard.press("Enter")
    page.locator(".fg-question").wait_for()
    page.get_by_role("button", name="Copy the answer").wait_for()
    log = data / "trajectories.jsonl"
    run = json.loads(log.read_text().splitlines()[-1])
    with log.open("a") as file:
        file.write(json.dumps(_sibling(run)) + "\n")

    page.goto(f"{address}/rewards")
    page.get_by_role("button", name="Score the runs").tap()
    page.get_by_text("2 runs, best first").wait_for()
    first = page.locator(".fg-run").first
    assert run["answer"]["short"] in first.inner_text()  # it cites what it says
    assert page.locator(".fg-part .fg-reason").count() > 10
    reasons = " ".join(page.locator(".fg-reason").all_inner_texts())
    assert "passage" in reasons and "None" not in reasons
    page.locator("summary", has_text="What this run did").tap()
    assert page.locator(".fg-did li").first.is_visible()
    assert page.evaluate(WIDEST) <= PHONE["width"]

    page.get_by_role("slider", name="tokens").wait_for()  # widgets are drawn after the page's text
    _settled(page)
    for slider in page.get_by_role("slider").all():
        if slider.is_enabled():
            _weigh_nothing(page, slider)
    page.wait_for_function(UNRANKED)  # no weight, no order
    page.get_by_role("combobox", name="Add a component").tap()
    page.get_by_role("option", name=re.compile("^steps")).tap()
    page.wait_for_function(f"!({UNRANKED})")
    page.keyboard.press("Escape")  # the open list hides the rest from the role tree
    page.get_by_role("slider", name="steps").wait_for()
    picture = Path(os.environ.get("FORAGE_SCREENSHOTS", tmp_path)) / "rewards-phone.png"
    page.screenshot(path=picture, full_page=True)
    assert page.evaluate(WIDEST) <= PHONE["width"]
    context.close()
