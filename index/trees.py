"""Boosted trees as arrays: scored in numpy, stored as safetensors, trained elsewhere (LightGBM).

The library that grows the trees is needed only for training: its own runtime would bring a second OpenMP into
the process, and a pickled model would run code on loading. A split sends a row left when its value is at most
the threshold. Missing values do not occur: features are always numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
STORED = ("roots", "feature", "threshold", "left", "right", "value")


@dataclass(frozen=True, slots=True)
class _ByLevel:
    """The nodes in another order, level by level, so that a right child stands behind its left sibling: half the
    look-ups of a step."""

    roots: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    threshold: Floats
    left: npt.NDArray[np.int64]
    value: Floats


@dataclass(frozen=True, slots=True)
class Trees:
    """An ensemble. Nodes of all trees stand in one row; a leaf points to itself."""

    roots: npt.NDArray[np.int32]  # (trees,) first node of each
    feature: npt.NDArray[np.int32]  # (nodes,)
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    value: npt.NDArray[np.float32]  # of a leaf; 0 at splits
    depth: int
    _level: _ByLevel = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_level", _by_level(self))

    def score(self, features: Floats) -> Floats:
        """Sum of the leaves each row falls into, shape (rows,): log-odds for a binary objective."""
        rows, at = len(features), self._level
        node = np.repeat(at.roots[None, :], rows, axis=0)
        flat = np.ascontiguousarray(features, dtype=np.float32).ravel()
        offset = (np.arange(rows, dtype=np.int64) * features.shape[1])[:, None]
        for _ in range(self.depth):
            value = flat.take(at.feature.take(node) + offset)
            node = at.left.take(node) + (value > at.threshold.take(node))
        return np.asarray(at.value.take(node).sum(axis=1), dtype=np.float32)

    def with_more(self, others: Trees) -> Trees:
        """Both ensembles as one: its score is the sum of theirs."""
        shift = len(self.feature)
        return Trees(
            roots=np.concatenate([self.roots, others.roots + shift]).astype(np.int32),
            feature=np.concatenate([self.feature, others.feature]),
            threshold=np.concatenate([self.threshold, others.threshold]),
            left=np.concatenate([self.left, others.left + shift]).astype(np.int32),
            right=np.concatenate([self.right, others.right + shift]).astype(np.int32),
            value=np.concatenate([self.value, others.value]),
            depth=max(self.depth, others.depth),
        )

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """The ensemble as named arrays, for a safetensors file."""
        return {f"{prefix}.{name}": np.ascontiguousarray(getattr(self, name)) for name in STORED} | {
            f"{prefix}.depth": np.array([self.depth], dtype=np.int32)
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> Trees:
        """The ensemble written by `arrays`; KeyError when one is missing."""
        named = {name: arrays[f"{prefix}.{name}"] for name in STORED}
        return cls(**named, depth=int(arrays[f"{prefix}.depth"][0]))


def _by_level(trees: Trees) -> _ByLevel:
    level, levels = trees.roots, [trees.roots]
    while len(level):
        splits = level[trees.left[level] != level]
        level = np.stack([trees.left[splits], trees.right[splits]], axis=1).ravel()
        levels.append(level)
    order = np.concatenate(levels)
    place = np.zeros(len(trees.feature), dtype=np.int64)
    place[order] = np.arange(len(order))
    return _ByLevel(
        roots=place[trees.roots],
        feature=trees.feature[order].astype(np.int64),
        threshold=trees.threshold[order],
        left=place[trees.left[order]],
        value=trees.value[order],
    )


def from_dump(trees: Sequence[Mapping[str, Any]]) -> Trees:
    """Trees from LightGBM's `dump_model()["tree_info"]`."""
    roots: list[int] = []
    nodes: list[list[float]] = []  # feature, threshold, left, right, value
    deepest = 0

    def add(tree: Mapping[str, Any], depth: int) -> int:
        nonlocal deepest
        at = len(nodes)
        deepest = max(deepest, depth)
        nodes.append([0, np.inf, at, at, float(tree.get("leaf_value", 0.0))])
        if "split_feature" in tree:
            # The nearest float32 below keeps "value <= threshold" as it was in float64.
            threshold = np.float32(tree["threshold"])
            if float(threshold) > float(tree["threshold"]):
                threshold = np.nextafter(threshold, np.float32(-np.inf))
            left, right = add(tree["left_child"], depth + 1), add(tree["right_child"], depth + 1)
            nodes[at] = [tree["split_feature"], float(threshold), left, right, 0.0]
        return at

    for tree in trees:
        roots.append(len(nodes))
        add(tree["tree_structure"], 0)
    table = np.array(nodes, dtype=np.float64).reshape(-1, 5)
    return Trees(
        roots=np.array(roots, dtype=np.int32),
        feature=table[:, 0].astype(np.int32),
        threshold=table[:, 1].astype(np.float32),
        left=table[:, 2].astype(np.int32),
        right=table[:, 3].astype(np.int32),
        value=table[:, 4].astype(np.float32),
        depth=deepest,
    )
