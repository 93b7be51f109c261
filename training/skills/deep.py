"""Trains deep mode's ranker: the evidence ranker with what the hop encoder proposes and says.

Training questions are encoded by the half that never saw them (training.skills.hop_halves), development
questions by the hop encoder that ships.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from index import delta
from index.hop_encoder import load_hop_encoder, shipped_weights
from training.skills import ranker
from training.skills.card import Run
from training.skills.hop_halves import Halves, Remembering
from training.skills.ranker_data import DEV, TRAIN, Pool

SHARE, WHOLE = 0.5, ("2wiki_distractor", "musique_distractor")  # hop vectors cost: half of the other pools


def train(run: Run, cache: Path | None = None) -> dict[str, Any]:
    """Train, report on the development pools, write weights and card. The card. InputError without halves."""
    halves = Halves(run.halves)
    shipped = shipped_weights()
    encoders = ranker.Encoders(Remembering(halves), Remembering(load_hop_encoder()))
    hops = {
        "shipped": delta.digest(shipped)[:12] if shipped else None,
        "halves": [delta.digest(path)[:12] for path in run.halves],
    }
    return ranker.fit_and_judge(
        run, cache, fewer(TRAIN), fewer(DEV), encoders, {"skill": "deep", "hop": hops}
    )


def fewer(pools: tuple[Pool, ...]) -> list[Pool]:
    """The pools, of those with enough questions a half."""
    return [
        pool if pool.titles and pool.name in WHOLE else replace(pool, limit=round(SHARE * pool.limit))
        for pool in pools
    ]


def weights_path(out: Path) -> Path:
    """Where a run writes the ranker of deep mode."""
    return out / "deep.safetensors"


def installed_path() -> Path:
    """Where search reads it from."""
    return Path(str(files("index").joinpath("weights/deep.safetensors")))
