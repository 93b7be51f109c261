"""Extraction by a model behind the real protocol: through the command, a server process and back into the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from typer.testing import CliRunner

from app.commands.graph import graph_commands
from index.graph_cache import GraphCache
from index.ingest import ingest_passages
from index.store import Store


class Flat:
    """Vectors that say nothing, and no model to load."""

    name, dimension = "flat", 4

    def embed(self, texts: Any) -> np.ndarray:
        return np.full((len(texts), 4), 0.5, dtype=np.float32)


def test_a_collection_is_extracted_by_the_model_of_an_endpoint(tmp_path: Path, chat_server: Any) -> None:
    store = Store.open(tmp_path)
    rows = [
        {"id": "1", "title": "Old bridges", "text": "the oldest was drawn by vell"},
        {"id": "2", "title": "New bridges", "text": "the newest was drawn by kell"},
    ]
    ingest_passages(store, rows, "c", embedder=Flat())
    given = [
        "extract",
        "-c",
        "c",
        "--data-dir",
        str(tmp_path),
        "--model",
        "openai",
        "--model-name",
        "extract",
    ]
    done = CliRunner().invoke(graph_commands, [*given, "--base-url", chat_server.base_url])
    assert done.exit_code == 0, done.output
    assert "Extracted 2 documents of 'c' with extract." in done.output
    assert "'Nobody Else' does not stand in the passage" in done.output
    assert "the reply is not JSON" in done.output
    assert "2 mistakes of the model were left out" in done.output
    keys = GraphCache(store).current(store.collection_id("c"))[0].edges.keys
    assert "vell" in keys and "kell" not in keys and "nobody else" not in keys
    found = store.connection.execute("SELECT subject, relation, object FROM triplets").fetchall()
    assert found == [("old bridges", "ends with", "vell")]
    store.close()


def test_without_a_model_the_command_says_what_to_do(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    done = CliRunner().invoke(graph_commands, ["extract", "-c", "c", "--data-dir", str(tmp_path)])
    assert done.exit_code != 0
    assert "No language model is chosen" in str(done.exception)
