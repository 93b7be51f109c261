"""A recorded run once more: the same question over the documents of now, step by step beside the record.

Memory is taken from the record (what it said then), time too (each step counts as long as it did), so every decision
sees what it saw. Nothing is logged and nothing remembered.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from agent.agent import Agent
from agent.config import fingerprint
from agent.episodes import Episode
from agent.recollection import Recollection
from agent.run import Run, decided
from agent.types import Step, Trajectory
from index.errors import NotFoundError
from index.types import Scope

TOLERANCE = (
    1e-3  # of numbers: vectors of one text differ in the last bits with the texts they were made beside
)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where the run went another way."""

    step: int
    what: str  # path inside the step, such as "decision.chosen"
    recorded: Any
    now: Any


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a replay."""

    steps: tuple[Step, ...]
    difference: Difference | None
    remarks: tuple[str, ...]  # what has changed around the run: settings, policy, documents

    @property
    def same(self) -> bool:
        """Every step and decision is as recorded."""
        return self.difference is None


def replay(agent: Agent, record: Trajectory) -> Replay:
    """Run the question of a record again and compare; stops at the first difference."""
    run = agent.open_run(record.asked or record.question, Scope(record.collections, record.documents))
    run.tools.recall = _recorded_memory(record)
    if record.answer.brain == "embedded" and not record.answer.notice:
        run.tools.model = None
    steps: list[Step] = []
    difference = None
    while not run.finished and difference is None:
        if not run.queue:
            now = run.situation()
            run.take(decided(agent.policy, now, agent.fallback), now)
        step = _timed(run, run.advance(), record)
        steps.append(step)
        difference = _compare(step, record)
    if difference is None and len(steps) < len(record.steps):
        missing = record.steps[len(steps)]
        if record.answer.stopped != "cancelled":
            difference = Difference(len(steps), "stage", missing.stage, "the run ended")
    return Replay(tuple(steps), difference, _remarks(agent, record))


def _timed(run: Run, step: Step, record: Trajectory) -> Step:
    """The step with the seconds of the record, on the board too: budgets are seen as they were."""
    if step.index >= len(record.steps):
        return step
    timed = replace(step, seconds=record.steps[step.index].seconds)
    run.board.steps = (*run.board.steps[:-1], timed)
    return timed


def _recorded_memory(record: Trajectory) -> Any:
    """What memory said then, from the features that the policy saw."""
    seen = next((s.decision.features for s in record.steps if s.decision and s.decision.name == "policy"), {})
    gate = record.steps[0] if record.steps else None
    remembered = gate is not None and gate.decision is not None and gate.decision.chosen == "remembered"
    if "memory_match" not in seen and not remembered:
        return None
    detail = gate.detail if gate is not None else {}
    key = next((str(k) for s in record.steps for k in s.detail.get("memory", ())), "recorded")
    value = float(seen.get("memory_value", 0.0))
    episode = Episode(key, str(detail.get("question", "")), (), "answer", value, 1)
    known = Recollection(
        answer=record.answer if remembered else None,
        notes=record.notes if remembered else (),
        key=key,
        similarity=float(seen.get("memory_match", 0.0)),
        strategies=(episode,) if value or remembered else (),
        reason=str(detail.get("memory_says", "")),
    )
    return lambda question, scope: known


def _compare(step: Step, record: Trajectory) -> Difference | None:
    if step.index >= len(record.steps):
        return Difference(step.index, "stage", "the run ended", step.stage)
    before, after = asdict(record.steps[step.index]), asdict(step)
    if record.asked and step.stage == "gate":  # the record tells the rewritten question here
        before["summary"] = after["summary"] = ""
        before["detail"] = {k: v for k, v in before["detail"].items() if k not in ("asked", "because")}
    for name in ("stage", "decision", "summary", "detail", "error"):
        found = _first_difference(before[name], after[name], name)
        if found is not None:
            return Difference(step.index, *found)
    return None


def _first_difference(before: Any, after: Any, path: str) -> tuple[str, Any, Any] | None:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            if (key in before) != (key in after):
                return f"{path}.{key}", before.get(key), after.get(key)
            found = _first_difference(before[key], after[key], f"{path}.{key}")
            if found is not None:
                return found
        return None
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        for number, (left, right) in enumerate(zip(before, after, strict=False)):
            found = _first_difference(left, right, f"{path}[{number}]")
            if found is not None:
                return found
        return (f"{path}.length", len(before), len(after)) if len(before) != len(after) else None
    numbers = isinstance(before, int | float) and isinstance(after, int | float)
    same = abs(before - after) <= TOLERANCE if numbers else before == after
    return None if same else (path, before, after)


def _remarks(agent: Agent, record: Trajectory) -> tuple[str, ...]:
    """What a person should know before reading a difference."""
    remarks = []
    if fingerprint(agent.settings) != record.fingerprint:
        remarks.append("The settings differ from those of the record.")
    policy = f"{agent.policy.name}@{agent.policy.fingerprint}"
    if policy != record.policy:
        remarks.append(f"The policy is {policy}; the record was made by {record.policy}.")
    for note in record.notes:
        try:
            text = agent.store.document_text(note.document_id)
        except NotFoundError:
            remarks.append(f"“{note.title}” has been deleted since.")
            continue
        if text[note.start : note.end] != note.quote:
            remarks.append(f"“{note.title}” has changed since.")
        elif agent.store.document(note.document_id).updated_at > record.started_at:
            remarks.append(f"“{note.title}” was read again since.")
    return tuple(dict.fromkeys(remarks))
