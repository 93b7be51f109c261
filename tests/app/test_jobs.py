import json
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.jobs import Handle, JobRunner
from index.errors import Cancelled, InputError, NotFoundError


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[JobRunner]:
    made = JobRunner(tmp_path, lanes={"ask": 3, "ingest": 1})
    yield made
    made.close()


def _until_stopped(handle: Handle) -> dict[str, object]:
    while not handle.cancelled():
        time.sleep(0.005)
    raise Cancelled("stopped")


def test_job_goes_from_queued_to_done_and_keeps_its_events(runner: JobRunner) -> None:
    def work(handle: Handle) -> dict[str, object]:
        handle.emit("step", {"summary": "é"})
        return {"n": 3}

    job_id = runner.submit("ask", work, {"question": "q"})
    job = runner.wait(job_id, 5)
    assert (job.state, job.params, job.result) == ("done", {"question": "q"}, {"n": 3})
    assert [event.type for event in runner.events(job_id)] == ["created", "started", "step", "done"]
    assert [event.type for event in runner.events(job_id, after=2)] == ["step", "done"]
    assert job.started_at is not None and job.finished_at is not None and job.finished_at >= job.started_at


def test_events_are_on_disk_while_the_job_runs(runner: JobRunner, tmp_path: Path) -> None:
    told, go_on = threading.Event(), threading.Event()

    def work(handle: Handle) -> dict[str, object]:
        handle.emit("step", {"summary": "first"})
        told.set()
        go_on.wait(5)
        return {}

    job_id = runner.submit("ask", work, {})
    assert told.wait(5)
    lines = (tmp_path / f"{job_id}.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["data"] == {"summary": "first"}
    assert runner.job(job_id).state == "running"
    go_on.set()
    assert runner.wait(job_id, 5).state == "done"


def test_stop_ends_a_running_job_quickly_and_a_queued_one_before_it_starts(runner: JobRunner) -> None:
    running = runner.submit("ingest", _until_stopped, {})
    queued = runner.submit("ingest", _until_stopped, {})
    while runner.job(running).state != "running":
        time.sleep(0.005)
    assert runner.cancel(queued)
    pressed = time.monotonic()
    assert runner.cancel(running) and runner.job(running).stopping
    assert runner.wait(running, 5).state == "cancelled"
    assert time.monotonic() - pressed < 1
    assert runner.wait(queued, 5).state == "cancelled"
    assert runner.job(queued).started_at is None
    assert not runner.cancel(running), "a job that has ended cannot be stopped"


def test_work_that_stops_early_without_raising_counts_as_cancelled(runner: JobRunner) -> None:
    def work(handle: Handle) -> dict[str, object]:
        while not handle.cancelled():
            time.sleep(0.005)
        return {"done": 2}

    job_id = runner.submit("ingest", work, {})
    runner.cancel(job_id)
    job = runner.wait(job_id, 5)
    assert job.state == "cancelled"


def test_failures_keep_the_reason_and_the_thread_goes_on(runner: JobRunner) -> None:
    def wrong(handle: Handle) -> dict[str, object]:
        raise InputError("That file is a picture.")

    def broken(handle: Handle) -> dict[str, object]:
        return {"n": 1 // 0}

    assert runner.wait(runner.submit("ingest", wrong, {}), 5).error == "That file is a picture."
    job = runner.wait(runner.submit("ingest", broken, {}), 5)
    assert job.state == "failed" and "ZeroDivisionError" in job.error
    assert runner.wait(runner.submit("ingest", lambda handle: {"ok": True}, {}), 5).state == "done"


def test_jobs_at_once_do_not_mix_and_a_long_ingest_does_not_delay_a_question(runner: JobRunner) -> None:
    ingest = runner.submit("ingest", _until_stopped, {})

    def counting(name: str) -> dict[str, object]:
        return {"name": name}

    def worker(name: str):  # type: ignore[no-untyped-def]
        def work(handle: Handle) -> dict[str, object]:
            for number in range(20):
                handle.emit("step", {"of": name, "number": number})
                time.sleep(0.001)
            return counting(name)

        return work

    jobs = {name: runner.submit("ask", worker(name), {}) for name in ("a", "b", "c", "d", "e")}
    for name, job_id in jobs.items():
        assert runner.wait(job_id, 5).result == {"name": name}
        steps = [event.data for event in runner.events(job_id) if event.type == "step"]
        assert steps == [{"of": name, "number": number} for number in range(20)]
    assert runner.job(ingest).active


def test_a_later_runner_reads_what_an_earlier_one_did(runner: JobRunner, tmp_path: Path) -> None:
    job_id = runner.submit("ask", lambda handle: {"n": 1}, {"question": "q"})
    runner.wait(job_id, 5)
    later = JobRunner(tmp_path, lanes={"ask": 1})
    assert later.job(job_id) == runner.job(job_id)
    assert [job.id for job in later.jobs("ask")] == [job_id]
    assert later.jobs("ingest") == ()
    later.close()


def test_a_job_of_another_living_process_is_running_and_of_a_dead_one_interrupted(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from app.jobs import JobRunner
        runner = JobRunner(Path(sys.argv[1]), lanes={"ingest": 1})
        def work(handle):
            handle.emit("progress", {"n": 1})
            sys.stdout.write(handle.id + "\\n"); sys.stdout.flush()
            time.sleep(60)
        runner.submit("ingest", work, {"paths": ["a"]})
        time.sleep(60)
        """
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=root
    ) as other:
        assert other.stdout is not None
        job_id = other.stdout.readline().strip()
        runner = JobRunner(tmp_path, lanes={"ingest": 1})
        assert runner.job(job_id).state == "running"
        assert not runner.cancel(job_id)
        other.kill()
        other.wait()
        job = runner.job(job_id)
        assert job.state == "interrupted" and job.params == {"paths": ["a"]}
        runner.close()


def test_a_half_written_last_line_and_a_damaged_line_are_skipped(runner: JobRunner, tmp_path: Path) -> None:
    job_id = runner.submit("ask", lambda handle: {}, {})
    runner.wait(job_id, 5)
    path = tmp_path / f"{job_id}.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + "not json\n" + lines[1] + '{"at": 1, "type": "do')
    later = JobRunner(tmp_path, lanes={})
    assert [event.type for event in later.events(job_id)] == ["created", "started"]
    assert later.job(job_id).state == "interrupted"


@pytest.mark.parametrize("job_id", ["nothing", "../../etc/passwd", ""])
def test_an_unknown_job_is_not_found(runner: JobRunner, job_id: str) -> None:
    with pytest.raises(NotFoundError):
        runner.job(job_id)
