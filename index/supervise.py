"""The parent's side of parsing: one child process that is watched, killed and started again.

A child costs a start-up, so one serves all files; a file that hangs, crashes or eats memory costs that
child and nothing else. `parse_all` lets the child read ahead while the caller works on earlier documents.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import Empty, Full, Queue, SimpleQueue
from types import TracebackType
from typing import Any

from index.errors import LimitError, ParseError
from index.limits import LoadLimits, megabytes
from index.parse import format_of
from index.sandbox import receive, send
from index.types import Block, ParsedDocument, SourceFile

_START_SECONDS = 120.0  # for the child and its libraries to load, on a slow disk
_AHEAD = 4  # documents parsed before they are asked for
# What the child may know of our environment: nothing secret, and no PATH to other programs.
_PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH")
_ROOT = Path(__file__).resolve().parent.parent

Outcome = ParsedDocument | ParseError


class Parser:
    """Parses files in one child process; a context manager. For one thread at a time, except `close`."""

    def __init__(self, limits: LoadLimits) -> None:
        self._limits = limits
        self._child: subprocess.Popen[bytes] | None = None
        self._answers: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Parser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child, in the middle of a file if need be. Safe to call from another thread, and twice."""
        with self._lock:
            self._closed = True
        self._stop_child()

    def parse(self, file: SourceFile) -> ParsedDocument:
        """The document in a file. Raises ParseError or LimitError with one clear sentence."""
        format_of(file.name)
        self._check_size(file.path)
        child = self._running_child()
        request = {"path": str(file.path.resolve()), "name": file.name}
        assert child.stdin is not None
        with suppress(OSError):  # a dead child is noticed when it does not answer
            send(child.stdin, request)
        answer = self._answer(_START_SECONDS)
        if answer is not None and "started" in answer:
            answer = self._answer(self._limits.max_seconds)
        if answer is None:
            raise self._died()
        if "document" in answer:
            return _document(answer["document"])
        if answer.get("exhausted"):
            self._stop_child()
        raise (LimitError if answer["limit"] else ParseError)(answer["error"])

    def _check_size(self, path: Path) -> None:
        try:
            size = path.stat().st_size
        except OSError as error:
            raise ParseError(
                f"The file cannot be opened ({error.strerror}). Check its name and rights."
            ) from error
        if size == 0:
            raise ParseError("The file is empty (0 bytes). Save it again with its content, or leave it out.")
        if size > self._limits.max_bytes:
            raise LimitError(
                f"The file has {megabytes(size)}, more than the limit of {megabytes(self._limits.max_bytes)}"
                " for one file. Split it into smaller files."
            )

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        """The child's next message; None when it died. A child that takes too long is killed."""
        try:
            return self._answers.get(timeout=seconds)
        except Empty:
            self._stop_child()
            raise LimitError(
                f"Reading the file took longer than {seconds:g} seconds, the limit, and was stopped."
                " Split it, or save it in a simpler format."
            ) from None

    def _died(self) -> ParseError:
        child, closed = self._child, self._closed
        code: int | str = "unknown"
        if child is not None:
            with suppress(subprocess.TimeoutExpired):  # it may live on and talk nonsense
                code = child.wait(timeout=1.0)
        self._stop_child()
        if closed:
            return ParseError("Reading the file was stopped. Add it again to read it.")
        return ParseError(
            f"The program that reads files ended unexpectedly on this one (code {code}); the file is probably"
            " damaged. Open it in its program, save it again and add that."
        )

    def _running_child(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise ParseError("Reading the file was stopped. Add it again to read it.")
            if self._child is not None and self._child.poll() is None:
                return self._child
            self._child = child = _start(self._limits)
            self._answers = SimpleQueue()
            threading.Thread(target=_listen, args=(child, self._answers), daemon=True).start()
        if self._answer(_START_SECONDS) is None:
            raise ParseError(
                "The program that reads files could not be started (it ended at once). Install Forage again;"
                " `forage doctor` shows what is missing."
            )
        return child

    def _stop_child(self) -> None:
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            if child.stdin is not None:
                with suppress(OSError):
                    child.stdin.close()


def parse_all(
    files: Iterable[SourceFile], limits: LoadLimits, cancelled: Callable[[], bool] | None = None
) -> Iterator[tuple[SourceFile, Outcome]]:
    """Each file with its document or its error, in order; the child reads ahead in the background.

    Ends early, without an error, when `cancelled` turns true (looked at every tenth of a second). Errors
    that `files` raises come out here. Closing the iterator ends the child.
    """
    ready: Queue[tuple[SourceFile, Outcome] | Exception | None] = Queue(maxsize=_AHEAD)
    parser = Parser(limits)
    stop = threading.Event()
    reader = threading.Thread(target=_read_ahead, args=(files, parser, ready, stop), daemon=True)
    reader.start()
    try:
        while not (cancelled is not None and cancelled()):
            try:
                item = ready.get(timeout=0.1)
            except Empty:
                continue
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        stop.set()
        parser.close()
        reader.join()


def _read_ahead(
    files: Iterable[SourceFile],
    parser: Parser,
    ready: Queue[tuple[SourceFile, Outcome] | Exception | None],
    stop: threading.Event,
) -> None:
    def put(item: tuple[SourceFile, Outcome] | Exception | None) -> None:
        while not stop.is_set():
            with suppress(Full):
                ready.put(item, timeout=0.1)
                return

    try:
        for file in files:
            if stop.is_set():
                return
            try:
                put((file, parser.parse(file)))
            except ParseError as error:
                put((file, error))
    except Exception as error:  # noqa: BLE001 - carried over to the caller's thread and raised there
        put(error)
    else:
        put(None)


def _start(limits: LoadLimits) -> subprocess.Popen[bytes]:
    """A new child. It finds this package wherever we run, and looks for modules nowhere near the data."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    paths = [str(_ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environment |= {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "index.sandbox", json.dumps(asdict(limits))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=tempfile.gettempdir(),
    )


def _listen(child: subprocess.Popen[bytes], answers: SimpleQueue[dict[str, Any] | None]) -> None:
    """Pass the child's messages on; None at its end. A thread, for pipes have no timeout everywhere."""
    assert child.stdout is not None
    with child.stdout as stream, suppress(ValueError, OSError):  # on broken JSON the child is lost
        while (message := receive(stream)) is not None:
            answers.put(message)
    answers.put(None)


def _document(data: dict[str, Any]) -> ParsedDocument:
    blocks = tuple(Block(**block) for block in data["blocks"])
    return ParsedDocument(data["title"], blocks, data["media_type"], data["pages"], data["meta"])
