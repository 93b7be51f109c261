"""Which policy is live in a data folder: a pointer file that a running application looks at before each question.

    policies/<name>/policy.safetensors + policy.json   a promoted policy, copied here
    policies/<name>/policy-lm/                         one that is a language model
    policies/live.json                                 the pointer; absent: the default
    policies/audit.jsonl                               every promotion and rollback, appended

The pointer is replaced whole, so a reader sees the old or the new one. A damaged pointer or a policy that cannot be
loaded is told in the log and the default decides: a question is never refused because of it.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from agent.policy import Choice, Policy, Rules, Situation
from agent.policy_lm import open_text_policy
from agent.trace import append_line, whole_lines
from agent.trained import TrainedPolicy, open_trained
from index.delta import card_path, digest
from index.errors import ForageError, InputError, NotFoundError

FOLDER, POINTER, AUDIT, WEIGHTS = "policies", "live.json", "audit.jsonl", "policy.safetensors"
MODEL = "policy-lm"
_NAME = re.compile(r"[\w][\w.-]{0,79}")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the audit."""

    at: float
    event: str  # promote, rollback, shadow or shadow-end
    name: str  # live afterwards, or in the shadow; empty: the default
    before: str
    sha256: str = ""
    forced: bool = False
    reason: str = ""
    comparison: Mapping[str, Any] | None = None


class LivePolicy:
    """The policy that the pointer names, else the default; looked up anew for each question."""

    def __init__(self, data_dir: Path, default: Policy) -> None:
        self._pointer = data_dir / FOLDER / POINTER
        self._default = default
        self._lock = Lock()
        self._seen: tuple[int, int, int] | None = None
        self._policy: Policy = default

    def current(self) -> Policy:
        """What decides a question that begins now. One file status where nothing changed."""
        try:
            status = self._pointer.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            return self._default
        with self._lock:
            if seen != self._seen:
                self._seen, self._policy = seen, self._load()
            return self._policy

    def _load(self) -> Policy:
        try:
            name = str(_read_pointer(self._pointer).get("name", ""))
            if not name:
                return self._default
            return _open(self._pointer.parent / name, name, self._default)
        except (ForageError, OSError, ValueError) as error:
            logger.error("the promoted policy cannot be used, the default decides: %s", error)
            return self._default

    @property
    def name(self) -> str:
        return self.current().name

    @property
    def fingerprint(self) -> str:
        return self.current().fingerprint

    def decide(self, situation: Situation) -> Choice:
        return self.current().decide(situation)


def pinned(policy: Policy) -> Policy:
    """What decides one whole question: a promotion in the middle of it does not change hands."""
    return policy.current() if isinstance(policy, LivePolicy) else policy


def live_name(data_dir: Path) -> str:
    """Name of the promoted policy; empty where the default decides."""
    path = data_dir / FOLDER / POINTER
    return str(_read_pointer(path).get("name", "")) if path.is_file() else ""


def promoted(data_dir: Path, name: str) -> TrainedPolicy:
    """A policy that was promoted here once. NotFoundError for any other name."""
    place = data_dir / FOLDER / name
    if not _NAME.fullmatch(name) or not (place / WEIGHTS).is_file():
        raise NotFoundError(f"No policy {name!r} was ever promoted in {data_dir}. See: forage policy list")
    return open_trained(place / WEIGHTS, name)


def kept(data_dir: Path, name: str, fallback: Policy) -> Policy:
    """A policy whose copy is here, of either kind. StoreError where it cannot be read."""
    return _open(data_dir / FOLDER / name, name, fallback)


def _open(place: Path, name: str, fallback: Policy) -> Policy:
    if (place / MODEL).is_dir():
        return open_text_policy(place / MODEL, name, fallback)
    return open_trained(place / WEIGHTS, name)


def promote(
    data_dir: Path,
    weights: Path,
    name: str,
    *,
    forced: bool = False,
    reason: str = "",
    comparison: Mapping[str, Any] | None = None,
) -> Record:
    """Copy a policy (its weights file, or the folder of a language model) into the data folder and make it live. Raises
    InputError for a bad name, StoreError for weights that this version of the agent cannot use."""
    return _point(data_dir, "promote", name, keep(data_dir, weights, name), forced, reason, comparison)


def keep(data_dir: Path, weights: Path, name: str) -> str:
    """Copy a policy into the data folder without making it live; its hash. Raises as `promote` does."""
    if not _NAME.fullmatch(name):
        raise InputError(f"A policy cannot be called {name!r}. Use letters, digits, dots, - and _.")
    place = data_dir / FOLDER / name
    if weights.is_dir():
        policy = open_text_policy(weights, name, Rules())
        place.mkdir(parents=True, exist_ok=True)
        incoming = place / f"{MODEL}.incoming"
        shutil.rmtree(incoming, ignore_errors=True)
        shutil.copytree(weights, incoming)
        shutil.rmtree(place / MODEL, ignore_errors=True)
        incoming.replace(place / MODEL)
        return str(policy.card["sha256"])
    open_trained(weights, name)
    place.mkdir(parents=True, exist_ok=True)
    for path in (weights, card_path(weights)):
        target = place / (WEIGHTS if path == weights else card_path(Path(WEIGHTS)).name)
        shutil.copyfile(path, target.with_suffix(".incoming"))
        target.with_suffix(".incoming").replace(target)
    shutil.rmtree(place / MODEL, ignore_errors=True)  # of an earlier policy of this name
    return digest(weights)


def rollback(data_dir: Path, reason: str = "") -> Record:
    """Make live what was live before the last promotion that still stands. InputError where nothing is promoted."""
    standing: list[Record] = []
    for record in audit(data_dir):
        if record.event == "promote":
            standing.append(record)
        elif record.event == "rollback" and standing:
            standing.pop()
    if not standing or not live_name(data_dir):
        raise InputError("There is nothing to roll back: the default policy is live.")
    return _point(data_dir, "rollback", standing[-1].before, "", False, reason, None)


def audit(data_dir: Path) -> tuple[Record, ...]:
    """All records, oldest first. A line cut short by a crash is left out."""
    return tuple(Record(**line) for line in whole_lines(data_dir / FOLDER / AUDIT))


def _point(
    data_dir: Path,
    event: str,
    name: str,
    sha256: str,
    forced: bool,
    reason: str,
    comparison: Mapping[str, Any] | None,
) -> Record:
    """The record first, then the pointer: a crash in between leaves a record of what was meant, never a silent
    change."""
    record = note(data_dir, event, name, sha256, forced, reason, comparison)
    folder = data_dir / FOLDER
    partial = folder / f"{POINTER}.partial"
    partial.write_text(
        json.dumps({"name": name, "sha256": sha256, "since": record.at}) + "\n", encoding="utf-8"
    )
    partial.replace(folder / POINTER)
    return record


def note(
    data_dir: Path,
    event: str,
    name: str,
    sha256: str,
    forced: bool = False,
    reason: str = "",
    comparison: Mapping[str, Any] | None = None,
) -> Record:
    """Append a record to the audit; on disk when this returns."""
    record = Record(time.time(), event, name, live_name(data_dir), sha256, forced, reason, comparison)
    folder = data_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    append_line(folder / AUDIT, {key: getattr(record, key) for key in Record.__slots__}, durable=True)
    return record


def _read_pointer(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text("utf-8"))
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} holds no object")
    return found
