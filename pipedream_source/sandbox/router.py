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
from typing import TYPE_CHECKING, Any, NamedTuple

from pipedream_source.sandbox.emitters import Emitter
from pipedream_source.sandbox.failures import failure
from pipedream_source.sandbox.kinds import Throws
from pipedream_source.sandbox.payloads import Payload
from pipedream_source.sandbox.rows import ERRORS
from pipedream_source.sandbox.subscriptions import Subscription

if TYPE_CHECKING:
    from pipedream_source.sandbox.workspace import Workspace

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


def route(workspace: Workspace, first: Emitted, outlet: Outlet, *, by_feed: bool) -> None:
    """Deliver an event, and all that comes of it."""
    waiting = deque([first])
    left = MOST_DELIVERIES
    while waiting:
        emitted = waiting.popleft()
        for subscription in tuple(workspace.subscriptions.matching(*emitted[:2])):
            if by_feed and emitted is first and subscription.seeded:
                continue
            listener_id = subscription.record["listener_id"]
            left -= 1
            if left < 0 or listener_id in emitted.ran:
                why = "loop" if left >= 0 else "too many"
                outlet.stopped(emitted.emitter.id, listener_id, why, emitted.ms)
                continue
            waiting += _delivered(workspace, subscription, emitted, outlet)


def _delivered(
    workspace: Workspace, subscription: Subscription, emitted: Emitted, outlet: Outlet
) -> list[Emitted]:
    """Deliver to one listener and return what it emitted."""
    listener_id = subscription.record["listener_id"]
    webhook = workspace.webhooks.get(listener_id)
    if webhook is not None:
        outlet.post(webhook, emitted.emitter.id, emitted.event, emitted.ms)
    listener = workspace.emitters.get(listener_id)
    if listener is None or not listener.is_active or listener.on_event == "ignore":
        return []
    channel, payload = _run(listener, emitted)
    key = listener.place(channel, emitted.ms)
    listener.add(channel, key, payload, rng=listener.rng)
    workspace.charge(listener, emitted.ms)
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
