import gc
import shutil
import threading
import time
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from agent import shadow
from app.conversations import Conversations
from app.jobs import JobRunner
from app.session import FREEZE_EVERY, Workspace, _out_of_sight
from index.types import Scope


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


def test_a_policy_in_the_shadow_has_its_turn_after_the_answer(corpus_dir: Path, tmp_path: Path) -> None:
    """A question asked on the pages: the answer first, then the candidate's run over it, by itself."""
    folder = Path(shutil.copytree(corpus_dir, tmp_path / "data"))
    opened = Workspace(folder, JobRunner(folder / "jobs"), Conversations(folder))
    opened.ready.set()
    packaged = Path(str(files("agent").joinpath("weights", "policy.safetensors")))
    shadow.start(folder, packaged, "twin", 1.0)
    conversation = opened.conversations.start("Who is the head?", Scope(("world",)))
    opened.ask(conversation, "Who is the head of the Harbour School?", Scope(("world",)))
    deadline = time.monotonic() + 90
    while not shadow.results(folder, "twin") and time.monotonic() < deadline:
        time.sleep(0.1)
    (one,) = shadow.results(folder, "twin")
    assert one.same and one.live["short"] == "Orla Fenn" and not one.error
    (asked,), (compared,) = opened.runner.jobs("ask"), opened.runner.jobs("shadow")
    assert asked.finished_at is not None and compared.started_at is not None
    waited = opened.runner.wait(compared.id, 30)
    assert waited.result == {"compared": 1} and asked.finished_at <= one.at
    opened.runner.close()
