"""The brake that all threads share."""

import time
from types import SimpleNamespace

import pytest

from pipedream_source.api.http import limiter as limiter_module
from pipedream_source.api.http.limiter import Limiter, backoff_s
from pipedream_source.exceptions import GaveUp
from pipedream_source.settings import BACKOFF_CAP_S, GIVE_UP_AFTER_FAILURES


class Clock:
    """A monotonic clock that stands still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        # Not `time.monotonic` itself: event loops of servers in this process would stand still.
        monkeypatch.setattr(limiter_module, "time", SimpleNamespace(monotonic=lambda: self.now))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_pauses_that_overlap_are_paid_once(clock: Clock) -> None:
    limiter = Limiter(10)
    assert limiter.pause(8)
    assert limiter.pause(8)
    assert limiter.pause(5)
    assert limiter.pause(10)
    assert limiter.retries == 4
    clock.now += 10
    assert limiter.wait_turn() == 0
    assert not limiter.pause(0.1)
    assert limiter.retries == 4


def test_a_wait_beyond_the_budget_holds_every_request(clock: Clock) -> None:
    limiter = Limiter(5)
    assert limiter.wait_turn() == 0
    assert not limiter.pause(3600)
    assert limiter.wait_turn() == 3600
    clock.now += 3599
    assert limiter.wait_turn() == 1
    # Answers to requests that were under way make it longer, never shorter.
    assert not limiter.pause(0.5)
    assert not limiter.pause(0)
    assert limiter.wait_turn() == 1
    assert not limiter.pause(60)
    clock.now += 1
    assert limiter.wait_turn() == 59
    clock.now += 59
    assert limiter.wait_turn() == 0
    assert limiter.pause(5)


def test_a_hold_ends_waits_within_the_budget() -> None:
    limiter = Limiter(60)
    assert limiter.pause(0.3)
    assert not limiter.pause(100)
    began = time.monotonic()
    assert 99 < limiter.wait_turn() <= 100
    assert time.monotonic() - began < 0.2


def test_a_spent_budget_still_allows_no_wait(clock: Clock) -> None:
    limiter = Limiter(5)
    assert limiter.pause(5)
    clock.now += 6
    assert limiter.pause(0)
    assert limiter.wait_turn() == 0
    assert not limiter.pause(0.1)


def test_stop_ends_every_wait() -> None:
    limiter = Limiter(100)
    assert limiter.pause(90)
    limiter.stop()
    began = time.monotonic()
    with pytest.raises(GaveUp, match="told to stop"):
        limiter.wait_turn()
    limiter.back_off(9)
    assert time.monotonic() - began < 8
    assert limiter.stopped


def test_failures_in_a_row_end_the_run() -> None:
    limiter = Limiter()
    for _ in range(GIVE_UP_AFTER_FAILURES - 1):
        limiter.failed()
    limiter.wait_turn()
    limiter.succeeded()
    for _ in range(GIVE_UP_AFTER_FAILURES):
        limiter.wait_turn()
        limiter.failed()
    with pytest.raises(GaveUp, match=str(GIVE_UP_AFTER_FAILURES)):
        limiter.wait_turn()


def test_waits_double_up_to_a_cap() -> None:
    waits = [backoff_s(attempt) for attempt in range(12)]
    assert waits[1] == 2 * waits[0]
    assert waits == sorted(waits)
    assert waits[-1] == BACKOFF_CAP_S
