"""The Rewards page as a person sees it: runs side by side, every component and why, sliders that rank them anew."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from app.__main__ import app
from app.scores import FILE
from app.session import Workspace, workspace

MAIN = Path(__file__).parents[2] / "app" / "main.py"


def _run(name: str, cited: bool, tokens: int) -> dict[str, Any]:
    """A logged run that searched once, `tokens` long, with or without a citation."""
    citation = {
        "number": 1, "passage_id": 1, "start": 0, "end": 31, "quote": "Mira Vell built the Oster Mill.",
        "title": "Mill", "source": "mill.md", "page": None, "supported": True,
    }  # fmt: skip
    step = {
        "stage": "search",
        "summary": "Searched",
        "seconds": 0.1,
        "detail": {
            "query": "Who built the Oster Mill?",
            "hits": [{"passage_id": 1, "score": 0.9}],
            "tokens": tokens,
        },
    }
    answer = {"kind": "answer", "short": "Mira Vell", "text": "Mira Vell. [1]" if cited else "Mira <b>Vell</b>.",
              "citations": [citation] if cited else [], "cost": {}, "confidence": 0.8}  # fmt: skip
    return {"id": name, "question": "Who built the Oster Mill?", "started_at": 1.0, "steps": [step], "notes": [],
            "policy": "rules", "answer": answer}  # fmt: skip


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace in which one question was answered twice; the runs are scored by the real command."""
    monkeypatch.setenv("FORAGE_DATA_DIR", str(tmp_path / "data"))
    made = workspace()
    assert made.ready.wait(90)
    runs = [_run("aaaa", cited=True, tokens=3000), _run("bbbb", cited=False, tokens=50)]
    (made.data_dir / "trajectories.jsonl").write_text("".join(json.dumps(run) + "\n" for run in runs))
    scored = CliRunner().invoke(
        app, ["--data-dir", str(made.data_dir), "train", "rewards", "score", "--json"]
    )
    assert scored.exit_code == 0, scored.output
    (made.data_dir / FILE).write_text(scored.stdout)
    yield made
    made.runner.close()
    st.cache_resource.clear()


def _page() -> AppTest:
    page = AppTest.from_file(str(MAIN), default_timeout=90).run()
    page.switch_page("rewards.py").run()
    assert not page.exception, page.exception
    return page


def _html(page: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in page.get("html"))


def test_components_are_shown_with_their_reasons_and_weights_turn_the_ranking(opened: Workspace) -> None:
    page = _page()
    assert "2 runs, best first" in _html(page)
    assert "of the citations" in _html(page) or "cited" in _html(page)  # why, beside the value
    assert "not computable here" in _html(page)
    assert "What this run did: 1 step" in _html(page) and "<li>Searched</li>" in _html(page)
    first = page.segmented_control[0].value
    assert first == "aaaa"  # it cites
    sliders = {slider.label: slider for slider in page.slider}
    assert not sliders["citation_supported"].disabled
    for name, slider in sliders.items():
        slider.set_value(1.0 if name == "tokens" else 0.0)
    page.run()
    assert not page.exception
    rows = _html(page)
    assert rows.index("▲ 1") < rows.index("▼ 1")  # the short run rose above the one that cites
    page.segmented_control[0].set_value("bbbb").run()
    assert "50 tokens" in _html(page) and "<b>Vell" not in _html(page)


def test_a_component_is_added_and_another_preset_starts_anew(opened: Workspace) -> None:
    page = _page()
    before = {slider.label for slider in page.slider}
    page.multiselect[0].set_value(["format"] if "format" not in before else ["steps"]).run()
    assert {slider.label for slider in page.slider} - before
    page.selectbox[1].set_value("search_r1").run()
    assert not page.exception
    assert {slider.label for slider in page.slider} == {"em"} and page.slider[0].disabled
    assert "no gold answer is known" in " ".join(caption.value for caption in page.caption)


def test_nothing_asked_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORAGE_DATA_DIR", str(tmp_path / "empty"))
    made = workspace()
    assert made.ready.wait(90)
    assert "Nothing was asked yet" in _html(_page())
    made.runner.close()
    st.cache_resource.clear()
