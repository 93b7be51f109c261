"""Readers that left out a half of the questions, and readers whose weights are averaged."""

from pathlib import Path

import pytest
import torch

from agent.reader_model import build_network
from index import delta
from index.errors import InputError
from training.skills import reader
from training.skills.folds import fold_of, without_fold
from training.skills.mixture import Source
from training.skills.reader_halves import ReaderHalves
from training.skills.reader_recipes import Asked, ReaderExample, Text, ready, single

QUESTIONS = [f"Who built mill number {number}?" for number in range(6)]
MILL = "Mira Vell built it."


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two readers that differ in the bias of their kinds: the first always says "none", the second never."""
    network = build_network()
    paths = []
    for fold in (0, 1):
        with torch.no_grad():
            network.kind.bias.copy_(torch.tensor([30.0 - 60.0 * fold, 0.0, 0.0, 0.0, 0.0]))
        path = tmp_path_factory.mktemp(f"half{fold}") / "reader.safetensors"
        heads = {
            name: one for name, one in network.state_dict().items() if not name.startswith(delta.ENCODER)
        }
        delta.save(path, heads, {"left_out_fold": fold})
        paths.append(path)
    return paths


def test_a_question_is_read_by_the_half_that_left_it_out(halves: list[Path]) -> None:
    readers = ReaderHalves(list(reversed(halves)))
    assert {fold_of(question) for question in QUESTIONS} == {0, 1}
    for question in QUESTIONS:
        reading = readers(question).read(question, [MILL])[0]
        assert (reading.none > 0.5) == (fold_of(question) == 0)


def test_both_halves_are_needed(halves: list[Path]) -> None:
    with pytest.raises(InputError, match="--leave-out 0"):
        ReaderHalves([halves[1], halves[1]])


def test_left_out_questions_are_in_no_source_and_other_records_stay() -> None:
    asked = [Asked(question, ("Mira Vell",), (Text("Mill", MILL),)) for question in QUESTIONS]
    example = ReaderExample(QUESTIONS[0], MILL, "span", ((0, 9),))
    found = [Source("asked", asked, single, 1.0, 1.0), Source("worlds", [example], ready, 1.0, 1.0)]
    kept = without_fold(found, 1, Asked)
    assert {fold_of(record.question) for record in kept[0].records} == {0}
    assert list(kept[1].records) == [example]


def test_the_mean_of_two_readers(halves: list[Path]) -> None:
    bias = reader.mean_of(halves)["kind.bias"]
    assert torch.allclose(bias, torch.zeros_like(bias), atol=1e-5)
