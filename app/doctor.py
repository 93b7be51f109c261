"""`forage doctor`: is this machine and data folder in order, and if not, what to do."""

from __future__ import annotations

import json
import platform
import sqlite3
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from agent.config import load_settings
from agent.llm import test_model
from app.options import AsJson, DataDir, data_dir_of
from index.encoders import load_embedder
from index.errors import ForageError
from index.faiss_index import DenseCache
from index.minilm import multiplies_bf16
from index.store import Store

Check = Callable[[Path], str]


def doctor(
    context: typer.Context,
    model: Annotated[bool, typer.Option("--model", help="Also call the configured language model.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Check the installation and the data folder."""
    folder = data_dir_of(context, data_dir)
    checks: dict[str, Check] = {
        "Python": _python, "SQLite": _sqlite, "Packages": _packages, "Encoder": _encoder, "Data folder": _store,
        "Indexes": _indexes, "Settings": _settings,
    }  # fmt: skip
    if model:
        checks["Language model"] = _model
    results = list(_run(checks, folder))
    if as_json:
        typer.echo(json.dumps([{"check": n, "ok": ok, "message": m} for n, ok, m in results], indent=2))
    else:
        for name, ok, message in results:
            Console(highlight=False).print(
                f"{'[green]ok[/]  ' if ok else '[red]bad[/] '} {name}: {escape(message)}"
            )
    raise typer.Exit(0 if all(ok for _, ok, _ in results) else 1)


def _run(checks: dict[str, Check], folder: Path) -> Iterator[tuple[str, bool, str]]:
    for name, check in checks.items():
        try:
            yield name, True, check(folder)
        except ForageError as error:
            yield name, False, str(error)


def _python(folder: Path) -> str:
    return f"{platform.python_version()} on {platform.system()} {platform.machine()}"


def _sqlite(folder: Path) -> str:
    try:
        sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5(x)")
    except sqlite3.OperationalError as error:
        raise ForageError(
            f"SQLite {sqlite3.sqlite_version} has no FTS5: use a Python built with it."
        ) from error
    return f"{sqlite3.sqlite_version} with FTS5"


def _packages(folder: Path) -> str:
    try:
        return ", ".join(
            f"{name} {version(name)}"
            for name in ("torch", "transformers", "faiss-cpu", "langgraph", "streamlit")
        )
    except PackageNotFoundError as error:
        raise ForageError(f"{error}. Install again: pip install -c constraints.txt -e .") from error


def _encoder(folder: Path) -> str:
    embedder = load_embedder()
    embedder.embed(["warm up"])
    began = time.monotonic()
    embedder.embed(
        ["The observatory on the hill was opened in 1887 by two brothers from the valley. " * 6] * 32
    )
    rate = 32 / (time.monotonic() - began)
    how = "bfloat16 by PyTorch" if multiplies_bf16() else "float32 by ONNX Runtime"
    return f"{embedder.name}, {how}, {rate:.0f} passages a second"


def _store(folder: Path) -> str:
    store = Store.open(folder)
    problems = store.connection.execute("PRAGMA integrity_check").fetchone()[0]
    if problems != "ok":
        raise ForageError(
            f"forage.db is damaged ({problems}). Restore it from a backup, or ingest into a new folder."
        )
    store.connection.execute("INSERT INTO passages_text(passages_text) VALUES ('integrity-check')")
    found = store.collections()
    passages, documents = sum(c.passages for c in found), sum(c.documents for c in found)
    failed = sum(c.failed for c in found)
    size = store.path.stat().st_size / 1e6
    counts = f"{len(found)} collections, {documents} documents, {failed} failed, {passages} passages"
    return f"{folder}: {counts}, {size:.1f} MB"


def _indexes(folder: Path) -> str:
    store = Store.open(folder)
    embedder = load_embedder()
    store.require_embedder(embedder.name)
    cache = DenseCache(store, embedder.dimension)
    for collection in store.collections():
        cache.refresh(store.collection_id(collection.name))
    return "dense indexes agree with the store"


def _settings(folder: Path) -> str:
    settings = load_settings(folder)
    model = settings.model
    return "embedded brain, no language model" if model.kind == "none" else f"{model.kind} model {model.name}"


def _model(folder: Path) -> str:
    return test_model(load_settings(folder).model)
