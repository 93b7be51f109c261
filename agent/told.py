"""What a stage of the loop reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agent.types import Decision


@dataclass(frozen=True, slots=True)
class Told:
    """What a stage reports: a line for people, JSON for the curious, its own decision, a mistake of a model,
    and what comes next if it is not for the policy to say."""

    summary: str
    detail: dict[str, Any] = field(default_factory=dict)
    decision: Decision | None = None
    error: str = ""
    then: tuple[tuple[str, str], ...] = ()  # stages that follow, before what was planned
