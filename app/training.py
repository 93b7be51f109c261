"""The Training page: start a run, watch it, see all policies between accuracy and cost, promote one, roll back.

It works through the command line and the files of the run folders: the application does not import the trainers.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from agent.promotion import audit, live_name
from agent.promotion import rollback as go_back
from agent.shadow import current, results
from agent.shadow import stop as end_shadow
from app import render
from app.jobs import Job
from app.session import Workspace, workspace
from app.training_jobs import HELP, RunFolder, promoting, runs_of, training
from index.errors import ForageError

MEASURES = {"right": "Right answers", "f1": "F1", "cost": "Cost", "searches": "Searches", "value": "Value"}


def page() -> None:
    """The whole page."""
    opened = workspace()
    st.title("Training")
    st.caption("Teach Forage when to search, how deep, when to stop and when to abstain. A new policy only goes live "
               "when it proved better on questions it has not seen.")  # fmt: skip
    _live(opened)
    _start(opened)
    _jobs(opened)
    runs = runs_of(opened.data_dir)
    if not runs:
        st.info("No run yet. Start one above.", icon=":material/model_training:")
        return
    chosen = st.selectbox("Run", [run.name for run in runs], key="run")
    run = next(run for run in runs if run.name == chosen)
    _pareto(run)
    _curves(run)
    _comparison(opened, run)


def _live(opened: Workspace) -> None:
    name = live_name(opened.data_dir)
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.markdown(f"Live policy: **{render.plain(name or 'the default')}**")
    if right.button("Roll back", disabled=not name, icon=":material/undo:", width="stretch"):
        try:
            record = go_back(opened.data_dir, "on the Training page")
            st.toast(f"{record.name or 'The default policy'} is live again.")
        except ForageError as error:
            st.error(render.plain(str(error)))
        st.rerun()
    _shadow(opened)
    records = audit(opened.data_dir)
    if records:
        with st.expander(f"Record of promotions ({len(records)})"):
            rows = [{"event": r.event, "live": r.name or "default", "before": r.before or "default",
                     "forced": r.forced, "reason": r.reason} for r in reversed(records)]  # fmt: skip
            st.dataframe(rows, hide_index=True)


def _shadow(opened: Workspace) -> None:
    """What the policy in the shadow did so far; intervals: `forage policy shadow`."""
    state = current(opened.data_dir)
    if state is None:
        return
    done = [one for one in results(opened.data_dir, state.name) if not one.error]
    told = f"In the shadow: **{render.plain(state.name)}**, {state.share:.0%} of the questions, {len(done)} compared"
    if done:
        same = sum(one.same for one in done) / len(done)
        live, other = (sum(row["searches"] for row in rows) / len(done)
                       for rows in ([one.live for one in done], [one.candidate for one in done]))  # fmt: skip
        told += f", the same answer to {same:.0%}, {other:.2f} searches instead of {live:.2f}"
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.markdown(told)
    if right.button("End the shadow", icon=":material/visibility_off:", width="stretch"):
        try:
            end_shadow(opened.data_dir)
        except ForageError as error:  # somebody else ended it meanwhile
            st.error(render.plain(str(error)))
        st.rerun()


def _start(opened: Workspace) -> None:
    with st.form("train"), st.container():
        left, middle, right = st.columns(3)
        source = left.selectbox(
            "Learn from", ["These documents", "These documents and rated chats", "A question set"]
        )
        algorithm = middle.selectbox("Method", ["ip-dpo", "grpo"], help=HELP)
        rounds = right.number_input("Rounds", 1, 6, 3)
        folder = left.text_input("Folder of the question set", help="With corpus.jsonl and train.jsonl.")
        limit = middle.number_input("Questions", 20, 2000, 60, step=20)
        name = right.text_input("Name of the run", f"run-{len(runs_of(opened.data_dir)) + 1}")
        if st.form_submit_button("Start", icon=":material/play_arrow:", type="primary"):
            data = Path(folder).expanduser() if source == "A question set" else opened.data_dir
            try:
                work, params = training(opened.data_dir, name, data, algorithm, int(rounds), int(limit),
                                        logs=source.endswith("chats"))  # fmt: skip
                opened.start("train", work, params)
            except ForageError as error:
                st.error(render.plain(str(error)))


@st.fragment(run_every=2.0)
def _jobs(opened: Workspace) -> None:
    for job in opened.runner.jobs("train", limit=3):
        _job(opened, job)


def _job(opened: Workspace, job: Job) -> None:
    name = render.plain(str(job.params.get("name", "")))
    lines = [event.data.get("line", "") for event in opened.runner.events(job.id) if event.type == "line"]
    with st.status(
        f"{name}: {job.state}", state="running" if job.active else "error" if job.error else "complete"
    ):
        st.code(shlex.join(job.params.get("command", ())), language=None, wrap_lines=True)
        if lines:
            st.code("\n".join(lines[-12:]), language=None)
        if job.error:
            st.error(render.plain(job.error))
        if job.active and st.button("Stop", key=f"stop-{job.id}", icon=":material/stop:"):
            opened.runner.cancel(job.id)
        if job.state in ("cancelled", "interrupted", "failed"):
            st.caption("Started again under the same name, it goes on where it was stopped.")


def _pareto(run: RunFolder) -> None:
    rows = run.policies()
    if not rows:
        st.caption("This run is not finished yet.")
        return
    st.subheader("Accuracy against cost")
    frame = pd.DataFrame([{"policy": name, "cost": row["cost"], "right": row["right"], "f1": row["f1"]}
                          for name, row in rows.items()])  # fmt: skip
    points = alt.Chart(frame).mark_circle(size=110).encode(
        x=alt.X("cost", title="Cost (deep searches a question)"),
        y=alt.Y("right", title="Right", scale=alt.Scale(zero=False)),
        color=alt.Color("policy", legend=None), tooltip=["policy", "cost", "right", "f1"],
    )  # fmt: skip
    names = points.mark_text(dx=8, align="left").encode(text="policy")
    st.altair_chart(points + names, width="stretch")
    table = pd.DataFrame(
        {title: {name: row.get(key) for name, row in rows.items()} for key, title in MEASURES.items()}
    )
    st.dataframe(table.style.format(precision=3))


def _curves(run: RunFolder) -> None:
    stages = run.stages()
    if not stages:
        return
    st.subheader("Stages")
    held = pd.DataFrame(
        {title: [one["held_out"].get(key) for one in stages.values()] for key, title in MEASURES.items()},
        index=list(stages),
    )
    left, right = st.columns(2)
    left.caption("Held-out questions after each stage")
    left.line_chart(held[["Right answers", "F1", "Value"]])
    right.caption("Reward components")
    right.line_chart(pd.DataFrame([one["rewards"] for one in stages.values()], index=list(stages)))
    refused = [name for name, one in stages.items() if not one["accepted"]]
    if refused:
        st.caption(f"Taken back because held-out questions fared worse: {', '.join(refused)}")


def _comparison(opened: Workspace, run: RunFolder) -> None:
    found = run.comparison()
    if not found:
        return
    st.subheader(f"Against what was live ({found['n']} held-out questions)")
    st.dataframe(_differences(found), hide_index=True)
    st.markdown(render.plain("; ".join(found["reasons"])))
    with st.expander(f"Questions that changed ({found['changed_count']})"):
        for one in found["changed"]:
            st.markdown(f"**{render.plain(one['question'])}**")
            for side in (found["a"], found["b"]):
                if side in one:
                    mark = "right" if one[side]["right"] else "wrong"
                    st.caption(render.plain(f"{side}: {one[side]['answer']} ({mark}; {one[side]['path']})"))
    force = not found["better"] and st.checkbox("Promote although it is not better (goes on record)")
    if st.button(
        "Promote", type="primary", icon=":material/publish:", disabled=not found["better"] and not force
    ):
        done, said = promoting(opened.data_dir, run, force=bool(force))
        (st.toast if done else st.error)(render.plain(said))
        if done:
            st.rerun()


def _differences(found: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name, one in found["measures"].items():
        gap = one["difference"]
        if gap["mean"] is not None:
            rows.append({"measure": name, found["a"]: one["a"]["mean"], found["b"] + " ": one["b"]["mean"],
                         "difference": gap["mean"], "95 %": f"{gap['low']:+.3f} to {gap['high']:+.3f}"})  # fmt: skip
    return rows


if __name__ == "__main__":
    page()
