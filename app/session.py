"""What all pages share: the data folder's store, agent, jobs and conversations, opened once per process."""

from __future__ import annotations

import gc
import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from agent.agent import Agent
from agent.build import open_agent
from agent.config import Settings, load_settings
from agent.reader_model import load_reader
from agent.shadow import current
from agent.shadow import work as shadow_work
from agent.types import Answer
from app.conversations import Conversations, Message
from app.jobs import Handle, JobRunner, Work
from app.suggest import suggest
from app.work import asking, going_on, history_of, ingesting
from index.encoders import load_embedder
from index.errors import Cancelled, ForageError, NotFoundError
from index.store import Store
from index.types import Scope

DATA_DIR_VARIABLE = "FORAGE_DATA_DIR"
FREEZE_EVERY = 0.3  # seconds while the models load

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Workspace:
    """One data folder with everything that works on it."""

    data_dir: Path
    runner: JobRunner
    conversations: Conversations
    _agent: tuple[Settings, Agent] | None = None
    ready: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _local: threading.local = field(default_factory=threading.local)

    @property
    def store(self) -> Store:
        """This thread's store. Streamlit runs every script in a new thread: one store for all would keep the
        connections of dead threads open until the process runs out of file descriptors."""
        found: Store | None = getattr(self._local, "store", None)
        if found is None:
            found = self._local.store = Store(self.data_dir)
        return found

    def agent(self) -> Agent:
        """The agent for the settings of this moment."""
        with self._lock:
            settings = load_settings(self.data_dir)
            if self._agent is None or self._agent[0] != settings:
                self._agent = (settings, open_agent(self.data_dir, settings=settings))
            return self._agent[1]

    def ask(self, conversation: str, question: str, scope: Scope) -> None:
        """Add a question to a conversation and start answering it."""
        history = history_of(self.conversations.messages(conversation))
        message = self.conversations.ask(conversation, question)
        self.conversations.rescope(conversation, scope)
        work = asking(self.agent, self.conversations, message, question, scope, history)
        job = self._submit("ask", self._then_shadow(work), {"message": message, "question": question})
        self.conversations.assign(message, job)

    def ask_again(self, message: Message, asked: str = "") -> None:
        """Answer a message once more, after a stop or a failure, or with the question as a person corrected it."""
        conversation = self.conversations.get(message.conversation_id)
        earlier = [
            m for m in self.conversations.messages(conversation.id) if m.created_at < message.created_at
        ]
        work = asking(
            self.agent,
            self.conversations,
            message.id,
            message.question,
            conversation.scope,
            history_of(earlier),
            asked,
        )
        job = self._submit("ask", work, {"message": message.id, "question": message.question})
        self.conversations.assign(message.id, job)

    def go_on(self) -> None:
        """Take up the questions of conversations that a killed process left."""
        runs = self.agent().runs
        for run in runs.abandoned() if runs is not None else ():
            message = self.conversations.of_job(run.id)
            if message is not None:
                work = going_on(self.agent, self.conversations, message, run.id)
                job = self._submit("ask", work, {"message": message, "question": run.question})
                self.conversations.assign(message, job)

    def ingest(self, paths: tuple[Path, ...], collection: str) -> str:
        """Start bringing files into a collection; the job's id."""
        params = {"paths": [str(path) for path in paths], "collection": collection}
        return self._submit("ingest", ingesting(self.store, paths, collection), params)

    def start(self, kind: str, work: Work, params: dict[str, Any]) -> str:
        """Start work that needs no model of this process; the job's id."""
        return self.runner.submit(kind, work, params)

    def _submit(self, kind: str, work: Work, params: dict[str, Any]) -> str:
        """A job that needs the models waits until they are loaded.

        Transformers changes torch's default number type while it loads, so two loads at once can end in
        a model of mixed types: the warm-up thread is the only one that loads.
        """

        def when_ready(handle: Handle) -> Mapping[str, Any]:
            while not self.ready.wait(0.1):
                if handle.cancelled():
                    raise Cancelled("Stopped while the models were loading.")
            return work(handle)

        return self.runner.submit(kind, when_ready, params)

    def _then_shadow(self, work: Work) -> Work:
        """The same work, and after it, when the person has the answer, the policy in the shadow has its turn."""

        def both(handle: Handle) -> Mapping[str, Any]:
            result = work(handle)
            if current(self.data_dir) is not None:
                self.shadow()
            return result

        return both

    def shadow(self) -> None:
        """Start comparing what is due for the policy in the shadow, unless that is going on already."""
        if any(job.active for job in self.runner.jobs("shadow", limit=2)):
            return

        def comparing(handle: Handle) -> dict[str, Any]:
            return {"compared": shadow_work(self.data_dir, self.agent(), self._asked, handle.cancelled)}

        self._submit("shadow", comparing, {})

    def _asked(self) -> bool:
        """Whether somebody waits for an answer now."""
        return any(job.active for job in self.runner.jobs("ask", limit=4))

    def generation(self, scope: Scope) -> str:
        """Changes whenever the documents of a scope change."""
        known = {collection.name for collection in self.store.collections()}
        alive = Scope(tuple(name for name in scope.collections if name in known), scope.documents)
        ids = self.store.scope_ids(alive)
        return ",".join(f"{number}:{self.store.generation(number)}" for number in ids) + str(scope.documents)

    def suggestions(self, scope: Scope) -> list[str] | None:
        """Example questions for a scope; None while they are being made. Kept until the documents change."""
        key = self.generation(scope)
        for job in self.runner.jobs("suggest"):
            if job.params.get("key") == key and job.state != "interrupted":
                return None if job.active else list(job.result.get("questions", ()))

        def work(handle: Handle) -> dict[str, Any]:
            searcher = self.agent().searcher
            agent = Agent(searcher, Settings(), None)  # no model, no record: nobody asked these questions

            def ask(question: str, scope: Scope) -> Answer:
                while self._asked() and not handle.cancelled():
                    time.sleep(0.1)  # a person's own question goes first
                return agent.ask(question, scope)

            return {"questions": suggest(searcher.store, ask, scope, handle.cancelled)}

        self._submit("suggest", work, {"key": key})
        return None


def workspace() -> Workspace:
    """The workspace of the data folder named by FORAGE_DATA_DIR (default: `data`)."""
    return _open(str(Path(os.environ.get(DATA_DIR_VARIABLE) or "data").expanduser().resolve()))


@st.cache_resource(show_spinner=False)
def _open(data_dir: str) -> Workspace:
    folder = Path(data_dir)
    Store.open(folder).close()  # brings an older data folder up to date, or says what is wrong with it
    opened = Workspace(folder, JobRunner(folder / "jobs"), Conversations(folder))
    threading.Thread(target=_warm, args=(opened,), name="warm", daemon=True).start()
    return opened


def _warm(opened: Workspace) -> None:
    """Load the models while the person is still reading the page, so that the first answer is quick.

    Streamlit collects all garbage after every run of a page and of a polling fragment. With the models'
    libraries loaded that takes about half a second each time and stops the agent's thread, so what is
    loaded now is taken out of the collector's sight: at the end, and already while it loads, for a person
    who asks at once makes the page poll.
    """
    threading.Thread(target=_out_of_sight, args=(opened,), name="freeze", daemon=True).start()
    try:
        load_embedder().embed(["warm"])
        reader = load_reader()
        if reader is not None:
            reader.read("warm?", ["warm"])
        gc.collect()
        gc.freeze()
        opened.go_on()
    except ForageError as error:  # the first job will tell the person
        logger.warning("the models are not ready: %s", error)
    finally:
        opened.ready.set()


def _out_of_sight(opened: Workspace) -> None:
    while not opened.ready.wait(FREEZE_EVERY):
        gc.freeze()


def open_conversation(opened: Workspace) -> str | None:
    """The conversation of the address bar, so that a reload and a bookmark find it; None for a new chat."""
    name = st.query_params.get("c")
    if not name:
        return None
    try:
        return opened.conversations.get(name).id
    except NotFoundError:
        del st.query_params["c"]
        st.toast("That conversation was deleted. Here is a new one.")
        return None
