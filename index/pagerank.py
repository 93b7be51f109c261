"""Personalised PageRank by power iteration, many questions at once, optionally guided by the question.

r = (1 - d) * sum_k d^k M^k s, with s the reset distribution, d the chance of following an edge (damping) and
M[i, j] the chance of going from j to i (Page et al. 1999; personalised: Haveliwala 2002). The walk keeps its
powers M^k s, so one walk serves every damping and, being linear in s, every mixture of resets.

Guided: each question gives every node a gain, and M becomes diag(gain) A scaled to column sums of 1: the walk
leaves an entity rather towards the passages that bear on the question. Gains of 1 give the plain walk.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float32]
THREADED = 1_000_000  # edges from which columns are walked in threads: scipy lets go of the interpreter


def steps_for(damping: float, tolerance: float) -> int:
    """Powers needed so that what is left out weighs at most `tolerance` (it weighs d^(steps + 1)).

    >>> steps_for(0.5, 1e-3), steps_for(0.0, 1e-3)
    (9, 0)
    """
    return max(0, math.ceil(math.log(tolerance) / math.log(damping)) - 1) if damping > 0 else 0


def walk(
    links: sparse.csr_matrix,
    resets: Floats,
    steps: int,
    gains: Floats | None = None,
    reversed_links: sparse.csr_matrix | None = None,
) -> list[Floats]:
    """[s, M s, ..., M^steps s], each of shape (n, questions).

    links: (n, n) non-negative, [i, j] from j to i. resets: (n, questions), scaled to column sums of 1 (a
    column of zeros stays zeros). gains: (n, questions), positive. Mass that reaches a node without an edge
    goes back to the reset. `reversed_links` saves transposing.
    """
    totals = resets.sum(axis=0)
    start = np.divide(
        resets, totals, out=np.zeros_like(resets, dtype=np.float32, order="F"), where=totals > 0
    )
    back = reversed_links if reversed_links is not None else sparse.csr_matrix(links.T)
    given = gains if gains is not None else np.ones((links.shape[0], 1), dtype=np.float32)
    leaving = back @ given  # column sums of diag(gain) A
    share = np.asfortranarray(np.divide(1.0, leaving, out=np.zeros_like(leaving), where=leaving > 0))
    stuck = leaving <= 0
    ends = np.flatnonzero(stuck.any(axis=1))
    powers = [start, *(np.empty(start.shape, dtype=np.float32, order="F") for _ in range(steps))]

    def one(column: int) -> None:
        guide = column if share.shape[1] > 1 else 0
        for before, after in pairwise(powers):
            last = before[:, column]
            now = links @ (last * share[:, guide])
            if gains is not None:
                now *= gains[:, guide]
            if len(ends):
                now += start[:, column] * (last[ends] * stuck[ends, guide]).sum()
            after[:, column] = now

    columns = range(start.shape[1])
    if len(columns) > 1 and links.nnz >= THREADED:
        with ThreadPoolExecutor(min(len(columns), os.cpu_count() or 1)) as threads:
            list(threads.map(one, columns))
    else:
        for column in columns:
            one(column)
    return powers


def combine(powers: list[Floats], damping: float) -> Floats:
    """PageRank from the powers of a walk; columns of non-zero resets sum to 1."""
    weights = [damping**k for k in range(len(powers))]
    total = sum(weights)
    result = np.zeros_like(powers[0])
    for power, weight in zip(powers, weights, strict=True):
        result += np.float32(weight / total) * power
    return result


def personalised_pagerank(
    links: sparse.csr_matrix, resets: Floats, damping: float, tolerance: float = 1e-6
) -> Floats:
    """PageRank of shape (n, questions) for resets of that shape, within `tolerance` in L1.

    Damping 0 gives the normalised reset; scaling a reset changes nothing.
    """
    return combine(walk(links, resets, steps_for(damping, tolerance)), damping)
