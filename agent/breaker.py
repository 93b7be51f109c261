"""A breaker per model endpoint, so that a dead one costs the next questions nothing.

Closed: calls pass. After enough failures in a row it opens and refuses for a while. Then it is half
open: one call may try, and its outcome closes or opens it again. Time is the monotonic clock, because
the wall clock jumps; that is also why it is our own code (pybreaker counts wall-clock time).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Literal

State = Literal["closed", "open", "half_open"]


class Breaker:
    """Counts failures in a row; safe from several threads."""

    def __init__(
        self, failures: int = 3, seconds: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = failures
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False

    @property
    def state(self) -> State:
        with self._lock:
            if self._opened_at is None:
                return "closed"
            return "half_open" if self._cooled() else "open"

    def seconds_left(self) -> float:
        """How long calls will still be refused; 0 when one may try."""
        with self._lock:
            if self._opened_at is None:
                return 0.0
            return max(0.0, self._opened_at + self._seconds - self._clock())

    def allow(self) -> bool:
        """True when a call may go out. Each True must be answered by success, failure or release."""
        with self._lock:
            if self._opened_at is None:
                return True
            if not self._cooled() or self._probing:
                return False
            self._probing = True
            return True

    def success(self) -> None:
        """The endpoint answered: close."""
        with self._lock:
            self._failures = 0
            self._opened_at = None
            self._probing = False

    def failure(self, *, trip: bool = False) -> None:
        """The endpoint failed; `trip` opens at once, for failures too costly to see again."""
        with self._lock:
            self._failures += 1
            if trip or self._probing or self._failures >= self._most:
                self._opened_at = self._clock()
                self._probing = False

    def release(self) -> None:
        """The call ended without a verdict (cancelled): let another one try."""
        with self._lock:
            self._probing = False

    def _cooled(self) -> bool:
        return self._opened_at is not None and self._clock() >= self._opened_at + self._seconds


_breakers: dict[Hashable, Breaker] = {}
_breakers_lock = threading.Lock()


def breaker_for(endpoint: Hashable, failures: int, seconds: float) -> Breaker:
    """The breaker that everything in this process shares for one endpoint with these thresholds."""
    key = (endpoint, failures, seconds)
    with _breakers_lock:
        return _breakers.setdefault(key, Breaker(failures, seconds))
