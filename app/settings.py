"""The settings page: the optional language model with a test, the data folder, versions and licence."""

from __future__ import annotations

import importlib.metadata
import platform
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from agent.config import ModelConfig, Settings, environment_keys, load_settings, save_settings
from agent.llm import test_model
from agent.secret import Secret
from app import render
from app.jobs import Handle
from app.session import Workspace, workspace
from index.errors import ConfigError

KINDS = {
    "none": "No model: the embedded brain answers",
    "openai": "An OpenAI-compatible server",
    "transformers": "A model folder on this machine",
}
SHOWN_VERSIONS = ("streamlit", "langgraph", "faiss-cpu", "torch", "transformers", "pypdfium2")


def show() -> None:
    """Draw the page."""
    opened = workspace()
    with st.container(key="settings", gap="medium"):
        st.html('<div class="fg-h1">Settings</div>')
        settings = load_settings(opened.data_dir)
        _model(opened, settings)
        _folder(opened)
        _about()


def _model(opened: Workspace, settings: Settings) -> None:
    """Choose, test and save the model that writes answers."""
    locked = environment_keys()
    model = settings.model
    with st.container(border=True, key="model", gap="small"):
        st.html(
            '<div class="fg-title">Language model</div>'
            '<div class="fg-sub">Optional. It writes the answers; the evidence and its checking stay the '
            "same. If it fails, the embedded brain answers and says so.</div>"
        )
        kind = st.radio(
            "Who writes the answers",
            list(KINDS),
            index=list(KINDS).index(model.kind),
            format_func=lambda name: KINDS[name],
            disabled="model.kind" in locked,
            key="model-kind",
        )
        fields = _fields(kind, model, locked)
        if locked:
            st.caption(render.plain(f"Set by the environment: {', '.join(sorted(locked.values()))}."))
        with st.container(horizontal=True):
            save = st.button("Save", type="primary", key="save")
            test = st.button("Test", key="test", icon=":material/network_check:", disabled=kind == "none")
        if save or test:
            _use(opened, settings, {"kind": kind, **fields}, save=save)
        _tested(opened)


def _fields(kind: str, model: ModelConfig, locked: Mapping[str, str]) -> dict[str, Any]:
    """The settings one kind of model needs."""
    if kind == "none":
        return {}
    fields: dict[str, Any] = {}
    if kind == "openai":
        fields["base_url"] = st.text_input(
            "Address",
            model.base_url,
            placeholder="http://127.0.0.1:8080/v1",
            disabled="model.base_url" in locked,
            key="model-url",
        )
    label = "Model name at the server" if kind == "openai" else "Folder of the model"
    fields["name"] = st.text_input(label, model.name, disabled="model.name" in locked, key="model-name")
    if kind == "openai":
        typed = st.text_input(
            "API key",
            type="password",
            placeholder="kept, not shown" if model.api_key else "not needed by most local servers",
            disabled="model.api_key" in locked,
            key="model-key",
        )
        if typed:
            fields["api_key"] = Secret(typed)
    fields["timeout_seconds"] = st.number_input(
        "Seconds before the embedded brain takes over",
        min_value=1.0,
        max_value=3600.0,
        value=float(model.timeout_seconds),
        step=5.0,
        disabled="model.timeout_seconds" in locked,
        key="model-timeout",
    )
    return fields


def _use(opened: Workspace, settings: Settings, chosen: dict[str, Any], *, save: bool) -> None:
    """Save the model, or try it without saving."""
    try:
        model = replace(settings.model, **chosen)
        if save:
            save_settings(opened.data_dir, replace(settings, model=model))
            st.toast("Saved. The next question uses it.", icon=":material/check:")
            return
    except ConfigError as error:
        st.error(render.plain(str(error)), icon=":material/error:")
        return

    def work(handle: Handle) -> dict[str, Any]:
        return {"said": test_model(model)}

    st.session_state["test-job"] = opened.runner.submit("test", work, {"kind": model.kind})


def _tested(opened: Workspace) -> None:
    """How the test of this session is going or went."""
    job_id = st.session_state.get("test-job")
    if job_id is None:
        return
    job = opened.runner.job(job_id)
    if job.active:
        _waiting(opened, job_id)
    elif job.state == "done":
        st.success(render.plain(f"The model answers: {job.result['said']}"), icon=":material/check:")
    else:
        st.error(render.plain(job.error or "The test was interrupted."), icon=":material/error:")


@st.fragment(run_every=0.4)
def _waiting(opened: Workspace, job_id: str) -> None:
    if not opened.runner.job(job_id).active:
        st.rerun()
    st.html('<div class="fg-sub fg-wait">Asking the model for one word</div>')


def _folder(opened: Workspace) -> None:
    size = sum(path.stat().st_size for path in opened.data_dir.rglob("*") if path.is_file())
    collections = opened.store.collections()
    with st.container(border=True, key="folder", gap="small"):
        st.html('<div class="fg-title">Data folder</div>')
        rows = [
            ("Folder", str(opened.data_dir)),
            ("Size", render.size(size)),
            ("Collections", f"{len(collections):,}"),
            ("Documents", f"{sum(collection.documents for collection in collections):,}"),
            ("Passages", f"{sum(collection.passages for collection in collections):,}"),
            ("Backup", "Close Forage and copy the folder. It holds everything."),
        ]
        st.html(render.facts_html(rows))


def _about() -> None:
    with st.container(border=True, key="about", gap="small"):
        st.html(
            '<div class="fg-title">About</div>'
            '<div class="fg-sub">Forage answers from your own documents and shows the sentence each claim '
            "rests on. It sends nothing anywhere unless you choose a model server.</div>"
        )
        rows = [("Forage", _version("forage")), ("Licence", "Apache License 2.0")]
        rows += [("Python", platform.python_version()), ("SQLite", sqlite3.sqlite_version)]
        st.html(render.facts_html(rows + [(name, _version(name)) for name in SHOWN_VERSIONS]))


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "run from source"


if __name__ == "__main__":
    show()
