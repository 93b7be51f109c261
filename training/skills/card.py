"""What a training run was asked for, and the model card it writes."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from index.errors import InputError
from index.minilm import MODEL_PACKAGE
from training.report import provenance
from training.skills.leaks import licences
from training.skills.loop import Outcome


@dataclass(frozen=True, slots=True)
class Run:
    """A training run: where the question sets are (None: fictional worlds alone), how long, where to write.

    start: weights to go on from instead of the packaged encoder; teachers: weights whose mean is imitated;
    ramp: share of self-made questions (1: pre-training with nothing else); collection: an ingested one to adapt
    to, as (data folder, name); left_out: a fold of the questions that is not learned from;
    halves: hop encoders or readers that each left out one; averaged: readers whose weights are averaged, instead of
    training.
    """

    out: Path
    data: Path | None
    minutes: float
    seed: int = 7
    device: str = "cpu"
    start: Path | None = None
    teachers: tuple[Path, ...] = ()
    ramp: float | None = None
    collection: tuple[Path, str] | None = None
    left_out: int | None = None
    halves: tuple[Path, ...] = ()
    averaged: tuple[Path, ...] = ()


def resolve_device(name: str) -> str:
    """`auto` to cuda, mps or cpu, whichever is there; other names as they are. InputError if it is not there."""
    if name == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"The device {name!r} cannot be used here: {str(error).splitlines()[0]}. "
            "Give --device auto, cpu, cuda or mps."
        ) from error
    return name


def describe(run: Run, skill: str, outcome: Outcome, sets: Sequence[str]) -> dict[str, Any]:
    """The card before scores: base, data with licences, seed, command, hardware, time."""
    facts = provenance()
    return {
        "skill": skill,
        "base": MODEL_PACKAGE,
        "data": licences(run.data, sets) if run.data else {"fictional worlds": "made by Forage, Apache-2.0"},
        "seed": run.seed,
        "command": facts["command"],
        "commit": facts["commit"],
        "hardware": f"{platform.machine()}, {os.cpu_count()} cores, {run.device}, "
        f"{torch.get_num_threads()} threads",
        "torch": torch.__version__,
        "minutes": round(outcome.minutes, 1),
        "steps": outcome.steps,
        "examples": outcome.examples,
        "on_the_way": list(outcome.looks),
    }
