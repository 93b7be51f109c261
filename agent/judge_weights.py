"""What the judge judges by: trees that say how probably a chain's answer is right, and trees that prefer one of them.

A probability compares every chain of every question; which chain of one question to answer with is another task, and
trees trained on it alone (LambdaRank over the chains of a look; Burges 2010, "From RankNet to LambdaRank to
LambdaMART") choose better: docs/LOG.md. The probability of the surest chain then says how good the preferred one is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index import delta
from index.trees import Trees

Calibration = tuple[float, float]  # scale and shift of the log-odds
Floats = npt.NDArray[np.float32]
_given: JudgeWeights | None = None


@dataclass(frozen=True)
class JudgeWeights:
    """Trees over the features of chains (agent.judge)."""

    trees: Trees  # log-odds that a chain's answer is right
    calibration: Calibration = (1.0, 0.0)
    choice: Trees | None = None  # the higher, the rather; None: the surest

    def stated(self, table: Floats) -> npt.NDArray[Any]:
        """Probability of each chain, (chains,)."""
        scale, shift = self.calibration
        return np.asarray(1.0 / (1.0 + np.exp(-(scale * self.trees.score(table) + shift))))

    def preferred(self, table: Floats) -> npt.NDArray[Any]:
        """What to choose by, (chains,); only its order counts."""
        return (self.trees if self.choice is None else self.choice).score(table)

    def arrays(self) -> dict[str, np.ndarray]:
        """For a safetensors file."""
        choice = self.choice.arrays("choice") if self.choice is not None else {}
        return {
            **self.trees.arrays("judge"),
            **choice,
            "calibration": np.array(self.calibration, dtype=np.float64),
        }

    @staticmethod
    def load(path: Path) -> JudgeWeights:
        """Of a file; StoreError where it is damaged."""
        arrays = delta.load_arrays(path)
        scale, shift = arrays["calibration"].tolist()
        choice = Trees.from_arrays(arrays, "choice") if "choice.roots" in arrays else None
        return JudgeWeights(Trees.from_arrays(arrays, "judge"), (scale, shift), choice)


def installed_path() -> Path:
    """Where the agent reads its judge from."""
    return Path(str(files("agent").joinpath("weights/judge.safetensors")))


def installed() -> bool:
    """Whether a trained judge ships with this checkout."""
    return _given is not None or installed_path().is_file()


def use(weights: JudgeWeights | None) -> None:
    """Judge with these from now on, in this process (how training collects rows before there are any); None: with
    those that ship."""
    global _given
    _given = weights


def current() -> JudgeWeights:
    """What is judged with."""
    return _given if _given is not None else _shipped()


@cache
def _shipped() -> JudgeWeights:
    return JudgeWeights.load(installed_path())
