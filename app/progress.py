"""Ingestion as it happens: stage, files, passages, rate and time left, and what went wrong."""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from app import render
from app.jobs import Event, Job
from app.session import Workspace

POLL_SECONDS = 0.5
SHOWN_PROBLEMS = 12


def ingests(opened: Workspace) -> None:
    """Running and waiting jobs with their progress, then what became of the last one."""
    jobs = opened.runner.jobs("ingest", limit=10)
    active = [job for job in jobs if job.active]
    if active:
        _live(opened, [job.id for job in reversed(active)])
    last = next((job for job in jobs if not job.active), None)
    if last is not None and st.session_state.get("dismissed") != last.id:
        _ended(opened, last)


@st.fragment(run_every=POLL_SECONDS)
def _live(opened: Workspace, job_ids: Sequence[str]) -> None:
    jobs = [opened.runner.job(job_id) for job_id in job_ids]
    if any(not job.active for job in jobs):
        st.rerun()
    for job in jobs:
        with st.container(border=True, key=f"ingest-{job.id}", gap="small"):
            _progress(opened, job)


def _progress(opened: Workspace, job: Job) -> None:
    events = opened.runner.events(job.id)
    state = next((event.data for event in reversed(events) if event.type == "progress"), None)
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.progress(_share(job, state), text=render.plain(_line(job, state)), width="stretch")
        if st.button("Stop", key=f"stop-{job.id}", icon=":material/stop_circle:", disabled=job.stopping):
            opened.runner.cancel(job.id)
    _problems([event.data for event in events if event.type == "problem"])


def _share(job: Job, state: dict[str, Any] | None) -> float:
    """How much is done, 0..1: by time where it is known, else by files."""
    if not state or not state["files_total"] or job.started_at is None:
        return 0.0
    if state["seconds_left"] is not None:
        elapsed = time.time() - job.started_at
        return min(1.0, elapsed / max(elapsed + float(state["seconds_left"]), 0.001))
    return min(1.0, float(state["files_done"]) / float(state["files_total"]))


def _line(job: Job, state: dict[str, Any] | None) -> str:
    """One line of progress in words."""
    if job.stopping:
        return "Stopping…"
    if job.state == "queued":
        return (
            f"Waiting to add {render.plural(len(job.params['paths']), 'file')} to {job.params['collection']}"
        )
    if not state:
        return "Starting…"
    stage = state["status"] if state["kind"] == "stage" else "reading"
    parts = [stage.capitalize(), f"{state['files_done']:,} of {render.plural(state['files_total'], 'file')}"]
    if state["passages"]:
        parts.append(f"{render.plural(state['passages'], 'passage')} ({state['passages_per_second']:.0f}/s)")
    if state["seconds_left"] is not None:
        parts.append(f"{render.duration(max(1.0, state['seconds_left']))} left")
    return " · ".join([*parts, state["name"]] if state["name"] else parts)


def _ended(opened: Workspace, job: Job) -> None:
    """What became of a job, until the person closes the note."""
    said = _outcome(job)
    with st.container(border=True, key=f"ended-{job.id}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.html(render.said_html(said, "fg-outcome"), width="stretch")
            if job.state in ("cancelled", "interrupted", "failed") and st.button("Go on", key="go-on"):
                opened.ingest(tuple(Path(path) for path in job.params["paths"]), job.params["collection"])
                st.rerun()
            if st.button("Close", key="dismiss", type="tertiary", icon=":material/close:"):
                st.session_state["dismissed"] = job.id
                st.rerun()
        events: Sequence[Event] = opened.runner.events(job.id)
        _problems([event.data for event in events if event.type == "problem"])


def _outcome(job: Job) -> str:
    collection = job.params["collection"]
    if job.state == "failed":
        return f"Adding to {collection} stopped with an error. {job.error}"
    if job.state == "interrupted":
        return f"Forage was closed while files were being added to {collection}. What was done is kept."
    counts = [f"{job.result[key]} {key}" for key in ("added", "updated", "unchanged") if job.result.get(key)]
    counts += [f"{len(job.result['failed'])} failed"] if job.result.get("failed") else []
    took = render.duration(job.result.get("seconds", 0.0))
    done = ", ".join(counts) or "nothing to do"
    if job.state == "cancelled":
        return f"Stopped. {collection}: {done}. What was done is kept."
    passages = render.plural(int(job.result.get("passages", 0)), "passage")
    return f"{collection}: {done} · {passages} · {took}"


def _problems(problems: Sequence[dict[str, Any]]) -> None:
    if not problems:
        return
    lines = "".join(
        f'<div class="fg-problem"><b>{escape(problem["name"])}</b> {escape(problem["error"])}</div>'
        for problem in problems[:SHOWN_PROBLEMS]
    )
    more = len(problems) - SHOWN_PROBLEMS
    rest = f'<div class="fg-problem">and {more} more, listed below</div>' if more > 0 else ""
    st.html(render.safe(lines + rest))
