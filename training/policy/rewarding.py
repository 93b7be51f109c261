"""What an ending is worth: the composed reward of a preset minus the price of what the path spent.

The price stays under the gap between right and wrong, so that a wrong answer never outranks a right one, however
cheap it was. Prices are per unit, in reward; what a unit buys is decided on questions that training does not see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from training.policy.trees import Ending, Tree, prefixes
from training.rewards.compose import Preset, compose, load_papers, load_presets

SILENCE = 0.25  # worth of an undue silence where a right answer is worth 1 (docs/POLICY.md)
# Cost of a search relative to one at the deepest level, in processor seconds: reading what was found takes 3.2 of them
# on one AVX2 core, making the list 0.01, 0.03 and 0.38 (docs/LOG.md). Planning costs nothing beside that.
UNITS: Mapping[str, float] = {"memory": 0.02, "hybrid": 0.9, "graph": 0.9, "deep": 1.0}


@dataclass(frozen=True, slots=True)
class Pricing:
    """Reward charged for each unit of cost; `units` maps an action to its cost. `silence`: what it is worth at least to
    say "not in your documents" where they hold the answer: about the probability from which answering pays."""

    price: float = 0.05
    units: Mapping[str, float] = field(default_factory=lambda: dict(UNITS))
    silence: float = SILENCE

    def cost(self, path: tuple[str, ...]) -> float:
        """Units spent on a path."""
        return sum(self.units.get(action, 0.0) for action in path)


@dataclass(frozen=True, slots=True)
class Valued:
    """An ending's value with what it is made of."""

    value: float
    right: bool
    raw: dict[str, float | None]
    cost: float


def ending_values(tree: Tree, preset: Preset, pricing: Pricing) -> list[Valued]:
    """Values of all endings of a question, scored as one group.

    value = total - min(price * cost, 0.9 * (right_floor - wrong_ceiling)); total from `compose`, of an undue abstention
    `silence` at least: a wrong answer is worse than none, and without it a policy learns to guess. An ending that
    nobody can judge (no gold) is worth its wrong mix: it teaches cost only.
    """
    cap = 0.9 * (preset.right_floor - preset.wrong_ceiling)
    scored = compose(preset, [tree.episode(ending) for ending in tree.endings])
    found = []
    for ending, one in zip(tree.endings, scored, strict=True):
        cost = pricing.cost(ending.path)
        paid = min(pricing.price * cost, cap)
        total = one.total or 0.0
        if ending.abstained and not one.right and not ending.failed:
            total = max(total, pricing.silence)
        found.append(Valued(total - paid, bool(one.right), one.raw, cost))
    return found


def load_policy_preset(name: str = "policy", path: Path | None = None) -> Preset:
    """A preset for policies: of `path`, else the packaged one, else one of the reward presets or a paper's. ConfigError
    where there is none."""
    from index.errors import ConfigError

    presets = load_presets() | load_papers()
    packaged = files("training.policy").joinpath("presets.toml")
    presets |= load_presets(path or Path(str(packaged)))
    if name not in presets:
        raise ConfigError(f"There is no reward preset {name!r}. Choose from {', '.join(sorted(presets))}.")
    return presets[name]


def unpriced(ending: Ending, tree: Tree) -> list[str]:
    """Keys of the path's prefixes that no move is recorded for: costs that would be missed."""
    return [key for key in prefixes(ending.path) if key not in tree.moves]
