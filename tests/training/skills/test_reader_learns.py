"""A short run on fictional worlds alone reads better than the untrained heads."""

from pathlib import Path

import pytest

from agent.reader_model import ReaderModel, build_network
from index import delta
from training.skills import reader, reader_scores
from training.skills.card import Run

pytestmark = pytest.mark.slow


@pytest.mark.timeout(600)
def test_two_minutes_of_training_beat_the_untrained_heads(tmp_path: Path) -> None:
    network = build_network()
    untrained = tmp_path / "untrained.safetensors"
    delta.save(untrained, delta.difference(network, delta.encoder_weights(network)), {})
    before = reader_scores.evaluate_worlds(untrained)["worlds"]

    card = reader.train(Run(tmp_path / "out", None, minutes=2))
    after = card["dev"]["worlds"]
    assert after["f1"] > before["f1"] + 15, (before, after)
    assert after["answers_or_not"] > 60
    assert card["score"]["value"] == after["f1"]

    written = reader.weights_path(tmp_path / "out")
    assert written.stat().st_size <= 12_000_000 and not (tmp_path / "out" / "reader.checkpoint").exists()
    assert reader_scores.evaluate_worlds(written)["worlds"] == after
    assert ReaderModel(written).read("Who built it?", ["Mira Vell built it."])[0].answer
