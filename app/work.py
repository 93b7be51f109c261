"""What the jobs do: answer one question, bring files into a collection. No page, no thread in here."""

from __future__ import annotations

import re
import secrets
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from agent.agent import Agent
from agent.types import Step, Trajectory, Turn
from app.conversations import Conversations, Message
from app.jobs import Handle, Work
from index.errors import InputError
from index.ingest import IngestEvent, ingest
from index.store import Store
from index.types import Scope

TELL_EVERY = 0.25  # seconds between two progress events of an ingest
HISTORY_TURNS = 6  # earlier exchanges the agent gets to see
NAME_LENGTH = 120


def asking(
    agent: Callable[[], Agent],
    conversations: Conversations,
    message_id: str,
    question: str,
    scope: Scope,
    history: tuple[Turn, ...],
    asked: str = "",
) -> Work:
    """The job that answers one message: a `step` event per stage, the trajectory into the conversation.

    The run bears the job's id. asked: the question on its own, as a person corrected it.
    """

    def work(handle: Handle) -> Mapping[str, Any]:
        items = agent().stream(question, scope, history, handle.cancelled, asked=asked, run_id=handle.id)
        return _told(items, handle, conversations, message_id)

    return work


def going_on(agent: Callable[[], Agent], conversations: Conversations, message_id: str, run_id: str) -> Work:
    """The job that goes on with a message whose process was killed."""

    def work(handle: Handle) -> Mapping[str, Any]:
        return _told(agent().resume(run_id, handle.cancelled), handle, conversations, message_id)

    return work


def _told(
    items: Iterable[Step | Trajectory], handle: Handle, conversations: Conversations, message_id: str
) -> Mapping[str, Any]:
    for item in items:
        if isinstance(item, Step):
            handle.emit("step", asdict(item))
        else:
            conversations.answer(message_id, item.to_dict())
    return {}


def ingesting(store: Store, paths: tuple[Path, ...], collection: str) -> Work:
    """The job that ingests files: `progress` events a few times a second, `problem` for each failed file."""

    def work(handle: Handle) -> Mapping[str, Any]:
        told = 0.0

        def tell(event: IngestEvent) -> None:
            nonlocal told
            if event.status == "failed":
                handle.emit("problem", {"name": event.name, "source": event.source, "error": event.error})
            if time.monotonic() - told >= TELL_EVERY or event.kind == "done":
                told = time.monotonic()
                handle.emit("progress", asdict(event))

        report = ingest(store, paths, collection, progress=tell, cancelled=handle.cancelled)
        return asdict(report)

    return work


def history_of(messages: Iterable[Message]) -> tuple[Turn, ...]:
    """The answered exchanges of a conversation, oldest first, the last few only."""
    answered = [message for message in messages if message.trajectory is not None]
    turns = []
    for message in answered[-HISTORY_TURNS:]:
        assert message.trajectory is not None
        answer = message.trajectory["answer"]
        meant = message.trajectory.get("asked") or message.question
        turns.append(Turn(meant, answer["text"], answer.get("short", "")))
    return tuple(turns)


def safe_name(name: str) -> str:
    """A file name that stays inside its folder and shows no tricks; its suffix is kept.

    >>> safe_name("../../etc/passwd")
    'passwd'
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").split("/")[-1]
    shown = "".join(c for c in last if c.isprintable() and unicodedata.category(c) != "Cf")
    shown = re.sub(r'[<>:"|?*]', "_", shown).strip(" .")
    stem, dot, suffix = shown.rpartition(".")
    if dot and stem and len(suffix) <= 10:
        return f"{stem[:NAME_LENGTH]}.{suffix}"
    return shown[:NAME_LENGTH] or "file"


def keep_upload(store: Store, data_dir: Path, collection: str, name: str, content: IO[bytes]) -> Path:
    """Write an uploaded file under `<data_dir>/uploads/<random id>/<name>` and return its path.

    A file of the same name in the same collection is a new version of it and goes to the same place.
    """
    uploads = (data_dir / "uploads").resolve()
    shown = safe_name(name)
    known = [Path(document.source) for document in _documents(store, collection)]
    earlier = next((path for path in known if path.name == shown and path.parent.parent == uploads), None)
    target = earlier or uploads / secrets.token_hex(8) / shown
    if not target.resolve().is_relative_to(uploads):
        raise InputError(f"The file name {name!r} cannot be used. Rename the file and upload it again.")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{secrets.token_hex(4)}.partial")
    with partial.open("wb") as file:
        while block := content.read(1 << 20):
            file.write(block)
    partial.replace(target)
    return target


def forget_upload(data_dir: Path, source: str) -> None:
    """Remove the uploaded file behind a deleted document; files elsewhere are a person's own and stay."""
    path, uploads = Path(source), (data_dir / "uploads").resolve()
    if path.parent.parent == uploads and path.is_file():
        path.unlink()
        path.parent.rmdir()


def file_behind(source: str) -> Path:
    """The file to ingest again for a document: of an archive's member, the archive."""
    path = Path(source.split("!", 1)[0])
    if not path.is_file():
        raise InputError(f"{path} is no longer there, so it cannot be read again. Add the file once more.")
    return path


def _documents(store: Store, collection: str) -> Iterable[Any]:
    known = {found.name for found in store.collections()}
    return store.documents(collection) if collection in known else ()
