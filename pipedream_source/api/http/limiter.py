"""One brake for all threads: waits that the API asks for, the run's budget, and giving up.

A `Retry-After` is meant for the client, not for one request (RFC 9110, section 10.2.3; RFC 6585,
section 4): until then nothing is sent, whether the wait fits the budget or not.
"""

from __future__ import annotations

import random
import threading
import time

from pipedream_source.exceptions import GaveUp
from pipedream_source.settings import (
    BACKOFF_BASE_S,
    BACKOFF_CAP_S,
    GIVE_UP_AFTER_FAILURES,
    RETRY_BUDGET_S,
)


class Limiter:
    """Shared by all threads of a run; each asks it before it sends.

    Args:
        retry_budget_s: seconds the whole run may spend waiting because the API said so.
    """

    def __init__(self, retry_budget_s: float = RETRY_BUDGET_S) -> None:
        """Start with an unspent budget."""
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._resume_at = 0.0
        self._held_until = 0.0
        self._budget_s = retry_budget_s
        self._failures = 0
        self.retries = 0

    def wait_turn(self) -> float:
        """Wait until requests may be sent.

        Returns:
            0, or the seconds for which nothing may be sent because the API asked for a wait beyond
            the budget: the caller gives the request up.

        Raises:
            GaveUp: the run was told to stop, or too many requests failed in a row.
        """
        while True:
            if self._stopped.is_set():
                raise GaveUp("not started: the run was told to stop")
            if self._failures >= GIVE_UP_AFTER_FAILURES:
                raise GaveUp(f"not started: {self._failures} requests in a row failed before")
            now = time.monotonic()
            if self._held_until > now:
                return self._held_until - now
            left = self._resume_at - now
            if left <= 0:
                return 0.0
            self._stopped.wait(left)

    def pause(self, seconds: float) -> bool:
        """Let no thread send anything for some seconds; wait that long if the budget allows.

        Returns:
            False when it does not: nobody waits, and until then every request is given up.
        """
        with self._lock:
            now = time.monotonic()
            until = now + seconds
            longer = until - max(self._resume_at, now)
            if longer > self._budget_s or self._held_until > until:
                self._held_until = max(self._held_until, until)
                return False
            if longer > 0:
                self._budget_s -= longer
                self._resume_at = until
            self.retries += 1
            return True

    def back_off(self, attempt: int) -> None:
        """Let the calling thread alone wait before its next try, with full jitter."""
        with self._lock:
            self.retries += 1
        # Jitter wants no cryptographic randomness.
        self._stopped.wait(random.uniform(0.2, 1.0) * backoff_s(attempt))  # noqa: S311

    def succeeded(self) -> None:
        """Note that the API answered: failures are no longer in a row."""
        self._failures = 0

    def failed(self) -> None:
        """Note a request that failed after its last try."""
        with self._lock:
            self._failures += 1

    def stop(self) -> None:
        """Start no new request and end all waits; safe to call from a signal handler."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether the run was told to stop."""
        return self._stopped.is_set()


def backoff_s(attempt: int) -> float:
    """Return the longest wait after a try, counted from 0: doubling up to a cap."""
    return min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2.0**attempt)
