"""Deep mode's training: each question is encoded by the half that never saw it, each state once."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from index import delta, hop_encoder
from index.errors import InputError
from index.hop_encoder import HopEncoder, State
from index.types import Vectors
from training.skills import deep
from training.skills.card import Run
from training.skills.folds import fold_of
from training.skills.hop_halves import Halves, Remembering
from training.skills.ranker_data import TRAIN

QUESTIONS = [f"Who built mill number {number}?" for number in range(6)]


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two encoders that differ: the packaged one, and one whose word for [SEP] was moved."""
    network = hop_encoder.build_network()
    norm = dict(network.named_parameters())["encoder.embeddings.LayerNorm.bias"]
    paths = []
    for fold in (0, 1):
        path = tmp_path_factory.mktemp(f"half{fold}") / "hop.safetensors"
        change = {"encoder.embeddings.LayerNorm.bias": fold * torch.linspace(-1, 1, len(norm)).bfloat16()}
        delta.save(path, change, {"left_out_fold": fold})
        paths.append(path)
    return paths


def test_a_question_meets_the_half_that_left_it_out(halves: list[Path]) -> None:
    assert {fold_of(question) for question in QUESTIONS} == {0, 1}
    states: list[State] = [(question, []) for question in QUESTIONS]
    found = Halves(list(reversed(halves))).encode_batch(states)
    alone = [HopEncoder(path).encode_batch(states) for path in halves]
    for at, question in enumerate(QUESTIONS):
        assert found[at] @ alone[fold_of(question)][at] > 0.9999
        assert found[at] @ alone[1 - fold_of(question)][at] < 0.999


def test_both_halves_are_needed(halves: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--leave-out 0"):
        Halves([halves[0], halves[0]])
    with pytest.raises(InputError, match="two hop files"):
        deep.train(Run(tmp_path, None, 1.0))


def test_each_state_is_encoded_once() -> None:
    class Counting:
        """Vectors that say how many states were encoded before."""

        def __init__(self) -> None:
            self.count = 0

        def encode_batch(self, states: Sequence[State]) -> Vectors:
            rows = np.arange(self.count, self.count + len(states), dtype=np.float32)[:, None]
            self.count += len(states)
            return rows

    counting = Counting()
    encoder = Remembering(counting)
    first = encoder.encode_batch([("a", []), ("b", ["x"]), ("a", [])])
    assert first[:, 0].tolist() == [0.0, 1.0, 0.0]
    assert encoder.encode_batch([("b", ["x"]), ("b", ["y"])])[:, 0].tolist() == [1.0, 2.0]
    assert counting.count == 3


def test_deep_learns_from_fewer_questions_of_the_easy_pools() -> None:
    fewer = {(pool.label, pool.split): pool.limit for pool in deep.fewer(TRAIN)}
    assert fewer["musique_distractor", "train"] == 152
    assert fewer["squad1_duetest", "train"] == 150
