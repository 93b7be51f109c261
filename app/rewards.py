"""The Rewards page: a question's runs side by side, every component's value and why, sliders that rank them anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from app import render
from app.jobs import Job
from app.scores import Ranked, moves, preset_weights, ranked, read_scores, scoring, state_of
from app.session import Workspace, workspace

ROLES = {"outcome": "Outcome", "process": "Process", "cost": "Cost", "format": "Form"}
KIND = "rewards"
BAR_STEPS = 20


def show() -> None:
    """Draw the page."""
    opened = workspace()
    with st.container(key="rewards", gap="medium"):
        st.html('<div class="fg-h1">Rewards</div>')
        st.html(
            '<div class="fg-sub">What a trained policy would be paid for. Weigh what good means to you and see which '
            "of several runs of a question comes first.</div>"
        )
        if not state_of(opened.data_dir):
            st.html('<div class="fg-sub">Nothing was asked yet. Ask in the chat, then come back.</div>')
            return
        found = read_scores(opened.data_dir)
        _scoring(opened, found is None)
        if found and found["groups"]:
            _question(found)


def _scoring(opened: Workspace, first: bool) -> None:
    """Starts the scoring when runs were added, and shows that it is on its way."""
    last = next(iter(opened.runner.jobs(KIND, limit=1)), None)
    if last is None or (not last.active and last.result.get("state") != state_of(opened.data_dir)):
        label = "Score the runs" if first else "Score the new runs"
        if last is not None and last.state == "failed":
            st.error(render.plain(last.error), icon=":material/error:")
        if st.button(label, type="primary", key="score-runs", icon=":material/balance:"):
            opened.runner.submit(KIND, scoring(opened.data_dir), {})
            st.rerun()
    elif last.active:
        _waiting(opened, last)


@st.fragment(run_every=0.5)
def _waiting(opened: Workspace, job: Job) -> None:
    if not opened.runner.job(job.id).active:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html('<div class="fg-sub fg-wait">Scoring the runs</div>')
        if st.button("Stop", key="stop-scoring", type="tertiary"):
            opened.runner.cancel(job.id)


def _question(found: Mapping[str, Any]) -> None:
    groups = found["groups"]
    asked, mixed = st.columns([3, 2], gap="large")
    with asked:
        at = st.selectbox(
            "Question",
            range(len(groups)),
            format_func=lambda i: (  # the count first: a phone cuts the end
                f"{render.plural(len(groups[i]['runs']), 'run')}: {groups[i]['question']}"
            ),
            key="reward-question",
        )
    with mixed:
        preset = st.selectbox("Start from", list(found["presets"]), index=_first(found), key="reward-preset")
    runs = groups[at]["runs"]
    start = preset_weights(found["presets"][preset], runs)
    left, right = st.columns([3, 2], gap="large")
    with right:
        weights = _sliders(found, preset, start, runs)
    bands = not found["presets"][preset].get(
        "sum"
    )  # a paper's sum has no rule that keeps right answers on top
    order = ranked(runs, weights, bands)
    with left:  # on a phone above the weights: what a slider changes stays in sight
        _ranking(order, moves(ranked(runs, start, bands), order))
    _components(found["rewards"], _chosen(order).run, weights)


def _first(found: Mapping[str, Any]) -> int:
    return list(found["presets"]).index(found["preset"])


def _sliders(
    found: Mapping[str, Any], preset: str, start: Mapping[str, float], runs: Sequence[Mapping[str, Any]]
) -> dict[str, float]:
    """A slider for each component of the preset and each that was added; the weights as they stand."""
    rewards = found["rewards"]
    st.html('<div class="fg-label">Weights</div>')
    st.html(render.said_html(found["presets"][preset]["about"], "fg-sub"))
    usable = [name for name in rewards if any(run["components"][name]["unit"] is not None for run in runs)]
    added = st.multiselect(
        "Add a component",
        [name for name in usable if name not in start],
        key=f"added-{preset}",
        format_func=lambda name: f"{name} ({rewards[name]['paper']})",
    )
    weights = {}
    for name in [*start, *added]:
        lacking = name not in usable
        weights[name] = st.slider(
            name,
            0.0,
            1.0,
            round(start.get(name, 0.5), 2),
            0.05,
            key=f"weight-{preset}-{name}",
            help=render.plain(f"{rewards[name]['about']} Known weakness: {rewards[name]['weakness']}."),
            disabled=lacking,
        )
        if lacking:
            st.caption(render.plain(f"Not computable here: {runs[0]['components'][name]['why']}."))
    return weights


def _ranking(order: Sequence[Ranked], moved: Mapping[str, int]) -> None:
    """The runs, best first."""
    st.html(f'<div class="fg-label">{render.plural(len(order), "run")}, best first</div>')
    st.html(render.safe("".join(_run_row(at, one, moved) for at, one in enumerate(order, start=1))))


def _chosen(order: Sequence[Ranked]) -> Ranked:
    """The run whose components are shown, chosen by a click; the best one at first."""
    names = [one.run["id"] for one in order]
    label = {name: f"Run {at}" for at, name in enumerate(names, start=1)}
    picked = st.segmented_control(
        "Components of",
        names,
        default=names[0],
        format_func=lambda name: label.get(name, name),
        key="reward-run",
    )
    return next((one for one in order if one.run["id"] == picked), order[0])


def _run_row(at: int, one: Ranked, moved: Mapping[str, int]) -> str:
    run, step = one.run, moved.get(one.run["id"], 0)
    arrow = f'<span class="fg-rose">▲ {step}</span>' if step > 0 else ""
    arrow = f'<span class="fg-fell">▼ {-step}</span>' if step < 0 else arrow
    verdict = {True: "right", False: "wrong", None: ""}[run["right"]]
    said = "did not answer" if run["abstained"] else run["answer"]
    cost = f"{run['searches']} {'search' if run['searches'] == 1 else 'searches'}"
    facts = " · ".join(
        filter(None, [verdict, cost, run["policy"].split("@")[0], render.when(run["started_at"])])
    )
    return (
        f'<div class="fg-run"><span class="fg-place">{at}</span>'
        f'<div class="fg-runsaid"><b>{escape(render.printable(said)[:160])}</b>'
        f'<div class="fg-runfacts">{escape(render.printable(facts))}</div></div>'
        f'{_bar(one.total)}<span class="fg-value">{_value(one.total)} {arrow}</span></div>'
    )


def _components(
    rewards: Mapping[str, Mapping[str, Any]], run: Mapping[str, Any], weights: Mapping[str, float]
) -> None:
    """What the run did, then every component by role with its bar, value and reason.

    What could not be computed is folded away.
    """
    st.html(render.safe(_told(run)))
    for role, title in ROLES.items():
        names = [
            n for n in rewards if rewards[n]["role"] == role and run["components"][n]["unit"] is not None
        ]
        names.sort(key=lambda name: -weights.get(name, 0.0))
        if names:
            rows = "".join(
                _component(name, run["components"][name], weights.get(name, 0.0), rewards[name].get("body"))
                for name in names
            )
            st.html(render.safe(f'<div class="fg-label">{title}</div>{rows}'))
    lacking = [name for name in rewards if run["components"][name]["unit"] is None]
    if lacking:
        rows = "".join(_component(name, run["components"][name], 0.0) for name in lacking)
        head = f"{len(lacking)} not computable here"
        st.html(render.safe(f'<details class="fg-fold"><summary>{head}</summary>{rows}</details>'))


def _told(run: Mapping[str, Any]) -> str:
    """The answer as it was written and the steps that led to it, folded; scores of older versions lack them."""
    steps = run.get("steps") or ()
    if not steps:
        return ""
    listed = "".join(f"<li>{escape(render.printable(step))}</li>" for step in steps)
    written = f"<p>{escape(render.printable(run['written']))}</p>" if run.get("written") else ""
    head = f"What this run did: {render.plural(len(steps), 'step')}"
    return f'<details class="fg-fold fg-did"><summary>{head}</summary>{written}<ol>{listed}</ol></details>'


def _component(name: str, part: Mapping[str, Any], weight: float, body: str | None = None) -> str:
    name = f"{name} (language model)" if body == "llm" else name
    weighed = f'<span class="fg-weight">× {weight:.2f}</span>' if weight else ""
    return (
        f'<div class="fg-part"><span class="fg-name">{escape(name)} {weighed}</span>{_bar(part["unit"])}'
        f'<span class="fg-value">{_value(part["value"])}</span>'
        f'<span class="fg-reason">{escape(render.printable(part["why"]))}</span></div>'
    )


def _bar(unit: float | None) -> str:
    """A bar of twenty steps: markup carries no styles of its own."""
    filled = 0 if unit is None else round(unit * BAR_STEPS)
    return f'<span class="fg-bar"><span class="fg-fill fg-fill-{filled}"></span></span>'


def _value(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    show()
