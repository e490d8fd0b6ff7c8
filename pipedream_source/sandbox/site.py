"""The one mutable whole behind the HTTP server: workspace, clock, switches, faults, journal."""

from __future__ import annotations

from datetime import datetime

from pipedream_source.sandbox.clock import DEFAULT_START, Clock
from pipedream_source.sandbox.faults import Faults
from pipedream_source.sandbox.journal import Journal
from pipedream_source.sandbox.seeding import seeded_key, seeded_workspace
from pipedream_source.sandbox.switches import Switches


class Site:
    """Everything that a reset puts back, and the two keys, which it leaves."""

    def __init__(
        self, *, seed: int = 7, speed: float = 0.0, start: datetime = DEFAULT_START
    ) -> None:
        self.clock = Clock(start, speed)
        self.api_key = seeded_key(seed, "api")
        self.control_key = seeded_key(seed, "control")
        self.journal = Journal(secrets=(self.api_key, self.control_key))
        self.faults = Faults()
        self._seed(seed)

    def reset(self, seed: int | None = None) -> None:
        """Put the seeded state back, of another seed if one is given."""
        self.clock.reset()
        self.journal.clear()
        self.faults.clear()
        self._seed(self.workspace.seed if seed is None else seed)

    def _seed(self, seed: int) -> None:
        self.switches = Switches()
        self.workspace = seeded_workspace(seed, self.clock.start_ms)

    def now_ms(self) -> int:
        """Return the time, after everything that is due by then was emitted."""
        now = self.clock.now_ms()
        self.workspace.run_until(now)
        return now
