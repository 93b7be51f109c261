"""The trainable twin of `agent.policy_net.PolicyNet`: same arithmetic in torch, and a copy of its weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agent.policy_net import CLIP, PolicyNet
from training.policy.forest import Floats, Forest

CONSTANT = 1e6  # "deviation" of a feature that never varied


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network."""

    hidden: int = 48
    projected: int = 6  # numbers made of the question's vector; 0 leaves it out


class Network(nn.Module):
    """Features (n, f) and vectors (n, d) -> logits (n, A)."""

    def __init__(self, features: tuple[str, ...], actions: tuple[str, ...], width: int, shape: Shape) -> None:
        super().__init__()
        projected = shape.projected if width else 0
        self.names, self.actions = features, actions
        self.register_buffer("mean", torch.zeros(len(features)))
        self.register_buffer("deviation", torch.ones(len(features)))
        self.projection = nn.Parameter(torch.randn(width, projected) * 0.3)
        inputs, h = len(features) + projected, shape.hidden
        self.w1 = nn.Parameter(torch.randn(inputs, h) / inputs**0.5)
        self.b1 = nn.Parameter(torch.zeros(h))
        self.w2 = nn.Parameter(torch.randn(h, h) / h**0.5)
        self.b2 = nn.Parameter(torch.zeros(h))
        self.w3 = nn.Parameter(torch.randn(h, len(actions)) * 0.1 / h**0.5)
        self.b3 = nn.Parameter(torch.zeros(len(actions)))

    def normalise(self, forest: Forest, ignored: Collection[str] = ()) -> None:
        """Mean and deviation of the training situations. What never varied there tells nothing: it is scaled away,
        lest untrained weights act on it later; so are the features of these names."""
        rows = torch.from_numpy(forest.features)
        deviation = rows.std(0, unbiased=False)
        deviation[[at for at, name in enumerate(self.names) if name in ignored]] = 0.0
        self.mean = rows.mean(0)
        self.deviation = torch.where(deviation < 1e-6, torch.full_like(deviation, CONSTANT), deviation)

    @property
    def unseen(self) -> tuple[str, ...]:
        """The features that never varied in training, or were ignored."""
        flags = (self.deviation == CONSTANT).tolist()
        return tuple(name for name, flag in zip(self.names, flags, strict=True) if flag)

    def forward(self, features: Tensor, vectors: Tensor, drop: float = 0.0) -> Tensor:
        """`drop`: dropout of the inputs and the first hidden layer, for training."""
        z = ((features - self.mean) / self.deviation).clamp(-CLIP, CLIP)
        if self.projection.shape[1]:
            z = torch.cat((z, vectors @ self.projection), dim=1)
        z = nn.functional.dropout(z, drop / 2, self.training)
        hidden = nn.functional.dropout(torch.tanh(z @ self.w1 + self.b1), drop, self.training)
        hidden = torch.tanh(hidden @ self.w2 + self.b2)
        return hidden @ self.w3 + self.b3

    @classmethod
    def thawed(cls, net: PolicyNet) -> Network:
        """A trainable copy of a policy's network."""
        arrays = {name: torch.from_numpy(np.array(array)) for name, array in net.arrays.items()}
        width, projected = arrays["projection"].shape
        made = cls(net.features, net.actions, width, Shape(len(arrays["b1"]), projected))
        made.load_state_dict(arrays)
        return made

    def frozen(self, card: Mapping[str, Any]) -> PolicyNet:
        """A copy for numpy."""
        arrays = {
            name: np.ascontiguousarray(value.detach().numpy().astype(np.float32))
            for name, value in self.state_dict().items()
        }
        return PolicyNet(self.names, self.actions, arrays, card)


def averaged(networks: Sequence[Network]) -> Network:
    """One network whose scores are the mean of theirs: their hidden units side by side. ValueError where they were
    not made for the same features, actions and normalisation."""
    first, many = networks[0], len(networks)
    if any(
        one.names != first.names or one.actions != first.actions or not torch.equal(one.mean, first.mean)
        or not torch.equal(one.deviation, first.deviation) or one.projection.shape[1]
        for one in networks
    ):  # fmt: skip
        raise ValueError("only networks of the same inputs, without a projected question, can be averaged")
    made = Network(first.names, first.actions, 0, Shape(many * first.b1.shape[0], 0))
    made.mean, made.deviation = first.mean.clone(), first.deviation.clone()
    with torch.no_grad():
        made.w2.zero_()
        made.w1.copy_(torch.cat([one.w1 for one in networks], dim=1))
        made.b1.copy_(torch.cat([one.b1 for one in networks]))
        for at, one in enumerate(networks):
            cells = slice(at * len(one.w2), (at + 1) * len(one.w2))
            made.w2[cells, cells] = one.w2
        made.b2.copy_(torch.cat([one.b2 for one in networks]))
        made.w3.copy_(torch.cat([one.w3 for one in networks]) / many)
        made.b3.copy_(torch.stack([one.b3 for one in networks]).mean(0))
    return made.eval()


@dataclass(frozen=True)
class Inputs:
    """A forest as tensors."""

    features: Tensor
    vectors: Tensor
    legal: Tensor
    weight: Tensor  # (S,) weight of a situation's question

    @classmethod
    def of(cls, forest: Forest) -> Inputs:
        weights = np.array([tree.weight for tree in forest.trees], dtype=np.float32)
        return cls(
            torch.from_numpy(forest.features),
            torch.from_numpy(forest.vectors[forest.question]),
            torch.from_numpy(forest.legal),
            torch.from_numpy(weights[forest.question]),
        )


def log_policy(network: Network, inputs: Inputs, rows: Tensor | None = None, drop: float = 0.0) -> Tensor:
    """Log-probabilities (n, A) of situations; illegal actions are masked before the softmax and come out as -inf."""
    if rows is None:
        features, vectors, legal = inputs.features, inputs.vectors, inputs.legal
    else:
        features, vectors, legal = inputs.features[rows], inputs.vectors[rows], inputs.legal[rows]
    logits = network(features, vectors, drop)
    return torch.log_softmax(logits.masked_fill(~legal, float("-inf")), dim=-1)


def probabilities(network: Network, inputs: Inputs, temperature: float = 1.0) -> Floats:
    """Action probabilities (S, A) for sampling."""
    training, _ = network.training, network.eval()
    with torch.no_grad():
        logits = network(inputs.features, inputs.vectors) / temperature
        found = torch.softmax(logits.masked_fill(~inputs.legal, float("-inf")), dim=-1)
    network.train(training)
    made: Floats = found.double().numpy()
    return np.asarray(made / made.sum(1, keepdims=True), dtype=np.float64)
