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
from agent.boundary import RuleBoundary
from agent.boundary_learned import load_boundary
from agent.bridging import thing_beside
from agent.compose import QuotingComposer
from agent.compose_llm import LanguageModelComposer
from agent.config import Settings, fingerprint
from agent.dates import stated_date
from agent.durable import OpenRun, OpenRuns
from agent.followup import Rewriting, rewrite
from agent.gate import Gate
from agent.graph import build_graph
from agent.llm import StoppableModel
from agent.llm_stages import ModelComparer
from agent.matching import WordMatcher
from agent.memo import MemoEmbedder, MemoReader, MemoSearch
from agent.memory import Memory
from agent.nodes import Context
from agent.notebook import JudgingComparer
from agent.policies import open_policy
from agent.policy import Policy, Rules
from agent.policy_llm import LanguageModelPolicy
from agent.promotion import pinned
from agent.reader import Reader
from agent.reader_model import ReaderModel, load_reader
from agent.run import Run
from agent.spelling import recapitalised, respelled
from agent.telemetry import Spans
from agent.thinking import Thinker
from agent.trace import TraceLog, answer_from, step_from
from agent.types import Answer, Cost, Note, Step, Trajectory, Turn
from agent.verify import Verifier
from index.errors import Cancelled, InputError, NotFoundError
from index.popularity import connected
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
        runs: OpenRuns | None = None,
        spans: Spans | None = None,
        reader: Callable[[], ReaderModel | None] = load_reader,
    ) -> None:
        """reader: gives the trained reader. runs: keeps checkpoints, so that a killed process's questions can be
        gone on with. spans: telemetry."""
        self.searcher = searcher
        self.store = searcher.store
        self.settings = settings
        self._model = model
        self._log = log
        # May be exchanged while questions run.
        self.policy = policy or open_policy(settings.agent, self.store.data_dir, model is not None)
        self.memory = memory
        self.runs = runs
        self.fallback = Rules(level_of(settings.agent.mode))
        self._spans = spans
        self._reader_model = reader
        self._graph = build_graph(runs.checkpointer if runs is not None else None)
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
        *,
        asked: str = "",
        run_id: str = "",
    ) -> Iterator[Step | Trajectory]:
        """Each step as it finishes, and last the trajectory.

        After a Stop (`cancelled` turned true) the trajectory's answer says so in `stopped`.
        asked: the question on its own as a person corrected it; else it is made from the history.
        run_id: a name for the run, unique; else one is made.
        """
        question = _checked(question)
        meant = Rewriting(_checked(asked), "follow-up") if asked else self.rewrite(question, scope, history)
        opened = OpenRun(
            run_id or uuid.uuid4().hex, question, meant.text, meant.why, scope, history, time.time()
        )
        items = self._answered(opened, cancelled, going_on=False)
        return self._spans.watch(items) if self._spans is not None else items

    def resume(self, run_id: str, cancelled: Callable[[], bool] | None = None) -> Iterator[Step | Trajectory]:
        """Go on with the question of a killed process: all its steps, those it had done at once.

        Nothing that was done outside is done again: no second line in the log, nothing remembered twice, no model
        asked for what it had answered. NotFoundError when there is no such run.
        """
        if self.runs is None:
            raise NotFoundError("This agent keeps no checkpoints, so there is nothing to go on with.")
        items = self._answered(self.runs.take_over(run_id), cancelled, going_on=True)
        return self._spans.watch(items) if self._spans is not None else items

    def rewrite(self, question: str, scope: Scope, history: tuple[Turn, ...]) -> Rewriting:
        """The question on its own, with what its words stand for."""
        question = recapitalised(question, self.searcher, scope)
        meant = Rewriting(question, "as asked")
        if history:
            meant = rewrite(
                question,
                history,
                partial(connected, self.store, scope),
                partial(thing_beside, self.searcher, scope),
            )
        return respelled(meant, self.searcher, scope)

    def _answered(
        self, opened: OpenRun, cancelled: Callable[[], bool] | None, going_on: bool
    ) -> Iterator[Step | Trajectory]:
        """The run itself, its record at its end, and the clean-up whatever happens."""
        began = time.monotonic()
        run = self.open_run(opened.asked, opened.scope, cancelled)
        policy = pinned(self._policy_of(run))
        steps: list[Step] = []
        state: dict[str, Any] = {}
        if self.runs is not None and not going_on:
            self.runs.open(opened)
        try:
            try:
                for step in self._steps(opened, Context(run, policy, self.fallback), state, going_on):
                    steps.append(step)
                    yield step
                answer = answer_from(state["answer"])
            except Cancelled:
                answer = _stopped_answer()
            seconds = time.monotonic() - began
            answer = replace(answer, cost=replace(answer.cost, seconds=seconds))
            trajectory = Trajectory(
                id=opened.id, question=opened.question, collections=opened.scope.collections,
                documents=opened.scope.documents, history=opened.history, steps=tuple(steps),
                notes=tuple(Note(**note) for note in state.get("notes", ())), answer=answer,
                policy=f"{policy.name}@{policy.fingerprint}", fingerprint=fingerprint(self.settings),
                started_at=opened.started_at, asked=opened.asked if opened.asked != opened.question else "",
            )  # fmt: skip
            if self._log is not None and not (going_on and self._log.holds(trajectory.id)):
                self._log.append(trajectory)
            if self.memory is not None:
                self.memory.remember(trajectory)
        finally:
            if self.runs is not None:
                self.runs.close(opened.id)
        yield trajectory

    def _steps(
        self, opened: OpenRun, context: Context, state: dict[str, Any], going_on: bool
    ) -> Iterator[Step]:
        """The steps as the graph does them; `state` receives the answer and its notes."""
        config = {"recursion_limit": 1000, "configurable": {"thread_id": opened.id}}
        given: dict[str, Any] | None = {"question": opened.asked}
        if going_on:
            kept = self._graph.get_state(config)
            state.update(kept.values)
            given = None if kept.values else given
            yield from (_shown(step_from(raw), opened) for raw in kept.values.get("steps", ()))
            if kept.values and not kept.next:
                return
        durability = {"durability": "sync"} if self.runs is not None else {}
        for update in self._graph.stream(
            given, context=context, stream_mode="updates", config=config, **durability
        ):
            changes: dict[str, Any] = next(iter(update.values()))
            state.update(changes)
            yield from (_shown(step_from(raw), opened) for raw in changes.get("steps", ()))

    def open_run(
        self,
        question: str,
        scope: Scope = Scope(),  # noqa: B008
        cancelled: Callable[[], bool] | None = None,
    ) -> Run:
        """A run of the question at its very beginning, to be taken step by step."""
        return Run(self._tools(scope, cancelled), Board(question))

    def _policy_of(self, run: Run) -> Policy:
        """Who decides in a run: the language model, where the settings say so and there is one."""
        if self.settings.agent.policy != "model" or self._model is None:
            return self.policy
        return LanguageModelPolicy(Thinker(self._model.with_cancel(run.tools.cancelled)), self.fallback)

    def _tools(self, scope: Scope, cancelled: Callable[[], bool] | None) -> Tools:
        stop = cancelled or (lambda: False)
        config, model, thinker, knower = self.settings.agent, None, None, None
        if self._model is not None:
            watching = self._model.with_cancel(stop)
            model = LanguageModelComposer(watching, max_tokens=self.settings.model.max_tokens)
            thinker = Thinker(watching) if config.thinking == "model" else None
            knower = Thinker(watching) if config.own_knowledge else None
        reader_model = self._reader_model()
        return Tools(
            searcher=self.searcher, search=MemoSearch(self.searcher, scope),
            reader=Reader(MemoEmbedder(self.searcher.embedder), self._matcher),
            reader_model=MemoReader(reader_model) if reader_model is not None else None,
            gate=self._gate, verifier=self._verifier, embedded=QuotingComposer(), model=model,
            config=config, scope=scope, document_date=partial(stated_date, self.store),
            boundary=load_boundary() if config.boundary == "learned" else RuleBoundary(),
            thinker=thinker, knower=knower,
            comparer=ModelComparer(thinker) if thinker is not None else JudgingComparer(),
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


def _shown(step: Step, opened: OpenRun) -> Step:
    """The gate's step tells what the question was taken to mean."""
    if step.stage != "gate" or opened.asked == opened.question:
        return step
    detail = {**step.detail, "asked": opened.asked, "because": opened.why}
    return replace(step, summary=f"{step.summary}: “{opened.asked}”", detail=detail)


def _stopped_answer() -> Answer:
    return Answer(
        text="Stopped before an answer was found.",
        short="",
        kind="abstention",
        stopped="cancelled",
        cost=Cost(),
    )
