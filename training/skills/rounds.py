"""Rounds of training examples, made ahead by worker processes where a fast device would wait for them.

Workers are forked, so they hold the records without copying them. They must be started before the process
touches CUDA. Rounds come back in the order in which they were planned, so a run is the same with any number of
workers, but for what the clock decides (the shares of sources follow the run's progress).
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable
from multiprocessing.pool import AsyncResult, Pool
from typing import Any, Generic, TypeVar

from training.skills.mixture import Mixture, Plan

Example = TypeVar("Example")
Made = TypeVar("Made")
AHEAD = 3  # rounds in the making beyond one for each worker

_work: Callable[[Plan], Any] | None = None  # set in the parent before forking, read in the workers


class Rounds(Generic[Example, Made]):
    """Plans rounds of a mixture and finishes them: `finish` turns a round's examples into what is learned from."""

    def __init__(
        self, mixture: Mixture[Example], finish: Callable[[list[Example]], Made], size: int, workers: int = 0
    ) -> None:
        self.mixture, self._finish, self._size = mixture, finish, size
        self._workers = workers
        self._pool: Pool | None = None
        self._waiting: deque[AsyncResult[Made]] = deque()
        if workers:
            self._pool = self._start(workers)

    def next(self, progress: float) -> Made:
        """The next round at this point of the run."""
        if self._pool is None:
            return self._make(self.mixture.plan(self._size, progress))
        while len(self._waiting) < self._workers + AHEAD:
            plan = self.mixture.plan(self._size, progress)
            self._waiting.append(self._pool.apply_async(_do, (plan,)))
        return self._waiting.popleft().get()

    def close(self) -> None:
        """Ends the workers."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    def _make(self, plan: Plan) -> Made:
        return self._finish(self.mixture.make(plan))

    def _start(self, workers: int) -> Pool:
        global _work
        os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads do not survive a fork
        _work = self._make
        return multiprocessing.get_context("fork").Pool(workers)


def _do(plan: Plan) -> Any:
    assert _work is not None
    return _work(plan)


def workers_for(device: str) -> int:
    """How many processes make examples: none beside a CPU that trains, else the spare cores."""
    return 0 if device == "cpu" else max(1, (os.cpu_count() or 2) - 2)
