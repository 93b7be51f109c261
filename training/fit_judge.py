"""Fits the judge: `python -m training.fit_judge --data DIR --cache DIR`. Is the answer at hand right?

Runs the live agent over questions of fictional worlds (seeds that are used nowhere else) and of public
training splits, takes the features of its evidence each time the judge looks, and labels them by whether the
answer it then had was right (an unanswerable question never is). A logistic regression on the worlds gives the
weights; the public sets show how far they carry.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from agent import inquiry
from agent.agent import Agent
from agent.build import open_agent
from agent.compare import is_comparison
from agent.judge import FEATURES
from agent.question import analyse
from index.ingest import ingest, ingest_passages
from index.store import Store
from training.metrics import f1

log = logging.getLogger(__name__)
WORLD_SEEDS = (301, 302)
PUBLIC = ("squad2_dev_half", "musique_distractor")
TARGET = Path(__file__).parent.parent / "agent" / "judge.json"
Row = tuple[list[float], bool, str]


def main() -> None:
    """Collect, fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the public question sets")
    parser.add_argument("--questions", type=int, default=150, help="of each set")
    parser.add_argument("--cache", type=Path, required=True, help="where indexes and rows are kept")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    inquiry.STOP_AT = 1.1  # look as far as the budget goes, so that later looks are judged too
    rows: list[Row] = []
    for seed in WORLD_SEEDS:
        rows += _kept(options.cache / f"world-{seed}.json", lambda s=seed: list(_world(s, options.questions)))
    for name in PUBLIC:
        folder, cache = options.data / name, options.cache / name
        rows += _kept(
            options.cache / f"{name}.json", lambda f=folder, c=cache: list(_public(f, c, options.questions))
        )
    report = fit(rows)
    TARGET.write_text(json.dumps(report, indent=2) + "\n")
    log.info(json.dumps(report, indent=2))


def fit(rows: Sequence[Row], seed: int = 7) -> dict[str, object]:
    """Weights from the worlds' rows; quality by cross-validation there, and carried over to each public set.

    The public rows do not take part in the fit: there a quarter or less is right, and weights fitted with them
    made the agent abstain from most of what it knew in ordinary collections (docs/LOG.md).
    """
    matrix = np.array([row[0] for row in rows])
    right = np.array([row[1] for row in rows], dtype=int)
    sets = np.array([row[2] for row in rows])
    worlds = np.char.startswith(sets, "world-")
    model = LogisticRegression(C=1.0, max_iter=2000)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    said = cross_val_predict(model, matrix[worlds], right[worlds], cv=folds, method="predict_proba")[:, 1]
    model.fit(matrix[worlds], right[worlds])
    quality = {"worlds (5-fold)": _quality(said, right[worlds])}
    for name in sorted(set(sets[~worlds])):
        one = sets == name
        quality[name] = _quality(model.predict_proba(matrix[one])[:, 1], right[one])
    return {
        "weights": {
            "bias": round(float(model.intercept_[0]), 4),
            **{name: round(float(value), 4) for name, value in zip(FEATURES, model.coef_[0], strict=True)},
        },
        "made_by": "python -m training.fit_judge",
        "rows": int(worlds.sum()),
        "quality": quality,
    }


def _quality(said: np.ndarray, right: np.ndarray) -> dict[str, float]:
    return {
        "rows": len(right),
        "right": round(float(right.mean()), 3),
        "auroc": round(float(roc_auc_score(right, said)), 3),
        "ece": round(calibration_error(said, right), 3),
    }


def calibration_error(said: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: mean gap of stated and true share, weighted by the bins' sizes.

    >>> round(calibration_error(np.array([0.75, 0.75, 0.75, 0.75]), np.array([1, 1, 1, 0])), 3)
    0.0
    """
    at = np.minimum((said * bins).astype(int), bins - 1)
    gaps = [
        abs(said[at == b].mean() - right[at == b].mean()) * (at == b).mean()
        for b in range(bins)
        if (at == b).any()
    ]
    return float(sum(gaps))


def _kept(path: Path, make: object) -> list[Row]:
    if path.exists():
        return [(row[0], row[1], row[2]) for row in json.loads(path.read_text())]
    rows: list[Row] = make()  # type: ignore[operator]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows))
    log.info(
        "%s: %d rows, %.2f right", path.stem, len(rows), np.mean([row[1] for row in rows]) if rows else 0
    )
    return rows


def _world(seed: int, count: int) -> Iterator[Row]:
    from training.world_cli import write_examples

    with tempfile.TemporaryDirectory() as folder:
        write_examples(seed, 60, Path(folder))
        store = Store.open(Path(folder) / "data")
        ingest(store, [Path(folder) / "collection"], "world")
        agent = open_agent(store.data_dir, store=store)
        from training.world import World

        for question in World.generate(seed, 60).questions(max(1, count // 5), seed):
            yield from _row(agent, question.text, question.answers, f"world-{seed}")


def _public(folder: Path, cache: Path, count: int) -> Iterator[Row]:
    store = Store.open(cache)
    with (folder / "corpus.jsonl").open(encoding="utf-8") as lines:
        ingest_passages(store, (json.loads(line) for line in lines), folder.name)
    agent = open_agent(cache, store=store)
    with (folder / "train.jsonl").open(encoding="utf-8") as lines:
        questions = [json.loads(line) for line in lines]
    for at in np.random.default_rng(7).permutation(len(questions))[:count]:
        yield from _row(agent, questions[at]["question"], questions[at]["answers"], folder.name)


def _row(agent: Agent, question: str, answers: Sequence[str], name: str) -> Iterator[Row]:
    """One row for each time the judge looked: its features, and whether the answer at hand was right."""
    if is_comparison(analyse(question)):
        return  # judged by its two parts, whose gold we do not know
    had = ""
    for step in agent.run(question).steps:
        if step.stage == "read":
            had = next((answer["text"] for answer in step.detail.get("answers", ())), "")
        elif step.decision is not None and step.decision.name == "judge" and had and step.decision.features:
            right = bool(answers) and f1(had, list(answers)) >= 0.5
            yield [step.decision.features[feature] for feature in FEATURES], right, name


if __name__ == "__main__":
    main()
