"""How often an emitter emits: idle, steady, bursty, or with the day.

A pace answers one question, when the next event comes after this one, from nothing but its own
state and the generator it is given: how the clock is moved cannot change what is emitted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

HOUR_MS = 3_600_000


class Pace(Protocol):
    """Decides when a feed emits next."""

    def next_after(self, ms: int, rng: Random) -> int | None:
        """Return the instant of the event after this one, or None for never again."""

    @property
    def text(self) -> str:
        """Say it for people."""


@dataclass
class Steady:
    """About so many an hour, each gap within `jitter` of the mean."""

    per_hour: float
    jitter: float = 0.35

    def next_after(self, ms: int, rng: Random) -> int | None:
        """Wait the mean gap, a little more or less."""
        gap = HOUR_MS / self.per_hour * rng.uniform(1 - self.jitter, 1 + self.jitter)
        return ms + max(1, round(gap))

    @property
    def text(self) -> str:
        """Say the rate."""
        return f"steady, {self.per_hour:g} an hour"


@dataclass
class Diurnal:
    """Follows the working day (UTC): a peak in the early afternoon, little at night."""

    peak_per_hour: float

    def next_after(self, ms: int, rng: Random) -> int | None:
        """Wait as the hour of the day says, never longer than an hour."""
        hour = ms / HOUR_MS % 24
        daylight = max(0.0, math.sin((hour - 6) * math.pi / 14)) if 6 <= hour <= 20 else 0.0
        rate = self.peak_per_hour * (0.1 + 0.9 * daylight)
        gap = min(HOUR_MS, HOUR_MS / rate) * rng.uniform(0.65, 1.35)
        return ms + max(1, round(gap))

    @property
    def text(self) -> str:
        """Say the peak."""
        return f"diurnal, up to {self.peak_per_hour:g} an hour"


@dataclass
class Bursty:
    """Many within minutes, then nothing for hours."""

    most: int
    left: int = field(default=0, compare=False)

    def next_after(self, ms: int, rng: Random) -> int | None:
        """Wait seconds within a burst, hours between two."""
        if self.left > 0:
            self.left -= 1
            return ms + rng.randint(200, 6_000)
        self.left = rng.randint(self.most // 3, self.most) - 1
        return ms + round(HOUR_MS * rng.uniform(1.5, 4))

    @property
    def text(self) -> str:
        """Say the size of a burst."""
        return f"bursty, up to {self.most} within minutes, hours apart"


@dataclass
class Past:
    """A few events long ago, then no more."""

    left: int

    def next_after(self, ms: int, rng: Random) -> int | None:
        """Wait hours, until the last one."""
        self.left -= 1
        return ms + round(HOUR_MS * rng.uniform(0.5, 3)) if self.left >= 0 else None

    @property
    def text(self) -> str:
        """Say that it is over."""
        return "idle"
