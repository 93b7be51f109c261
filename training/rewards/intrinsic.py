"""Intrinsic reward from annotations that arrive later (ONI, arXiv 2410.23022; read in the code).

A step's message is scored by what annotators (a language model, people, rules) said of it, learned online, and decays
with the cube of its repeats in the episode, so that a rewarded message cannot be farmed. Three bodies share one
interface: a table, a classifier, a ranker. In the released code the normalised ranking reward is computed and not used;
here it is.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from training.metrics import normalize
from training.rewards.contract import Episode, Score, Step
from training.rewards.embedding import shared

EXPONENT = 3
KEPT_PAIRS = 10_000
IGNORED_BELOW = -0.5  # deviations under the mean at which a ranking reward is cut to 0
SURE = 0.5
Annotator = Callable[[str], bool]


class Head(Protocol):
    """Messages to intrinsic rewards; learns from labels."""

    @property
    def trained(self) -> bool: ...

    def learn(self, messages: Sequence[str], labels: Sequence[bool]) -> None: ...

    def values(self, messages: Sequence[str]) -> list[float]: ...


def count_factor(count: int, exponent: float = EXPONENT) -> float:
    """n^-3 for the n-th time a message is seen in an episode.

    >>> [round(count_factor(n), 4) for n in (1, 2, 3, 4)]
    [1.0, 0.125, 0.037, 0.0156]
    """
    return float(count**-exponent)


def message(step: Step) -> str:
    """A step in one normalised line: its action, its query, and how the results look."""
    return normalize(f"{step.action} {step.query or step.goal}") + f" | {len(step.ids)} results"


class HashHead:
    """A table of labels; 0 for what nobody labelled. The strong simple baseline."""

    def __init__(self) -> None:
        self.labels: dict[str, bool] = {}

    @property
    def trained(self) -> bool:
        return bool(self.labels)

    def learn(self, messages: Sequence[str], labels: Sequence[bool]) -> None:
        self.labels.update(zip(messages, labels, strict=True))

    def values(self, messages: Sequence[str]) -> list[float]:
        """1.0 for a message labelled good, else 0.0."""
        return [float(self.labels.get(text, False)) for text in messages]

    def coverage(self, messages: Sequence[str]) -> float:
        """Share of messages that somebody labelled; 1.0 for none."""
        return sum(text in self.labels for text in messages) / len(messages) if messages else 1.0


class ClassHead:
    """Logistic regression over encoder vectors (a character network in the source); 1 where p > 0.5."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}
        self._model: LogisticRegression | None = None

    @property
    def trained(self) -> bool:
        return self._model is not None

    def learn(self, messages: Sequence[str], labels: Sequence[bool]) -> None:
        """Fit anew on all labels so far; until both labels were seen every value is 0."""
        self._known.update(zip(messages, labels, strict=True))
        if len(set(self._known.values())) == 2:
            self._model = LogisticRegression(max_iter=500, class_weight="balanced")
            self._model.fit(shared().embed(list(self._known)), list(self._known.values()))

    def values(self, messages: Sequence[str]) -> list[float]:
        """1.0 or 0.0 for each message."""
        if self._model is None or not messages:
            return [0.0] * len(messages)
        return [float(p > SURE) for p in self._model.predict_proba(shared().embed(messages))[:, 1]]


class RankHead:
    """A linear scorer trained on pairs (ties at one half), normalised by running mean and deviation."""

    def __init__(self, epochs: int = 60) -> None:
        self._pairs: deque[tuple[str, str, float]] = deque(maxlen=KEPT_PAIRS)
        self._epochs = epochs
        self._weights: torch.Tensor | None = None
        self._mean, self._deviation = 0.0, 1.0

    @property
    def trained(self) -> bool:
        return self._weights is not None

    def learn(self, messages: Sequence[str], labels: Sequence[bool]) -> None:
        """Every two messages make a pair: a good one beats a bad one, equals tie."""
        for i, (text, good) in enumerate(zip(messages, labels, strict=True)):
            for other, was in list(zip(messages, labels, strict=True))[:i]:
                self._pairs.append((text, other, 0.5 if good == was else float(good)))
        if self._pairs:
            self._fit()

    def _fit(self) -> None:
        texts = list(dict.fromkeys(text for left, right, _ in self._pairs for text in (left, right)))
        vectors = torch.from_numpy(np.array(shared().embed(texts)))
        at = {text: row for row, text in enumerate(texts)}
        left = torch.tensor([at[a] for a, _, _ in self._pairs])
        right = torch.tensor([at[b] for _, b, _ in self._pairs])
        target = torch.tensor([wins for _, _, wins in self._pairs])
        weights = torch.zeros(vectors.shape[1], requires_grad=True)
        optimiser = torch.optim.AdamW([weights], lr=0.1, weight_decay=1e-2)
        for _ in range(self._epochs):
            optimiser.zero_grad()
            scores = vectors @ weights
            # Cross-entropy against 1, 0 or one half: Bradley-Terry with ties.
            loss = torch.nn.functional.binary_cross_entropy_with_logits(scores[left] - scores[right], target)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        self._weights = weights.detach()
        scores = vectors @ self._weights
        self._mean, self._deviation = float(scores.mean()), float(scores.std()) or 1.0

    def values(self, messages: Sequence[str]) -> list[float]:
        """Scores in deviations from the mean; below -0.5 they are 0. 0 before anything was learned."""
        if self._weights is None or not messages:
            return [0.0] * len(messages)
        raw = (shared().embed(messages) @ self._weights.numpy() - self._mean) / self._deviation
        return [float(value) if value >= IGNORED_BELOW else 0.0 for value in raw]


class AnnotationQueue:
    """Messages waiting for a label: each unseen one once, the newest first."""

    def __init__(self, annotator: Annotator, head: Head) -> None:
        self._annotator, self._head = annotator, head
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._seen: set[str] = set()

    def add(self, messages: Iterable[str]) -> None:
        for text in messages:
            if text not in self._seen:
                self._seen.add(text)
                self._waiting[text] = None

    def annotate(self, count: int) -> list[str]:
        """Label up to `count` messages, newest first, and let the head learn; the messages labelled."""
        chosen = [self._waiting.popitem(last=True)[0] for _ in range(min(count, len(self._waiting)))]
        if chosen:
            self._head.learn(chosen, [self._annotator(text) for text in chosen])
        return chosen


def new_evidence(episode: Episode) -> dict[str, bool]:
    """The rule annotator: a search's message is good if it first showed a gold item, else any new passage."""
    labels: dict[str, bool] = {}
    seen: set[str] = set()
    for step in episode.searches:
        new = set(step.ids) - seen
        labels.setdefault(message(step), bool(new & episode.gold_ids if episode.evidence else new))
        seen |= new
    return labels


class Intrinsic:
    """An episode's intrinsic reward by a head: mean over steps of value * n^-3. Weigh it small (0.1 to 0.4).

    The same good step twice: (1 + 1 / 2^3) / 2.

    >>> step, head = Step("search", query="Oster Mill"), HashHead()
    >>> head.learn([message(step)], [True])
    >>> Intrinsic(head)(Episode("q", steps=(step, step)))
    0.5625
    """

    def __init__(self, head: Head) -> None:
        self.head = head

    def steps(self, episode: Episode) -> list[float]:
        """The reward of each step; the n-th repeat of a message earns n^-3 of its value."""
        texts = [message(step) for step in episode.steps]
        counts: Counter[str] = Counter()
        rewards = []
        for text, value in zip(texts, self.head.values(texts), strict=True):
            counts[text] += 1
            rewards.append(value * count_factor(counts[text]))
        return rewards

    def __call__(self, episode: Episode) -> Score:
        """Mean over the steps; None without a step or before anybody labelled anything."""
        if not self.head.trained:
            return None
        found = self.steps(episode)
        return sum(found) / len(found) if found else None
