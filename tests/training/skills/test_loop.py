"""The loop ends on time, lowers the loss, survives a stop, and refuses nothing it wrote itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from training.skills import loop


class Line(torch.nn.Module):
    """y = a x + b, to be learnt."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = torch.nn.Linear(1, 1)
        self.head = torch.nn.Linear(1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(x))


class Points:
    """Batches of points on a line; stops the run after `until` batches like Ctrl-C does."""

    def __init__(self, until: int = 10**9) -> None:
        self.drawn, self.until = 0, until

    def batches(self, progress: float) -> Iterator[torch.Tensor]:
        for _ in range(20):
            if self.drawn >= self.until:
                raise KeyboardInterrupt
            self.drawn += 1
            yield torch.rand((8, 1), generator=torch.Generator().manual_seed(self.drawn))

    def state(self) -> dict[str, Any]:
        return {"drawn": self.drawn}

    def restore(self, state: dict[str, Any]) -> None:
        self.drawn = state["drawn"]


def loss_of(network: torch.nn.Module, batch: torch.Tensor) -> torch.Tensor:
    return ((network(batch) - (3 * batch + 1)) ** 2).mean()


PLAN = loop.Plan(minutes=0.02, rate=0.05, head_rate=0.05)


def test_it_ends_on_time_and_learns(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network, data = Line(), Points()
    ends = torch.tensor([[0.0], [1.0]])
    before = loss_of(network, ends).item()
    outcome = loop.train(network, data, loss_of, PLAN, tmp_path / "c")
    assert 0.02 <= outcome.minutes < 0.1
    assert outcome.examples == 8 * outcome.steps > 0
    assert loss_of(network, ends).item() < 0.1 * before


def test_a_stopped_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = Line()
    with pytest.raises(KeyboardInterrupt):
        loop.train(network, Points(until=30), loss_of, PLAN, tmp_path / "c")
    weights = network.encoder.weight.detach().clone()
    fresh, data = Line(), Points()
    outcome = loop.train(fresh, data, loss_of, loop.Plan(1e-9, 0.05, 0.05), tmp_path / "c")  # no time left
    assert outcome.steps == 30 and outcome.examples == 240 and data.drawn == 30
    assert torch.equal(fresh.encoder.weight, weights)


def test_looks_are_kept(tmp_path: Path) -> None:
    plan = loop.Plan(minutes=0.02, rate=0.05, head_rate=0.05, look_every=0.0)
    outcome = loop.train(Line(), Points(), loss_of, plan, tmp_path / "c", lambda: {"f1": 50.0})
    assert outcome.looks and all(look["f1"] == 50.0 for look in outcome.looks)


def test_the_rate_rises_then_falls_to_nothing() -> None:
    factors = [loop.rate_factor(at / 100) for at in range(101)]
    peak = factors.index(max(factors))
    assert peak == round(100 * loop.WARMUP) and factors[-1] == 0.0
    assert factors[peak:] == sorted(factors[peak:], reverse=True)
