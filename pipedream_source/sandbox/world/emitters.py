"""Sources and workflows: who they are, what they emit, and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from pipedream_source.sandbox.content.kinds import Kind, make
from pipedream_source.sandbox.content.paces import AnyPace
from pipedream_source.sandbox.content.payloads import Payload, to_json
from pipedream_source.sandbox.protocol.ids import EventId, ksuid
from pipedream_source.sandbox.protocol.rows import Row
from pipedream_source.sandbox.world.streams import Stream


@dataclass
class Emitter:
    """A source or a workflow with its streams.

    Attributes:
        id: `dc_…` or `p_…`.
        name: What people call it.
        owner_id: The user or workspace it belongs to.
        kinds: What it emits on each channel; the default channel's serves for others.
        rng: Draws whatever is emitted on request.
        record: A source's object as the API lists it; empty for a workflow.
        listed_in: The users and workspaces in whose lists a source stands.
        paces: How often each channel emits by itself, for people.
        streams: The channels that were emitted on.
        on_event: What a listener does with an event that is delivered to it: `emit` it, `fail`
            (a workflow), or `ignore` it.
        by_arrival: Whether the 101st event of a channel replaces the one that came first, not the
            one with the oldest id.
    """

    id: str
    name: str
    owner_id: str
    kinds: dict[str, Kind]
    rng: Random
    record: dict[str, Any] = field(default_factory=dict)
    listed_in: tuple[str, ...] = ()
    paces: dict[str, str] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)
    on_event: str = "emit"
    by_arrival: bool = False

    @property
    def is_active(self) -> bool:
        """Whether it runs; a workflow always does."""
        return bool(self.record.get("active", True))

    def is_seen_by(self, org_id: str | None) -> bool:
        """Whether a key sees it: the user's own sees all, a token what its workspace has."""
        return org_id is None or org_id == self.owner_id or org_id in self.listed_in

    @property
    def is_source(self) -> bool:
        """Whether it is read under `/sources`, not under `/workflows`."""
        return bool(self.record)

    def stream(self, channel: str) -> Stream:
        """Return a channel's stream; one never emitted on is empty."""
        return self.streams.get(channel) or self._new_stream(channel)

    def _new_stream(self, channel: str) -> Stream:
        return Stream(self.id, channel, by_arrival=self.by_arrival)

    def payload(self, channel: str, ms: int) -> Payload:
        """Make an event such as this emitter emits."""
        return make(self.kind(channel), self.rng, ms)

    def kind(self, channel: str) -> Kind:
        """Return what it emits on a channel."""
        return self.kinds.get(channel, self.kinds[""])

    def place(self, channel: str, ms: int, *, row_id: str | None = None) -> EventId:
        """Take the next place in a stream, or the place of a forced id."""
        stream = self.streams.setdefault(channel, self._new_stream(channel))
        return stream.next_key(ms) if row_id is None else stream.forced_key(row_id, ms)

    def add(
        self,
        channel: str,
        key: EventId,
        payload: Payload,
        *,
        rng: Random,
        row_id: str | None = None,
        indexed_at_ms: int | None = None,
        metadata: bytes | None = None,
    ) -> str:
        """Keep one event at the place taken for it and return its id."""
        about = metadata or to_json(self._metadata(channel, key, payload, rng))
        row_id = str(key) if row_id is None else row_id
        indexed = key.ms if indexed_at_ms is None else indexed_at_ms
        row = Row.build(key, row_id, indexed_at_ms=indexed, event=payload.event, metadata=about)
        self.streams[channel].add(row)
        return row_id

    def _metadata(
        self, channel: str, key: EventId, payload: Payload, rng: Random
    ) -> dict[str, Any]:
        named = {"emit_id": ksuid(key.ms, rng), "name": channel, "emitter_id": self.id}
        return {**payload.extras, **named}


class Turn(NamedTuple):
    """A feed's next event; turns sort by time, then by the order the feeds were made in."""

    at_ms: int
    number: int


@dataclass
class Feed:
    """What a channel emits by itself, drawn from a generator of its own.

    Attributes:
        kind: What it emits; None is what the emitter emits on that channel.
        waits: Whether its next turn is planned.
    """

    emitter: Emitter
    channel: str
    pace: AnyPace
    rng: Random
    kind: Kind | None = None
    waits: bool = False

    def emit(self, ms: int) -> bytes:
        """Emit the event that is due at this time, and return its text."""
        kind = self.emitter.kind(self.channel) if self.kind is None else self.kind
        key = self.emitter.place(self.channel, ms)
        payload = make(kind, self.rng, ms)
        self.emitter.add(self.channel, key, payload, rng=self.rng)
        return payload.event
