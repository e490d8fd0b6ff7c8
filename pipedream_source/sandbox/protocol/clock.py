"""The sandbox's only source of time, so that the same calls give the same answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate

DEFAULT_START = datetime(2026, 11, 2, 9, 0, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still unless it is moved, or runs at a chosen speed.

    Args:
        start: The instant it shows at first, and again after `reset`.
        speed: Sandbox seconds for each real second; 0 stands still. It is the speed again after
            `reset`.
        elapsed: Real seconds since some fixed moment.
    """

    def __init__(
        self,
        start: datetime = DEFAULT_START,
        speed: float = 0.0,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self.start_ms = round(start.timestamp() * 1000)
        self._first_speed = speed
        self._elapsed = elapsed
        self.reset()

    def reset(self) -> None:
        """Show the start again."""
        self.set(self.start_ms, self._first_speed)

    def set(self, now_ms: int, speed: float) -> None:
        """Show an instant, and go on from it at a speed."""
        self.speed = speed
        self._moved_ms = now_ms - self.start_ms
        self._since = self._elapsed() if speed else 0.0

    def advance(self, seconds: float) -> None:
        """Jump forward; a clock never goes back, only a reset does that."""
        self._moved_ms += round(seconds * 1000)

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        ran = int((self._elapsed() - self._since) * self.speed * 1000) if self.speed else 0
        return self.start_ms + self._moved_ms + ran


def iso(ms: int) -> str:
    """Write an instant as the API does inside events: `2020-11-26T06:06:44.652Z`."""
    text = datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def http_date(ms: int) -> str:
    """Write an instant as the `Date` header does."""
    return formatdate(ms // 1000, usegmt=True)
