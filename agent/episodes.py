"""Episodes with learned utility (MemRL): how well a way of answering worked, and which to think of first.

Source: MemRL (arXiv 2601.03192): two-phase retrieval (similarity gate, then similarity and Q together) and the
constant-step update Q <- Q + alpha (r - Q), gamma = 0. The reward here comes from verification, thumbs and cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from agent.types import Answer, Trajectory

ALPHA = 0.3  # step of the Q update
LAMBDA = 0.5  # weight of Q against similarity in phase B
DELTA = 0.55  # cosine below which an episode is not thought of (phase A)
K1, K2 = 10, 5  # candidates of phase A, suggestions of phase B
SIMILARITY_MEAN, SIMILARITY_SPREAD = 0.62, 0.14  # of question pairs that pass the gate, for z(similarity)
Q_MINIMUM = -0.8  # episodes below are not suggested
SEARCH_PRICE = 0.05  # taken off the reward for each search after the first
NOT_FOUND = -0.25  # reward of an abstention: honest, but nothing was gained


@dataclass(frozen=True, slots=True)
class Episode:
    """A finished question as memory keeps it."""

    key: str
    question: str
    strategy: tuple[
        str, ...
    ]  # the actions in order, e.g. ("gate:search", "search:ranked", "conclude:answer")
    outcome: str  # kind of the answer
    q: float
    visits: int
    similarity: float = 0.0  # to the question that recalled it
    score: float = 0.0  # phase B


def updated(q: float, reward: float, alpha: float = ALPHA) -> float:
    """Q after one more reward.

    >>> round(updated(updated(updated(0.0, 1.0), 1.0), -1.0), 3)
    0.057
    """
    return q + alpha * (reward - q)


def reward_of(answer: Answer) -> float:
    """Reward of a finished question in [-1, 1], from its verification and its cost; no gold answer needed."""
    price = SEARCH_PRICE * max(0, answer.cost.searches - 1)
    if answer.kind == "abstention":
        return max(-1.0, NOT_FOUND - price)
    held = fmean([c.supported for c in answer.citations]) if answer.citations else 0.0
    return max(-1.0, min(1.0, (2 * answer.confidence - 1) * held - price))


def suggested(candidates: Sequence[Episode], k: int = K2) -> tuple[Episode, ...]:
    """Phase B: best by (1 - lambda) z(similarity) + lambda z(Q); z(Q) over the candidates, spread 0 counts as 1."""
    fit = [e for e in candidates if e.similarity >= DELTA and e.q >= Q_MINIMUM]
    if not fit:
        return ()
    mean, spread = fmean(e.q for e in fit), pstdev(e.q for e in fit) or 1.0
    scored = [
        Episode(
            e.key, e.question, e.strategy, e.outcome, e.q, e.visits, e.similarity,
            (1 - LAMBDA) * (e.similarity - SIMILARITY_MEAN) / SIMILARITY_SPREAD + LAMBDA * (e.q - mean) / spread,
        )
        for e in fit
    ]  # fmt: skip
    return tuple(sorted(scored, key=lambda e: (-e.score, e.key))[:k])


def strategy_of(trajectory: Trajectory) -> tuple[str, ...]:
    """The actions of a run: what each decision chose, and how each search looked."""
    actions = []
    for step in trajectory.steps:
        if step.decision is not None:
            actions.append(f"{step.decision.name}:{step.decision.chosen}")
        elif step.stage == "search":
            actions.append(f"search:{step.detail.get('mode', '')}".rstrip(":"))
    return tuple(actions)
