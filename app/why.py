"""The Why view under an answer: each step's decision with its alternatives, evidence kept and dropped, and its cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st

from agent.explain import mattered
from agent.policy import Policy
from agent.trace import step_from
from agent.types import Step
from app import render
from app.conversations import Message
from app.session import Workspace

SHOWN_HITS = 12


def why_button(message: Message) -> None:
    """Opens the view, or closes it."""
    key = f"why-{message.id}"
    label = "Hide why" if st.session_state.get(key) else "Why"
    st.button(
        label,
        key=f"toggle-{key}",
        icon=":material/account_tree:",
        type="tertiary",
        on_click=_toggle,
        args=(key,),
    )


def _toggle(key: str) -> None:
    st.session_state[key] = not st.session_state.get(key)


def why(opened: Workspace, message: Message, trajectory: Mapping[str, Any]) -> None:
    """Draw the view if it is open."""
    if not st.session_state.get(f"why-{message.id}"):
        return
    policy = opened.agent().policy
    same = f"{policy.name}@{policy.fingerprint}" == trajectory["policy"]
    with st.container(key=f"whyview-{message.id}", border=True, gap="small"):
        st.html(why_html(trajectory, policy if same else None))
        st.download_button(
            "Download this run",
            json.dumps(trajectory, ensure_ascii=False) + "\n",
            file_name=f"forage-{trajectory['id'][:12]}.jsonl",
            mime="application/jsonl",
            key=f"download-{message.id}",
            icon=":material/download:",
            type="tertiary",
            help="One JSON line. `forage replay FILE` runs it again and compares every decision.",
            on_click="ignore",
        )


def why_html(trajectory: Mapping[str, Any], policy: Policy | None) -> str:
    """All steps of a run; `policy`: the one that decided in it, if it is still at hand."""
    kept = {note["passage_id"] for note in trajectory["notes"]}
    head = f"Policy {trajectory['policy']}. Settings {trajectory['fingerprint']}."
    if trajectory.get("asked"):
        head = f"Understood as “{trajectory['asked']}”. {head}"
    steps = "".join(_step(step_from(raw), kept, policy) for raw in trajectory["steps"])
    return render.safe(f'<div class="fg-sub">{_text(head)}</div><ol class="fg-why">{steps}</ol>')


def _step(step: Step, kept: set[int], policy: Policy | None) -> str:
    stage = render.STAGES.get(step.stage, step.stage)
    cost = [f"{1000 * step.seconds:.0f} ms"]
    tokens = int(step.detail.get("tokens", 0) or 0)
    if tokens:
        cost.insert(0, render.plural(tokens, "token"))
    parts = [
        f'<div class="fg-step"><span class="fg-stage">{_text(stage)}</span>'
        f'<span class="fg-what">{_text(step.summary)}</span><span class="fg-time">{" · ".join(cost)}</span></div>'
    ]
    if step.decision is not None:
        parts.append(_decision(step, policy))
    parts.append(_evidence(step.detail, kept))
    if step.error:
        parts.append(f'<div class="fg-error">{_text(step.error)}</div>')
    return f'<li class="fg-whystep">{"".join(parts)}</li>'


def _decision(step: Step, policy: Policy | None) -> str:
    decision = step.decision
    assert decision is not None
    others = [
        f"{name} {decision.probabilities[name]:.0%}" if name in decision.probabilities else name
        for name in decision.options
        if name != decision.chosen
    ]
    lines = [
        f"Chose <b>{_text(decision.chosen)}</b> ({decision.probability:.0%}). {_text(decision.rationale)}"
    ]
    if others:
        lines.append(f"Instead of: {_text(', '.join(others))}.")
    found = mattered(decision, policy)
    if found:
        said = ", ".join(
            f"{m.feature.replace('_', ' ')} {m.value:.2f}" + (f" ({m.change:+.0%})" if m.change else "")
            for m in found
        )
        lines.append(f"{'It hung on' if any(m.change for m in found) else 'It saw'}: {_text(said)}.")
    return "".join(f'<div class="fg-because">{line}</div>' for line in lines)


def _evidence(detail: Mapping[str, Any], kept: set[int]) -> str:
    """What a step found: passages kept and dropped, sentences, notes, claims that were not borne out."""
    lines = []
    hits = list(detail.get("hits", ()))
    for name, chosen in (
        ("Kept", [h for h in hits if h["passage_id"] in kept]),
        ("Dropped", [h for h in hits if h["passage_id"] not in kept]),
    ):
        listed = ", ".join(f"{h['title'] or 'untitled'} ({h['score']:.2f})" for h in chosen[:SHOWN_HITS])
        if listed:
            lines.append(f"{name}: {listed}")
    lines += [f"Query: {detail['query']}"] if hits and detail.get("query") else []
    lines += [f"Read: “{best['text']}” ({best['score']:.2f})" for best in detail.get("best", ())]
    lines += [f"Step: {s['asks']} {s['answer']} ({s['probability']:.0%})" for s in detail.get("steps", ())]
    lines += [f"Still to find: {detail['waits']}"] if detail.get("waits") else []
    lines += [f"Answer: {a['text']} ({a['score']:.2f})" for a in detail.get("answers", ())[:3]]
    rivals = set(detail.get("rivals", ()))
    lines += [
        f"{'Note for another answer' if note['id'] in rivals else 'Note'}: {note['claim']}"
        for note in detail.get("notes", ())
        if isinstance(note, Mapping)
    ]
    lines += [f"Not borne out: {claim}" for claim in detail.get("dropped", ())]
    lines += [f"Memory: {detail['memory_says']}"] if detail.get("memory_says") else []
    lines += [f"Earlier question: {detail['question']}"] if detail.get("question") else []
    return "".join(f'<div class="fg-because">{_text(line)}</div>' for line in lines)


def _text(text: str) -> str:
    return escape(render.printable(text))
