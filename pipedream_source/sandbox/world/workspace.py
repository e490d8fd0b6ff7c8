"""All that the stand-in knows: one user, the workspaces, emitters, subscriptions and webhooks.

Time enters only as an argument. Feeds take turns in the order of their next event, so the state
at an instant is the same however many steps led there.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pipedream_source.sandbox.content.component_code import Components
from pipedream_source.sandbox.content.kinds import Kind
from pipedream_source.sandbox.content.paces import AnyPace
from pipedream_source.sandbox.protocol.errors import RecordNotFound
from pipedream_source.sandbox.protocol.ids import short_id
from pipedream_source.sandbox.world.creation import Creation
from pipedream_source.sandbox.world.emitters import Emitter, Feed, Turn
from pipedream_source.sandbox.world.listeners import Subscription, Subscriptions
from pipedream_source.sandbox.world.purges import Purges
from pipedream_source.sandbox.world.queues import Queues
from pipedream_source.sandbox.world.router import Emitted, Outlet, route
from pipedream_source.sandbox.world.usage import Usage

Record = dict[str, Any]


@dataclass
class Workspace:
    """The state behind the API.

    Attributes:
        seed: What everything here follows from.
        start_ms: When the sandbox began, in Unix milliseconds.
        user: The authenticated user, without the workspaces.
        orgs: The user's workspaces, the main one first.
        usage: What the emits use up.
        emitters: Sources and workflows by id, in the order of their creation.
        components: The code that sources run.
        subscriptions: Who listens to whom.
        webhooks: The account's webhooks by id.
        purges: Deletions that were accepted and still show.
        queues: Delayed emits.
        leaving: Deleted sources that still show once.
        created: In which order sources, workflows, subscriptions and webhooks were made.
        outlet: Where deliveries go; None while the history is made, when nothing is delivered.
        rng: Draws the ids of whatever is created later.
    """

    seed: int
    start_ms: int
    user: Record
    orgs: list[Record]
    usage: Usage
    emitters: dict[str, Emitter] = field(default_factory=dict)
    components: Components = field(default_factory=Components)
    subscriptions: Subscriptions = field(init=False)
    webhooks: dict[str, Record] = field(default_factory=dict)
    purges: Purges = field(default_factory=Purges)
    queues: Queues = field(default_factory=Queues)
    leaving: list[str] = field(default_factory=list)
    outlet: Outlet | None = None
    rng: Random = field(default_factory=Random)
    feeds: list[Feed | None] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    created: Creation = field(default_factory=Creation)

    def __post_init__(self) -> None:
        self.subscriptions = Subscriptions(self.created)
        for object_id in (*self.emitters, *self.webhooks):
            self.created.note(object_id)

    def add_feed(
        self,
        emitter: Emitter,
        channel: str,
        pace: AnyPace,
        *,
        since_ms: int,
        kind: Kind | None = None,
    ) -> Feed:
        """Let a channel emit by itself from this time on."""
        rng = Random(f"{self.seed}:{emitter.id}:{channel}")  # noqa: S311 - repeatable, not secret
        feed = Feed(emitter, channel, pace, rng, kind)
        self.feeds.append(feed)
        emitter.paces[channel] = pace.text
        self._schedule(len(self.feeds) - 1, since_ms)
        return feed

    def end_feeds(self, emitter: Emitter, channel: str | None = None) -> None:
        """Let an emitter emit no more by itself, on one channel or on all."""
        for number, feed in enumerate(self.feeds):
            if feed and feed.emitter is emitter and channel in (None, feed.channel):
                self.feeds[number] = None
                emitter.paces.pop(feed.channel, None)

    def resume(self, emitter: Emitter, ms: int) -> None:
        """Go on after a pause: what was due meanwhile is not made up for."""
        for number, feed in enumerate(self.feeds):
            if feed and feed.emitter is emitter and not feed.waits:
                self._schedule(number, ms)

    def run_until(self, now_ms: int) -> None:
        """Emit all that is due by now."""
        while self.turns and self.turns[0].at_ms <= now_ms:
            self._publish_due(self.turns[0].at_ms)
            self._take(heapq.heappop(self.turns))
        self._publish_due(now_ms)
        self.usage.roll(self.user, self.orgs, now_ms)

    def _publish_due(self, now_ms: int) -> None:
        for emitted in self.queues.take_due(self.emitters, now_ms):
            self.publish(emitted)

    def _take(self, turn: Turn) -> None:
        feed = self.feeds[turn.number]
        if feed is None:
            return
        feed.waits = False
        if feed.emitter.is_active or self.outlet is None:
            event = feed.emit(turn.at_ms)
            self.publish(Emitted(feed.emitter, feed.channel, event, turn.at_ms), by_feed=True)
            self._schedule(turn.number, turn.at_ms)

    def _schedule(self, number: int, ms: int) -> None:
        feed = self.feeds[number]
        at_ms = feed.pace.next_after(ms, feed.rng) if feed else None
        if feed and at_ms is not None:
            feed.waits = True
            heapq.heappush(self.turns, Turn(at_ms, number))

    def publish(self, emitted: Emitted, *, by_feed: bool = False) -> None:
        """Count an event that was emitted, and deliver it to those who listen."""
        if self.outlet is None:
            return
        self.charge(emitted.emitter, emitted.ms)
        if self.subscriptions:
            route(self, emitted, self.outlet, by_feed=by_feed)

    def charge(self, emitter: Emitter, ms: int) -> None:
        """Use up what one run costs."""
        org = next((org for org in self.orgs if org["id"] == emitter.owner_id), None)
        self.usage.roll(self.user, self.orgs, ms)
        self.usage.charge(self.user, org)

    def add_emitter(self, emitter: Emitter) -> None:
        """Keep a new emitter; auto-subscriptions apply to it."""
        self.emitters[emitter.id] = emitter
        self.created.note(emitter.id)
        for auto in self.subscriptions.auto_for(emitter):
            record = {**auto.record, "id": short_id("sub", self.rng), "emitter_id": emitter.id}
            self.subscriptions.add(Subscription(record, auto.listed_in))

    def add_webhook(self, webhook: Record) -> None:
        """Keep a new webhook."""
        self.webhooks[webhook["id"]] = webhook
        self.created.note(webhook["id"])

    def remove_source(self, emitter: Emitter, mode: str = "at_once") -> None:
        """Forget a source with its events and subscriptions, at once or after its next read."""
        self.end_feeds(emitter)
        if mode == "one_read" and emitter.id not in self.leaving:
            self.leaving.append(emitter.id)
            return
        self.emitters.pop(emitter.id, None)
        self.subscriptions.remove_all_of(emitter.id)

    def show_leaving(self, shown: Callable[[Emitter], bool]) -> None:
        """Forget the deleted sources that an answer has just shown for the last time."""
        for emitter in [self.emitters[emitter_id] for emitter_id in self.leaving]:
            if shown(emitter):
                self.leaving.remove(emitter.id)
                self.remove_source(emitter)

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
