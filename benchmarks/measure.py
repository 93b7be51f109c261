"""What the benchmarks share: filling a store stage by stage, a process of its own for each row, sizes, spreads."""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from index.errors import InputError, StoreError
from index.extract import RuleExtractor
from index.records import DocumentVersion
from index.store import Store
from index.types import Draft, Vectors
from training import report

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
MEGABYTE = 2**20
Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(slots=True)
class Built:
    """Seconds that filling a store took, by stage."""

    extract: float = 0.0
    commit: float = 0.0


class Replayed:
    """An embedder that knows the vectors of some texts, so that no run waits for the encoder."""

    name, dimension = "replayed", 384

    def __init__(self, vectors: Mapping[str, Vectors]) -> None:
        self._vectors = vectors

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Rows of shape (len(texts), 384); KeyError for a text that was not given."""
        return np.stack([self._vectors[text] for text in texts])


def clock() -> float:
    """Seconds for differences: wall time, or processor time of this process with FORAGE_CLOCK=cpu.

    Processor time is for machines that are busy with other work; run it with OMP_NUM_THREADS=1, or the time of
    all threads adds up.
    """
    return time.process_time() if os.environ.get("FORAGE_CLOCK") == "cpu" else time.perf_counter()


def fill(
    store: Store,
    collection: str,
    rows: Iterable[tuple[str, str, str]],
    vectors: Sequence[Vectors] | Vectors,
    *,
    knowledge: bool = True,
) -> Built:
    """Commit passages (id, title, text), one document each, as ingestion does; vectors in the same order.

    knowledge: False leaves out entities, sentences and triplets: a store for text search alone.
    """
    number, extractor, took = store.create_collection(collection), RuleExtractor(), Built()
    for (key, title, text), vector in zip(rows, vectors, strict=True):
        began = clock()
        drafts = (Draft(0, len(text), text, ""),)
        known = extractor.extract(title, text, drafts) if knowledge else ()
        extracted = clock()
        store.commit(
            number,
            DocumentVersion(
                source=key, title=title, media_type="text/plain",
                content_hash=sha256(f"{title}\0{text}".encode()).hexdigest(), recipe="benchmark",
                size=len(text.encode()), pages=None, text=text, drafts=drafts,
                vectors=np.asarray(vector).reshape(1, -1), knowledge=known,
            ),
        )  # fmt: skip
        took.extract += extracted - began
        took.commit += clock() - extracted
    return took


def alone(function: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
    """The result of a function run in a fresh process, so that peak memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *given, **named).result()


def peak_megabytes() -> float:
    """Largest resident memory of this process so far."""
    try:  # what getrusage says is, after exec, at least the memory of the parent
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(size / MEGABYTE if sys.platform == "darwin" else size / 1024)


def resident_megabytes() -> float:
    """Resident memory of this process now; its peak where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / MEGABYTE
    except OSError:
        return peak_megabytes()


def folder_megabytes(folder: Path) -> float:
    """Size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MEGABYTE


def spread(milliseconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    low, high = np.percentile(milliseconds, [50, 95])
    return {"p50": round(float(low), 2), "p95": round(float(high), 2)}


def data_root() -> Path:
    """The folder of public question sets; InputError where there is none."""
    folder = Path(os.environ.get("FORAGE_DATA", ROOT.parent / "shared" / "data")) / "qa"
    if not folder.is_dir():
        raise InputError(
            "The public question sets were not found. Set FORAGE_DATA to the folder that holds qa/, or give --data."
        )
    return folder


def facts(module: str, options: Any) -> dict[str, Any]:
    """How a run is repeated, without paths of this machine."""
    given = " ".join(
        f"--{name.replace('_', '-')}"
        + ("" if value is True else " " + (" ".join(value) if isinstance(value, list) else str(value)))
        for name, value in sorted(vars(options).items())
        if value not in (None, False) and name not in ("json", "data", "cache")
    )
    command = f"python -m benchmarks.{module} {given}".strip()
    kind = "cpu" if os.environ.get("FORAGE_CLOCK") == "cpu" else "wall"
    return {**report.provenance(processors=os.cpu_count(), clock=kind), "command": command}


def arguments(about: str | None, result: str) -> argparse.ArgumentParser:
    """A parser with the options that benchmarks share: where the result is written, and tables as Markdown."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, default=RESULTS / result)
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    return parser


@contextmanager
def mistakes_told() -> Iterator[None]:
    """Around what a benchmark does: a user's mistake is printed, and the program leaves with its exit code."""
    try:
        yield
    except (InputError, StoreError) as error:
        print(f"Nothing was measured: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from error
