"""Training as a job of the page: the command line in a child process, and the run folders it leaves behind."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.jobs import Handle, Work
from index.errors import Cancelled, ForageError, InputError

RUNS = "runs"  # below the data folder
HELP = ("ip-dpo learns from pairs of decisions of which one turned out better; grpo from whole paths tried out. "
        "Both begin by imitating the best path of every question.")  # fmt: skip
_NAME = re.compile(r"[\w][\w.-]{0,79}")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run as its files tell it; an unfinished run lacks some."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    def policies(self) -> dict[str, dict[str, float | None]]:
        """All policies on the run's held-out questions."""
        found: dict[str, dict[str, float | None]] = self._read("policies.json").get("policies", {})
        return found

    def stages(self) -> dict[str, Any]:
        """What each stage measured."""
        return dict(self._read("curves.json").get("stages", {}))

    def comparison(self) -> dict[str, Any]:
        """Against what was live when the run ended."""
        return self._read("comparison.json")

    def _read(self, name: str) -> dict[str, Any]:
        try:
            return dict(json.loads((self.path / name).read_text("utf-8")))
        except (OSError, ValueError):
            return {}


def runs_of(data_dir: Path) -> list[RunFolder]:
    """Runs of a data folder, the newest first."""
    paths = (data_dir / RUNS).glob("*/config.json")
    newest = sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)
    return [RunFolder(path.parent) for path in newest]


def training(
    data_dir: Path, name: str, data: Path, algorithm: str, rounds: int, limit: int, *, logs: bool
) -> tuple[Work, dict[str, Any]]:
    """The job that trains, and its parameters. InputError for a name that is no folder name, or a missing folder."""
    if not _NAME.fullmatch(name):
        raise InputError("The name of a run has letters, digits, dots, - and _ only.")
    if not data.is_dir():
        raise InputError(f"There is no folder {data}.")
    out = data_dir / RUNS / name
    command = [
        sys.executable, "-m", "app", "train", "policy", "--data", str(data), "--algorithm", algorithm,
        "--rounds", str(rounds), "--limit", str(limit), "--out", str(out), "--data-dir", str(data_dir),
        *(["--logs"] if logs else []),
    ]  # fmt: skip

    def work(handle: Handle) -> Mapping[str, Any]:
        run_command(command, handle)
        return {"run": name}

    return work, {"name": name, "command": ["forage", *command[3:]]}


def run_command(command: list[str], handle: Handle) -> None:
    """Run a command of ours to its end, each line of its output an event. Raises Cancelled after a Stop, ForageError
    with its last lines where it failed."""
    lines: list[str] = []
    ended = threading.Event()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:

        def watch() -> None:
            while not ended.wait(0.2):
                if handle.cancelled():
                    process.terminate()
                    return

        threading.Thread(target=watch, daemon=True).start()
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            handle.emit("line", {"line": lines[-1]})
    ended.set()
    code = process.returncode
    if handle.cancelled():
        raise Cancelled("Stopped. What was explored and learned so far is kept.")
    if code:
        raise ForageError("\n".join(lines[-6:]) or f"The training ended with code {code}.")


def promoting(data_dir: Path, run: RunFolder, *, force: bool) -> tuple[bool, str]:
    """Promote a run by the command line, which checks the evidence anew; (done, what it said)."""
    command = [sys.executable, "-m", "app", "policy", "promote", run.name, "--runs", str(run.path.parent),
               "--data-dir", str(data_dir), *(["--force"] if force else [])]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    said = (done.stdout if done.returncode == 0 else done.stderr).strip()
    return done.returncode == 0, said
