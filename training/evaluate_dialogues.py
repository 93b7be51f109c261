"""Conversations with known rewritings and answers: does each turn mean what its speaker meant?

A file holds one conversation a line: `{id, turns: [{question, standalone, answers, follow_up}]}`. `standalone` is the
question on its own (the same words for a turn that needs no history), `follow_up` whether it needs the history.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.agent import Agent
from agent.types import Turn
from index.errors import InputError
from index.types import Scope
from training.metrics import exact_match


@dataclass(frozen=True, slots=True)
class DialogueTurn:
    """One turn as it should be understood."""

    dialogue: str
    question: str
    standalone: str
    answers: tuple[str, ...]
    follow_up: bool


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """How a turn was understood and answered."""

    turn: DialogueTurn
    asked: str
    answer: str
    kind: str

    @property
    def rewritten(self) -> bool:
        """The question on its own is the gold one, articles and case aside."""
        return bool(exact_match(self.asked, (self.turn.standalone,)))

    @property
    def right(self) -> bool | None:
        """The short answer is a gold one; None where the turn asks nothing."""
        return bool(exact_match(self.answer, self.turn.answers)) if self.turn.answers else None


def load_dialogues(path: Path) -> tuple[tuple[DialogueTurn, ...], ...]:
    """The conversations of a file; InputError names the line of a mistake."""
    dialogues = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}. Expected JSON Lines of dialogues."
        ) from None
    for number, line in enumerate(lines, start=1):
        try:
            raw = json.loads(line)
            dialogues.append(
                tuple(
                    DialogueTurn(
                        raw["id"], t["question"], t["standalone"], tuple(t["answers"]), bool(t["follow_up"])
                    )
                    for t in raw["turns"]
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}, line {number}: {error!r}. Expected turns with question, standalone, answers."
            ) from None
    return tuple(dialogues)


def hold(agent: Agent, dialogue: Sequence[DialogueTurn], scope: Scope) -> Iterator[TurnOutcome]:
    """Have the conversation. History is what the agent itself understood and answered, as in the chat."""
    history: tuple[Turn, ...] = ()
    for turn in dialogue:
        run = agent.run(turn.question, scope, history)
        asked = run.asked or run.question
        yield TurnOutcome(turn, asked, run.answer.short, run.answer.kind)
        history = (*history, Turn(asked, run.answer.text, run.answer.short))


def summary(outcomes: Sequence[TurnOutcome]) -> dict[str, Any]:
    """Counts of a run."""
    follow = [o for o in outcomes if o.turn.follow_up]
    alone = [o for o in outcomes if not o.turn.follow_up]
    asked = [o for o in outcomes if o.right is not None]
    return {
        "turns": len(outcomes),
        "rewritten_as_gold": sum(o.rewritten for o in outcomes),
        "follow_ups": len(follow),
        "follow_ups_rewritten_as_gold": sum(o.rewritten for o in follow),
        "self_contained": len(alone),
        "self_contained_left_alone": sum(o.asked == o.turn.question for o in alone),
        "with_gold_answer": len(asked),
        "answered_right": sum(bool(o.right) for o in asked),
        "wrong": [
            {"dialogue": o.turn.dialogue, "question": o.turn.question, "asked": o.asked, "answer": o.answer,
             "kind": o.kind, "gold": [o.turn.standalone, *o.turn.answers[:1]]}
            for o in outcomes if not o.rewritten or o.right is False
        ],
    }  # fmt: skip
