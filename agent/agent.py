"""One agent, three ways to call it: ask (an answer), stream (steps as they happen), run (the full record)."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from agent.compose import QuotingComposer
from agent.compose_llm import LanguageModelComposer
from agent.config import Settings, fingerprint
from agent.dates import stated_date
from agent.followup import resolve
from agent.gate import Gate
from agent.graph import build_graph
from agent.llm import StoppableModel
from agent.matching import WordMatcher
from agent.memory import Memory
from agent.nodes import Tools
from agent.reader import Reader
from agent.reader_model import load_reader
from agent.recollection import told
from agent.trace import TraceLog, answer_from, step_from
from agent.types import Answer, Cost, Note, Step, Trajectory, Turn
from agent.verify import Verifier
from index.errors import Cancelled, InputError
from index.retrieve import Searcher
from index.types import Scope

MAX_QUESTION = 10_000  # characters
POLICY = "rules-1"


class Agent:
    """Answers questions from a store. Safe for threads: everything of one question is its own."""

    def __init__(
        self,
        searcher: Searcher,
        settings: Settings,
        model: StoppableModel | None,
        log: TraceLog | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.searcher = searcher
        self.store = searcher.store
        self.settings = settings
        self._model = model
        self._log = log
        self.memory = memory
        self._graph = build_graph()
        matcher = WordMatcher(searcher.embedder)
        self._reader = Reader(searcher.embedder, matcher)
        self._gate = Gate(searcher.embedder)
        self._verifier = Verifier(self.store, matcher)

    def ask(self, question: str, scope: Scope = Scope(), history: tuple[Turn, ...] = ()) -> Answer:  # noqa: B008
        """The answer to a question. Raises InputError for an empty or over-long one."""
        return self.run(question, scope, history).answer

    def run(
        self,
        question: str,
        scope: Scope = Scope(),  # noqa: B008
        history: tuple[Turn, ...] = (),
    ) -> Trajectory:
        """The full record of answering a question."""
        *_, last = self.stream(question, scope, history)
        assert isinstance(last, Trajectory)
        return last

    def stream(
        self,
        question: str,
        scope: Scope = Scope(),  # noqa: B008
        history: tuple[Turn, ...] = (),
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Step | Trajectory]:
        """Each step as it finishes, and last the trajectory.

        After a Stop (`cancelled` turned true) the trajectory's answer says so in `stopped`.
        """
        question = _checked(question)
        began, started_at = time.monotonic(), time.time()
        asked = resolve(question, history)
        tools = self._tools(scope, cancelled)
        steps: list[Step] = []
        notes: tuple[Note, ...] = ()
        answer: Answer | None = None
        known = self.memory.recall(asked, scope) if self.memory is not None else None
        try:
            if known is not None and known.answer is not None:
                answer, notes = known.answer, known.notes
                for step in told(known):
                    steps.append(step)
                    yield step
            for update in self._updates(asked, tools) if answer is None else ():
                changes: dict[str, Any] = next(iter(update.values()))
                notes = tuple(Note(**n) for n in changes["notes"]) if "notes" in changes else notes
                answer = answer_from(changes["answer"]) if changes.get("answer") else answer
                for raw in changes["steps"]:
                    step = step_from(raw)
                    if step.stage == "gate" and asked != question:
                        step = replace(step, summary=f"{step.summary}: “{asked}”")
                    steps.append(step)
                    yield step
        except Cancelled:
            answer = _stopped_answer()
        assert answer is not None
        seconds = time.monotonic() - began
        answer = replace(answer, cost=replace(answer.cost, seconds=seconds))
        trajectory = Trajectory(
            id=uuid.uuid4().hex, question=question, collections=scope.collections, documents=scope.documents,
            history=history, steps=tuple(steps), notes=notes, answer=answer, policy=POLICY,
            fingerprint=fingerprint(self.settings), started_at=started_at, asked=asked if asked != question else "",
        )  # fmt: skip
        if self._log is not None:
            self._log.append(trajectory)
        if self.memory is not None:
            self.memory.remember(trajectory)
        yield trajectory

    def _updates(self, question: str, tools: Tools) -> Iterator[dict[str, Any]]:
        """What each node of the loop changes, as it happens."""
        yield from self._graph.stream(
            {"question": question}, context=tools, stream_mode="updates", config={"recursion_limit": 200}
        )

    def _tools(self, scope: Scope, cancelled: Callable[[], bool] | None) -> Tools:
        stop = cancelled or (lambda: False)
        model = None
        if self._model is not None:
            model = LanguageModelComposer(
                self._model.with_cancel(stop), max_tokens=self.settings.model.max_tokens
            )
        return Tools(
            searcher=self.searcher, reader=self._reader, reader_model=load_reader(), gate=self._gate,
            verifier=self._verifier,
            embedded=QuotingComposer(), model=model, config=self.settings.agent, scope=scope,
            document_date=partial(stated_date, self.store), cancelled=stop,
        )  # fmt: skip


def _checked(question: str) -> str:
    question = re.sub(r"[\x00-\x08\x0b-\x1f]", " ", question).strip()
    if not question:
        raise InputError("The question is empty. Type what you want to know about your documents.")
    if len(question) > MAX_QUESTION:
        raise InputError(
            f"The question has {len(question):,} characters; at most {MAX_QUESTION:,} are read. Shorten it, "
            "or add the long text as a document and ask about it."
        )
    return question


def _stopped_answer() -> Answer:
    return Answer(
        text="Stopped before an answer was found.",
        short="",
        kind="abstention",
        stopped="cancelled",
        cost=Cost(),
    )
