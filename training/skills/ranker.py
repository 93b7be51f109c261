"""Trains the evidence ranker: two ensembles of boosted trees (LightGBM), stored as safetensors.

The first learns from first looks. Its out-of-fold scores choose the seeds of the second looks, so that the
second ensemble learns from the mistakes it will really meet; it is also judged out of fold. The objective is
the likelihood of "this passage is gold", so the score is a probability; questions weigh the same.
"""

from __future__ import annotations

import hashlib
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index import delta
from index.encoders import load_embedder
from index.errors import InputError
from index.features import FIRST, SECOND
from index.gather import StateEncoder
from index.trees import Trees, from_dump
from training.metrics import all_gold_at_k, bootstrap, paired_difference, recall_at_k
from training.report import provenance
from training.skills.card import Run
from training.skills.ranker_data import DEV, TRAIN, Asked, Pool, gather, labels, sources_of, within

log = logging.getLogger(__name__)
FOLDS = 5
ROUNDS = 300
SETTINGS = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 24,
    "max_depth": 6,
    "min_data_in_leaf": 30,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 2.0,
    "verbosity": -1,
    "num_threads": 2,
}
Floats = npt.NDArray[np.float32]


@dataclass(slots=True)
class Looked:
    """Second looks of one question."""

    asked: Asked
    features: Floats  # (candidates, FIRST + SECOND)
    gold: Floats  # (candidates,)
    ids: npt.NDArray[np.int64]


def fit(rows: Sequence[tuple[Floats, Floats]], seed: int) -> Trees:
    """An ensemble from (features, labels) of each question; questions weigh the same."""
    weights = [np.full(len(y), 1.0 / max(len(y), 1)) for _, y in rows]
    return grow(rows, weights, {**SETTINGS, "seed": seed}, ROUNDS)


def grow(
    rows: Sequence[tuple[Floats, Floats]],
    weights: Sequence[npt.NDArray[np.float64]],
    settings: Mapping[str, Any],
    rounds: int,
) -> Trees:
    """Trees from (features, labels) and weights of each question. InputError where LightGBM is not installed."""
    try:
        import lightgbm
    except ImportError as error:
        raise InputError(
            "Training this skill needs the package lightgbm. Run: pip install 'forage[train]'"
        ) from error
    weight = np.concatenate(weights)
    data = lightgbm.Dataset(
        np.concatenate([x for x, _ in rows]),
        np.concatenate([y for _, y in rows]),
        weight=weight * len(weight) / weight.sum(),
        free_raw_data=True,
    )
    booster = lightgbm.train(dict(settings), data, rounds)
    return from_dump(booster.dump_model()["tree_info"])


def cross_fit(asked: Sequence[Asked], seed: int) -> tuple[Trees, list[Looked]]:
    """The first ensemble, and every question's second looks with seeds chosen by folds that never saw it."""
    draw = random.Random(seed)
    for one in asked:
        one.fold = int(hashlib.sha256(one.key.encode()).hexdigest(), 16) % FOLDS
    rows = {id(one): (one.situation.first, labels(one, one.situation)) for one in asked}
    looked: list[Looked] = []
    for fold in range(FOLDS):
        seen = [rows[id(one)] for one in asked if one.fold != fold]
        model = fit(seen, draw.randrange(1 << 30))
        looked += [second(one, model) for one in asked if one.fold == fold]
    return fit(list(rows.values()), seed), looked


def second(asked: Asked, first: Trees) -> Looked:
    """The second looks of a question with the seeds that `first` chooses."""
    grown, features = asked.gatherer.continued(asked.situation, first)
    ids = grown.graph.edges.passages[np.asarray(grown.rows, dtype=np.int64)]
    return Looked(asked, features, labels(asked, grown), ids)


def ranking(looked: Looked, model: Trees) -> list[int]:
    """Passage ids by usefulness."""
    scores = model.score(looked.features)
    return [int(looked.ids[at]) for at in np.lexsort((looked.ids, -scores))]


def out_of_fold(looked: Sequence[Looked], seed: int) -> dict[int, list[int]]:
    """Ranking of every question (by identity) by second ensembles that never saw it."""
    found: dict[int, list[int]] = {}
    for fold in range(FOLDS):
        model = fit([(one.features, one.gold) for one in looked if one.asked.fold != fold], seed)
        found.update({id(one.asked): ranking(one, model) for one in looked if one.asked.fold == fold})
    return found


def scores(asked: Sequence[Asked], rankings: Callable[[Asked], Sequence[int]]) -> dict[str, Any]:
    """R@2/5/10/50 and all-gold@5 in percent, per pool, with per-question R@5 for paired comparison."""
    found: dict[str, Any] = {}
    for pool in dict.fromkeys(one.pool for one in asked):
        ours = [one for one in asked if one.pool == pool]
        ranked = {id(one): [{str(key)} for key in rankings(one)[:50]] for one in ours}
        gold = {id(one): {str(key) for key in one.gold} for one in ours}
        line: dict[str, Any] = {"n": len(ours)}
        for k in (2, 5, 10, 50):
            values = [recall_at_k(ranked[id(one)], gold[id(one)], k) for one in ours]
            line[f"recall@{k}"] = round(100 * float(np.mean(values)), 1)
            if k == 5:
                line["per_question"] = values
                interval = bootstrap(values)
                line["interval@5"] = [
                    round(100 * (interval.low or 0), 1),
                    round(100 * (interval.high or 0), 1),
                ]
        every = [all_gold_at_k(ranked[id(one)], gold[id(one)], 5) for one in ours]
        line["all_gold@5"] = round(100 * float(np.mean(every)), 1)
        found[pool] = line
    return found


@dataclass(frozen=True, slots=True)
class Encoders:
    """Hop encoders of deep mode: for questions that are learned from, and for those that are not."""

    training: StateEncoder | None = None
    development: StateEncoder | None = None


def train(run: Run, cache: Path | None = None) -> dict[str, Any]:
    """Train on the training pools, report on the development pools, write weights and card. The card.

    Without question sets, on fictional worlds alone.
    """
    return fit_and_judge(run, cache, TRAIN, DEV, Encoders(), {"skill": "ranker"})


def fit_and_judge(
    run: Run,
    cache: Path | None,
    learn: Sequence[Pool],
    check: Sequence[Pool],
    encoders: Encoders,
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """The same for any pools and with hop encoders; `about` opens the card, "skill" names the file."""
    began = time.monotonic()
    embedder = load_embedder()
    learn, check = within(learn, run.data), within(check, run.data)
    asked = gather(learn, run.data, embedder, cache, encoders.training)
    first, looked = cross_fit(asked, run.seed)
    model = fit([(one.features, one.gold) for one in looked], run.seed)
    run.out.mkdir(parents=True, exist_ok=True)
    minutes = (time.monotonic() - began) / 60
    log.info("trained in %.1f minutes; judging", minutes)
    dev = gather(check, run.data, embedder, cache, encoders.development)
    judged = judge(dev, first, model)
    facts = provenance()
    mean = float(np.mean([line["recall@5"] for line in judged.values()]))
    card = {
        **about,
        "features": {"first": list(FIRST), "second": list(SECOND)},
        "settings": {**SETTINGS, "rounds": ROUNDS, "folds": FOLDS},
        "seed": run.seed,
        "data": sources_of(learn, run.data),
        "pools": [asdict(pool) for pool in learn],
        "questions": len(asked),
        "minutes": round(minutes, 1),
        "command": facts["command"],
        "commit": facts["commit"],
        "score": {
            "of": "mean R@5 of the development pools" if run.data else "mean R@5 of fictional worlds",
            "value": round(mean, 2),
        },
        "dev": judged,
        "left_out": left_out(asked, dev, run.seed) if run.data and encoders.training is None else {},
        "five_fold": five_fold(asked, run.data, cache, encoders.development, run.seed) if run.data else {},
    }
    path = run.out / f"{about['skill']}.safetensors"
    delta.save_arrays(path, {**first.arrays("first"), **model.arrays("second")}, card)
    return card


def judge(asked: Sequence[Asked], first: Trees, model: Trees) -> dict[str, Any]:
    """The ranker beside every single list on the same questions, with the candidates' recall."""
    looked = {id(one): second(one, first) for one in asked}
    report = scores(asked, lambda one: ranking(looked[id(one)], model))
    peers = {name: scores(asked, partial(listed, name)) for name in ("bm25", "dense", "hybrid")}
    peers["graph"] = scores(asked, walked)
    for pool, line in report.items():
        ours = [one for one in asked if one.pool == pool]
        held = [len(one.gold & set(looked[id(one)].ids.tolist())) / len(one.gold) for one in ours]
        line["candidate_recall"] = round(100 * float(np.mean(held)), 1)
        own = line.pop("per_question")
        for name, peer in peers.items():
            gap = paired_difference(own, peer[pool]["per_question"])
            line[name] = {
                "recall@5": peer[pool]["recall@5"],
                "difference": [round(100 * (v or 0.0), 1) for v in (gap.mean, gap.low, gap.high)],
            }
    return report


def left_out(asked: Sequence[Asked], dev: Sequence[Asked], seed: int) -> dict[str, Any]:
    """Each multi-hop set judged by ensembles that never saw a question of it, with or without titles."""
    found: dict[str, Any] = {}
    for name in ("2wiki_distractor", "musique_distractor", "hotpotqa_distractor"):
        rest = [one for one in asked if not one.pool.startswith(name)]
        first, looked = cross_fit(rest, seed)
        model = fit([(one.features, one.gold) for one in looked], seed)
        ours = [one for one in dev if one.pool == name]
        line = scores(ours, lambda one, f=first, m=model: ranking(second(one, f), m))[name]  # type: ignore[misc]
        line.pop("per_question")
        found[name] = line
    return found


def listed(name: str, asked: Asked) -> list[int]:
    """Ranking of one list of text search."""
    return list(asked.text[name])


def walked(asked: Asked) -> list[int]:
    """Ranking of graph mode."""
    at = asked.situation
    best = np.argsort(-at.walks.ranking, kind="stable")[:50]
    return [int(at.graph.edges.passages[row]) for row in best]


def five_fold(
    asked: Sequence[Asked], data: Path, cache: Path | None, hop: StateEncoder | None, seed: int
) -> dict[str, Any]:
    """All labelled MuSiQue questions, each ranked by ensembles that never saw it (the set is small)."""
    extra = gather([Pool("musique_distractor", "dev", 35)], data, load_embedder(), cache, hop)
    for one in extra:
        one.pool = "musique_distractor"
    whole = [*asked, *extra]
    _, all_looked = cross_fit(whole, seed)
    rankings = out_of_fold(all_looked, seed)
    ours = [one for one in whole if one.pool == "musique_distractor"]
    report = scores(ours, lambda one: rankings[id(one)])
    for line in report.values():
        line.pop("per_question")
    return report


def weights_path(out: Path) -> Path:
    """Where a run writes the ranker."""
    return out / "ranker.safetensors"


def installed_path() -> Path:
    """Where search reads the ranker from."""
    return Path(str(files("index").joinpath("weights/ranker.safetensors")))


__all__ = ["Pool", "cross_fit", "fit", "judge", "train"]
