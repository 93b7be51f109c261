"""The breaker against a clock that the test turns."""

from __future__ import annotations

import threading

from agent.breaker import Breaker, breaker_for


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_opens_after_failures_in_a_row_and_not_before() -> None:
    breaker = Breaker(failures=3, seconds=10, clock=Clock())
    for _ in range(2):
        breaker.failure()
    breaker.success()  # the row is broken
    breaker.failure()
    breaker.failure()
    assert breaker.state == "closed" and breaker.allow()
    breaker.failure()
    assert breaker.state == "open" and not breaker.allow()


def test_half_open_lets_one_call_try_and_success_closes() -> None:
    clock = Clock()
    breaker = Breaker(failures=1, seconds=10, clock=clock)
    breaker.failure()
    clock.now += 9.9
    assert not breaker.allow() and 0 < breaker.seconds_left() < 0.2
    clock.now += 0.2
    assert breaker.state == "half_open"
    assert breaker.allow() and not breaker.allow()
    breaker.success()
    assert breaker.state == "closed" and breaker.allow() and breaker.allow()


def test_a_failed_probe_opens_again_for_the_whole_time() -> None:
    clock = Clock()
    breaker = Breaker(failures=5, seconds=10, clock=clock)
    breaker.failure(trip=True)
    clock.now += 11
    assert breaker.allow()
    breaker.failure()
    assert breaker.state == "open" and breaker.seconds_left() == 10


def test_a_cancelled_probe_lets_the_next_one_try() -> None:
    clock = Clock()
    breaker = Breaker(failures=1, seconds=1, clock=clock)
    breaker.failure()
    clock.now += 2
    assert breaker.allow() and not breaker.allow()
    breaker.release()
    assert breaker.allow()


def test_many_threads_get_exactly_one_probe() -> None:
    clock = Clock()
    breaker = Breaker(failures=1, seconds=1, clock=clock)
    breaker.failure()
    clock.now += 2
    gate, allowed = threading.Barrier(16), []

    def ask() -> None:
        gate.wait()
        allowed.append(breaker.allow())

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(allowed) == [False] * 15 + [True]


def test_one_breaker_for_each_endpoint() -> None:
    first = breaker_for(("http://one.test", "m"), 3, 30)
    assert first is breaker_for(("http://one.test", "m"), 3, 30)
    assert first is not breaker_for(("http://one.test", "other"), 3, 30)
