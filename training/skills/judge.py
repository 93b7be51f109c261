"""Trains the judge: `forage train skill judge`.

The live agent's reading of training questions gives rows (training/judge_rows.py), boosted trees learn from them
(training/judge_fit.py). Rows are kept as they come, so a second run goes on where the first stopped. A reader is too
good on questions it learned from: give two that each left out a half (`--half`), else the one in use reads them all.
With `--from-collection` the judge in use goes on from its trees with rows of self-made questions over a person's own
documents (training/skills/judge_collection.py), read by the reader in use.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from agent import judge_weights
from agent.judge import FEATURES
from agent.judge_weights import JudgeWeights, installed_path
from agent.reader_model import load_reader
from index import delta
from index.encoders import load_embedder
from index.trees import from_dump
from index.types import Mode
from training import judge_fit
from training.judge_rows import SOURCES, ReaderFor, Rows, collect
from training.report import provenance
from training.skills.card import Run
from training.skills.collection import open_collection
from training.skills.judge_collection import adaptation, collect_own, label
from training.skills.leaks import licences
from training.skills.reader_halves import ReaderHalves

MODE: Mode = "ranked"


def train(run: Run) -> dict[str, Any]:
    """Collect rows for the minutes given, fit, write weights and card to `run.out`; the card."""
    began = time.monotonic()
    if not judge_weights.installed():  # any order of the chains will do to learn from
        judge_weights.use(JudgeWeights(from_dump([{"tree_structure": {"leaf_value": 0.0}}])))
    reader_for = ReaderHalves(run.halves) if run.halves else lambda question: load_reader()
    until = began + 60 * run.minutes
    if run.collection is not None:
        return adapt(run, until, reader_for, *run.collection)
    rows = _rows(run, until, lambda done: collect(run.data, load_embedder(), None, MODE, done, reader_for))
    start = JudgeWeights.load(run.start) if run.start is not None else None
    weights, report = judge_fit.fit(rows, run.seed, start)
    card = _card(run, report, weights, began) | {
        "data": licences(run.data, sorted({source.name for source in SOURCES})) if run.data else {},
        "score": {"of": "AUROC of the best chain, 5-fold", "value": report["all"]["auroc"]},
    }
    return _write(run, weights, card)


def adapt(run: Run, until: float, reader_for: ReaderFor, data_dir: Path, name: str) -> dict[str, Any]:
    """The judge in use (or `run.start`) with trees added that mend its errors on an ingested collection.

    NotFoundError for an unknown collection, InputError for one too small or for too little time.
    """
    began = until - 60 * run.minutes
    own = open_collection(data_dir, name)
    start = run.start or installed_path()
    before = JudgeWeights.load(start)

    def stream(done: Counter[str]) -> Iterator[Rows]:
        return collect_own(data_dir, own, load_embedder(), MODE, done, reader_for, run.seed)

    rows = [row for row in _rows(run, until, stream) if len(row.right)]
    held_out = [row for row in rows if row.source == label(held_out=True)]
    learn = [row for row in rows if row.source == label(held_out=False)]
    weights, report = judge_fit.fit(learn, run.seed, before, mend=True)
    measures = adaptation(before, weights, held_out)
    card = _card(run, report, weights, began) | {
        "start": delta.digest(start)[:12],
        "data": {"collection": name},
        "collection": own.card(measures),
        "score": {
            "of": f"1 - Brier of self-made questions held out of the collection {name}",
            "value": measures["1 - Brier"]["after"][0],
        },
    }
    return _write(run, weights, card)


def _card(run: Run, report: dict[str, Any], weights: JudgeWeights, began: float) -> dict[str, Any]:
    facts = provenance()
    return {
        "skill": "judge",
        "features": list(FEATURES),
        "settings": {
            **judge_fit.SETTINGS,
            "rounds": judge_fit.ROUNDS,
            "folds": judge_fit.FOLDS,
            "choices": list(judge_fit.CHOICES),
        },
        "seed": run.seed,
        "halves": [delta.digest(path)[:12] for path in run.halves],
        "start": delta.digest(run.start)[:12] if run.start is not None else "",
        "command": facts["command"],
        "commit": facts["commit"],
        "minutes": round((time.monotonic() - began) / 60, 1),
        "quality": report,
        "splits": judge_fit.importance(weights.trees),
    }


def _write(run: Run, weights: JudgeWeights, card: dict[str, Any]) -> dict[str, Any]:
    delta.save_arrays(weights_path(run.out), weights.arrays(), card)
    return card


def _rows(run: Run, until: float, stream: Callable[[Counter[str]], Iterator[Rows]]) -> list[Rows]:
    """Rows of earlier runs, then new ones until the time is up; `stream` is told what was asked already."""
    path = run.out / "judge-rows.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [_read(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
    done = Counter(source for source, _ in {(row.source, row.question) for row in rows})
    with path.open("a", encoding="utf-8") as lines:
        for row in stream(done):
            rows.append(row)
            kept = [row.source, row.question, row.features.tolist(), row.right.tolist(), row.answerable]
            lines.write(json.dumps(kept) + "\n")
            lines.flush()
            if time.monotonic() > until:
                break
    return rows


def _read(line: str) -> Rows:
    source, question, features, right, answerable = json.loads(line)
    table = np.array(features, dtype=np.float32).reshape(-1, len(FEATURES))
    return Rows(source, question, table, np.array(right, dtype=np.float32), bool(answerable))


def weights_path(out: Path) -> Path:
    """Where a run writes the judge."""
    return out / "judge.safetensors"
