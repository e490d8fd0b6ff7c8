"""How often an emitter emits: idle, steady, bursty, or with the day.

A pace answers one question, when the next event comes after this one, from nothing but its own
state and the generator it is given: how the clock is moved cannot change what is emitted.
"""

from __future__ import annotations

import math
from random import Random
from typing import Protocol

import msgspec

from pipedream_source.sandbox.content.cron import next_minute

HOUR_MS = 3_600_000


class Pace(Protocol):
    """Decides when a feed emits next."""

    def next_after(self, ms: int, rng: Random) -> int | None:
        """Return the instant of the event after this one, or None for never again."""

    @property
    def text(self) -> str:
        """Say it for people."""


class Steady(msgspec.Struct, tag="steady"):
    """About so many an hour, each gap within `jitter` of the mean."""

    per_hour: float
    jitter: float = 0.35

    def __post_init__(self) -> None:
        """Make whole numbers floats, as which they are read back."""
        self.per_hour, self.jitter = float(self.per_hour), float(self.jitter)

    def next_after(self, ms: int, rng: Random) -> int | None:
        """Wait the mean gap, a little more or less."""
        gap = HOUR_MS / self.per_hour * rng.uniform(1 - self.jitter, 1 + self.jitter)
        return ms + max(1, round(gap))

    @property
    def text(self) -> str:
        """Say the rate."""
        return f"steady, {self.per_hour:g} an hour"


class Diurnal(msgspec.Struct, tag="diurnal"):
    """Follows the working day (UTC): a peak in the early afternoon, little at night."""

    peak_per_hour: float

    def __post_init__(self) -> None:
        """Make a whole number a float, as which it is read back."""
        self.peak_per_hour = float(self.peak_per_hour)

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


class Bursty(msgspec.Struct, tag="bursty"):
    """Many within minutes, then nothing for hours."""

    most: int
    left: int = 0

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


class Past(msgspec.Struct, tag="past"):
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


class Cron(msgspec.Struct, tag="cron"):
    """When a cron expression says (UTC); never when it says never."""

    expression: str

    def next_after(self, ms: int, _: Random) -> int | None:
        """Wait for the next minute that the expression names."""
        return next_minute(self.expression, ms)

    @property
    def text(self) -> str:
        """Say the expression."""
        return f"cron {self.expression}"


AnyPace = Steady | Diurnal | Bursty | Past | Cron
