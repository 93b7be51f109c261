"""What a reward's representation knows, and how sure it is (MRMBench, arXiv 2511.12464).

A linear probe for each dimension of quality over frozen features; the distance to the centroids of what was seen gives
a confidence at scoring time. The set-up was read in the repository and a note; distances are turned into a
confidence by a quantile of our own, for raw thresholds do not carry over to other features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.rewards.contract import Episode, Reward, Score
from training.rewards.embedding import shared

FOLDS = 4
STRENGTH = 0.01  # inverse penalty of the linear probes: there are more features than answers
CENTROIDS = 4  # for each dimension and label

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Cross-validated accuracy of a linear probe, of one on shuffled labels, and the share of the majority."""

    accuracy: float
    control: float
    majority: float


def probe(
    features: Matrix,
    labels: Mapping[str, Sequence[int]],
    seed: int = 0,
    groups: Sequence[str] | None = None,
) -> dict[str, ProbeResult]:
    """A probe for each dimension: features (n, d), labels by dimension, each of length n.

    `groups` (of length n): rows of one group, such as the runs of one question, stay on one side of every split.
    Dimensions of an answer that make sense here: grounded, complete, cited well, concise, abstains when due. Raises
    ValueError for a dimension with fewer than four examples of some label.
    """
    found = {}
    for name, values in labels.items():
        y = np.asarray(values)
        counts = np.bincount(y - y.min())
        if len(counts[counts > 0]) < 2 or counts[counts > 0].min() < FOLDS:
            raise ValueError(
                f"dimension {name!r} needs at least {FOLDS} examples of each of two or more labels"
            )
        shuffled = np.random.default_rng(seed).permutation(y)
        found[name] = ProbeResult(
            _accuracy(features, y, seed, groups),
            _accuracy(features, shuffled, seed, groups),
            float(counts.max() / len(y)),
        )
    return found


def _accuracy(
    features: Matrix, labels: npt.NDArray[np.int_], seed: int, groups: Sequence[str] | None
) -> float:
    split = StratifiedKFold if groups is None else StratifiedGroupKFold
    folds = split(FOLDS, shuffle=True, random_state=seed)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=1000))
    return float(cross_val_score(model, features, labels, groups=groups, cv=folds).mean())


class Confidence:
    """exp(-d / median d): how near features lie to the centroids of the texts a reward was made with."""

    def __init__(self, features: Matrix, labels: Sequence[int], seed: int = 0) -> None:
        """Centroids by k-means within each label. Raises ValueError without a row."""
        if not len(features):
            raise ValueError("a confidence needs at least one example")
        y = np.asarray(labels)
        self._centroids = np.concatenate(
            [
                KMeans(min(CENTROIDS, int((y == label).sum())), n_init=3, random_state=seed)
                .fit(features[y == label])
                .cluster_centers_
                for label in np.unique(y)
            ]
        )
        self._median = max(float(np.median(self._distances(features))), 1e-9)

    def __call__(self, features: Matrix) -> list[float]:
        """A confidence in (0, 1] for each row; exp(-1) = 0.37 at the median distance of what was seen."""
        return [float(value) for value in np.exp(-self._distances(features) / self._median)]

    def _distances(self, features: Matrix) -> Matrix:
        gaps = features[:, None, :] - self._centroids[None, :, :]
        return np.asarray(np.linalg.norm(gaps, axis=-1).min(axis=1))


def only_when_sure(reward: Reward, confidence: Confidence, least: float) -> Reward:
    """The same reward, None for answers whose encoder vector lies too far from what it was made with."""
    score = reward.score
    if reward.level != "episode":
        raise ValueError(f"{reward.name} does not score single episodes")

    def guarded(episode: Episode) -> Score:
        vector = shared().embed([episode.written]).astype(np.float64)
        return score(episode) if confidence(vector)[0] >= least else None

    return replace(reward, score=guarded)
