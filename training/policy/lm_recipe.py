"""All that decides a training run of a language-model policy besides its data and its first weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, get_args

from index.errors import InputError
from training.policy.recipe import Algorithm
from training.policy.rewarding import Pricing


@dataclass(frozen=True, slots=True)
class LmRecipe:
    """Settings of one run; where nothing else is said, those of the compact policy's recipe."""

    algorithm: Algorithm = "ip-dpo"
    rounds: int = 3
    seed: int = 7
    preset: str = "policy"
    pricing: Pricing = field(default_factory=Pricing)
    held_out: float = 0.2
    ignored: tuple[str, ...] = ("corpus_size",)
    lora: int = 16  # rank of the adapters; 0: all weights learn
    sft_all: bool = False  # imitation changes all weights: for a model that was made from scratch
    per_device: int = 64  # sequences in memory at once; larger batches are gathered
    decay: float = 0.01
    rollouts: int = 8
    # imitation
    soften: float = 0.1
    sft_rollouts: int = 4  # paths of a question; their actions are drawn from the softened targets
    sft_epochs: int = 3
    sft_lr: float = 2e-4
    sft_batch: int = 32
    # preferences: TeaRAG's beta and anchors
    beta: float = 0.5
    anchors: tuple[float, ...] = (1.0, 0.5, 0.25)
    margin: float = 0.02
    foresight: bool = (
        True  # targets and pairs by what the features foretell, not by what a question turned out to hold
    )
    pairs_per_question: int = 12
    pairs: int = 2000  # drawn of all
    dpo_epochs: int = 1
    dpo_lr: float = 1e-4
    dpo_batch: int = 32
    # policy gradient
    updates: int = 30
    batch: int = 16  # questions of an update
    passes: int = 2
    grpo_lr: float = 1e-4
    low: float = 0.2
    high: float = 0.28
    kl: float = 0.01
    longest: int = 16  # tokens of the model's own that stand for a whole path: the divisor of Dr. GRPO

    def __post_init__(self) -> None:
        if self.algorithm not in get_args(Algorithm):
            raise InputError(
                f"There is no algorithm {self.algorithm!r}. Choose from {', '.join(get_args(Algorithm))}."
            )
        if self.lora < 0 or self.rounds < 0 or not 0 < self.held_out < 1:
            raise InputError("--lora and --rounds must be 0 or more and the held-out share between 0 and 1.")

    def anchor(self, number: int) -> float:
        """Weight of the chosen actions' likelihood in round `number` (from 1); the last one stays."""
        return self.anchors[min(number, len(self.anchors)) - 1]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def small(**changes: Any) -> LmRecipe:
    """For a model of some hundred thousand weights made from scratch: bolder steps, and imitation of all weights, of
    many drawn actions once: the same ones twice over it learns by heart."""
    base = {
        "sft_all": True,
        "sft_lr": 2e-3,
        "sft_rollouts": 16,
        "sft_epochs": 1,
        "dpo_lr": 1e-3,
        "grpo_lr": 1e-3,
        "pairs": 1200,
        "updates": 20,
    }
    return LmRecipe(**{**base, **changes})
