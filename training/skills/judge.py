"""Fits the judge for as long as there are minutes: `forage train skill judge`.

The live agent answers questions of fictional worlds that are used nowhere else, and of public training splits where
there is a data folder; each look of its judge is a row (training/fit_judge.py says how rows are labelled and why
the worlds alone give the weights). Rows are kept as they come, so a second run goes on where the first stopped.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from agent import inquiry
from agent.agent import Agent
from agent.build import open_agent
from index.encoders import load_embedder
from index.errors import InputError
from index.ingest import ingest
from index.store import Store
from training import fit_judge
from training.benchmark_index import open_index
from training.data import load_questions, open_data
from training.report import provenance, track
from training.skills.card import Run
from training.skills.leaks import LeakAudit, licences, read_corpus
from training.world import World
from training.world_cli import write_examples

QUESTIONS = 40  # of each type for each world
WORLD_SHARE = 0.6  # of the minutes; the public sets have the rest
FEWEST = 20  # rows of worlds, right and wrong ones, below which nothing can be fitted
Asked = tuple[str, Sequence[str]]


def train(run: Run) -> dict[str, Any]:
    """Collect rows, fit, and write judge.json to `run.out`; returns it. InputError when the minutes were too few."""
    began = time.monotonic()
    kept_stop, inquiry.STOP_AT = inquiry.STOP_AT, 1.1  # look as far as the budget goes: later looks count too
    try:
        rows = list(_all_rows(run, began))
    finally:
        inquiry.STOP_AT = kept_stop
    worlds = [row for row in rows if row[2].startswith("world-")]
    if len(worlds) < FEWEST or len({row[1] for row in worlds}) < 2:
        raise InputError(
            f"{len(worlds)} looks of the judge were collected in {run.minutes:g} minutes; at least {FEWEST} are "
            "needed, right and wrong ones. Run the same command again: it goes on, with --minutes for more time."
        )
    report = fit_judge.fit(rows, run.seed)
    quality: Any = report["quality"]
    facts = provenance()
    card = report | {
        "made_by": "forage train skill judge",
        "command": facts["command"],
        "seed": run.seed,
        "minutes": round((time.monotonic() - began) / 60, 1),
        "data": licences(run.data, fit_judge.PUBLIC) if run.data else {},
        "score": {"of": "AUROC on fictional worlds, 5-fold", "value": quality["worlds (5-fold)"]["auroc"]},
    }
    weights_path(run.out).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return card


def _all_rows(run: Run, began: float) -> Iterator[fit_judge.Row]:
    share = WORLD_SHARE if run.data else 1.0
    for number, seed in enumerate(fit_judge.WORLD_SEEDS, start=1):
        until = began + 60 * run.minutes * share * number / len(fit_judge.WORLD_SEEDS)
        with tempfile.TemporaryDirectory() as folder:
            write_examples(seed, 60, Path(folder))
            store = Store.open(Path(folder) / "data")
            ingest(store, [Path(folder) / "collection"], "world")
            questions = World.generate(seed, 60).questions(QUESTIONS, seed)
            asked = [(question.text, question.answers) for question in questions]
            yield from _rows(open_agent(store.data_dir, store=store), asked, f"world-{seed}", run.out, until)
            store.close()
    for name in fit_judge.PUBLIC if run.data else ():
        yield from _public_rows(run, name, began + 60 * run.minutes)


def _public_rows(run: Run, name: str, until: float) -> Iterator[fit_judge.Row]:
    assert run.data is not None
    folder, audit = run.data / name, LeakAudit.of(run.data)
    examples = load_questions(folder / "train.jsonl")
    corpus = read_corpus(folder)
    asked = [
        (one.question, one.answers)
        for one in examples
        if audit.allows(name, {"question": one.question, "supporting": one.supporting}, corpus)
    ]
    with open_index(open_data(folder), examples, load_embedder()) as index:
        yield from _rows(open_agent(index.store.data_dir, store=index.store), asked, name, run.out, until)


def _rows(
    agent: Agent, asked: Sequence[Asked], name: str, out: Path, until: float
) -> Iterable[fit_judge.Row]:
    """Rows of the questions asked so far, in this run and earlier ones."""
    path = out / f"judge-{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    done = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    with path.open("a", encoding="utf-8") as lines:
        for question, answers in track(asked[len(done) :], len(asked) - len(done), f"asking: {name}"):
            if time.monotonic() > until:
                break
            done.append(json.dumps(list(fit_judge._row(agent, question, answers, name))))
            lines.write(done[-1] + "\n")
            lines.flush()
    return [(row[0], row[1], row[2]) for line in done for row in json.loads(line)]


def weights_path(out: Path) -> Path:
    """Where a run writes the judge."""
    return out / "judge.json"


def installed_path() -> Path:
    """Where the agent reads the judge from."""
    return Path(str(files("agent").joinpath("judge.json")))
