from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import render

HOSTILE = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    '"><svg onload=alert(1)>',
    "</div><iframe src='https://evil.example'></iframe>",
    '<mark id="fg-quote" onclick="x()">',
    "<a href='javascript:alert(1)'>x</a>",
    "![pixel](https://evil.example/p.png)",
    "[click](https://evil.example)",
    "<!-- -->&lt;b&gt; &#60;b&#62;",
    "\u202egnp.exe\u202c",
    "<style>*{display:none}</style>",
    "a\x00b\x1b[31m",
)
hostile = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60)).map(str)


class Seen(HTMLParser):
    """The tags, attributes and text a browser would make of some markup."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        if tag == "br":
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError("no comment may survive")


def _only_ours(markup: str) -> Seen:
    seen = Seen(markup)
    for tag, attributes in seen.tags:
        assert tag in render.TAGS
        assert set(attributes) <= {"class", "id", "open"}
    return seen


def _visible(text: str) -> str:
    """What a person would see of a text: no control or direction-changing characters."""
    hidden = {*range(32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
    return "".join(c for c in text if ord(c) not in hidden or c in "\n\t")


def _step(summary: str, error: str = "") -> dict[str, Any]:
    return {"stage": "search", "summary": summary, "seconds": 0.5, "error": error}


@given(hostile, hostile, hostile)
def test_a_quote_in_its_place_is_text_and_nothing_else(before: str, quote: str, after: str) -> None:
    seen = _only_ours(render.quoted_html(before, quote, after))
    assert seen.text.split() == _visible(before + quote + after).split()
    assert [tag for tag, _ in seen.tags].count("mark") == (1 if quote else 0)


@given(st.lists(st.tuples(hostile, hostile), max_size=4), st.booleans(), hostile)
def test_steps_are_text_and_nothing_else(lines: list[tuple[str, str]], running: bool, note: str) -> None:
    steps = [_step(summary, error) for summary, error in lines]
    seen = _only_ours(render.steps_html(steps, running=running, note=note))
    assert [tag for tag, _ in seen.tags].count("li") == len(steps) + running
    for summary, error in lines:
        for word in (_visible(summary) + " " + _visible(error)).split():
            assert word in seen.text


@given(hostile, hostile)
def test_facts_and_sayings_are_text_and_nothing_else(label: str, value: str) -> None:
    _only_ours(render.facts_html([(label, value)]))
    seen = _only_ours(render.said_html(value, "fg-doubt"))
    assert seen.text.split() == _visible(value).split()


@given(hostile)
def test_the_html_door_removes_what_we_did_not_mean_to_write(markup: str) -> None:
    _only_ours(render.safe(f'<div class="x">{markup}</div>'))


@given(hostile)
def test_markdown_loses_its_meaning(text: str) -> None:
    from markdown_it import MarkdownIt

    escaped = render.plain(text)
    html = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(escaped)
    assert {tag for tag, _ in Seen(html).tags} <= {"p"}
    assert "\n" not in escaped


def test_running_steps_are_open_and_finished_ones_fold_with_their_sum() -> None:
    steps = [_step("found 8 passages"), {**_step("read them"), "stage": "read", "seconds": 0.7}]
    running = render.steps_html(steps, running=True, note="Judging")
    assert "<details" not in running and "Judging" in running and "0.5 s" in running
    done = render.steps_html(steps, running=False)
    assert "<summary>2 steps · 1.2 s</summary>" in done and "<details" in done and "open" not in done
    assert "found 8 passages" in done and "Read" in done


def _answer(**changes: Any) -> dict[str, Any]:
    citation = {
        "number": 1, "title": "Bridges", "page": 3, "heading": "History", "quote": "Ilse Marn built it.",
        "supported": True,
    }  # fmt: skip
    return {
        "text": "Ilse Marn built it. [1] It opened in 1902.",
        "claims": [
            {"text": "Ilse Marn built it. [1]", "citations": [1]},
            {"text": "It opened in 1902.", "citations": [2, 1]},
        ],
        "citations": [citation, {**citation, "number": 2, "page": None, "supported": False}],
        **changes,
    }


def test_chips_follow_their_claims_and_typed_brackets_go() -> None:
    assert render.answer_parts(_answer()) == [
        [
            {"text": "Ilse Marn built it."},
            {"cite": 1},
            {"text": " It opened in 1902."},
            {"cite": 2},
            {"cite": 1},
        ]
    ]


def test_a_claim_never_shows_a_citation_that_is_not_there() -> None:
    claims = [{"text": "Sure.", "citations": [7]}]
    assert render.answer_parts(_answer(claims=claims)) == [[{"text": "Sure."}]]


def test_an_answer_without_claims_keeps_its_lines() -> None:
    answer = _answer(claims=[], text="Two documents.\n\n- Bridges\n- Boats - all of them\n")
    assert render.answer_parts(answer) == [
        [{"text": "Two documents."}],
        [{"text": "• Bridges\n• Boats - all of them"}],
    ]


def test_sources_and_the_copied_text_name_title_and_place() -> None:
    first, second = render.sources(_answer())
    assert (first["place"], second["place"]) == ("p. 3", "History")
    assert (first["supported"], second["supported"]) == (True, False)
    assert render.copied("Who built it?", _answer()) == (
        "Who built it?\n\nIlse Marn built it. [1] It opened in 1902. [2] [1]\n\n"
        "[1] Bridges, p. 3: “Ilse Marn built it.”\n[2] Bridges, History: “Ilse Marn built it.”"
    )


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "0.00 s"), (0.04, "0.04 s"), (1.23, "1.2 s"), (42.4, "42 s"), (59.9, "60 s"), (185, "3 min 5 s"),
     (7440, "2 h 4 min"), (-1.0, "0.00 s")],
)  # fmt: skip
def test_durations(seconds: float, shown: str) -> None:
    assert render.duration(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (3400, "3.4 KB"), (12_000_000, "12 MB"), (4_200_000_000, "4.2 GB")],
)
def test_sizes(count: int, shown: str) -> None:
    assert render.size(count) == shown


def test_the_cost_line_speaks_of_a_model_only_when_there_was_one() -> None:
    cost = {"searches": 3, "context_tokens": 412, "prompt_tokens": 0, "completion_tokens": 0, "seconds": 1.24}
    assert render.cost_line(cost) == "3 searches · 412 tokens of evidence · 1.2 s"
    written = {**cost, "searches": 1, "prompt_tokens": 900, "completion_tokens": 100}
    assert render.cost_line(written) == "1 search · 412 tokens of evidence · 1,000 model tokens · 1.2 s"
    assert render.cost_line({**cost, "searches": 0, "context_tokens": 0}) == "no search · 1.2 s"
