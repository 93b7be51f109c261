"""The threads that one search uses at once: text search beside vector search, one walk beside another.

SQLite, numpy and scipy let go of the interpreter while they work, so two of them run on two processors. A task must
not wait for another task of this pool.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

_LOCK = threading.Lock()
_POOLS: dict[int, ThreadPoolExecutor] = {}  # by process: threads do not survive a fork


def pool() -> ThreadPoolExecutor:
    """The process's pool, with a thread for each processor."""
    process = os.getpid()
    if process not in _POOLS:
        with _LOCK:
            if process not in _POOLS:
                _POOLS[process] = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="forage-search")
    return _POOLS[process]
