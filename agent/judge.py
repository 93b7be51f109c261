"""Is the evidence enough? A calibrated probability from a few features of the best chain.

The weights were fitted by logistic regression on questions of generated worlds and of public training
sets (`python -m training.fit_judge`; docs/LOG.md), with "the answer is right" as the label.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import numpy as np

from agent.chain import Chain, named_terms
from agent.question import Question

FEATURES = (
    "coverage", "names", "relation", "weakest", "cosine", "typed", "answer", "links", "own", "read",
)  # fmt: skip


NAMES_NEEDED = 0.6  # share of the question's names, by weight


def features(question: Question, weights: np.ndarray, chain: Chain) -> dict[str, float]:
    """Features of a chain, each about 0 to 1.

    names: how far the question's named things are covered; relation: the other words, by weight;
    weakest: the least covered word; own: coverage by the sentences themselves, without their titles.
    """
    is_name = named_terms(question)
    own = np.max(np.stack([link.own for link in chain.links]), axis=0)
    return {
        "coverage": chain.coverage,
        "names": _mean(chain.covered, weights, is_name),
        "relation": _mean(chain.covered, weights, ~is_name),
        "weakest": float(chain.covered.min()) if len(chain.covered) else 1.0,
        "cosine": max(link.cosine for link in chain.links),
        "typed": 1.0 if chain.answers or question.expects in ("yes_no", "reason") else 0.0,
        "answer": min(chain.answers[0].score, 1.5) / 1.5 if chain.answers else 0.0,
        "links": (len(chain.links) - 1) / 2,
        "own": float(own @ weights) if len(weights) else 1.0,
        "read": chain.reading.answered if chain.reading is not None else 0.5,
    }


def probability(found: Mapping[str, float]) -> float:
    """Probability that an answer from this evidence is right."""
    weights = _weights()
    said = 1 / (1 + math.exp(-(weights["bias"] + sum(weights[name] * found[name] for name in FEATURES))))
    # Evidence that leaves out a name of the question is about something else.
    return said if found["names"] >= NAMES_NEEDED else min(said, 0.3)


def _mean(degrees: np.ndarray, weights: np.ndarray, chosen: np.ndarray) -> float:
    total = float(weights[chosen].sum()) if len(chosen) else 0.0
    return float((degrees[chosen] * weights[chosen]).sum() / total) if total else 1.0


@cache
def _weights() -> dict[str, float]:
    read: dict[str, float] = json.loads(files("agent").joinpath("judge.json").read_text())["weights"]
    return read
