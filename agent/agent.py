"""One agent, three ways to call it: ask (an answer), stream (steps as they happen), run (the full record)."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from agent.board import Board, Tools, level_of
from agent.compose import QuotingComposer
from agent.compose_llm import LanguageModelComposer
from agent.config import Settings, fingerprint
from agent.dates import stated_date
from agent.followup import resolve
from agent.gate import Gate
from agent.graph import build_graph
from agent.llm import StoppableModel
from agent.matching import WordMatcher
from agent.memo import MemoEmbedder, MemoReader, MemoSearch
from agent.memory import Memory
from agent.nodes import Context
from agent.policies import open_policy
from agent.policy import Policy, Rules
from agent.reader import Reader
from agent.reader_model import load_reader
from agent.run import Run
from agent.trace import TraceLog, step_from
from agent.types import Answer, Cost, Step, Trajectory, Turn
from agent.verify import Verifier
from index.errors import Cancelled, InputError
from index.retrieve import Searcher
from index.types import Scope

MAX_QUESTION = 10_000  # characters


class Agent:
    """Answers questions from a store. Safe for threads: everything of one question is its own."""

    def __init__(
        self,
        searcher: Searcher,
        settings: Settings,
        model: StoppableModel | None,
        log: TraceLog | None = None,
        memory: Memory | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.searcher = searcher
        self.store = searcher.store
        self.settings = settings
        self._model = model
        self._log = log
        self.policy = policy or open_policy(settings.agent)  # may be exchanged while questions run
        self.memory = memory
        self._fallback = Rules(level_of(settings.agent.mode))
        self._graph = build_graph()
        self._matcher = WordMatcher(searcher.embedder)
        self._gate = Gate(searcher.embedder)
        self._verifier = Verifier(self.store, self._matcher)

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
        asked, policy = resolve(question, history), self.policy
        run = self.open_run(asked, scope, cancelled)
        steps: list[Step] = []
        answer: Answer | None
        try:
            for update in self._graph.stream({"question": asked}, context=Context(run, policy, self._fallback),
                                             stream_mode="updates", config={"recursion_limit": 1000}):  # fmt: skip
                changes: dict[str, Any] = next(iter(update.values()))
                for raw in changes.get("steps", ()):
                    step = step_from(raw)
                    if step.stage == "gate" and asked != question:
                        step = replace(step, summary=f"{step.summary}: “{asked}”")
                    steps.append(step)
                    yield step
            answer = run.answer
        except Cancelled:
            answer = _stopped_answer()
        assert answer is not None
        seconds = time.monotonic() - began
        answer = replace(answer, cost=replace(answer.cost, seconds=seconds))
        trajectory = Trajectory(
            id=uuid.uuid4().hex, question=question, collections=scope.collections, documents=scope.documents,
            history=history, steps=tuple(steps), notes=run.notes, answer=answer,
            policy=f"{policy.name}@{policy.fingerprint}", fingerprint=fingerprint(self.settings),
            started_at=started_at, asked=asked if asked != question else "",
        )  # fmt: skip
        if self._log is not None:
            self._log.append(trajectory)
        if self.memory is not None:
            self.memory.remember(trajectory)
        yield trajectory

    def open_run(
        self,
        question: str,
        scope: Scope = Scope(),  # noqa: B008
        cancelled: Callable[[], bool] | None = None,
    ) -> Run:
        """A run of the question at its very beginning, to be taken step by step."""
        return Run(self._tools(scope, cancelled), Board(question))

    def _tools(self, scope: Scope, cancelled: Callable[[], bool] | None) -> Tools:
        stop = cancelled or (lambda: False)
        model = None
        if self._model is not None:
            model = LanguageModelComposer(
                self._model.with_cancel(stop), max_tokens=self.settings.model.max_tokens
            )
        reader_model = load_reader()
        return Tools(
            searcher=self.searcher, search=MemoSearch(self.searcher, scope),
            reader=Reader(MemoEmbedder(self.searcher.embedder), self._matcher),
            reader_model=MemoReader(reader_model) if reader_model is not None else None,
            gate=self._gate, verifier=self._verifier, embedded=QuotingComposer(), model=model,
            config=self.settings.agent, scope=scope, document_date=partial(stated_date, self.store),
            recall=self.memory.recall if self.memory is not None else None, cancelled=stop,
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
