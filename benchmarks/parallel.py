"""Many conversations at once: is anything of one found in another, how long does a question wait, what does memory do?

    python -m benchmarks.parallel [--sessions 8] [--questions 200] [--json benchmarks/results/parallel.json]

The dialogues about the example collection are first held one after the other by an agent without memory; what it
understood, answered and cited is what every session must get too. Then `sessions` threads hold them at the same time,
each beginning with another dialogue, with memory off and on (in fresh folders). Seconds are on the clock: of N threads
on few cores each waits for the others.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from agent.agent import Agent
from agent.build import open_agent
from agent.types import Trajectory, Turn
from benchmarks.measure import RESULTS, ROOT, facts, peak_megabytes, resident_megabytes
from index.encoders import load_embedder
from index.types import Scope
from training import report
from training.benchmark_index import open_index
from training.data import open_data
from training.evaluate_dialogues import DialogueTurn, load_dialogues
from training.report import Grid

Dialogues = Sequence[Sequence[DialogueTurn]]


@dataclass(frozen=True, slots=True)
class Held:
    """One turn as it was held: dialogue and place in it, the run, its seconds."""

    place: tuple[str, int]
    run: Trajectory
    seconds: float

    @property
    def said(self) -> tuple[str, str, str]:
        """What was understood, the kind of the answer, the short answer."""
        return self.run.asked or self.run.question, self.run.answer.kind, self.run.answer.short

    @property
    def cited(self) -> frozenset[str]:
        """Sources that the answer cites."""
        return frozenset(citation.source for citation in self.run.answer.citations)


def hold(agent: Agent, dialogue: Sequence[DialogueTurn], scope: Scope) -> list[Held]:
    """One conversation; its history is what the agent itself understood and answered."""
    held: list[Held] = []
    history: tuple[Turn, ...] = ()
    for number, turn in enumerate(dialogue):
        began = time.perf_counter()
        run = agent.run(turn.question, scope, history)
        held.append(Held((turn.dialogue, number), run, time.perf_counter() - began))
        history = (*history, Turn(run.asked or run.question, run.answer.text, run.answer.short))
    return held


def session(agent: Agent, dialogues: Dialogues, first: int, turns: int, scope: Scope) -> list[Held]:
    """Conversations one after the other from the `first` on, until `turns` questions were asked."""
    held: list[Held] = []
    for dialogue in islice(cycle(dialogues), first, None):
        held += hold(agent, dialogue[: turns - len(held)], scope)
        if len(held) >= turns:
            return held
    return held


def measure(
    folder: Path, dialogues: Dialogues, scope: Scope, sessions: int, questions: int
) -> dict[str, Any]:
    """Both ways beside the dialogues held alone. folder: a data folder with the collection, left as it is."""
    ways: dict[str, Any] = {}
    with TemporaryDirectory() as work:
        agent = opened(folder, Path(work) / "alone", memory=False)
        alone = {one.place: one for dialogue in dialogues for one in hold(agent, dialogue, scope)}
        for name, memory in (("searching", False), ("remembering", True)):
            agent = opened(folder, Path(work) / name, memory)
            before = resident_megabytes()
            began = time.perf_counter()
            with ThreadPoolExecutor(sessions) as pool:
                beginnings = [number * len(dialogues) // sessions for number in range(sessions)]
                one = partial(session, agent, dialogues, turns=questions // sessions, scope=scope)
                talks = pool.map(one, beginnings)
                held = [turn for talk in talks for turn in talk]
            took = time.perf_counter() - began
            ways[name] = compared(held, alone) | {
                "questions_per_second": round(len(held) / took, 2),
                "megabytes_before": round(before, 1),
                "megabytes_grown": round(resident_megabytes() - before, 1),
                "megabytes_peak": round(peak_megabytes(), 1),
                "open_runs_left": sum(1 for _ in (Path(work) / name / "runs").iterdir()),
            }
    seconds = [one.seconds for one in alone.values()]
    return {
        "ways": ways,
        "sessions": sessions,
        "alone_seconds": quantiles(seconds),
        "turns_alone": len(alone),
    }


def compared(held: Sequence[Held], alone: dict[tuple[str, int], Held]) -> dict[str, Any]:
    """How the turns held at once differ from the same turns held alone, and their seconds."""
    differ = [one for one in held if one.said != alone[one.place].said]
    return {
        "questions": len(held),
        "run_ids": len({one.run.id for one in held}),
        "understood_or_answered_otherwise": len(differ),
        "cited_otherwise": sum(one.cited != alone[one.place].cited for one in held),
        "steps_out_of_order": sum([s.index for s in o.run.steps] != list(range(len(o.run.steps))) for o in held),
        "without_a_search": sum(one.run.answer.cost.searches == 0 for one in held),
        "seconds": quantiles([one.seconds for one in held]),
        "otherwise": [
            {"turn": list(one.place), "alone": alone[one.place].said, "here": one.said} for one in differ
        ],
    }  # fmt: skip


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and longest."""
    low, high, top = np.percentile(seconds, [50, 95, 100])
    return {"p50": round(float(low), 3), "p95": round(float(high), 3), "longest": round(float(top), 3)}


def opened(folder: Path, to: Path, memory: bool) -> Agent:
    """An agent over a copy of the collection that has asked and remembers nothing."""
    ignored = shutil.ignore_patterns("trajectories*", "memory*", "runs", "checkpoints*")
    shutil.copytree(folder, to, ignore=ignored)
    return open_agent(to, memory=memory)


def grid(found: dict[str, Any]) -> Grid:
    """A column for each way."""
    ways = found["ways"]

    def cells(name: str) -> tuple[str, ...]:
        return tuple(str(way[name]) for way in ways.values())

    rows = (
        ("questions (runs of their own)", *(f"{w['questions']} ({w['run_ids']})" for w in ways.values())),
        ("understood or answered otherwise than alone", *cells("understood_or_answered_otherwise")),
        ("cited otherwise than alone", *cells("cited_otherwise")),
        ("runs with steps out of order, open runs left",
         *(f"{w['steps_out_of_order']}, {w['open_runs_left']}" for w in ways.values())),
        ("answered without a search", *cells("without_a_search")),
        ("seconds p50 / p95 / longest",
         *(" / ".join(f"{w['seconds'][q]:.2f}" for q in ("p50", "p95", "longest")) for w in ways.values())),
        ("questions a second, all sessions", *cells("questions_per_second")),
        ("resident MB before, grown by, peak of the process",
         *(f"{w['megabytes_before']:.0f}, {w['megabytes_grown']:.0f}, {w['megabytes_peak']:.0f}"
           for w in ways.values())),
    )  # fmt: skip
    alone = found["alone_seconds"]
    title = (
        f"{found['sessions']} sessions at once on {found['cores']} core(s); the {found['turns_alone']} turns alone "
        f"take {alone['p50']:.2f} / {alone['p95']:.2f} / {alone['longest']:.2f} s"
    )
    return Grid(title, ("measure", *ways), rows)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--json", type=Path, default=RESULTS / "parallel.json")
    options = parser.parse_args()
    examples = ROOT / "examples"
    dialogues = load_dialogues(examples / "dialogues.jsonl")
    with open_index(open_data(examples), (), load_embedder()) as index:
        folder, scope = index.store.data_dir, Scope((index.collection,))
        found = measure(folder, dialogues, scope, options.sessions, options.questions)
    found |= {"cores": cores()} | facts("parallel", options)
    report.show(grid(found), markdown=True)
    report.write_json(options.json, found)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()
