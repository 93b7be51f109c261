"""A candidate policy in the shadow: a share of the questions that people asked is answered again by it, and compared.

    policies/shadow.json             which policy, which share, since when, and its budget
    policies/<name>/shadow.jsonl     one line a question: what the live policy did, what the candidate did

Nothing here touches a person's question: what is answered again is read from the log of finished questions, later, by
whoever has time (the pages when nobody asks, or `forage policy shadow --work`). The candidate asks no language model
(nobody ordered that bill), remembers nothing and is given nothing remembered.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from agent.agent import Agent
from agent.policy import Policy, Rules
from agent.promotion import FOLDER, Record, keep, kept, note
from agent.trace import TraceLog, append_line, whole_lines
from agent.types import Trajectory
from index.errors import Cancelled, ForageError, InputError
from index.types import Scope

STATE, RESULTS = "shadow.json", "shadow.jsonl"
PAUSE = 0.1  # seconds between two looks at whether somebody asks
MEASURES = ("answered", "confidence", "searches", "tokens", "citations", "supported")


@dataclass(frozen=True, slots=True)
class Shadow:
    """A candidate at work. `questions` and `seconds` (of all its runs together) are its budget."""

    name: str
    share: float
    since: float
    questions: int = 200
    seconds: float = 3600.0

    def draws(self, run_id: str) -> bool:
        """Whether a question is among the share: by a hash, so that no process has to remember it."""
        spot = int(sha256(f"{self.name}/{run_id}".encode()).hexdigest()[:8], 16) / 16**8
        return spot < self.share


@dataclass(frozen=True, slots=True)
class Compared:
    """One question answered by both. live, candidate: MEASURES, with `short` and `actions`."""

    id: str
    at: float
    question: str
    live: Mapping[str, Any]
    candidate: Mapping[str, Any]
    policies: tuple[str, str]
    seconds: float  # of the candidate's run
    error: str = ""

    @property
    def same(self) -> bool:
        """Both said the same, or both nothing."""
        a, b = (str(row["short"]).strip().lower() for row in (self.live, self.candidate))
        return a == b and self.live["answered"] == self.candidate["answered"]


def start(
    data_dir: Path, weights: Path, name: str, share: float, *, questions: int = 200, seconds: float = 3600.0
) -> Record:
    """Let a policy run in the shadow from now on, instead of any other. InputError for a share outside (0, 1] or a bad
    name, StoreError for weights that this version cannot use."""
    if not 0 < share <= 1:
        raise InputError(f"--share must lie above 0 and at most at 1, not {share}.")
    digest = keep(data_dir, weights, name)
    record = note(data_dir, "shadow", name, digest, reason=f"{share:.0%} of the questions")
    state = Shadow(name, share, record.at, questions, seconds)
    path = data_dir / FOLDER / STATE
    path.with_suffix(".partial").write_text(json.dumps(asdict(state)) + "\n", encoding="utf-8")
    path.with_suffix(".partial").replace(path)
    return record


def stop(data_dir: Path) -> Record:
    """End it; what was compared stays. InputError where nothing runs in the shadow."""
    state = current(data_dir)
    if state is None:
        raise InputError("No policy runs in the shadow.")
    (data_dir / FOLDER / STATE).unlink()
    return note(
        data_dir, "shadow-end", state.name, "", reason=f"{len(results(data_dir, state.name))} compared"
    )


def current(data_dir: Path) -> Shadow | None:
    """What runs in the shadow; None for nothing or for a damaged file."""
    try:
        return Shadow(**json.loads((data_dir / FOLDER / STATE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def results(data_dir: Path, name: str) -> tuple[Compared, ...]:
    """All questions compared for a policy, oldest first. A line cut short by a crash is left out."""
    rows = whole_lines(data_dir / FOLDER / name / RESULTS)
    return tuple(Compared(**{**row, "policies": tuple(row["policies"])}) for row in rows)


def spent(done: tuple[Compared, ...], shadow: Shadow) -> bool:
    """Whether its budget is used up."""
    mine = [one for one in done if one.at >= shadow.since]
    return len(mine) >= shadow.questions or sum(one.seconds for one in mine) >= shadow.seconds


def due(data_dir: Path, shadow: Shadow) -> Iterator[Trajectory]:
    """Finished questions of the share that are not compared yet, oldest first. Left out are small talk, what was
    stopped, what was answered from memory (nothing was decided) and questions of the candidate itself."""
    done = {one.id for one in results(data_dir, shadow.name)}
    for asked in TraceLog(data_dir / "trajectories.jsonl").read():
        if asked.started_at < shadow.since or asked.id in done or not shadow.draws(asked.id):
            continue
        actions = actions_of(asked)
        if actions and "memory" not in actions and not asked.answer.stopped and _name(asked) != shadow.name:
            yield asked


def work(
    data_dir: Path,
    agent: Agent,
    busy: Callable[[], bool] = lambda: False,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Answer what is due with the candidate, within its budget; how many were compared. `busy`: somebody asks, so wait
    between two steps. Raises StoreError where the candidate cannot be read."""
    shadow, count = current(data_dir), 0
    if shadow is None:
        return 0
    candidate = kept(data_dir, shadow.name, Rules())
    for asked in due(data_dir, shadow):
        if cancelled() or spent(results(data_dir, shadow.name), shadow):
            break
        compared = _compare(agent, candidate, asked, busy, cancelled)
        append_line(data_dir / FOLDER / shadow.name / RESULTS, asdict(compared))
        count += 1
    return count


def _compare(
    agent: Agent,
    candidate: Policy,
    asked: Trajectory,
    busy: Callable[[], bool],
    cancelled: Callable[[], bool],
) -> Compared:
    alone = Agent(agent.searcher, agent.settings, None, policy=candidate)
    worked, error, found = 0.0, "", None
    scope = Scope(asked.collections, asked.documents)
    try:
        items = alone.stream(asked.asked or asked.question, scope, cancelled=cancelled)
        while True:
            while busy() and not cancelled():
                time.sleep(PAUSE)
            began = time.monotonic()
            found = next(items, found)
            worked += time.monotonic() - began
            if isinstance(found, Trajectory):
                break
    except Cancelled:
        raise
    except ForageError as problem:
        error = str(problem)
    if isinstance(found, Trajectory) and found.answer.stopped == "cancelled":
        raise Cancelled("Stopped.")
    live, other = _row(asked), _row(found) if isinstance(found, Trajectory) else dict.fromkeys(MEASURES, 0.0)
    return Compared(
        asked.id, time.time(), asked.asked or asked.question, live, {"short": "", "actions": [], **other},
        (asked.policy, f"{candidate.name}@{candidate.fingerprint}"), round(worked, 3), error,
    )  # fmt: skip


def _row(run: Trajectory) -> dict[str, Any]:
    answer = run.answer
    good = sum(citation.supported for citation in answer.citations)
    return {
        "short": answer.short, "actions": list(actions_of(run)), "answered": float(not answer.abstained),
        "confidence": answer.confidence, "searches": answer.cost.searches, "tokens": answer.cost.context_tokens,
        "citations": len(answer.citations),
        "supported": good / len(answer.citations) if answer.citations else None,
    }  # fmt: skip


def actions_of(run: Trajectory) -> tuple[str, ...]:
    """What the policy chose, in order; a decision may stand at several steps of its action."""
    made = [
        step.decision for step in run.steps if step.decision is not None and step.decision.name == "policy"
    ]
    return tuple(one.chosen for one in made)


def _name(run: Trajectory) -> str:
    return run.policy.rpartition("@")[0]
