"""The Memory page: what is remembered of a collection; look at it, correct it, forget it, take it along."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import streamlit as st

from agent.memory import Memory
from agent.memory_page import Remembered
from app import render
from app.session import workspace

PAGE = 20  # entries drawn


def show() -> None:
    """Draw the page."""
    opened = workspace()
    with st.container(key="memory", gap="medium"):
        st.html('<div class="fg-h1">Memory</div>')
        memory = opened.agent().memory
        names = [collection.name for collection in opened.store.collections()]
        if memory is None:
            st.html('<div class="fg-sub">Memory is switched off (memory.use in forage.toml).</div>')
            return
        if not names:
            st.html('<div class="fg-sub">Nothing to remember yet: there are no documents.</div>')
            return
        _collection(memory, names)


def _collection(memory: Memory, names: Sequence[str]) -> None:
    st.html(
        '<div class="fg-sub">Answers that were verified are given again when the same thing is asked in other words. '
        "When a document changes or goes, what rests on it goes with it.</div>"
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Collection", names, key="memory-collection")
        wanted = st.text_input("Find", placeholder="Words of a question or an answer", key="memory-find")
    entries = memory.remembered(chosen)
    words = (wanted or "").lower().split()
    found = [e for e in entries if all(w in f"{e.question} {e.short} {e.text}".lower() for w in words)]
    with st.container(horizontal=True, vertical_alignment="center", key="memory-actions"):
        answers = sum(bool(e.text) for e in entries)
        counts = f"{render.plural(len(entries), 'question')}, {render.plural(answers, 'answer')}"
        st.html(f'<div class="fg-count">{counts}</div>', width="stretch")
        st.download_button(
            "Export",
            "".join(json.dumps(e.exported(), ensure_ascii=False) + "\n" for e in entries),
            file_name=f"memory-{chosen}.jsonl",
            mime="application/jsonl",
            icon=":material/download:",
            key="memory-export",
            disabled=not entries,
            on_click="ignore",
        )
        if st.button("Forget all", key="memory-forget-all", icon=":material/delete:", disabled=not entries):
            st.session_state["forgetting"] = chosen
    if st.session_state.get("forgetting") == chosen:
        _really(memory, chosen, entries)
    for entry in found[:PAGE]:
        _entry(memory, entry)
    if len(found) > PAGE:
        st.html(f'<div class="fg-sub">and {len(found) - PAGE} more: find them by their words.</div>')


def _done() -> None:
    st.session_state.pop("forgetting", None)


@st.dialog("Forget everything about this collection?", on_dismiss=_done)
def _really(memory: Memory, collection: str, entries: Sequence[Remembered]) -> None:
    st.write(
        render.plain(f"{render.plural(len(entries), 'question')} of “{collection}”. The documents stay.")
    )
    if st.button("Forget", type="primary", key="memory-forget-sure"):
        memory.forget([e.key for e in entries])
        _done()
        st.rerun()


def _entry(memory: Memory, entry: Remembered) -> None:
    with st.container(border=True, key=f"remembered-{entry.key}", gap="small"):
        st.html(render.said_html(entry.question, "fg-title"))
        st.html(
            render.said_html(entry.text or _no_answer(entry), "fg-remembered" if entry.text else "fg-sub")
        )
        for quote in entry.quotes:
            st.html(render.said_html(f"“{quote.text}” — {quote.title}", "fg-sub"))
        st.html(render.facts_html(_facts(entry)))
        with st.container(horizontal=True):
            if entry.text and st.button(
                "Correct", key=f"edit-{entry.key}", icon=":material/edit:", type="tertiary"
            ):
                st.session_state["correcting"] = entry.key
            if st.button("Forget", key=f"forget-{entry.key}", icon=":material/delete:", type="tertiary"):
                memory.forget([entry.key])
                st.rerun()
        if st.session_state.get("correcting") == entry.key:
            _correct(memory, entry)


def _no_answer(entry: Remembered) -> str:
    if entry.outcome == "abstention":
        return "Was not found in the documents; asked again each time."
    return "Its answer is not kept any more: the documents changed, or it was marked wrong."


def _facts(entry: Remembered) -> list[tuple[str, Any]]:
    asked = render.plural(entry.visits, "time")
    return [
        ("Usefulness", f"{entry.q:+.2f} after being asked {asked}"),
        ("Way", " → ".join(entry.strategy)),
        ("Remembered", render.when(entry.updated_at)),
        ("Corrected", "by a person" if entry.corrected else ""),
    ]


def _correct(memory: Memory, entry: Remembered) -> None:
    """A person's own wording in place of the answer; the quotes stay what it rests on."""
    with st.form(f"correct-{entry.key}", border=False):
        short = st.text_input("Short answer", entry.short, key=f"short-{entry.key}")
        text = st.text_area("Answer", entry.text, key=f"text-{entry.key}")
        if st.form_submit_button("Save", type="primary"):
            memory.correct(entry.key, short, text)
            st.session_state.pop("correcting", None)
            st.rerun()


if __name__ == "__main__":
    show()
