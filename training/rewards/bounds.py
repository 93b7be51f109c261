"""Which pairs of texts need a cosine at all: the rest cannot change the best similarity.

What a guard leaves is the most that a pair of texts can earn, and equal texts earn all of it: their cosine is 1. A pair
that can earn no more than its row and its column hold already needs no vector. Answers that quote their passages and
references made of gold sentences are mostly equal texts, so that this is most of the encoder's work.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def equal(left: Sequence[str], right: Sequence[str]) -> Mask:
    """Which texts are one to the encoder, equal but for case and spaces: shape (len(left), len(right)).

    >>> equal(["It opened.", "Mira Vell"], ["it  opened."]).tolist()
    [[True], [False]]
    """
    rows, columns = ([" ".join(text.lower().split()) for text in side] for side in (left, right))
    return np.array([[a == b for b in columns] for a in rows], dtype=bool).reshape(len(rows), len(columns))


def unsettled(most: Values, same: Mask, rows: Mask | None = None) -> Mask:
    """The pairs that may still raise the best of their column, or of their row where `rows` asks for it.

    most: the most that each pair can earn, 0 or more; same: pairs of equal texts, which earn all of it. Both of shape
    (n, m); rows: shape (n,).

    The first text is equal to the first wanted one; the second may raise the second column.

    >>> most, same = np.array([[1.0, 0.0], [1.0, 0.5]]), np.array([[True, False], [False, False]])
    >>> unsettled(most, same).tolist()
    [[False, False], [False, True]]
    """
    earned = np.where(same, most, 0.0)
    open_ = most > earned.max(axis=0, initial=0.0)
    if rows is not None:
        open_ |= rows[:, None] & (most > earned.max(axis=1, initial=0.0)[:, None])
    return np.asarray(open_ & ~same)


def axes(needed: Mask) -> tuple[Mask, Mask]:
    """The rows and the columns that hold a needed pair."""
    return np.asarray(needed.any(axis=1)), np.asarray(needed.any(axis=0))


def filled(most: Values, same: Mask, needed: Mask, found: Values, top: float = 1.0) -> Values:
    """The pairs' similarities: what they can earn, times `found` (of the rows and columns that hold a needed pair) or
    `top`, the calibrated cosine of 1, where the texts are equal; 0 for what was not looked at.

    >>> most, same = np.array([[1.0, 0.0], [1.0, 0.5]]), np.array([[True, False], [False, False]])
    >>> filled(most, same, unsettled(most, same), np.array([[0.8]])).tolist()
    [[1.0, 0.0], [0.0, 0.4]]
    """
    scores = np.zeros(most.shape)
    scores[np.ix_(*axes(needed))] = found
    return np.asarray(np.where(same, top, scores) * most)


def chosen(texts: Sequence[str], mask: Mask) -> list[str]:
    """The texts that a mask keeps.

    >>> chosen(["a", "b"], np.array([False, True]))
    ['b']
    """
    return [text for text, keep in zip(texts, mask, strict=True) if keep]
