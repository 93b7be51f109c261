"""How the components of a reward become one number: one rule for trainers and for the page with the sliders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

WRONG_CEILING, RIGHT_FLOOR = 0.3, 0.49
NEUTRAL = 0.5  # the mix where no component applies


def mix(weights: Mapping[str, float], columns: Mapping[str, Sequence[float | None]], at: int) -> float:
    """Weighted mean, 0 to 1, of one sibling's components; `columns[name]` holds those of all siblings, 0 to 1 each.

    A component that is None for any sibling is left out for all of them: otherwise "does not apply" would compete
    with numbers. With nothing left: 0.5.

    >>> mix({"a": 1.0, "b": 3.0}, {"a": [1.0, 0.0], "b": [0.5, None]}, 0)
    1.0
    """
    kept = [(weight, columns[name]) for name, weight in weights.items() if None not in columns[name]]
    total = sum(weight for weight, _ in kept)
    if not total:
        return NEUTRAL
    return sum(weight * (column[at] or 0.0) for weight, column in kept) / total


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
