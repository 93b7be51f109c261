"""A local causal language model as a `LanguageModel`: a background thread, a deadline and a Stop.

Loading and writing run on one thread, one answer at a time, because one model fills the machine. The
caller waits beside it, so that a deadline or Stop frees it at once, and the thread is told to end.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from agent.breaker import breaker_for
from agent.causal_lm import weights_of
from agent.config import ModelConfig
from agent.patience import wait_until
from agent.types import Completion
from index.errors import ModelError

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forage-local-model")


class TransformersLanguageModel:
    """A `LanguageModel` (and `StoppableModel`) on this machine; `config.name` is the folder."""

    def __init__(self, config: ModelConfig, *, cancelled: Callable[[], bool] | None = None) -> None:
        """Loads nothing yet: the first call does."""
        self._config = config
        self._cancelled = cancelled
        self._folder = Path(config.name).expanduser()
        self._weights = weights_of(self._folder)
        # Only loading can fail again and again at a price, so the first failure opens it.
        self._breaker = breaker_for(("transformers", str(self._folder)), 1, config.breaker_seconds)

    @property
    def name(self) -> str:
        return self._folder.name

    def with_cancel(self, cancelled: Callable[[], bool] | None) -> Self:
        """The same loaded model watching another Stop."""
        twin = copy.copy(self)
        twin._cancelled = cancelled
        return twin

    def forget_failures(self) -> None:
        """Try to load again at once."""
        self._breaker.success()

    def complete(
        self, system: str, prompt: str, *, max_tokens: int = 512, deadline: float | None = None
    ) -> Completion:
        """The model's answer, after at most `timeout_seconds`. Raises ModelError or Cancelled."""
        end = time.monotonic() + self._config.timeout_seconds
        if deadline is not None:
            end = min(end, deadline)
        if end <= time.monotonic():
            raise ModelError(f"No time was left to ask {self.name}.")
        if not self._breaker.allow():
            left = self._breaker.seconds_left()
            raise ModelError(
                f"The local model {self.name} could not be loaded; it is tried again in {left:.0f} s. "
                "Press Test in Settings to try it at once."
            )
        stop = threading.Event()
        future = _thread.submit(self._run, system, prompt, max_tokens, stop)
        try:
            if wait_until(future, end, self._cancelled):
                return future.result()
        finally:
            stop.set()
            future.cancel()  # one that still waits in the queue
            self._breaker.release()
        doing = "is still writing" if self._weights.loaded else "is still loading"
        raise ModelError(
            f"The local model {self.name} {doing} when its time is up. Ask again in a moment, raise "
            "model.timeout_seconds or use a smaller model."
        )

    def _run(self, system: str, prompt: str, max_tokens: int, stop: threading.Event) -> Completion:
        try:
            self._weights.load()
        except ModelError:
            self._breaker.failure()
            raise
        self._breaker.success()
        return self._weights.write(system, prompt, max_tokens, self._config.temperature, stop)
