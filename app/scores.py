"""Runs of one question ranked by a person's own weights, from the scores that `forage train rewards score` wrote.

The command line is a process of its own: the application does not know the trainers, only their JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.mixture import banded, mix
from app.jobs import Handle, Work
from index.errors import Cancelled, ForageError

FILE = "reward_scores.json"
LOOK = 0.2  # seconds between two looks at the Stop flag
SHOWN_ERROR = 600  # characters of what the command said when it failed

Weights = Mapping[str, float]


class ScoringError(ForageError):
    """The command that scores could not be run or failed."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One run in the ranking. `total` is None where nothing that has a weight could be computed."""

    run: Mapping[str, Any]
    total: float | None


def state_of(data_dir: Path) -> str:
    """Changes whenever a trajectory was added."""
    log = data_dir / "trajectories.jsonl"
    return f"{log.stat().st_size}" if log.is_file() else ""


def scoring(data_dir: Path, principle: str = "") -> Work:
    """The job that scores all logged runs into `reward_scores.json`; Stop ends the process."""

    def work(handle: Handle) -> Mapping[str, Any]:
        state = state_of(data_dir)
        command = [
            sys.executable,
            "-m",
            "app",
            "--data-dir",
            str(data_dir),
            "train",
            "rewards",
            "score",
            "--json",
        ]
        if principle.strip():
            command += ["--principle", principle]
        partial = data_dir / f".{FILE}.partial"
        with (
            partial.open("wb") as out,
            subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE) as process,
        ):
            while process.poll() is None:
                if handle.cancelled():
                    process.terminate()
                    raise Cancelled("Stopped while the runs were being scored.")
                time.sleep(LOOK)
            said = process.stderr.read().decode(errors="replace") if process.stderr else ""
        if process.returncode:
            partial.unlink(missing_ok=True)
            raise ScoringError(f"The runs could not be scored: {said.strip()[-SHOWN_ERROR:]}")
        partial.replace(data_dir / FILE)
        return {"state": state}

    return work


def read_scores(data_dir: Path) -> dict[str, Any] | None:
    """What the last scoring wrote; None before the first one or if the file is not whole."""
    try:
        found = json.loads((data_dir / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "groups" in found else None


def preset_weights(preset: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """A preset's weights for these runs: those for unknown truth, or the mean of right and wrong ones. Sum 1."""
    known = any(run["right"] is not None for run in runs)
    published = preset.get("sum")
    if published:
        return {name: weight / sum(published.values()) for name, weight in published.items()}
    parts = [preset["right"], preset["wrong"]] if known else [preset["unknown"] or preset["right"]]
    weights: dict[str, float] = {}
    for part in parts:
        share = sum(part.values()) or 1.0
        for name, weight in part.items():
            weights[name] = weights.get(name, 0.0) + weight / share / len(parts)
    return weights


def ranked(runs: Sequence[Mapping[str, Any]], weights: Weights, bands: bool = True) -> list[Ranked]:
    """Runs by the weighted mean of their components, best first; with `bands` right ones stay above wrong ones.

    The rule is the trainers' own (`agent.mixture`): a component that one run lacks counts for none of its verdict.
    """
    used = {name: weight for name, weight in weights.items() if weight > 0}
    columns = {name: [run["components"][name]["unit"] for run in runs] for name in used}
    known = [name for name in used if any(value is not None for value in columns[name])]
    verdicts = [run["right"] for run in runs]
    mixed = [mix(used, columns, at, verdicts if bands else None) for at in range(len(runs))]
    made = [
        Ranked(run, (banded(mixed[at], run["right"]) if bands else mixed[at]) if known else None)
        for at, run in enumerate(runs)
    ]
    return sorted(made, key=lambda one: -(one.total if one.total is not None else -1.0))


def moves(before: Sequence[Ranked], after: Sequence[Ranked]) -> dict[str, int]:
    """By run id, how many places a run rose (+) or fell (-) from one ranking to the other."""
    places = {one.run["id"]: at for at, one in enumerate(before)}
    return {one.run["id"]: places[one.run["id"]] - at for at, one in enumerate(after)}
