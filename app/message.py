"""One exchange of a conversation: the question, the steps while they happen, the answer when it is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from app import render
from app.conversations import CAUSES, Message
from app.graph_panel import answer_picture, graph_open, has_graph, toggle_graph
from app.jobs import Job
from app.session import Workspace
from app.why import why, why_button
from index.errors import NotFoundError

POLL_SECONDS = 0.4
_STYLE = Path(__file__).parent / "style"
_answer = st.components.v2.component(
    "forage_answer",
    html='<div class="mount"></div>',
    css=(_STYLE / "answer.css").read_text(encoding="utf-8"),
    js=(_STYLE / "answer.js").read_text(encoding="utf-8"),
)
_follow = st.components.v2.component(
    "forage_follow", html="<div></div>", js=(_STYLE / "follow.js").read_text(encoding="utf-8")
)


def exchange(opened: Workspace, message: Message) -> None:
    """Draw a question with whatever there is of its answer."""
    with st.container(key=f"message-{message.id}", gap="small"):
        st.html(render.said_html(message.question, "fg-question"))
        job = job_of(opened, message)
        if job is not None and job.active:
            _live(opened, message)
            return
        if message.trajectory is not None:
            _meant(opened, message, message.trajectory.get("asked") or "")
            _finished(opened, message, message.trajectory)
        if message.trajectory is None or message.trajectory["answer"]["stopped"] == "cancelled":
            _unfinished(opened, message, job)


def _meant(opened: Workspace, message: Message, asked: str) -> None:
    """How a question was understood, where more than its capitals changed; a person can correct it and ask again."""
    if asked.casefold() in ("", message.question.casefold()):
        return
    editing = f"meaning-{message.id}"
    with st.container(key=f"meant-{message.id}", horizontal=True, vertical_alignment="center"):
        st.html(render.said_html(f"Understood as: {asked}", "fg-meant"), width="content")
        st.button("Correct", key=f"correct-{message.id}", icon=":material/edit:", type="tertiary",
                  on_click=lambda: st.session_state.update({editing: True}))  # fmt: skip
    if not st.session_state.get(editing):
        return
    with st.form(f"form-{editing}", border=False):
        better = st.text_input("What you meant", asked, key=f"text-{editing}")
        if st.form_submit_button("Ask this") and better.strip():
            st.session_state.pop(editing, None)
            opened.ask_again(message, better.strip())
            st.rerun()


def job_of(opened: Workspace, message: Message) -> Job | None:
    """The job that answers a message; None when its log is gone."""
    try:
        return opened.runner.job(message.job_id)
    except NotFoundError:
        return None


@st.fragment(run_every=POLL_SECONDS)
def _live(opened: Workspace, message: Message) -> None:
    """Redraws only itself while the job works, and the whole page once at its end."""
    job = opened.runner.job(message.job_id)
    if not job.active:
        st.rerun()
    steps = [event.data for event in opened.runner.events(job.id) if event.type == "step"]
    note = "Stopping" if job.stopping else "Waiting for a free place" if job.state == "queued" else ""
    st.html(render.steps_html(steps, running=True, note=note or ("Working" if steps else "Starting")))
    _follow(key=f"follow-{message.id}", data={"message": message.id, "steps": len(steps)})
    st.session_state["fresh"] = message.id


def _finished(opened: Workspace, message: Message, trajectory: dict[str, Any]) -> None:
    answer = trajectory["answer"]
    if answer["notice"]:
        st.warning(render.plain(answer["notice"]), icon=":material/info:")
    if trajectory["steps"]:
        st.html(render.steps_html(trajectory["steps"], running=False))
    if not answer["text"].strip() or (answer["stopped"] == "cancelled" and not answer["citations"]):
        return
    if answer["kind"] == "abstention":
        st.html(render.said_html("No answer in these documents", "fg-abstained"))
    key = f"answer-{message.id}"
    shown = st.session_state.get("evidence")
    _answer(
        key=key,
        data={
            "kind": answer["kind"],
            "paragraphs": render.answer_parts(answer),
            "sources": render.sources(answer),
            "open": shown[1] if shown and shown[0] == message.id else None,
            "copy": render.copied(message.question, answer),
            "cost": render.cost_line(answer["cost"]),
            "missing": answer["missing"] if answer["kind"] == "abstention" else "",
            "fresh": st.session_state.get("fresh") == message.id,
            "graph": graph_open(message.id) if has_graph(trajectory) else None,
        },
        on_cite_change=lambda: _open_evidence(message.id, key),
        on_graph_change=lambda: toggle_graph(message.id),
    )
    if st.session_state.get("fresh") == message.id:
        del st.session_state["fresh"]  # scroll to it once, not at every click
    with st.container(
        key=f"under-{message.id}", horizontal=True, vertical_alignment="center", width="content", gap="small"
    ):
        keep = _thumbs(opened, message)
        why_button(message)
    _what_was_wrong(message, keep)
    why(opened, message, trajectory)
    if graph_open(message.id) and has_graph(trajectory):
        answer_picture(opened, message, trajectory)


def _open_evidence(message_id: str, key: str) -> None:
    number = st.session_state[key].get("cite")
    if number is not None:
        st.session_state["evidence"] = (message_id, int(number))


def _thumbs(opened: Workspace, message: Message) -> Callable[[str, str], None]:
    """Up or down; what keeps a thumb with its cause and comment."""
    key = f"thumb-{message.id}"

    def keep(cause: str = "", comment: str = "") -> None:
        thumb = st.session_state.get(key)
        opened.conversations.feedback(message.id, thumb, cause, comment)
        memory = opened.agent().memory
        if memory is not None and message.trajectory is not None:
            memory.feedback(message.trajectory["id"], thumb)

    st.feedback("thumbs", key=key, default=message.thumb, on_change=keep)
    return keep


def _what_was_wrong(message: Message, keep: Callable[[str, str], None]) -> None:
    """After a thumb down one optional question, never a form."""
    if st.session_state.get(f"thumb-{message.id}") != 0:
        return
    with st.container(key=f"feedback-{message.id}", gap="small"):
        chosen, said = f"cause-{message.id}", f"comment-{message.id}"

        def explain() -> None:
            keep(st.session_state.get(chosen) or "", st.session_state.get(said) or "")

        st.pills("What was wrong?", CAUSES, key=chosen, default=message.cause or None, on_change=explain)
        st.text_input(
            "Comment",
            message.comment,
            key=said,
            placeholder="What should it have said? (optional)",
            label_visibility="collapsed",
            on_change=explain,
        )


def _unfinished(opened: Workspace, message: Message, job: Job | None) -> None:
    """Why there is no full answer, and a way to ask again."""
    state = job.state if job else "interrupted"
    said = {
        "cancelled": "Stopped.",
        "interrupted": "Forage was closed before this answer was finished.",
        "failed": f"This question could not be answered. {job.error if job else ''}",
    }.get(state, "Stopped before an answer was found.")
    st.html(render.said_html(said, "fg-unfinished"))
    if st.button("Ask again", key=f"again-{message.id}", icon=":material/refresh:"):
        opened.ask_again(message)
        st.rerun()
