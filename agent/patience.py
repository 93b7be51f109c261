"""Waiting for a model with an eye on the clock and on Stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent import futures
from typing import Any

from index.errors import Cancelled

_LOOK_SECONDS = 0.05


def wait_until(future: futures.Future[Any], end: float, cancelled: Callable[[], bool] | None) -> bool:
    """True when `future` is done, False at `end` (time.monotonic()). Raises Cancelled on Stop."""
    while not future.done():
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped.")
        left = end - time.monotonic()
        if left <= 0:
            return False
        futures.wait([future], timeout=min(_LOOK_SECONDS, left))
    return True
