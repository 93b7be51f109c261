"""Fits the gate's classifier, and says how well it and the rule tell where a search would be in vain (F1_aware).

A question asked of its own collection is worth a search unless the set says that nothing there answers it; asked of
another set's collection it is not. A question whose name and answer stand in one passage there is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from agent.boundary import Boundary, signals_of
from agent.boundary_learned import LearnedBoundary, row_of
from agent.question import analyse
from index.errors import InputError
from index.popularity import passages_with
from index.retrieve import Searcher
from index.types import Embedder, Scope
from training.benchmark_index import open_index
from training.data import QAExample, load_questions, open_data
from training.rewards.boundary import f1_aware

MAX_LOST = 0.02  # of the questions worth a search that may be given up without one, on training questions
STRENGTH = 1.0  # inverse of the L2 penalty
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the gate sees it in one collection."""

    collection: str
    origin: str  # the set that the question is of
    id: str
    signals: dict[str, float]
    hopeless: bool

    @property
    def kind(self) -> str:
        """answered, unanswered (in its own collection) or foreign."""
        return "foreign" if self.origin != self.collection else "unanswered" if self.hopeless else "answered"


def collect(
    folders: Sequence[Path], split: str, each: int, embedder: Embedder, cache: Path | None, seed: int = 7
) -> Iterator[Asked]:
    """`each` questions of every set asked of its own collection, and half as many of the other sets.

    embedder: whose index of the sets to open; nothing is embedded. InputError for a set that cannot be read.
    """
    sets = {folder.name: _drawn(folder, split, each, seed) for folder in folders}
    for folder in folders:
        data = open_data(folder)
        others = [(name, e) for name, drawn in sets.items() if name != folder.name for e in drawn]
        foreign = Random(f"{seed}/{folder.name}").sample(others, min(each // 2, len(others)))
        with open_index(data, sets[folder.name], embedder, cache) as index:
            searcher, scope = Searcher(index.store, embedder), Scope((index.collection,))
            for example in sets[folder.name]:
                signals = signals_of(analyse(example.question), searcher, scope)
                yield Asked(folder.name, folder.name, example.id, signals, example.unanswerable)
            for name, example in foreign:
                if not _stands_there(example, searcher, scope):
                    signals = signals_of(analyse(example.question), searcher, scope)
                    yield Asked(folder.name, name, example.id, signals, True)


def _drawn(folder: Path, split: str, each: int, seed: int) -> list[QAExample]:
    path = folder / f"{split}.jsonl"
    path = path if path.is_file() else folder / "questions.jsonl"
    usable = [e for e in load_questions(path) if not e.is_talk]
    return Random(f"{seed}/{folder.name}").sample(usable, min(each, len(usable)))


def _stands_there(example: QAExample, searcher: Searcher, scope: Scope) -> bool:
    """Whether a passage holds a name of the question and one of its answers."""
    names = analyse(example.question).names
    return any(passages_with(searcher.store, name, scope, example.answers, limit=1) for name in names)


def fit(asked: Sequence[Asked]) -> tuple[LearnedBoundary, dict[str, float]]:
    """Logistic regression with its threshold moved into the bias, and what it rests on.

    The threshold is the lowest at which, in 5-fold predictions, no more than MAX_LOST of the questions worth a search
    are given up. InputError where there are too few questions or all of one kind.
    """
    labels = np.array([one.hopeless for one in asked])
    if len(asked) < 50 or labels.all() or not labels.any():
        raise InputError(f"{len(asked)} questions were given; at least 50 are needed, of both kinds.")
    table = np.array([row_of(one.signals) for one in asked])
    model = LogisticRegression(C=STRENGTH, max_iter=2000)
    odds = cross_val_predict(model, table, labels, cv=FOLDS, method="decision_function")
    worth = np.sort(odds[~labels])[::-1]
    threshold = max(0.0, float(worth[int(MAX_LOST * len(worth))]))
    model.fit(table, labels)
    bias = float(model.intercept_[0]) - threshold
    report = {
        "questions": len(asked),
        "hopeless": int(labels.sum()),
        "threshold_log_odds": round(threshold, 4),
    }
    return LearnedBoundary(tuple(round(float(w), 4) for w in model.coef_[0]), round(bias, 4)), report


def scores(boundary: Boundary, asked: Sequence[Asked]) -> dict[str, float]:
    """F1_aware (positive: a search would be in vain) and the shares of each kind that are given up unsearched."""
    given_up = [boundary.decide(one.signals, None).chosen == "hopeless" for one in asked]
    found = {"f1_aware": f1_aware([one.hopeless for one in asked], [not up for up in given_up])}
    for kind in ("answered", "unanswered", "foreign"):
        of_kind = [up for one, up in zip(asked, given_up, strict=True) if one.kind == kind]
        found[kind] = sum(of_kind) / len(of_kind) if of_kind else 0.0
    return {name: round(value, 4) for name, value in found.items()}
