"""Kills an ingest at random moments, restarts it, and proves that nothing is lost, doubled or stale.

    python benchmarks/kill_ingest.py                  # 300 files, 50 kills
    python benchmarks/kill_ingest.py --files 8 --kills 3

Each kill is a SIGKILL of `python -m app ingest`. Half of them strike at a random time of the run, half at
a random commit, where the writing is. Whenever a run gets through while kills are left, a third of the
files is rewritten and some are added, so that replacing is interrupted too. At the end the killed data
folder must equal one clean ingest of the same files: documents, texts, passages, vectors, integrity of the
database, and the results of 30 queries in every mode. Exit code 1 on any difference.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from equal_folders import differences  # noqa: E402

from index.encoders import load_embedder  # noqa: E402

COLLECTION = "killed"
QUERIES = 30
ORPHAN_SECONDS = 5.0  # a child of a killed ingest must have ended by itself after this
SYLLABLES = (
    "ba",
    "bel",
    "dor",
    "en",
    "fi",
    "gal",
    "hu",
    "ir",
    "kan",
    "lu",
    "mer",
    "no",
    "or",
    "pa",
    "quin",
    "zan",
)


class Library:
    """Small files of made-up text, the same for the same seed."""

    def __init__(self, folder: Path, files: int, seed: int) -> None:
        self.folder, self._random = folder, random.Random(seed)
        self._words = sorted({self._word() for _ in range(1500)})
        self.files = 0
        folder.mkdir(parents=True)
        self._add(files)

    def change(self) -> None:
        """Rewrite a third of the files and add a few."""
        paths = sorted(self.folder.iterdir())
        for path in self._random.sample(paths, max(1, len(paths) // 3)):
            self._write(path)
        self._add(max(1, len(paths) // 50))

    def queries(self) -> list[str]:
        chosen = random.Random(1)
        return [" ".join(chosen.sample(self._words, 4)) for _ in range(QUERIES)]

    def _add(self, files: int) -> None:
        for number in range(self.files, self.files + files):
            self._write(self.folder / f"note-{number:04d}.{('md', 'txt', 'html')[number % 3]}")
        self.files += files

    def _write(self, path: Path) -> None:
        title = " ".join(self._random.sample(self._words, 3)).title()
        parts = [self._paragraph() for _ in range(self._random.randint(1, 8))]
        if path.suffix == ".html":
            body = "".join(f"<p>{part}</p>" for part in parts)
            text = f"<html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>"
        else:
            text = "\n\n".join([f"# {title}" if path.suffix == ".md" else title, *parts])
        path.write_text(text, encoding="utf-8")

    def _paragraph(self) -> str:
        draw = self._random
        sentences = (
            " ".join(draw.sample(self._words, draw.randint(5, 14))) for _ in range(draw.randint(2, 7))
        )
        return " ".join(f"{sentence.capitalize()}." for sentence in sentences)

    def _word(self) -> str:
        return "".join(self._random.choices(SYLLABLES, k=self._random.randint(2, 4)))


@dataclass(slots=True)
class Tally:
    """What happened in the killed runs."""

    kills: int = 0
    finished: int = 0
    orphans: int = 0


class Ingest:
    """One `forage ingest` process and what it has committed so far."""

    def __init__(self, files: Path, data: Path) -> None:
        self.data, self.started = data, time.monotonic()
        self.log = data.with_suffix(".log")
        command = [sys.executable, "-m", "app", "ingest", str(files), "--collection", COLLECTION]
        with self.log.open("w") as log:  # a file, because a pipe that nobody empties would block
            self.process = subprocess.Popen(
                [*command, "--data-dir", str(data)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def pause(self, reached: Callable[[], bool]) -> None:
        """Wait until something is reached or the process ends."""
        while self.process.poll() is None and not reached():
            time.sleep(0.001)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def commits(self) -> int:
        """Changes committed to the collection since the data folder was made."""
        try:
            with closing(sqlite3.connect(f"file:{self.data / 'forage.db'}?mode=ro", uri=True)) as connection:
                found = connection.execute("SELECT sum(generation) FROM collections").fetchone()[0]
        except sqlite3.Error:  # not made yet, or just now being made
            return 0
        return int(found or 0)

    def finish(self) -> None:
        """Let it run to its end. Exits where the ingest fails by itself: nothing to compare then."""
        if self.process.wait():
            sys.exit(f"ingest ended with code {self.process.returncode}:\n{self.log.read_text()[-2000:]}")

    def kill(self) -> bool:
        """SIGKILL the process alone, as a crash would. False if it had ended by itself."""
        self.process.kill()
        return self.process.wait() == -signal.SIGKILL

    def leaves_children(self) -> bool:
        """Whether a child process outlived the killed one for too long; ends it then."""
        end = time.monotonic() + ORPHAN_SECONDS
        while time.monotonic() < end:
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return False
            time.sleep(0.02)
        os.killpg(self.process.pid, signal.SIGKILL)
        return True


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds from the start of a clean run to its first commit, and to its end."""

    first: float
    last: float


def clean_run(library: Library, data: Path) -> Pace:
    run = Ingest(library.folder, data)
    run.pause(lambda: run.commits() > 0)
    first = run.seconds
    run.finish()
    return Pace(first, run.seconds)


def kill_at_random(library: Library, data: Path, kills: int, draw: random.Random, pace: Pace) -> Tally:
    """Start, kill and restart until `kills` processes were killed; then let it finish."""
    tally = Tally()
    while tally.kills < kills:
        run = Ingest(library.folder, data)
        before = run.commits()
        moment = _pause_at_random(run, draw, pace, before, library.files)
        if not run.kill():
            run.finish()
            tally.finished += 1
            library.change()
            print(f"         got through; {library.files} files now, a third of them rewritten", flush=True)
            continue
        tally.kills += 1
        after, orphan = run.commits(), run.leaves_children()
        tally.orphans += orphan
        left = "; a child process was left running" if orphan else ""
        print(f"kill {tally.kills:3d} {moment:16s} commits {before} -> {after}{left}", flush=True)
    Ingest(library.folder, data).finish()
    return tally


def _pause_at_random(run: Ingest, draw: random.Random, pace: Pace, before: int, files: int) -> str:
    """Wait until a random time of the run or a random commit; which, in words."""
    if draw.random() < 0.5:
        delay = draw.uniform(pace.first / 2, pace.last)
        run.pause(lambda: run.seconds >= delay)
        return f"after {delay:.1f} s"
    target = before + draw.randint(1, max(1, files // 4))
    run.pause(lambda: run.commits() >= target)
    time.sleep(draw.uniform(0, 0.01))
    return f"at commit {target}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="forage-kill-") as folder:
        work = Path(folder)
        library = Library(work / "files", options.files, options.seed)
        pace = clean_run(library, work / "first")
        print(
            f"clean ingest of {options.files} files: first commit after {pace.first:.1f} s, "
            f"end after {pace.last:.1f} s",
            flush=True,
        )
        draw = random.Random(options.seed)
        tally = kill_at_random(library, work / "killed", options.kills, draw, pace)
        clean_run(library, work / "clean")
        found = list(differences(work / "clean", work / "killed", library.queries(), load_embedder()))
        if tally.orphans:
            found.append(
                f"{tally.orphans} killed runs left a child process behind for {ORPHAN_SECONDS:.0f} s"
            )
        for line in found[:40]:
            print(f"DIFFERENT: {line}")
        verdict = "DIFFERENT from" if found else "equal to"
        print(
            f"{tally.kills} kills, {tally.finished} runs got through, {library.files} files: "
            f"the killed folder is {verdict} a clean ingest"
        )
        sys.exit(bool(found))


if __name__ == "__main__":
    main()
