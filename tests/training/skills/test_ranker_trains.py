"""`forage train skill ranker` and `packer` on small fictional worlds: from files to weights that score."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from index import delta
from index.features import FIRST, SECOND
from index.trees import Trees
from training.skills import packer, packer_data, ranker, ranker_data
from training.skills.packer import area_under_curve
from training.skills.ranker_data import Pool
from training.skills_cli import train_commands


class WordVectors:
    """Sums of one fixed random vector for each word: near when words are shared, and no encoder to wait for."""

    name, dimension = "words", 384

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        made = np.full((len(texts), self.dimension), 1e-3, dtype=np.float32)
        for at, text in enumerate(texts):
            for word in text.lower().split():
                seed = zlib.crc32(word.strip(".,?:").encode())
                made[at] += np.random.default_rng(seed).standard_normal(self.dimension, dtype=np.float32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    learn, judge = (
        (Pool("world 401", "all", 30), Pool("world 402", "all", 30)),
        (Pool("world 403", "all", 10),),
    )
    monkeypatch.setattr(ranker_data, "WORLD_SIZE", 25)
    monkeypatch.setattr(ranker, "TRAIN", (*learn, Pool("2wiki_distractor", "train", 5)))
    monkeypatch.setattr(ranker, "DEV", judge)
    monkeypatch.setattr(packer_data, "WORLDS", learn)
    monkeypatch.setattr(packer_data, "WORLDS_DEV", judge)
    for module in (ranker, packer):
        monkeypatch.setattr(module, "load_embedder", WordVectors)
    monkeypatch.delenv("FORAGE_DATA", raising=False)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("skill", "of"), [("ranker", "R@5"), ("packer", "area under ROC")])
def test_a_skill_is_trained_on_worlds_alone(small: None, tmp_path: Path, skill: str, of: str) -> None:
    done = CliRunner().invoke(train_commands, ["skill", skill, "--out", str(tmp_path), "--device", "cpu"])
    assert done.exit_code == 0, done.output
    path = tmp_path / f"{skill}.safetensors"
    card = delta.read_card(path)
    assert card["data"] == {"fictional worlds": "made by Forage, Apache-2.0"}
    assert of in card["score"]["of"] and card["score"]["value"] > 60
    assert {pool["name"] for pool in card["pools"]} == {"world 401", "world 402"}
    trees = Trees.from_arrays(delta.load_arrays(path), "second")
    width = int(trees.feature.max()) + 1
    assert width > len(FIRST) if skill == "ranker" else width > 1
    assert np.isfinite(trees.score(np.zeros((2, len(FIRST) + len(SECOND)), np.float32))).all()


def test_area_under_curve_by_hand() -> None:
    scores, labels = np.array([0.9, 0.5, 0.5, 0.1], np.float32), np.array([1, 1, 0, 0], np.float32)
    assert area_under_curve(scores, labels) == 0.875  # pairs: 3 right, 1 tied, of 4
    assert area_under_curve(-scores, labels) == 0.125
    assert area_under_curve(scores, np.zeros(4, np.float32)) == 0.5
