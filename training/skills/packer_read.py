"""Trains the packer's third look: what of the passages is needed once a reading model has read them.

The reader knows the questions it learned from too well, so each is read by the half that left it out (`--half`), and
the first two looks come from ensembles that never saw it either. The file holds all three: the third is of no use
after others than it learned from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from agent.reader_model import shipped_weights
from agent.sentence_readings import SentenceReadings
from index import delta
from index.errors import InputError
from index.read_look import READ, third_look
from index.readings import SentenceReader
from index.trees import Trees
from training.kept import KeptSentenceReadings, kept_file
from training.report import track
from training.skills.card import Run
from training.skills.folds import fold_of, in_order
from training.skills.packer_data import Page
from training.skills.packer_fit import grow_trees, label, out_of_fold, second_looks

ReaderFor = Callable[[str], SentenceReader]


def halves(run: Run, cache: Path | None = None) -> ReaderFor:
    """The reader of each training question; what was read is kept beside the evaluation indexes."""
    kept = kept_file(cache)
    both = [
        KeptSentenceReadings(path, kept) for path in in_order(run.halves, "reader", "Packing after reading")
    ]
    return lambda question: both[fold_of(question)]


def in_use(cache: Path | None = None) -> SentenceReadings:
    """The reader that ships, for questions of people and of development. InputError where there is none."""
    weights = shipped_weights()
    if weights is None:
        raise InputError("Packing after reading is judged with the reader in use; train one first.")
    return KeptSentenceReadings(weights, kept_file(cache))


def fit(learned: Sequence[Page], seed: int, reader_for: ReaderFor) -> Trees:
    """The third ensemble. InputError from the readers."""
    first = out_of_fold(learned, [one.first for one in learned], seed)
    seen = second_looks(learned, first)
    second = out_of_fold(learned, seen, seed)
    looks = [
        third_look(one.offered, look, *scores, reader_for(one.offered.question)(one.offered))
        for one, look, scores in zip(
            track(learned, len(learned), "reading"), seen, zip(first, second, strict=True), strict=True
        )
    ]
    return grow_trees([(look, label(one)) for look, one in zip(looks, learned, strict=True)], seed)


def describe(card: dict[str, Any], run: Run, minutes: float, judged: dict[str, Any]) -> dict[str, Any]:
    """The model card, from that of the first two looks."""
    mean = float(np.mean([line["area"] for line in judged.values()]))
    return card | {
        "skill": "packer, after reading",
        "features": card["features"] | {"third": list(READ)},
        "halves": [delta.digest(path)[:12] for path in run.halves],
        "minutes": round(minutes, 1),
        "score": {
            "of": f"mean area under ROC of needed sentences after reading, {', '.join(judged)}",
            "value": round(100 * mean, 2),
        },
        "dev": judged,
    }


def write(out: Path, trees: tuple[Trees, Trees, Trees], card: dict[str, Any]) -> None:
    """All three ensembles with their card."""
    arrays: dict[str, np.ndarray] = {}
    for name, ensemble in zip(("first", "second", "third"), trees, strict=True):
        arrays |= ensemble.arrays(name)
    delta.save_arrays(weights_path(out), arrays, card)


def weights_path(out: Path) -> Path:
    """Where a run writes it."""
    return out / "packer-read.safetensors"


def installed_path() -> Path:
    """Where packing reads it from."""
    return Path(str(files("index").joinpath("weights/packer-read.safetensors")))
