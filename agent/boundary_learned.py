"""The boundary of knowledge by a classifier: logistic regression over what the collection's index says of a question.

A baseline for the rule of agent.boundary behind the same protocol (`agent.boundary = "learned"`). It learned from
training questions asked of their own collection and of others (training/boundary_fit.py); how both compare, by F1_aware
(AdaSearch, arXiv 2512.16883), stands in docs/BENCHMARKS.md.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from agent.boundary import EXPECTED, decision_of
from agent.types import Decision
from index.errors import StoreError

FEATURES = (
    "corpus_size", "name_frequency", "pair_frequency", "rarest_word", "absent_names", "missing_words", "connected",
    "question_words", "question_names", "no_name", "no_pair", *(f"wants_{kind}" for kind in EXPECTED),
)  # fmt: skip
WEIGHTS = "boundary.json"


@dataclass(frozen=True, slots=True)
class LearnedBoundary:
    """Hopeless where the log-odds that no document answers, moved to the threshold, are above 0."""

    weights: tuple[float, ...]  # one for each of FEATURES
    bias: float

    def decide(self, signals: Mapping[str, float], agreement: float | None) -> Decision:
        """See agent.boundary.Boundary."""
        why = "So a classifier finds it, which learned from other questions where the answer was not there."
        return decision_of(signals, agreement, self.hopeless(signals), why)

    def hopeless(self, signals: Mapping[str, float]) -> float:
        """Probability, 0 to 1, that a search would be in vain."""
        pairs = zip(self.weights, row_of(signals), strict=True)
        odds = self.bias + sum(weight * value for weight, value in pairs)
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"features": list(FEATURES), "weights": list(self.weights), "bias": self.bias}


def row_of(signals: Mapping[str, float]) -> list[float]:
    """FEATURES of a question's signals."""
    made = {
        **signals,
        "no_name": float(not signals["question_names"]),
        "no_pair": float(bool(signals["question_names"]) and not signals["pair_frequency"]),
    }
    return [float(made[name]) for name in FEATURES]


@cache
def load_boundary() -> LearnedBoundary:
    """The one that ships. StoreError where its weights are missing or of other features."""
    try:
        raw = json.loads(files("agent").joinpath("weights", WEIGHTS).read_text(encoding="utf-8"))
        fits = raw["features"] == list(FEATURES) and len(raw["weights"]) == len(FEATURES)
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"The weights of the gate's classifier cannot be read: {error!r}.") from None
    if not fits:
        raise StoreError(
            "The weights of the gate's classifier are of other features than this version's. Make them anew with "
            "python -m benchmarks.gate --install."
        )
    return LearnedBoundary(tuple(map(float, raw["weights"])), float(raw["bias"]))
