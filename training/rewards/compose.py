"""Several rewards into one number or one advantage, so that a wrong answer never outranks a right one.

A preset of ours (presets.toml) names gates, what counts as right, and two sets of weights: what separates right answers
from one another, and what separates wrong ones. Right answers live above the ceiling of wrong ones, whatever is mixed.
A paper's mixture (papers.toml) is its printed sum instead, without that rule.
How totals or components become advantages: `advantages.py`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from agent.mixture import RIGHT_FLOOR, WRONG_CEILING, banded, mix
from index.errors import ConfigError
from training.rewards.contract import Episode, Score, encode_for, score_group, unit
from training.rewards.outcome import right
from training.rewards.registry import REWARDS


@dataclass(frozen=True, slots=True)
class Preset:
    """A mixture by name. Weights are relative; the components must score episodes."""

    name: str
    about: str
    gates: tuple[str, ...]
    right: dict[str, float]
    wrong: dict[str, float]
    unknown: dict[str, float] = field(default_factory=dict)  # where nobody knows what is right
    sum: dict[str, float] = field(
        default_factory=dict
    )  # a paper's weights of raw values; instead of the others
    read_in: str = "ours"  # where they were read: code, paper, summary, ours
    right_floor: float = RIGHT_FLOOR
    wrong_ceiling: float = WRONG_CEILING

    @property
    def components(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.gates, *self.right, *self.wrong, *self.unknown, *self.sum)))

    @property
    def spans(self) -> dict[str, float]:
        """Weights of the components' 0..1 values that give the same order as the sum of the raw ones."""
        return {name: weight * (REWARDS[name].high - REWARDS[name].low) for name, weight in self.sum.items()}


@dataclass(frozen=True, slots=True)
class Scored:
    """One episode's total with what it is made of: raw values as the rewards gave them."""

    total: Score
    right: bool | None
    gated: bool  # a gate closed
    raw: dict[str, Score]


def load_presets(path: Path | None = None) -> dict[str, Preset]:
    """Presets of a TOML file; the packaged ones without a path.

    Raises ConfigError for unreadable TOML, an unknown component or key, a weight that is not positive, or limits
    that let a wrong answer outrank a right one.
    """
    try:
        text = path.read_text("utf-8") if path else _packaged("presets.toml")
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"The presets of rewards could not be read: {error}. Correct {path or 'them'}."
        ) from error
    return {name: _preset(name, table) for name, table in tables.items()}


def load_papers() -> dict[str, Preset]:
    """The mixtures of the papers, by name."""
    return {name: _preset(name, table) for name, table in tomllib.loads(_packaged("papers.toml")).items()}


@cache
def _packaged(name: str) -> str:
    return files("training.rewards").joinpath(name).read_text("utf-8")


_KEYS = frozenset({
    "about", "gates", "right", "wrong", "unknown", "right_floor", "wrong_ceiling", "sum", "read_in",
})  # fmt: skip


def _preset(name: str, table: object) -> Preset:
    if not isinstance(table, dict):
        raise ConfigError(f"Preset {name!r} is a single value; a table [{name}] was expected.")
    strange = set(table) - _KEYS
    if strange:
        raise ConfigError(f"Preset {name!r} has unknown keys: {', '.join(sorted(strange))}. Remove them.")
    made = Preset(
        name,
        str(table.get("about", "")),
        tuple(table.get("gates", ())),
        dict(table.get("right", {})),
        dict(table.get("wrong", {})),
        dict(table.get("unknown", {})),
        dict(table.get("sum", {})),
        str(table.get("read_in", "ours")),
        table.get("right_floor", RIGHT_FLOOR),
        table.get("wrong_ceiling", WRONG_CEILING),
    )
    for component in made.components:
        if component not in REWARDS or REWARDS[component].level == "formula":
            raise ConfigError(
                f"Preset {name!r} names {component!r}, which is no reward of episodes; see docs/REWARDS.md."
            )
    mixes = (made.right, made.wrong, made.unknown, made.sum)
    if made.sum and any(mixes[:3]):
        raise ConfigError(f"Preset {name!r} has a sum and other weights; a preset is the one or the other.")
    for component, weight in (item for chosen in mixes for item in chosen.items()):
        if not isinstance(weight, int | float) or isinstance(weight, bool) or not 0 < weight < float("inf"):
            raise ConfigError(
                f"Preset {name!r}: the weight of {component!r} must be a positive number, not {weight!r}."
            )
    if not 0 <= made.wrong_ceiling < made.right_floor <= 1:
        raise ConfigError(
            f"Preset {name!r} lets a wrong answer outrank a right one: wrong_ceiling {made.wrong_ceiling} "
            f"must be under right_floor {made.right_floor}, both from 0 to 1."
        )
    return made


def components(names: Sequence[str], episodes: Sequence[Episode]) -> dict[str, list[Score]]:
    """Raw scores of a group by component name: each list as long as the group."""
    encode_for([REWARDS[name] for name in names], episodes)
    return {name: score_group(REWARDS[name], episodes) for name in names}


def compose(preset: Preset, episodes: Sequence[Episode]) -> list[Scored]:
    """Totals of one question's episodes, 0 to 1 (`agent.mixture`).

    A closed gate (0) makes the total 0. Where nobody knows what is right the preset's `unknown` weights hold; without
    them the total is None.

    A paper's sum is moved to 0..1: (sum - its least) / (its most - its least), which changes neither order nor
    normalised advantages. A component that does not apply to all siblings is left out of it.

    Gate open, right, mix 0.5: 0.49 + 0.51 * 0.5 = 0.745.
    """
    raw = components(preset.components, episodes)
    values = {name: [unit(REWARDS[name], score) for score in scores] for name, scores in raw.items()}
    verdicts = [right(episode) for episode in episodes]
    scored = []
    for at, found in enumerate(verdicts):
        closed = any(values[gate][at] == 0 for gate in preset.gates)
        weights = preset.unknown if found is None else preset.right if found else preset.wrong
        total: Score = None
        if closed:
            total = 0.0
        elif preset.sum:
            total = (
                mix(preset.spans, values, at) if any(values[n][at] is not None for n in preset.sum) else None
            )
        elif found is not None or weights:
            total = banded(
                mix(weights, values, at, verdicts), found, preset.right_floor, preset.wrong_ceiling
            )
        scored.append(Scored(total, found, closed, {name: scores[at] for name, scores in raw.items()}))
    return scored
