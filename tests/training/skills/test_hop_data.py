"""States ask for what is missing, never for what is found; wrong evidence is wrong."""

import random
from pathlib import Path

import pytest
import torch

from index import hop_encoder
from training.skills import hop, hop_data, hop_scores
from training.skills.hop_data import Hop, Pool
from training.skills.leaks import LeakAudit


@pytest.fixture(scope="module")
def pool(sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Pool:
    return hop_data.open_pool(sets, "hotpotqa_distractor", tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def asked(pool: Pool, sets: Path) -> Hop:
    (found,) = hop_data.hops(pool, sets, LeakAudit.of(sets))
    return found


def test_a_pool_knows_its_passages(pool: Pool) -> None:
    row = pool.row_of["vell"]
    assert pool.titles[row] == "Mira Vell" and pool.shown(row).startswith("Mira Vell\nMira Vell was")
    assert pool.shown(row, title=False).startswith("Mira Vell was")
    assert pool.vectors.shape == (6, 384)
    assert (pool.vectors**2).sum(1) == pytest.approx([1.0] * 6, abs=1e-2)


def test_wrong_evidence_is_not_gold(asked: Hop) -> None:
    assert set(asked.gold) == {asked.pool.row_of["mill"], asked.pool.row_of["vell"]}
    assert asked.wrong and not set(asked.wrong) & set(asked.gold)


def test_missing_and_found_never_meet(asked: Hop) -> None:
    seen = set()
    for seed in range(60):
        state = hop_data.multi_state(asked, random.Random(seed), 0.5)
        assert state is not None
        assert state.missing and not set(state.missing) & set(state.found)
        assert set(state.missing) | (set(state.found) & set(asked.gold)) == set(asked.gold)
        assert len(state.evidence) == len(state.found)
        seen.add(tuple(row in asked.gold for row in state.found))
    assert seen >= {(), (True,), (False,)}


def test_a_bridge_hides_the_name_it_goes_over(pool: Pool) -> None:
    bridge = hop_data.Bridge(pool, pool.row_of["mill"], pool.row_of["vell"])
    states = [hop_data.bridge_state(bridge, random.Random(seed), 0.5) for seed in range(20)]
    for state in states:
        assert state is not None
        assert "Vell" not in state.question and "Oster" in state.question
        assert bridge.second in state.missing
    assert {len(state.missing) for state in states if state} == {1, 2}


def test_the_loss_falls_when_the_vector_nears_what_is_missing(asked: Hop) -> None:
    class Fixed(torch.nn.Module):
        """Answers with one vector, whatever the state."""

        def __init__(self, vector: torch.Tensor) -> None:
            super().__init__()
            self.vector, self.sharpness = vector, torch.tensor(3.0)

        def forward(self, ids: torch.Tensor, types: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            return self.vector.expand(len(ids), -1)

    loss, first = hop.HopLoss("cpu"), asked.gold[0]
    state = hop_data.HopExample(asked.pool, asked.question, (), (first,), ())
    right = Fixed(torch.from_numpy(asked.pool.vectors[first]))
    wrong = Fixed(torch.from_numpy(asked.pool.vectors[asked.wrong[0]]))
    assert loss(right, [state]) < loss(wrong, [state])
    found = hop_data.HopExample(asked.pool, asked.question, (), (first,), (asked.wrong[0],))
    assert loss(wrong, [found]) < loss(wrong, [state])  # what is found already is no rival


def test_a_beam_pairs_two_searches(asked: Hop) -> None:
    network = hop_encoder.build_network()
    look = hop_scores.Look.__new__(hop_scores.Look)
    look._asked = {"hotpotqa_distractor": [asked]}
    scores = look(network)["hotpotqa_distractor"]
    assert set(scores) == {"first", "beam"} and 0 <= scores["beam"] <= 100
