"""Trains the judge: `forage train skill judge`.

The live agent's reading of training questions gives rows (training/judge_rows.py), boosted trees learn from them
(training/judge_fit.py). Rows are kept as they come, so a second run goes on where the first stopped. A reader is too
good on questions it learned from: give two that each left out a half (`--half`), else the one in use reads them all.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from agent import judge
from agent.judge import FEATURES
from agent.reader_model import load_reader
from index import delta
from index.encoders import load_embedder
from index.trees import Trees, from_dump
from index.types import Mode
from training import judge_fit
from training.judge_rows import SOURCES, ReaderFor, Rows, collect
from training.report import provenance
from training.skills.card import Run
from training.skills.leaks import licences
from training.skills.reader_halves import ReaderHalves

MODE: Mode = "ranked"


def train(run: Run) -> dict[str, Any]:
    """Collect rows for the minutes given, fit, write weights and card to `run.out`; the card."""
    began = time.monotonic()
    if not judge.installed():  # any order of the chains will do to learn from
        judge.use(from_dump([{"tree_structure": {"leaf_value": 0.0}}]))
    reader_for = ReaderHalves(run.halves) if run.halves else lambda question: load_reader()
    rows = _rows(run, began + 60 * run.minutes, reader_for)
    start = Trees.from_arrays(delta.load_arrays(run.start), "judge") if run.start is not None else None
    trees, calibration, report = judge_fit.fit(rows, run.seed, start)
    facts = provenance()
    card = {
        "skill": "judge",
        "features": list(FEATURES),
        "settings": {**judge_fit.SETTINGS, "rounds": judge_fit.ROUNDS, "folds": judge_fit.FOLDS},
        "data": licences(run.data, sorted({source.name for source in SOURCES})) if run.data else {},
        "seed": run.seed,
        "halves": [delta.digest(path)[:12] for path in run.halves],
        "start": delta.digest(run.start)[:12] if run.start is not None else "",
        "command": facts["command"],
        "commit": facts["commit"],
        "minutes": round((time.monotonic() - began) / 60, 1),
        "quality": report,
        "splits": judge_fit.importance(trees),
        "score": {"of": "AUROC of the best chain, 5-fold", "value": report["all"]["auroc"]},
    }
    arrays = {**trees.arrays("judge"), "calibration": np.array(calibration, dtype=np.float64)}
    delta.save_arrays(weights_path(run.out), arrays, card)
    return card


def _rows(run: Run, until: float, reader_for: ReaderFor) -> list[Rows]:
    """Rows of earlier runs, then new ones until the time is up."""
    path = run.out / "judge-rows.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [_read(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
    done = Counter(source for source, _ in {(row.source, row.question) for row in rows})
    with path.open("a", encoding="utf-8") as lines:
        for row in collect(run.data, load_embedder(), None, MODE, done, reader_for):
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


def installed_path() -> Path:
    """Where the agent reads the judge from."""
    return Path(str(files("agent").joinpath("weights/judge.safetensors")))
