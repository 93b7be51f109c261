"""Trains the learned rewards: pairs, right/wrong labels or demonstrations to an ensemble (`learned.py`).

Seconds for thousands of examples on a CPU: the encoder's vectors are computed once, only small networks are trained.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from training.rewards.learned import Matrix, Objective, RewardModel, Settings, bradley_terry, features


@dataclass(frozen=True, slots=True)
class Example:
    """A pair: `better` and `worse` answers to a question. For labels one of the two is empty."""

    question: str
    better: str = ""
    worse: str = ""


def train(
    examples: Sequence[Example], objective: Objective = "pairs", settings: Settings | None = None
) -> RewardModel:
    """A model from pairs, from labels (better = right, worse = wrong), or from demonstrations.

    Demonstrations: answers people accepted (`better`) against the policy's own (`worse`); the logit of that
    discriminator is log D - log(1 - D), the reward. Questions are split, never shared between training and the part
    that stops it. Raises ValueError without a single usable example.
    """
    chosen = settings or Settings()
    kept = [e for e in examples if (e.better and e.worse if objective == "pairs" else e.better or e.worse)]
    if not kept:
        raise ValueError("no example can be learned from: pairs need both answers, labels at least one")
    up = features([e.question for e in kept if e.better], [e.better for e in kept if e.better])
    down = features([e.question for e in kept if e.worse], [e.worse for e in kept if e.worse])
    held = _held_out([e.question for e in kept], chosen)
    masks = [
        np.array([e.question in held for e in kept if text(e)], dtype=bool) for text in (_better, _worse)
    ]
    model = RewardModel(up.shape[1], chosen, objective)
    for at, member in enumerate(model.members):
        _fit(member, up, down, masks[0], masks[1], objective, chosen, chosen.seed + at)
    model.length_slope = _length_slope(model, up, down)
    return model


def _better(example: Example) -> str:
    return example.better


def _worse(example: Example) -> str:
    return example.worse


def _held_out(questions: Sequence[str], settings: Settings) -> frozenset[str]:
    distinct = sorted(set(questions))
    order = np.random.default_rng(settings.seed).permutation(len(distinct))
    return frozenset(distinct[at] for at in order[: int(len(distinct) * settings.held_out)])


def _loss(member: nn.Module, up: Tensor, down: Tensor, objective: Objective) -> Tensor:
    if objective == "pairs":
        return bradley_terry(member(up).squeeze(-1), member(down).squeeze(-1))
    logits = torch.cat([member(up), member(down)]).squeeze(-1)
    labels = torch.cat([torch.ones(len(up)), torch.zeros(len(down))])
    return nn.functional.binary_cross_entropy_with_logits(logits, labels)


def _fit(
    member: nn.Module, up: Matrix, down: Matrix, up_held: npt.NDArray[np.bool_], down_held: npt.NDArray[np.bool_],
    objective: Objective, settings: Settings, seed: int,
) -> None:  # fmt: skip
    """Train one member; stops when the held-out loss has not fallen for `patience` epochs and keeps the best."""
    good, bad = torch.from_numpy(up[~up_held]), torch.from_numpy(down[~down_held])
    good_held, bad_held = torch.from_numpy(up[up_held]), torch.from_numpy(down[down_held])
    optimiser = torch.optim.AdamW(member.parameters(), lr=settings.rate, weight_decay=settings.decay)
    draw = torch.Generator().manual_seed(seed)
    best, waited = math.inf, 0
    kept = {name: value.clone() for name, value in member.state_dict().items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # dropout
        for _ in range(settings.epochs):
            member.train()
            for rows_up, rows_down in _batches(len(good), len(bad), settings.batch, objective, draw):
                optimiser.zero_grad()
                _loss(member, good[rows_up], bad[rows_down], objective).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            member.eval()
            with torch.no_grad():
                seen = (good_held, bad_held) if len(good_held) and len(bad_held) else (good, bad)
                now = float(_loss(member, *seen, objective))
            if now < best - 1e-4:
                best, waited = now, 0
                kept = {name: value.clone() for name, value in member.state_dict().items()}
            else:
                waited += 1
                if waited >= settings.patience:
                    break
    member.load_state_dict(kept)


def _batches(
    good: int, bad: int, size: int, objective: Objective, draw: torch.Generator
) -> list[tuple[Tensor, Tensor]]:
    """Row numbers of both sides; pairs share theirs."""
    left = torch.randperm(good, generator=draw)
    right = left if objective == "pairs" else torch.randperm(bad, generator=draw)
    count = max(1, math.ceil(max(good, bad) / size))
    return list(zip(left.chunk(count), right.chunk(count), strict=False)) if good and bad else [(left, right)]


def _length_slope(model: RewardModel, up: Matrix, down: Matrix) -> float:
    """Slope of the mean score on the length feature within good and within bad answers, pooled."""
    centred = []
    for rows in (up, down):
        if len(rows) > 1:
            scores = model.scores(rows).mean(axis=0)
            centred.append((rows[:, -1] - rows[:, -1].mean(), scores - scores.mean()))
    length = np.concatenate([x for x, _ in centred]) if centred else np.zeros(1)
    scores = np.concatenate([y for _, y in centred]) if centred else np.zeros(1)
    spread = float(length @ length)
    return float(length @ scores) / spread if spread > 1e-6 else 0.0
