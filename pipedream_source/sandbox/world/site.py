"""The one mutable whole behind the HTTP server: workspace, clock, switches, faults, journal."""

from __future__ import annotations

from datetime import datetime

from pipedream_source.sandbox.content.library import Published, at_address, published
from pipedream_source.sandbox.protocol.clock import DEFAULT_START, Clock
from pipedream_source.sandbox.protocol.faults import Faults
from pipedream_source.sandbox.protocol.journal import Journal
from pipedream_source.sandbox.protocol.switches import Switches
from pipedream_source.sandbox.protocol.tokens import Tokens
from pipedream_source.sandbox.world.deliveries import Deliveries
from pipedream_source.sandbox.world.router import Outlet
from pipedream_source.sandbox.world.seeding import seeded_key, seeded_workspace
from pipedream_source.sandbox.world.workspace import Workspace


class Site:
    """Everything that a reset puts back, and the two keys, which it leaves."""

    def __init__(
        self, *, seed: int = 7, speed: float = 0.0, start: datetime = DEFAULT_START
    ) -> None:
        self.clock = Clock(start, speed)
        self.api_key = seeded_key(seed, "api")
        self.control_key = seeded_key(seed, "control")
        self.client_id = seeded_key(seed, "client")
        self.client_secret = seeded_key(seed, "secret")
        secrets = (self.api_key, self.control_key, self.client_secret)
        self.journal = Journal(secrets=secrets)
        self.deliveries = Deliveries(lambda: self.switches.deliveries)
        self._seed(seed)

    def reset(self, seed: int | None = None) -> None:
        """Put the seeded state back, of another seed if one is given."""
        self.clock.reset()
        self.journal.clear()
        self.deliveries.clear()
        self._seed(self.workspace.seed if seed is None else seed)

    def _seed(self, seed: int) -> None:
        self.switches = Switches()
        self.faults = Faults(seed)
        self.tokens = Tokens(seed)
        self.published: dict[str, Published] = {}
        self.settle(seeded_workspace(seed, self.clock.start_ms))

    def settle(self, workspace: Workspace) -> None:
        """Let a workspace be the one that is served, and its deliveries go out from here."""
        workspace.outlet = Outlet(self.deliveries.post, self.deliveries.stopped)
        self.workspace = workspace

    def published_at(self, url: str) -> Published | None:
        """Return the component that is known to be published at an address."""
        return self.published.get(url) or at_address(url)

    def registered(self, key: str) -> Published | None:
        """Return the component of the global registry that has a key."""
        own = (component for component in self.published.values() if component.key == key)
        return next(own, None) or published().get(key)

    def now_ms(self) -> int:
        """Return the time, after everything that is due by then was emitted."""
        now = self.clock.now_ms()
        self.workspace.run_until(now)
        return now
