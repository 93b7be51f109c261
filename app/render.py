"""Records to words and safe markup: the only place where HTML is written.

Everything that comes from a document, a person or a model is data: it is escaped before it meets a tag,
and the finished markup passes nh3 with the few tags we use ourselves. Answers do not become HTML at all;
they go to the browser as JSON and are set as text nodes (style/answer.js).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

import nh3

TAGS = {"div", "span", "p", "mark", "details", "summary", "ol", "li", "b", "br"}
ATTRIBUTES = {"*": {"class"}, "details": {"open"}, "mark": {"id"}}
STAGES = {
    "gate": "Understand",
    "recall": "Remember",
    "note": "Notes",
    "goal": "Goal",
    "search": "Search",
    "read": "Read",
    "judge": "Judge",
    "answer": "Answer",
    "verify": "Check",
    "abstain": "Abstain",
}
_MARKS = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:/@&^=])")


def safe(markup: str) -> str:
    """Our own markup, with anything we did not mean to write removed."""
    return str(nh3.clean(markup, tags=TAGS, attributes=ATTRIBUTES, link_rel=None, strip_comments=True))


def plain(text: str) -> str:
    """Text for a place that reads Markdown: every mark loses its meaning, line breaks become spaces."""
    return _MARKDOWN.sub(r"\\\1", " ".join(printable(text).split()))


def duration(seconds: float) -> str:
    """`0.04 s`, `1.2 s`, `3 min 5 s`, `2 h 4 min`."""
    if seconds < 0.1:
        return f"{max(seconds, 0.0):.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(count: int) -> str:
    """Bytes for people: `512 B`, `3.4 KB`, `12 MB`."""
    value = float(count)
    for unit in ("B", "KB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def plural(count: int, noun: str) -> str:
    """`1 passage`, `1,204 passages`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def when(seconds: float) -> str:
    """A moment as people write it."""
    return datetime.fromtimestamp(seconds).strftime("%d %b %Y %H:%M")


def place(citation: Mapping[str, Any]) -> str:
    """Where a citation points inside its document: page, else heading, else nothing."""
    if citation.get("page"):
        return f"p. {citation['page']}"
    last = str(citation.get("heading", "")).split(" > ")[-1]
    return last if last != citation.get("title") else ""


def cost_line(cost: Mapping[str, Any]) -> str:
    """`3 searches · 412 tokens read · 1.2 s`; tokens of a language model only when one was used."""
    searches = int(cost["searches"])
    parts = ["no search" if not searches else "1 search" if searches == 1 else f"{searches} searches"]
    if cost["context_tokens"]:
        parts.append(f"{plural(int(cost['context_tokens']), 'token')} of evidence")
    written = int(cost["prompt_tokens"]) + int(cost["completion_tokens"])
    if written:
        parts.append(f"{plural(written, 'model token')}")
    return " · ".join([*parts, duration(float(cost["seconds"]))])


def answer_parts(answer: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    """An answer as paragraphs of parts, each `{"text": ...}` or `{"cite": number}`.

    Chips stand where the claims say, not where a model may have typed a bracket.
    """
    claims = [claim for claim in answer["claims"] if claim["text"].strip()]
    if not claims:
        paragraphs = re.split(r"\n\s*\n", printable(answer["text"]).strip())
        return [[{"text": re.sub(r"(?m)^[-*] ", "• ", paragraph)}] for paragraph in paragraphs]
    known = {citation["number"] for citation in answer["citations"]}
    parts: list[dict[str, Any]] = []
    for claim in claims:
        text = _MARKS.sub("", printable(claim["text"])).strip()
        parts.append({"text": f" {text}" if parts else text})
        parts.extend({"cite": number} for number in claim["citations"] if number in known)
    return [parts]


def sources(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The citations of an answer as the source row and the hover cards need them."""
    return [
        {
            "number": citation["number"],
            "title": printable(citation["title"]),
            "place": printable(place(citation)),
            "quote": printable(citation["quote"]),
            "supported": bool(citation["supported"]),
        }
        for citation in answer["citations"]
    ]


def copied(question: str, answer: Mapping[str, Any]) -> str:
    """An answer as plain text with its sources, for the clipboard."""
    text = "".join(
        part.get("text", "") or f" [{part['cite']}]"
        for paragraph in answer_parts(answer)
        for part in [*paragraph, {"text": "\n"}]
    ).strip()
    listed = [
        f"[{s['number']}] {', '.join(filter(None, (s['title'], s['place'])))}: “{s['quote']}”"
        for s in sources(answer)
    ]
    return "\n".join([question, "", text, *(["", *listed] if listed else [])])


def steps_html(steps: Sequence[Mapping[str, Any]], *, running: bool, note: str = "") -> str:
    """The stages of a run, one line each with its time: open while running, folded when done."""
    lines = "".join(_step_line(step) for step in steps)
    if running:
        waiting = f'<li class="fg-step fg-now"><span class="fg-what">{escape(note)}</span></li>'
        return safe(f'<ol class="fg-steps fg-running">{lines}{waiting}</ol>')
    seconds = sum(float(step["seconds"]) for step in steps)
    title = f"{plural(len(steps), 'step')} · {duration(seconds)}"
    return safe(
        f'<details class="fg-fold"><summary>{title}</summary><ol class="fg-steps">{lines}</ol></details>'
    )


def _step_line(step: Mapping[str, Any]) -> str:
    stage = STAGES.get(step["stage"], str(step["stage"]))
    error = f'<span class="fg-error">{escape(printable(step["error"]))}</span>' if step.get("error") else ""
    return (
        f'<li class="fg-step"><span class="fg-stage">{escape(stage)}</span>'
        f'<span class="fg-what">{escape(printable(step["summary"]))}{error}</span>'
        f'<span class="fg-time">{duration(float(step["seconds"]))}</span></li>'
    )


def quoted_html(before: str, quote: str, after: str) -> str:
    """A piece of a document with the quote marked; an empty quote marks nothing."""
    marked = f'<mark id="fg-quote">{_lines(quote)}</mark>' if quote else ""
    return safe(f'<div class="fg-page">{_lines(before)}{marked}{_lines(after)}</div>')


def facts_html(rows: Iterable[tuple[str, str]]) -> str:
    """Small label and value lines."""
    lines = "".join(
        f'<div class="fg-fact"><span>{escape(label)}</span><b>{escape(printable(value))}</b></div>'
        for label, value in rows
        if value
    )
    return safe(f'<div class="fg-facts">{lines}</div>')


def said_html(text: str, kind: str) -> str:
    """A paragraph of ours or of a person in one of our styles (`kind` is a class name of app.css)."""
    return safe(f'<div class="{escape(kind)}">{_lines(text)}</div>')


def _lines(text: str) -> str:
    return escape(printable(text)).replace("\n", "<br>")


def printable(text: str) -> str:
    """Text without control and direction-changing characters, which can make a page lie."""
    return "".join(
        character
        for character in text
        if character in "\n\t"
        or not (ord(character) < 32 or 0x7F <= ord(character) < 0xA0 or _turns(character))
    )


def _turns(character: str) -> bool:
    return 0x202A <= ord(character) <= 0x202E or 0x2066 <= ord(character) <= 0x2069
