"""`forage train skill ranker` and `packer` on small fictional worlds: from files to weights that score."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from agent.reader_model import shipped_weights
from index import delta
from index.features import FIRST, SECOND
from index.read_look import READ
from index.sentence_features import FIRST as SENTENCE
from index.sentence_features import SECOND as AFTER
from index.trees import Trees
from training.kept import Kept
from training.skills import packer, packer_data, packer_read, ranker, ranker_data
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


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_third_look_is_trained_after_two_half_readers(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = (Pool("world 401", "all", 12), Pool("world 402", "all", 12))
    monkeypatch.setattr(packer_data, "WORLDS", few)
    monkeypatch.setattr(packer_data, "WORLDS_DEV", (Pool("world 403", "all", 5),))
    monkeypatch.setattr(packer_read, "kept_file", lambda cache=None: Kept(tmp_path / "readings.db"))
    shipped = shipped_weights()
    assert shipped is not None
    options = []
    for fold in (0, 1):
        path = tmp_path / f"h{fold}.safetensors"
        path.symlink_to(shipped)
        card = delta.read_card(shipped) | {"left_out_fold": fold}
        delta.card_path(path).write_text(json.dumps(card), encoding="utf-8")
        options += ["--half", str(path)]
    done = CliRunner().invoke(
        train_commands, ["skill", "packer", "--out", str(tmp_path), "--device", "cpu", *options]
    )
    assert done.exit_code == 0, done.output
    assert "packer.safetensors" in done.output and "packer-read.safetensors" in done.output
    path = tmp_path / "packer-read.safetensors"
    arrays, card = delta.load_arrays(path), delta.read_card(path)
    assert card["features"]["third"] == list(READ) and len(card["halves"]) == 2
    third = Trees.from_arrays(arrays, "third")
    assert third.feature.max() < len(SENTENCE) + len(AFTER) + len(READ)
    alone = Trees.from_arrays(delta.load_arrays(tmp_path / "packer.safetensors"), "second")
    assert (Trees.from_arrays(arrays, "second").value == alone.value).all()


def test_area_under_curve_by_hand() -> None:
    scores, labels = np.array([0.9, 0.5, 0.5, 0.1], np.float32), np.array([1, 1, 0, 0], np.float32)
    assert area_under_curve(scores, labels) == 0.875  # pairs: 3 right, 1 tied, of 4
    assert area_under_curve(-scores, labels) == 0.125
    assert area_under_curve(scores, np.zeros(4, np.float32)) == 0.5
