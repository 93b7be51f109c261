import gc
import threading
import time
from types import SimpleNamespace
from typing import Any

from app.session import FREEZE_EVERY, _out_of_sight


def test_what_loads_leaves_the_collectors_sight_and_nothing_after_it() -> None:
    opened: Any = SimpleNamespace(ready=threading.Event())
    watching = threading.Thread(target=_out_of_sight, args=(opened,), daemon=True)
    gc.unfreeze()
    watching.start()
    deadline = time.monotonic() + 30 * FREEZE_EVERY
    while not gc.get_freeze_count() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert gc.get_freeze_count() > 1000
    opened.ready.set()
    watching.join(30 * FREEZE_EVERY)
    gc.unfreeze()
    time.sleep(2 * FREEZE_EVERY)
    assert not watching.is_alive() and gc.get_freeze_count() == 0
