"""Preference given a context: the same two answers, turned around by who asks (arXiv 2407.14916).

First the context is fixed, then the preference is judged within it:
p(a > b | q) = sum over z of p(z | q) p(a > b | q, z). The idea is from the abstract, training by Bradley-Terry
with a context from a review; the network over encoder vectors is ours. An empty context, or one unlike any that
was trained, gives the mean over the trained contexts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from training.rewards.embedding import cosines, shared
from training.rewards.learned import Matrix, bradley_terry
from training.rewards.principles import checklist_score, compile_principle

KNOWN_CONTEXT = 0.35  # cosine to the nearest trained context; below it a context means nothing


@dataclass(frozen=True, slots=True)
class Preference:
    """In this context, `better` is preferred to `worse`."""

    question: str
    context: str
    better: str
    worse: str


def reversal_pairs(question: str, contexts: Sequence[str], answers: Sequence[str]) -> list[Preference]:
    """All pairs of answers that two contexts, read as principles, order in opposite ways: both orders, both contexts.

    A context trained on such pairs cannot be ignored: without it each pair is a coin toss.
    """
    found = []
    compiled = {context: compile_principle(context) for context in contexts}
    for i, a in enumerate(answers):
        for b in answers[:i]:
            gaps = {}
            for context, checklist in compiled.items():
                left, right = checklist_score(checklist, question, a), checklist_score(checklist, question, b)
                if left is not None and right is not None and abs(left - right) > 0.2:
                    gaps[context] = left - right
            if len({gap > 0 for gap in gaps.values()}) == 2:
                found += [
                    Preference(question, context, *((a, b) if gap > 0 else (b, a)))
                    for context, gap in gaps.items()
                ]
    return found


def _rows(questions: Sequence[str], contexts: Sequence[str], answers: Sequence[str]) -> Matrix:
    """[q, z, a, |z - a|, z * a, log length * z]: shape (n, 6 * 384). Lengths interact with the context."""
    q, z, a = (shared().embed(texts) for texts in (questions, contexts, answers))
    length = np.array([[np.log1p(len(text.split())) / 5] for text in answers], dtype=np.float32).reshape(
        -1, 1
    )
    return np.concatenate([q, z, a, np.abs(z - a), z * a, z * length], axis=1).astype(np.float32)


class ContextPreference:
    """r(q, z, a) as a small network, compared by Bradley-Terry within one context."""

    def __init__(self, pairs: Sequence[Preference], *, epochs: int = 40, seed: int = 0) -> None:
        """Train on pairs. Raises ValueError without one."""
        if not pairs:
            raise ValueError("a preference in context needs at least one pair")
        self.contexts = sorted({pair.context for pair in pairs})
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._network = torch.nn.Sequential(
                torch.nn.Linear(6 * 384, 64), torch.nn.GELU(), torch.nn.Linear(64, 1)
            )
        up, down = (
            torch.from_numpy(
                _rows(
                    [p.question for p in pairs], [p.context for p in pairs], [getattr(p, side) for p in pairs]
                )
            )
            for side in ("better", "worse")
        )
        optimiser = torch.optim.AdamW(self._network.parameters(), lr=2e-3, weight_decay=1e-2)
        for _ in range(epochs):
            optimiser.zero_grad()
            bradley_terry(self._network(up).squeeze(-1), self._network(down).squeeze(-1)).backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    def probability(self, question: str, context: str, a: str, b: str) -> float:
        """P(a is preferred to b), 0 to 1; the marginal for an empty or unknown context.

        The two orders of a pair share 1, and a pair that was trained on is known.

        >>> pair = Preference("Who built it?", "be concise", "Mira Vell.", "It was, as many know, Mira Vell.")
        >>> made = ContextPreference([pair])
        >>> there, back = (made.probability(pair.question, pair.context, *both)
        ...                for both in ((pair.better, pair.worse), (pair.worse, pair.better)))
        >>> there > 0.9, round(there + back, 4)
        (True, 1.0)
        """
        if not context.strip() or float(cosines([context], self.contexts).max()) < KNOWN_CONTEXT:
            return self.marginal(question, a, b)
        return self._probability(question, context, a, b)

    def marginal(self, question: str, a: str, b: str, weights: Sequence[float] | None = None) -> float:
        """Mean over the trained contexts, by weight; a probability for each trained context may be given."""
        found = [self._probability(question, context, a, b) for context in self.contexts]
        return float(np.average(found, weights=weights))

    def _probability(self, question: str, context: str, a: str, b: str) -> float:
        rows = torch.from_numpy(_rows([question] * 2, [context] * 2, [a, b]))
        with torch.inference_mode():
            left, right = self._network(rows).squeeze(-1)
        return float(torch.sigmoid(left - right))


def borda(preferences: np.ndarray) -> list[float]:
    """Borda score of each answer: mean over contexts and rivals of P(answer > rival), 0 to 1.

    `preferences[z, i, j]` is P(i > j) in context z. Two answers, one context, P = 0.8: 0.8 and 0.2.

    >>> [round(v, 4) for v in borda(np.array([[[0.5, 0.8], [0.2, 0.5]]]))]
    [0.8, 0.2]
    """
    size = preferences.shape[1]
    if size < 2:
        raise ValueError("a Borda score needs at least two answers")
    off_diagonal = preferences.mean(axis=0) * (1 - np.eye(size))
    return [float(value) for value in off_diagonal.sum(axis=1) / (size - 1)]
