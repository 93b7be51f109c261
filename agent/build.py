"""The only place where settings become objects."""

from __future__ import annotations

from pathlib import Path

from agent.agent import Agent
from agent.config import Settings, load_settings
from agent.durable import OpenRuns
from agent.llm import open_language_model
from agent.memory import Memory
from agent.reader_model import ReaderModel, load_reader
from agent.telemetry import open_spans
from agent.trace import TraceLog
from index.encoders import load_embedder
from index.retrieve import Searcher
from index.store import Store
from index.types import Embedder


def open_agent(
    data_dir: Path | str,
    *,
    settings: Settings | None = None,
    store: Store | None = None,
    memory: bool = True,
    durable: bool = True,
    models: tuple[Embedder, ReaderModel | None] | None = None,
) -> Agent:
    """The agent of a data folder; raises StoreError or ConfigError.

    memory: False neither reads nor writes what is remembered, whatever the settings say (measurements, replay).
    durable: False keeps no checkpoints (measurements).
    models: encoder and trained reader to use in place of the process's own (measurements that keep readings).
    """
    store = store or Store.open(data_dir)
    settings = settings or load_settings(store.data_dir)
    log = TraceLog(store.data_dir / "trajectories.jsonl")
    model = open_language_model(settings.model)
    embedder = models[0] if models is not None else load_embedder()
    reader = (lambda: models[1]) if models is not None else load_reader
    kept = None
    if memory and settings.memory.use:
        brain = model.name if model is not None else "embedded"
        kept = Memory(store, embedder, settings.memory.chroma_url, brain)
    runs = OpenRuns(store.data_dir) if durable else None
    spans = open_spans(settings.telemetry.content) if settings.telemetry.spans else None
    return Agent(Searcher(store, embedder), settings, model, log, kept, runs=runs, spans=spans, reader=reader)
