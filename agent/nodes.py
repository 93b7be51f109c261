"""The nodes of the loop: each lets the run do one stage, or the policy decide, and hands the step on.

What a node works with (the run with its tools, the policy) comes in through LangGraph's context, so the state
holds JSON only. A run that was interrupted catches up from the state: it takes the same actions again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from operator import add
from typing import Annotated, Any, TypedDict

from langgraph.runtime import Runtime

from agent.policy import Policy
from agent.run import Run, decided

DECIDE, END = "decide", "end"


class State(TypedDict, total=False):
    """What the graph carries; plain JSON."""

    question: str
    actions: Annotated[list[str], add]  # the policy's so far
    steps: Annotated[list[dict[str, Any]], add]
    following: str  # name of the next node
    answer: dict[str, Any] | None  # once there is one: a run that was killed after it needs no model again
    notes: list[dict[str, Any]]


@dataclass(slots=True)
class Context:
    """One question's run and who decides in it."""

    run: Run
    policy: Policy
    fallback: Policy


def decide(state: State, runtime: Runtime[Context]) -> State:
    """The policy chooses among the legal actions."""
    context = runtime.context
    run = _current(state, context)
    now = run.situation()
    choice = decided(context.policy, now, context.fallback)
    run.take(choice, now)
    return {"actions": [choice.action], "following": _following(run)}


def stage(name: str) -> Any:
    """The node that does the stage `name`."""

    def node(state: State, runtime: Runtime[Context]) -> State:
        run = _current(state, runtime.context)
        assert run.queue[0][0] == name
        step = run.advance()
        changes: State = {"steps": [asdict(step)], "following": _following(run)}
        if run.finished and run.answer is not None:
            changes |= {"answer": asdict(run.answer), "notes": [asdict(note) for note in run.notes]}
        return changes

    node.__name__ = name
    return node


def _current(state: State, context: Context) -> Run:
    """The run, brought up to the state."""
    run = context.run
    run.replay(state.get("actions", [])[len(run.actions) :], len(state.get("steps", [])))
    return run


def _following(run: Run) -> str:
    if run.queue:
        return run.queue[0][0]
    return END if run.finished else DECIDE
