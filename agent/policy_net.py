"""The compact policy's network: features of a situation and the question's vector to a score for each action.

A small perceptron run with numpy (a torch call costs more than the arithmetic of one row). What is live is one
safetensors file: normalisation, projection of the question's vector, weights; its card names the features and
actions in order, so a file made for other features is refused. Trained by `forage train policy`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index import delta
from index.errors import StoreError

Array = npt.NDArray[np.float32]
CLIP = 6.0  # deviations from the mean beyond which a feature tells nothing more
NAMES = ("mean", "deviation", "projection", "w1", "b1", "w2", "b2", "w3", "b3")


@dataclass(frozen=True)
class PolicyNet:
    """Scores for each action. Shapes: features (n, f), vectors (n, d) -> logits (n, actions)."""

    features: tuple[str, ...]
    actions: tuple[str, ...]
    arrays: Mapping[str, Array]
    card: Mapping[str, Any]

    def __post_init__(self) -> None:
        wanted = {"mean": (len(self.features),), "b3": (len(self.actions),)}
        for name in NAMES:
            if name not in self.arrays:
                raise StoreError(f"The policy's weights hold no {name!r}. Train the policy again.")
        for name, shape in wanted.items():
            if self.arrays[name].shape != shape:
                raise StoreError(
                    f"The policy's weights do not fit: {name} has shape {self.arrays[name].shape}, expected {shape}. "
                    "Train the policy again."
                )

    @property
    def fingerprint(self) -> str:
        """The first characters of the weights' hash; names this policy in records."""
        return str(self.card.get("sha256", ""))[:12]

    @property
    def uses_vector(self) -> bool:
        """Whether the question's vector takes part."""
        return bool(self.arrays["projection"].shape[1])

    def logits(self, features: npt.ArrayLike, vectors: npt.ArrayLike | None = None) -> Array:
        """Raw scores of all actions; a missing vector counts as zeros."""
        a = self.arrays
        rows = np.atleast_2d(np.asarray(features, dtype=np.float32))
        z = np.clip((rows - a["mean"]) / a["deviation"], -CLIP, CLIP)
        if self.uses_vector:
            given = np.zeros((len(z), len(a["projection"])), np.float32)
            if vectors is not None:
                given = np.atleast_2d(np.asarray(vectors, dtype=np.float32))
            z = np.concatenate((z, given @ a["projection"]), axis=1)
        hidden = np.tanh(z @ a["w1"] + a["b1"])
        hidden = np.tanh(hidden @ a["w2"] + a["b2"])
        return np.asarray(hidden @ a["w3"] + a["b3"], dtype=np.float32)

    def probabilities(
        self,
        features: npt.ArrayLike,
        legal: Sequence[str],
        vector: npt.ArrayLike | None = None,
        temperature: float = 1.0,
    ) -> dict[str, float]:
        """Probabilities of the legal actions of one situation, in the order given. Raises ValueError for none.

        Illegal actions have probability 0: they are left out before the softmax.
        """
        if not legal:
            raise ValueError("a decision needs at least one legal action")
        at = [self.actions.index(action) for action in legal]
        scores = self.logits(features, vector)[0][at].astype(np.float64) / temperature
        odds = np.exp(scores - scores.max())
        return dict(zip(legal, (odds / odds.sum()).tolist(), strict=True))


def save_net(path: Path, net: PolicyNet) -> None:
    """Write weights and card; the card gains hash and size."""
    card = {**net.card, "features": list(net.features), "actions": list(net.actions)}
    delta.save_arrays(path, dict(net.arrays), card)


def load_net(path: Path) -> PolicyNet:
    """The network of a weights file. StoreError where the file is damaged or its card says nothing of features."""
    arrays = delta.load_arrays(path)
    card = delta.read_card(path)
    features, actions = card.get("features"), card.get("actions")
    if not isinstance(features, list) or not isinstance(actions, list):
        raise StoreError(f"The card of {path.name} names no features and actions. Train the policy again.")
    return PolicyNet(tuple(features), tuple(actions), arrays, card)
