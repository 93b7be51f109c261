"""Trains the packer: two ensembles of boosted trees that say which sentences a reader needs.

Passages come with a usefulness from rankers that never saw the question (training.skills.packer_data), and the
second look is taken after scores of first ensembles that never saw it, so both learn from the mistakes they will
meet. The objective is the likelihood of "needed", with a sentence that holds the answer elsewhere counted too: it
answers as well. With two half readers (`--half`) a third look is trained after them (training.skills.packer_read).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index import delta
from index.encoders import load_embedder
from index.evidence_pack import Packer
from index.offered import CHUNKS
from index.ranker import load_ranker
from index.readings import SentenceReader
from index.sentence_features import FIRST, SECOND
from training.report import provenance
from training.skills import packer_data, packer_read
from training.skills.card import Run
from training.skills.packer_data import Page, page, pages
from training.skills.packer_fit import ROUNDS, SETTINGS, fit, label
from training.skills.ranker import FOLDS, cross_fit
from training.skills.ranker_data import Pool, gather, sources_of

Floats = npt.NDArray[np.float32]


def train(run: Run, cache: Path | None = None) -> dict[str, Any]:
    """Train on the packer's pools, judge on development questions, write weights and card to `run.out`. The card.

    Without question sets, on fictional worlds alone.
    """
    began = time.monotonic()
    embedder = load_embedder()
    pools = packer_data.POOLS if run.data else packer_data.WORLDS
    asked = gather(pools, run.data, embedder, cache)
    _, looked = cross_fit(asked, run.seed)
    learned = pages(looked, run.data, pools, run.seed)
    first, second = fit(learned, run.seed)
    minutes = (time.monotonic() - began) / 60
    judged = judge(Packer(first, second), run, cache)
    card = describe(run, pools, learned, minutes, judged)
    run.out.mkdir(parents=True, exist_ok=True)
    delta.save_arrays(weights_path(run.out), {**first.arrays("first"), **second.arrays("second")}, card)
    if run.halves:
        began = time.monotonic()
        third = packer_read.fit(learned, run.seed, packer_read.halves(run, cache))
        minutes = (time.monotonic() - began) / 60
        judged = judge(Packer(first, second, third), run, cache, packer_read.in_use(cache))
        packer_read.write(run.out, (first, second, third), packer_read.describe(card, run, minutes, judged))
    return card


def describe(
    run: Run, pools: Sequence[Pool], learned: Sequence[Page], minutes: float, judged: dict[str, Any]
) -> dict[str, Any]:
    """The model card."""
    facts = provenance()
    mean = float(np.mean([line["area"] for line in judged.values()]))
    return {
        "skill": "packer",
        "features": {"first": list(FIRST), "second": list(SECOND)},
        "settings": {**SETTINGS, "rounds": ROUNDS, "folds": FOLDS},
        "seed": run.seed,
        "data": sources_of(pools, run.data),
        "pools": [asdict(pool) for pool in pools],
        "questions": len(learned),
        "minutes": round(minutes, 1),
        "command": facts["command"],
        "commit": facts["commit"],
        "score": {
            "of": f"mean area under ROC of needed sentences, {', '.join(judged)}",
            "value": round(100 * mean, 2),
        },
        "dev": judged,
    }


def judge(
    packer: Packer, run: Run, cache: Path | None, reader: SentenceReader | None = None
) -> dict[str, Any]:
    """How well the packer tells needed sentences of development questions, with the ranker that ships.

    reader: reads the passages first.
    """
    pools = packer_data.DEV if run.data else packer_data.WORLDS_DEV
    found: dict[str, Any] = {}
    for pool in pools:
        asked = gather([pool], run.data, load_embedder(), cache)
        marks = packer_data.marks_of(pool, run.data)
        ranked = load_ranker("ranker", asked[0].gatherer)
        held: list[Page] = []
        for one in asked:
            scores = ranked.judge(one.situation)
            best = dict(sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:CHUNKS])
            held.append(page(one, best, marks.get(one.example.id)))
        found[pool.label] = quality(packer, held, reader)
    return found


def quality(packer: Packer, held: Sequence[Page], reader: SentenceReader | None = None) -> dict[str, Any]:
    """Area under the ROC curve over all sentences of some questions."""
    needs = np.concatenate([packer.needs(one.offered, reader) for one in held])
    area = area_under_curve(needs, np.concatenate([label(one) for one in held]))
    return {"n": len(held), "area": round(area, 4)}


def area_under_curve(scores: Floats, labels: Floats) -> float:
    """Share of (1, 0) pairs that stand in the right order, ties half (Mann and Whitney's U)."""
    order = np.argsort(scores, kind="stable")
    values, at = np.unique(scores[order], return_inverse=True)
    ranks = np.bincount(at, weights=np.arange(1, len(scores) + 1)) / np.bincount(at)
    rank = np.empty(len(scores))
    rank[order] = ranks[at]
    ones = float(labels.sum())
    zeros = len(labels) - ones
    if not ones or not zeros:
        return 0.5
    return float((rank[labels > 0].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def weights_path(out: Path) -> Path:
    """Where a run writes the packer."""
    return out / "packer.safetensors"


def installed_path() -> Path:
    """Where packing reads the weights from."""
    return Path(str(files("index").joinpath("weights/packer.safetensors")))
