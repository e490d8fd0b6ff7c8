"""The whole state as data: written down, and read back so that the same answers follow.

Bytes are base64, as an event need not be JSON nor even UTF-8. Each event's text and each
component's code stands once, however many rows and components have it. Not in it: the keys, which
belong to the server, the journal, and deliveries under way.
"""

from __future__ import annotations

import struct
from random import Random
from typing import Any

import msgspec

from pipedream_source.sandbox.content.component_code import Component, Components, read_code
from pipedream_source.sandbox.content.kinds import Kind
from pipedream_source.sandbox.content.paces import AnyPace
from pipedream_source.sandbox.protocol.ids import EventId, parse_event_id
from pipedream_source.sandbox.protocol.rows import Row
from pipedream_source.sandbox.world.emitters import Emitter, Feed, Turn
from pipedream_source.sandbox.world.listeners import Subscription
from pipedream_source.sandbox.world.purges import Purge
from pipedream_source.sandbox.world.queues import Delayed
from pipedream_source.sandbox.world.streams import Stream
from pipedream_source.sandbox.world.usage import Usage
from pipedream_source.sandbox.world.workspace import Workspace

_WORDS = struct.Struct("<625I")


class KeptRow(msgspec.Struct, array_like=True):
    """A row: its place, id, time, the number of its event's text, and its metadata.

    A verbatim row has no metadata, and its whole text in the event's place.
    """

    key: str
    id: str
    indexed_at_ms: int
    event: int
    metadata: bytes | None


class KeptStream(msgspec.Struct, array_like=True):
    """A stream: how many events it had in all, its last own id, and its window.

    The rows stand in the order in which they go: by id, or by arrival.
    """

    emitted: int
    last: tuple[int, int]
    rows: list[KeptRow]


class KeptEmitter(msgspec.Struct):
    """An emitter, see `Emitter`."""

    id: str
    name: str
    owner_id: str
    kinds: dict[str, Kind]
    rng: bytes
    record: dict[str, Any]
    listed_in: tuple[str, ...]
    paces: dict[str, str]
    streams: dict[str, KeptStream]
    on_event: str
    by_arrival: bool = False


class KeptFeed(msgspec.Struct):
    """A feed, see `Feed`."""

    emitter_id: str
    channel: str
    pace: AnyPace
    rng: bytes
    kind: Kind | None
    waits: bool


class KeptComponent(msgspec.Struct):
    """A component, with the number of its code."""

    id: str
    code: int
    kind: str
    created_s: int
    updated_s: int
    url: str | None
    owner_id: str


class KeptWorkspace(msgspec.Struct):
    """A workspace, see `Workspace`; events and codes are the texts that numbers refer to."""

    seed: int
    start_ms: int
    user: dict[str, Any]
    orgs: list[dict[str, Any]]
    usage: Usage
    rng: bytes
    emitters: list[KeptEmitter]
    feeds: list[KeptFeed | None]
    turns: list[tuple[int, int]]
    components: list[KeptComponent]
    subscriptions: list[Subscription]
    webhooks: list[dict[str, Any]]
    purges: list[Purge]
    delayed: list[Delayed]
    queued: int
    leaving: list[str]
    events: list[bytes]
    codes: list[str]
    created: list[str] = []


def keep_rng(rng: Random) -> bytes:
    """Write a generator's state down."""
    return _WORDS.pack(*rng.getstate()[1])


def read_rng(state: bytes) -> Random:
    """Return a generator of this state.

    Raises:
        ValueError: it is none.
    """
    rng = Random()  # noqa: S311 - repeatable, not secret
    try:
        rng.setstate((3, _WORDS.unpack(state), None))
    except struct.error as error:
        raise ValueError(f"not a generator's state: {error}") from None
    return rng


class _Numbers(dict[Any, int]):
    """Gives each distinct text a number, in the order they are met."""

    def __missing__(self, text: Any) -> int:
        self[text] = len(self)
        return self[text]


def keep(workspace: Workspace) -> KeptWorkspace:
    """Write a workspace down."""
    events, codes = _Numbers(), _Numbers()
    return KeptWorkspace(
        seed=workspace.seed,
        start_ms=workspace.start_ms,
        user=workspace.user,
        orgs=workspace.orgs,
        usage=workspace.usage,
        rng=keep_rng(workspace.rng),
        emitters=[_kept_emitter(e, events) for e in workspace.emitters.values()],
        feeds=[_kept_feed(feed) if feed else None for feed in workspace.feeds],
        turns=[(turn.at_ms, turn.number) for turn in workspace.turns],
        components=[_kept_component(c, codes) for c in workspace.components.by_id.values()],
        subscriptions=workspace.subscriptions.all,
        webhooks=list(workspace.webhooks.values()),
        purges=workspace.purges.waiting,
        delayed=workspace.queues.waiting,
        queued=workspace.queues.queued,
        leaving=workspace.leaving,
        events=list(events),
        codes=list(codes),
        created=workspace.created.ids,
    )


def _kept_emitter(emitter: Emitter, events: _Numbers) -> KeptEmitter:
    return KeptEmitter(
        id=emitter.id,
        name=emitter.name,
        owner_id=emitter.owner_id,
        kinds=emitter.kinds,
        rng=keep_rng(emitter.rng),
        record=emitter.record,
        listed_in=emitter.listed_in,
        paces=emitter.paces,
        streams={name: _kept_stream(s, events) for name, s in emitter.streams.items()},
        on_event=emitter.on_event,
        by_arrival=emitter.by_arrival,
    )


def _kept_stream(stream: Stream, events: _Numbers) -> KeptStream:
    rows = [
        KeptRow(str(row.key), row.id, 0, events[row.opening], None)
        if row.is_verbatim
        else KeptRow(str(row.key), row.id, row.indexed_at_ms, events[row.event], row.metadata)
        for row in (stream.rows if stream.arrivals is None else stream.arrivals)
    ]
    return KeptStream(stream.emitted, stream.last, rows)


def _kept_feed(feed: Feed) -> KeptFeed:
    return KeptFeed(
        feed.emitter.id, feed.channel, feed.pace, keep_rng(feed.rng), feed.kind, feed.waits
    )


def _kept_component(component: Component, codes: _Numbers) -> KeptComponent:
    return KeptComponent(
        component.id,
        codes[component.text.code],
        component.kind,
        component.created_s,
        component.updated_s,
        component.url,
        component.owner_id,
    )


def read(kept: KeptWorkspace) -> Workspace:
    """Build the workspace that was written down.

    Raises:
        ValueError, LookupError: it does not hold together.
    """
    workspace = Workspace(
        kept.seed,
        kept.start_ms,
        kept.user,
        kept.orgs,
        kept.usage,
        emitters={e.id: _emitter(e, kept.events) for e in kept.emitters},
        components=_components(kept),
        webhooks={webhook["id"]: webhook for webhook in kept.webhooks},
        leaving=kept.leaving,
        rng=read_rng(kept.rng),
        turns=[Turn(*turn) for turn in kept.turns],
    )
    workspace.feeds = [_feed(feed, workspace) if feed else None for feed in kept.feeds]
    for subscription in kept.subscriptions:
        workspace.subscriptions.add(subscription)
    workspace.created.restore(kept.created)
    workspace.purges.waiting = kept.purges
    workspace.queues.waiting, workspace.queues.queued = kept.delayed, kept.queued
    if any(not 0 <= turn.number < len(workspace.feeds) for turn in workspace.turns):
        raise ValueError("a turn is of no feed")
    return workspace


def _components(kept: KeptWorkspace) -> Components:
    components = Components()
    for one in kept.components:
        text = read_code(kept.codes[one.code])
        times = (one.created_s, one.updated_s)
        components.add(Component(one.id, text, one.kind, *times, one.url, one.owner_id))
    return components


def _emitter(kept: KeptEmitter, events: list[bytes]) -> Emitter:
    return Emitter(
        kept.id,
        kept.name,
        kept.owner_id,
        kept.kinds,
        read_rng(kept.rng),
        kept.record,
        kept.listed_in,
        kept.paces,
        {name: _stream(kept, name, stream, events) for name, stream in kept.streams.items()},
        kept.on_event,
        kept.by_arrival,
    )


def _stream(emitter: KeptEmitter, channel: str, kept: KeptStream, events: list[bytes]) -> Stream:
    stream = Stream(emitter.id, channel, by_arrival=emitter.by_arrival)
    for row in kept.rows:
        stream.add(_row(row, events[row.event]))
    stream.emitted, stream.last = kept.emitted, EventId(*kept.last)
    return stream


def _row(kept: KeptRow, event: bytes) -> Row:
    key = parse_event_id(kept.key)
    if key is None:
        raise ValueError(f"not an event id: {kept.key[:80]!r}")
    if kept.metadata is None:
        return Row.verbatim(key, kept.id, event)
    return Row.build(
        key, kept.id, indexed_at_ms=kept.indexed_at_ms, event=event, metadata=kept.metadata
    )


def _feed(kept: KeptFeed, workspace: Workspace) -> Feed:
    emitter = workspace.emitters[kept.emitter_id]
    return Feed(emitter, kept.channel, kept.pace, read_rng(kept.rng), kept.kind, kept.waits)
