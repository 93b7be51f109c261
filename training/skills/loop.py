"""The training loop of every skill: bounded by the clock, resumable after a kill.

The learning rate rises over the first WARMUP of the minutes and falls in a straight line to 0 at their end, so
that a run always ends on time with usable weights, however busy the machine is. Dropout is off on a CPU: with one
or two passes over the data nothing is memorised, and its random numbers cost a sixth of the time (measured). On a
faster device runs make many passes, and it is on.
A checkpoint, written every few minutes and on Ctrl-C, holds weights, optimiser, minutes used and the state of the
data source; a run that finds one goes on from there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from index.minilm import multiplies_bf16
from training.report import progress_bar

log = logging.getLogger(__name__)
WARMUP = 0.04  # share of the minutes
CLIP = 1.0  # norm of the gradient
WEIGHT_DECAY = 0.01
CHECKPOINT_SECONDS = 180.0


class Data(Protocol):
    """Where batches come from. `state` is JSON; `restore` goes on from one."""

    def batches(self, progress: float) -> Iterable[Any]: ...  # a few dozen; progress in [0, 1]
    def state(self) -> dict[str, Any]: ...
    def restore(self, state: dict[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to learn."""

    minutes: float
    rate: float  # peak learning rate of the encoder's layers
    head_rate: float  # of everything that starts from nothing
    device: str = "cpu"
    look_every: float = 15.0  # minutes between two looks at the development questions

    @property
    def dropout(self) -> bool:
        """Whether units are dropped: where a run makes many passes."""
        return self.device != "cpu"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did, all its restarts together."""

    minutes: float
    steps: int
    examples: int
    looks: tuple[dict[str, Any], ...]  # scores on the way


def train(
    network: Any,
    data: Data,
    loss_of: Callable[[Any, Any], torch.Tensor],
    plan: Plan,
    checkpoint: Path,
    look: Callable[[], dict[str, Any]] | None = None,
) -> Outcome:
    """Train `network` in place until the minutes are used. Frozen parameters (no gradient) stay as they are.

    `loss_of(network, batch)` is the mean loss of one batch; `len(batch)` counts its examples.
    """
    run = _Run(network, data, plan, checkpoint)
    run.resume()
    network.train(plan.dropout)
    try:
        _until_the_end(run, data, loss_of, look)
    except KeyboardInterrupt:
        run.save()
        raise
    network.eval()
    return Outcome(run.seconds / 60, run.steps, run.examples, tuple(run.looks))


def _until_the_end(
    run: _Run,
    data: Data,
    loss_of: Callable[[Any, Any], torch.Tensor],
    look: Callable[[], dict[str, Any]] | None,
) -> None:
    minutes = run.plan.minutes
    with progress_bar() as bar:
        task = bar.add_task(f"training ({minutes:g} min)", total=round(minutes * 60))
        while run.progress < 1.0:
            for batch in data.batches(run.progress):
                run.step(loss_of, batch)
                bar.update(task, completed=round(run.seconds))
                if run.progress >= 1.0:
                    break
            run.after_round(look)


class _Run:
    """The moving parts of a training run."""

    def __init__(self, network: Any, data: Data, plan: Plan, checkpoint: Path) -> None:
        self.network, self.data, self.plan, self.checkpoint = network, data, plan, checkpoint
        named = [(n, p) for n, p in network.named_parameters() if p.requires_grad]
        self.trained = [p for _, p in named]
        layers = [p for n, p in named if n.startswith("encoder.")]
        heads = [p for n, p in named if not n.startswith("encoder.")]
        self.optimizer = torch.optim.AdamW(
            [{"params": layers, "peak": plan.rate}, {"params": heads, "peak": plan.head_rate}],
            weight_decay=WEIGHT_DECAY,
            fused=True,
        )
        self.steps = self.examples = 0
        self.before = 0.0  # seconds of earlier runs
        self.began = self.saved = self.looked = time.monotonic()
        self.smooth: torch.Tensor | None = None
        self.looks: list[dict[str, Any]] = []

    @property
    def seconds(self) -> float:
        return self.before + time.monotonic() - self.began

    @property
    def progress(self) -> float:
        return min(1.0, self.seconds / (60 * self.plan.minutes))

    def step(self, loss_of: Callable[[Any, Any], torch.Tensor], batch: Sequence[Any]) -> None:
        """One batch: forward, backward, update."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * rate_factor(self.progress)
        loss = loss_of(self.network, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.trained, CLIP, foreach=True)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.steps += 1
        self.examples += len(batch)
        value = loss.detach()  # stays on the device: reading it here would make the device wait
        self.smooth = value if self.smooth is None else 0.98 * self.smooth + 0.02 * value

    def after_round(self, look: Callable[[], dict[str, Any]] | None) -> None:
        """Log, keep a checkpoint, look at the development questions, when it is time for each."""
        log.info("%.1f min, step %d, %d examples (%.1f/s), loss %.3f", self.seconds / 60, self.steps,
                 self.examples, self.examples / max(1.0, self.seconds),
                 0.0 if self.smooth is None else float(self.smooth))  # fmt: skip
        now = time.monotonic()
        if look is not None and now - self.looked >= 60 * self.plan.look_every:
            self.network.eval()
            self.looks.append({"minutes": round(self.seconds / 60, 1), "examples": self.examples, **look()})
            self.network.train(self.plan.dropout)
            self.looked = time.monotonic()
            log.info("dev %s", self.looks[-1])
        if now - self.saved >= CHECKPOINT_SECONDS or self.progress >= 1.0:
            self.saved = now
            self.save()

    def save(self) -> None:
        """Write the checkpoint; a kill while writing leaves the older one."""
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        partial = self.checkpoint.with_suffix(".partial")
        state = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "data": self.data.state(),
            "counts": [self.steps, self.examples, self.seconds],
            "looks": self.looks,
        }
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one."""
        if not self.checkpoint.is_file():
            return
        saved = torch.load(self.checkpoint, weights_only=True)
        self.network.load_state_dict(saved["network"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.data.restore(saved["data"])
        self.steps, self.examples, self.before = saved["counts"]
        self.looks = list(saved["looks"])
        self.began = time.monotonic()
        log.info("resumed at %.1f min, step %d", self.before / 60, self.steps)


def autocast(device: str) -> torch.autocast:
    """bfloat16 products where the device has them: emulated, a forward pass takes seven times as long (measured)."""
    return torch.autocast(device, torch.bfloat16, enabled=device != "cpu" or multiplies_bf16())


def rate_factor(progress: float) -> float:
    """Share of the peak learning rate: a straight rise over WARMUP, then a straight fall to 0.

    >>> rate_factor(WARMUP / 2), rate_factor(WARMUP), rate_factor(1.0)
    (0.5, 1.0, 0.0)
    """
    if progress < WARMUP:
        return max(progress / WARMUP, 0.01)
    return (1.0 - progress) / (1.0 - WARMUP)
