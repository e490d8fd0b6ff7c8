"""All that the stand-in knows: one user, the workspaces, emitters, subscriptions and webhooks.

Time enters only as an argument. Feeds take turns in the order of their next event, so the state
at an instant is the same however many steps led there.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pipedream_source.sandbox.emitters import Emitter, Feed, Turn
from pipedream_source.sandbox.errors import RecordNotFound
from pipedream_source.sandbox.paces import Pace

Record = dict[str, Any]


@dataclass
class Workspace:
    """The state behind the API.

    Attributes:
        seed: What everything here follows from.
        user: The authenticated user, without the workspaces.
        orgs: The user's workspaces, the main one first.
        emitters: Sources and workflows by id, in the order of their creation.
        subscriptions: By the user or workspace that owns them.
        webhooks: The account's webhooks.
        rng: Draws the ids of whatever is created later.
    """

    seed: int
    user: Record
    orgs: list[Record]
    emitters: dict[str, Emitter] = field(default_factory=dict)
    subscriptions: dict[str, list[Record]] = field(default_factory=dict)
    webhooks: list[Record] = field(default_factory=list)
    rng: Random = field(default_factory=Random)
    _feeds: list[Feed] = field(default_factory=list)
    _turns: list[Turn] = field(default_factory=list)

    def add_feed(self, emitter: Emitter, channel: str, pace: Pace, *, since_ms: int) -> None:
        """Let a channel emit by itself from this time on."""
        rng = Random(f"{self.seed}:{emitter.id}:{channel}")  # noqa: S311 - repeatable, not secret
        self._feeds.append(Feed(emitter, channel, pace, rng))
        emitter.paces[channel] = pace.text
        self._schedule(len(self._feeds) - 1, since_ms)

    def run_until(self, now_ms: int) -> None:
        """Emit all that is due by now."""
        while self._turns and self._turns[0].at_ms <= now_ms:
            turn = heapq.heappop(self._turns)
            self._feeds[turn.number].emit(turn.at_ms)
            self._schedule(turn.number, turn.at_ms)

    def _schedule(self, number: int, ms: int) -> None:
        feed = self._feeds[number]
        at_ms = feed.pace.next_after(ms, feed.rng)
        if at_ms is not None:
            heapq.heappush(self._turns, Turn(at_ms, number))

    def emitter(self, emitter_id: str) -> Emitter:
        """Return an emitter, or refuse an id that is none."""
        try:
            return self.emitters[emitter_id]
        except KeyError:
            raise RecordNotFound from None

    def source(self, source_id: str) -> Emitter:
        """Return a source; a workflow's id is refused."""
        emitter = self.emitter(source_id)
        if not emitter.is_source:
            raise RecordNotFound
        return emitter

    def workflow(self, workflow_id: str) -> Emitter:
        """Return a workflow; a source's id is refused."""
        emitter = self.emitter(workflow_id)
        if emitter.is_source:
            raise RecordNotFound
        return emitter

    def org(self, org_id: str) -> Record:
        """Return a workspace of the user."""
        for org in self.orgs:
            if org["id"] == org_id:
                return org
        raise RecordNotFound

    def sources_of(self, owner_id: str) -> list[Record]:
        """Return the sources in a user's or workspace's list."""
        return [e.record for e in self.emitters.values() if owner_id in e.listed_in]

    def subscriptions_of(self, owner_id: str) -> list[Record]:
        """Return the subscriptions in a user's or workspace's list."""
        return self.subscriptions.get(owner_id, [])
