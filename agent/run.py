"""One question, step by step: what may be done now, do it, see what came of it.

The same body serves people (LangGraph's nodes call `advance`) and the offline trainer, which forks a run at any
decision to see what another action would have brought.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.board import Board, Tools
from agent.policy import LEVELS, Choice, Policy, Situation, certain
from agent.situation import situation
from agent.stages import STAGES
from agent.types import Answer, Decision, Note, Step
from index.errors import Cancelled, InputError

Planned = tuple[str, str]  # a stage and its argument
BEGIN: tuple[Planned, ...] = (("gate", ""),)


@dataclass(slots=True)
class Run:
    """The run of one question. Make one with `Run(tools, Board(question))` and call `begin`."""

    tools: Tools
    board: Board
    queue: tuple[Planned, ...] = BEGIN  # stages that are decided and not done
    actions: tuple[str, ...] = ()  # of the policy so far
    decided_on: tuple[tuple[float, ...], ...] = ()  # values of the situation of each of them
    _decision: Decision | None = field(default=None)  # goes with the first step of its action
    _error: str = ""

    @property
    def finished(self) -> bool:
        """Whether there is an answer."""
        return self.board.answer is not None and not self.queue

    @property
    def answer(self) -> Answer | None:
        """The answer, once finished."""
        return self.board.answer

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps so far."""
        return self.board.steps

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes held now."""
        return self.board.notes

    def begin(self) -> tuple[Step, ...]:
        """The gate and, for a question to the documents, the first goal. Then the policy decides."""
        return self._drain()

    def situation(self) -> Situation:
        """What the policy decides on; only between actions of an unfinished run."""
        assert not self.queue and not self.finished
        earlier = tuple(zip(self.decided_on, self.actions, strict=True))
        return replace(situation(self.board, self.tools), earlier=earlier)

    def act(self, choice: Choice | str) -> tuple[Step, ...]:
        """Carry out an action, all its stages. A bare name is taken as certain. InputError when it is illegal."""
        self.take(choice)
        return self._drain()

    def take(self, choice: Choice | str, now: Situation | None = None) -> None:
        """Decide on an action without doing it yet; `advance` does its stages one by one."""
        now = now or self.situation()
        if isinstance(choice, str):
            choice = certain(choice, now.legal)
        if choice.action not in now.legal:
            raise InputError(
                f"The action '{choice.action}' is not legal here. Legal are: {', '.join(now.legal)}."
            )
        self._decision = Decision(
            "policy", now.legal, choice.action, choice.probabilities.get(choice.action, 0.0), choice.rationale,
            now.features, {option: choice.probabilities.get(option, 0.0) for option in now.legal},
        )  # fmt: skip
        self._error = choice.error
        self.board.prompt_tokens += choice.prompt_tokens
        self.board.completion_tokens += choice.completion_tokens
        self.actions, self.decided_on = (*self.actions, choice.action), (*self.decided_on, now.values)
        self.queue = stages_of(choice.action)

    def advance(self) -> Step:
        """Do the next stage. Raises Cancelled after a Stop."""
        if self.tools.cancelled():
            raise Cancelled("Stopped.")
        (name, argument), rest = self.queue[0], self.queue[1:]
        stage, work = STAGES[name]
        began = time.monotonic()
        told = work(self.board, self.tools, argument)
        step = Step(
            index=len(self.board.steps),
            stage=stage,
            summary=told.summary,
            seconds=time.monotonic() - began,
            detail=told.detail,
            decision=told.decision or self._decision,
            error=" ".join(filter(None, (self._error, told.error))),
        )
        if told.decision is None:
            self._decision = None
        self._error = ""
        self.board.steps = (*self.board.steps, step)
        self.queue = told.then or (rest if self.board.answer is None else ())
        return step

    def fork(self) -> Run:
        """A copy that may go its own way. Searches and readings already paid for are shared."""
        return replace(self, board=self.board.copy())

    def replay(self, actions: Sequence[str], steps: int) -> None:
        """Catch up with a run that was interrupted: take the same actions until `steps` steps are done."""
        left = list(actions)
        while len(self.steps) < steps or (left and not self.queue):
            if not self.queue:
                self.take(left.pop(0))
            if len(self.steps) < steps:
                self.advance()

    def _drain(self) -> tuple[Step, ...]:
        before = len(self.board.steps)
        while self.queue:
            self.advance()
        return self.board.steps[before:]


def stages_of(action: str) -> tuple[Planned, ...]:
    """The stages that carry out an action."""
    if action in LEVELS:
        return (("search", action), ("read", ""), ("judge", ""), ("note", ""))
    return {
        "memory": (("recall", ""),),
        "answer": (("conclude", ""), ("write", "")),
        "refine": (("plan", "refine"),),
        "next_goal": (("plan", "next"),),
        "abstain": (("abstain", ""),),
    }[action]


def decided(policy: Policy, now: Situation, fallback: Policy) -> Choice:
    """The policy's choice; where it is not legal, the fallback's with the mistake on record."""
    choice = policy.decide(now)
    if choice.action in now.legal:
        return choice
    said = f"{policy.name} chose '{choice.action}', which is not legal here."
    return replace(fallback.decide(now), error=" ".join(filter(None, (choice.error, said))))
