"""All that decides a training run besides its data, with defaults and their origin."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from index.errors import InputError
from training.losses import PreferenceLoss
from training.policy.network import Shape
from training.policy.rewarding import Pricing

Algorithm = Literal["sft", "ip-dpo", "grpo"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of one run. Constants not named in a paper are ours, chosen on held-out training questions."""

    algorithm: Algorithm = "ip-dpo"
    rounds: int = 3
    seed: int = 7
    preset: str = "policy"
    pricing: Pricing = field(default_factory=Pricing)
    shape: Shape = field(default_factory=Shape)
    drop: float = 0.4
    decay: float = 1.0  # of the weights (AdamW)
    members: int = 1  # networks of seeds seed, seed + 1, ... whose scores are averaged in the end
    start: str = (
        ""  # fingerprint of the policy whose weights are trained on; "": fresh ones imitate the oracle first
    )
    played: bool = False  # learn only what the agent leaves to a policy (agent.trained.offered)
    ignored: tuple[str, ...] = (
        "corpus_size",
    )  # features that tell the training sets apart, not the questions
    held_out: float = (
        0.2  # share of the questions that training never sees: curves and the acceptance of rounds
    )
    # imitation
    foresight: bool = (
        True  # of what the features foretell to be best, not of what the question turned out to hold
    )
    sft_epochs: int = 60
    sft_lr: float = 3e-3
    soften: float = 0.1  # temperature of the oracle's values
    # preference rounds (TeaRAG: beta 0.5, anchor 1, 1/2, 1/4)
    rollouts: int = 8
    loss: PreferenceLoss = "sigmoid"
    beta: float = 0.5
    anchors: tuple[float, ...] = (1.0, 0.5, 0.25)
    margin: float = 0.02  # least difference of value of a pair
    pairs_per_question: int = 12
    dpo_epochs: int = 30
    dpo_lr: float = 1e-3
    # policy gradient
    updates: int = 60  # of a round
    batch: int = 64  # questions of an update
    passes: int = 2  # over one batch of rollouts
    grpo_lr: float = 2e-3
    low: float = 0.2
    high: float = 0.28  # clip-higher (DAPO)
    kl: float = 0.01

    def __post_init__(self) -> None:
        if self.algorithm not in get_args(Algorithm):
            raise InputError(
                f"There is no algorithm {self.algorithm!r}. Choose from {', '.join(get_args(Algorithm))}."
            )
        if self.members < 1:
            raise InputError(f"--members must be 1 or more, not {self.members}.")
        if self.rounds < 0 or not 0 < self.held_out < 1:
            raise InputError("--rounds must be 0 or more and the held-out share between 0 and 1.")
        if self.start and (self.members > 1 or self.algorithm == "sft"):
            raise InputError(
                "A trained policy is trained on by ip-dpo or grpo, as one network: leave --members out."
            )

    def anchor(self, number: int) -> float:
        """Weight of the chosen decisions' likelihood in round `number` (from 1); the last one stays."""
        return self.anchors[min(number, len(self.anchors)) - 1]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def fingerprint(self) -> str:
        """Short hash of the settings."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:12]
