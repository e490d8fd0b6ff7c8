"""Hands an emitted event to those who listen, and lets them run.

A workflow emits `{"raw_event": <the event>}`, or throws over it; a source emits the event anew; a
webhook gets the raw event. All of it happens at the event's own instant. Two guards stop loops:
whoever has run for an event does not run again for what comes of it, and one event causes no more
than `MOST_DELIVERIES` deliveries in all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from pipedream_source.sandbox.content.failures import failure
from pipedream_source.sandbox.content.kinds import Throws
from pipedream_source.sandbox.content.payloads import Payload
from pipedream_source.sandbox.protocol.rows import ERRORS
from pipedream_source.sandbox.world.emitters import Emitter
from pipedream_source.sandbox.world.listeners import Subscription, Subscriptions

MOST_DELIVERIES = 1_000
ON_EVENT = ("emit", "fail", "ignore")


class Emitted(NamedTuple):
    """An event on its way: who emitted it, where, and who has run for it so far."""

    emitter: Emitter
    channel: str
    event: bytes
    ms: int
    ran: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outlet:
    """Where deliveries go that leave the sandbox, and where the stopped ones are noted.

    Attributes:
        post: Takes a webhook, the emitter's id and the raw event.
        stopped: Takes the ids of the emitter and the listener, and why.
    """

    post: Callable[[dict[str, Any], str, bytes, int], None]
    stopped: Callable[[str, str, str, int], None]


class Audience(Protocol):
    """Those who may listen, and what their runs use up."""

    emitters: dict[str, Emitter]
    subscriptions: Subscriptions
    webhooks: dict[str, dict[str, Any]]

    def charge(self, emitter: Emitter, ms: int) -> None:
        """Use up what one run costs."""


def route(audience: Audience, first: Emitted, outlet: Outlet, *, by_feed: bool) -> None:
    """Deliver an event, and all that comes of it."""
    waiting = deque([first])
    left = MOST_DELIVERIES
    while waiting:
        emitted = waiting.popleft()
        for subscription in tuple(audience.subscriptions.matching(*emitted[:2])):
            if by_feed and emitted is first and subscription.seeded:
                continue
            listener_id = subscription.record["listener_id"]
            left -= 1
            if left < 0 or listener_id in emitted.ran:
                why = "loop" if left >= 0 else "too many"
                outlet.stopped(emitted.emitter.id, listener_id, why, emitted.ms)
                continue
            waiting += _delivered(audience, subscription, emitted, outlet)


def _delivered(
    audience: Audience, subscription: Subscription, emitted: Emitted, outlet: Outlet
) -> list[Emitted]:
    """Deliver to one listener and return what it emitted."""
    listener_id = subscription.record["listener_id"]
    webhook = audience.webhooks.get(listener_id)
    if webhook is not None:
        outlet.post(webhook, emitted.emitter.id, emitted.event, emitted.ms)
    listener = audience.emitters.get(listener_id)
    if listener is None or not listener.is_active or listener.on_event == "ignore":
        return []
    channel, payload = _run(listener, emitted)
    key = listener.place(channel, emitted.ms)
    listener.add(channel, key, payload, rng=listener.rng)
    audience.charge(listener, emitted.ms)
    return [Emitted(listener, channel, payload.event, key.ms, emitted.ran | {listener_id})]


def _run(listener: Emitter, emitted: Emitted) -> tuple[str, Payload]:
    """Let a listener run over an event; return the channel and what it emits there."""
    if listener.is_source:
        return "", Payload(emitted.event, {})
    kind = listener.kind(ERRORS)
    if listener.on_event == "fail" and isinstance(kind, Throws):
        thrower = kind.throwers[0].identity
        return ERRORS, failure(
            thrower, emitted.event, listener.rng, emitted.ms, emitter_id=emitted.emitter.id
        )
    return "", Payload(b'{"raw_event":' + emitted.event + b"}", {})
