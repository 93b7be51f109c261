"""How the components of a reward become one number: one rule for trainers and for the page with the sliders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

WRONG_CEILING, RIGHT_FLOOR = 0.3, 0.49
NEUTRAL = 0.5  # the mix where no component applies


def mix(
    weights: Mapping[str, float],
    columns: Mapping[str, Sequence[float | None]],
    at: int,
    verdicts: Sequence[bool | None] | None = None,
) -> float:
    """Weighted mean, 0 to 1, of one sibling's components; `columns[name]` holds those of all siblings, 0 to 1 each.

    A component that is None for any sibling is left out for all of them: otherwise "does not apply" would compete
    with numbers. With `verdicts` (right, wrong or unknown) this holds among siblings of one verdict only, for those
    alone are compared by their mix: an abstention, which cites nothing, takes nothing from the right answers. With
    nothing left: 0.5.

    >>> mix({"a": 1.0, "b": 3.0}, {"a": [1.0, 0.0], "b": [0.5, None]}, 0)
    1.0
    >>> mix({"a": 1.0}, {"a": [1.0, 0.0, None]}, 0, [True, True, False])
    1.0
    """
    among = [i for i, v in enumerate(verdicts) if v is verdicts[at]] if verdicts is not None else None
    kept = [(weight, columns[name]) for name, weight in weights.items() if _applies(columns[name], among)]
    total = sum(weight for weight, _ in kept)
    if not total:
        return NEUTRAL
    return sum(weight * (column[at] or 0.0) for weight, column in kept) / total


def _applies(column: Sequence[float | None], among: Sequence[int] | None) -> bool:
    return all(value is not None for value in (column if among is None else [column[i] for i in among]))


def banded(
    mixed: float, right: bool | None, floor: float = RIGHT_FLOOR, ceiling: float = WRONG_CEILING
) -> float:
    """The mix inside the band of its answer, so that no wrong answer outranks a right one: 0 to 1.

    Right: floor to 1; wrong: 0 to ceiling; nobody knows: between the two. Right with a mix of 0.5: 0.49 + 0.51 / 2.

    >>> round(banded(0.5, True), 3), banded(0.5, False), round(banded(0.5, None), 3)
    (0.745, 0.15, 0.395)
    """
    if right is None:
        return ceiling + (floor - ceiling) * mixed
    return floor + (1 - floor) * mixed if right else ceiling * mixed
