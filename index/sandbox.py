"""The child process that parses: `python -m index.sandbox LIMITS`, run by index.supervise.

It reads untrusted files with large libraries, so it works under limits on memory, processor time and
written files, without the parent's environment, and whatever happens to it happens to one file. Requests
and answers are JSON in frames (four bytes of length, big-endian, then UTF-8) over stdin and a private copy
of stdout; what libraries print goes nowhere. When stdin closes the parent is gone, and so is the child.
"""

from __future__ import annotations

import json
import logging
import math
import os
import struct
import sys
import threading
import warnings
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Final

FRAME: Final = struct.Struct(">I")
# Libraries that docling imports when they are there, but that reading files does not need: 5 s and 500 MB.
_HIDDEN = ("torch", "transformers", "tensorflow", "jax")
_MOST_WRITTEN = 64 * 1024 * 1024  # bytes in any one file the child writes


def main() -> None:
    """Serve requests until stdin closes."""
    from index.limits import LoadLimits

    limits = LoadLimits(**json.loads(sys.argv[1]))
    answers = _private_stdout()
    _quiet()
    _confine(limits.max_memory_mb)
    requests: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, requests), daemon=True).start()
    send(answers, {"ready": os.getpid()})
    while True:
        _serve(requests.get(), limits, answers)


def send(stream: IO[bytes], message: dict[str, Any]) -> None:
    """Write one frame."""
    data = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
    stream.write(FRAME.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes], most: int = 2**31) -> dict[str, Any] | None:
    """Read one frame; None when the other side has gone or writes nonsense."""
    head = stream.read(FRAME.size)
    if len(head) < FRAME.size or (length := FRAME.unpack(head)[0]) > most:
        return None
    data = stream.read(length)
    if len(data) < length:
        return None
    message: dict[str, Any] = json.loads(data)
    return message


def _serve(request: dict[str, Any], limits: Any, answers: IO[bytes]) -> None:
    """Parse one file and answer with the document or the reason why not."""
    from index.errors import LimitError, ParseError
    from index.parse import format_of, parse_file, warm

    name = request["name"]
    try:
        warm(name)  # loading libraries is our time, not the file's
        send(answers, {"started": True})
        _grant_processor_time(limits.max_seconds)
        document = parse_file(Path(request["path"]), name, limits)
    except ParseError as error:
        send(answers, {"error": str(error), "limit": isinstance(error, LimitError)})
    except RecursionError:
        send(answers, {"error": "The file is nested too deeply to be read. Store it flatter.", "limit": True})
    except MemoryError:
        reason = (
            f"Reading the file needs more than {limits.max_memory_mb:,} MB of memory, the limit. Split it."
        )
        send(answers, {"error": reason, "limit": True, "exhausted": True})
        os._exit(1)  # what is left of the heap is not to be trusted with the next file
    except OSError as error:
        send(answers, {"error": f"The file cannot be opened ({error.strerror or error}).", "limit": False})
    except Exception as error:  # noqa: BLE001 - any failure of any library is the failure of one file
        label = format_of(name).label
        detail = f"{type(error).__name__}: {error}"[:200]
        reason = (
            f"The {label} could not be read; it is probably damaged ({detail}). Open it in its program, save"
            " it again and add that."
        )
        send(answers, {"error": reason, "limit": False})
    else:
        send(answers, {"document": asdict(document)})


def _private_stdout() -> IO[bytes]:
    """Our own way to the parent; the public stdout, to which libraries may print, leads nowhere."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return answers


def _quiet() -> None:
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    for name in _HIDDEN:
        sys.modules[name] = None  # type: ignore[assignment] # "not installed", as the import system says it


def _confine(memory_mb: int) -> None:
    """Limits of the operating system, where it has them."""
    with suppress(ImportError):
        import resource

        for kind, most in (
            (resource.RLIMIT_AS, memory_mb * 1024 * 1024),
            (resource.RLIMIT_FSIZE, _MOST_WRITTEN),
            (resource.RLIMIT_CORE, 0),
        ):
            with suppress(ValueError, OSError):  # a lower limit is in force already, or none is supported
                resource.setrlimit(kind, (most, most))


def _grant_processor_time(seconds: float) -> None:
    """A second guard beside the parent's clock: it also holds when the parent is stopped."""
    with suppress(ImportError):
        import resource

        usage = resource.getrusage(resource.RUSAGE_SELF)
        soft = math.ceil(usage.ru_utime + usage.ru_stime + seconds) + 1
        with suppress(ValueError, OSError):
            _, hard = resource.getrlimit(resource.RLIMIT_CPU)
            resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _listen(stream: IO[bytes], requests: SimpleQueue[dict[str, Any]]) -> None:
    """Take requests; on the end of the stream leave at once, in the middle of a file if need be."""
    while (request := receive(stream)) is not None:
        requests.put(request)
    os._exit(0)


if __name__ == "__main__":
    main()
