"""Events and emitters that the control plane orders, however strange they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from pipedream_source.sandbox.content.failures import new_identity
from pipedream_source.sandbox.content.kinds import Fixed, Thrower, Throws
from pipedream_source.sandbox.content.paces import AnyPace, Bursty, Diurnal, Steady
from pipedream_source.sandbox.content.payloads import KINDS, Payload
from pipedream_source.sandbox.protocol.errors import InvalidParameter
from pipedream_source.sandbox.protocol.ids import EventId, parse_event_id, short_id
from pipedream_source.sandbox.protocol.rows import Row
from pipedream_source.sandbox.world.emitters import Emitter
from pipedream_source.sandbox.world.queues import QUEUE
from pipedream_source.sandbox.world.router import ON_EVENT, Emitted
from pipedream_source.sandbox.world.seeding import component_of, source_record
from pipedream_source.sandbox.world.workspace import Workspace

_PREFIXES = {"source": "dc", "workflow": "p"}
PATTERNS: dict[str, Callable[[float], AnyPace]] = {
    "steady": Steady,
    "diurnal": Diurnal,
    "bursty": lambda most: Bursty(max(3, round(most))),
}


class Emission(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `emit`.

    Attributes:
        emitter_id: Who emits.
        channel: On which channel.
        count: How many events.
        event: The event, kept byte for byte, even NaN or half a surrogate pair; without it one
            of the emitter's own kind.
        event_text: The event's text, which need not even close its brackets.
        row_text: The text of the whole row, id included.
        id: The event's id instead of the clock's; counts up its sequence for several.
        metadata: Replaces the metadata object; any JSON value.
        indexed_at_ms: Replaces the time of indexing.
        spread_s: Spreads the events evenly over so many seconds, the last one now.
        delay_s: Queues the events in `$in`, and emits them so many seconds later.
        per_hour: Emits nothing now but at this rate from now on; 0 ends that.
        pattern: How the rate is kept: steady, diurnal (its peak) or bursty (a burst's size).
    """

    emitter_id: str
    channel: str = ""
    count: int = 1
    event: msgspec.Raw | UnsetType = UNSET
    event_text: str | None = None
    row_text: str | None = None
    id: str | None = None
    metadata: msgspec.Raw | UnsetType = UNSET
    indexed_at_ms: int | None = None
    spread_s: float = 0.0
    delay_s: float = 0.0
    per_hour: float | None = None
    pattern: str = "steady"

    @property
    def given(self) -> bytes | None:
        """The event's text, or None when the emitter is to make one."""
        if self.event_text is not None:
            return self.event_text.encode()
        return None if self.event is UNSET else bytes(self.event)


class NewEmitters(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `emitters`.

    Attributes:
        count: How many to create.
        kind: What they emit, one of the payload kinds.
        type: Sources or workflows.
        org_id: The workspace whose list they stand in; the user's own when null.
        per_hour: How often each emits by itself, steadily; 0 is never.
        events: How many events each emits at once.
        spread_s: Spreads those over so many seconds, the last one now.
        event: The event of those; without it one of the kind.
        id: The id of the only one; made up if not given.
        name: Its name.
        on_event: What it does with an event delivered to it: emit, fail or ignore.
        retention: Which event the 101st replaces: the one with the oldest id, or the first that
            came (by_arrival).
    """

    count: int = 1
    kind: str = "http"
    type: str = "source"
    org_id: str | None = None
    per_hour: float = 0.0
    events: int = 0
    spread_s: float = 0.0
    event: msgspec.Raw | UnsetType = UNSET
    id: str | None = None
    name: str | None = None
    on_event: str = "emit"
    retention: Literal["by_id", "by_arrival"] = "by_id"


def emit(workspace: Workspace, emitter: Emitter, order: Emission, now_ms: int) -> list[str]:
    """Emit what was ordered and return the ids."""
    if not 0 <= order.count <= 1_000_000 or order.spread_s < 0 or order.delay_s < 0:
        raise InvalidParameter("count is 0 to 1000000, spread_s and delay_s are not negative")
    if order.per_hour is not None:
        return _keep_emitting(workspace, emitter, order, now_ms)
    ids = _ids(order)
    return [_emit_one(workspace, emitter, order, ms, next(ids)) for ms in _times(order, now_ms)]


def _keep_emitting(
    workspace: Workspace, emitter: Emitter, order: Emission, now_ms: int
) -> list[str]:
    per_hour = order.per_hour or 0.0
    if order.pattern not in PATTERNS or not 0 <= per_hour <= 3_600_000:
        raise InvalidParameter(
            f"pattern is one of {', '.join(PATTERNS)}, and per_hour is 0 to 3600000"
        )
    workspace.end_feeds(emitter, order.channel)
    if per_hour > 0:
        given = order.given
        kind = None if given is None else Fixed(given)
        pace = PATTERNS[order.pattern](per_hour)
        workspace.add_feed(emitter, order.channel, pace, since_ms=now_ms, kind=kind)
    return []


def _times(order: Emission, now_ms: int) -> Iterator[int]:
    step = order.spread_s * 1000 / max(1, order.count)
    return (now_ms - round(step * back) for back in range(order.count - 1, -1, -1))


def _ids(order: Emission) -> Iterator[str | None]:
    key = parse_event_id(order.id) if order.id else None
    while True:
        yield str(key) if key else order.id
        key = key and EventId(key.ms, key.seq + 1)


def _emit_one(
    workspace: Workspace, emitter: Emitter, order: Emission, ms: int, row_id: str | None
) -> str:
    if order.row_text is not None:
        return _emit_row(emitter, order, ms, order.row_text)
    channel = QUEUE if order.delay_s else order.channel
    key = emitter.place(channel, ms, row_id=row_id)
    given = order.given
    payload = emitter.payload(order.channel, key.ms) if given is None else Payload(given, {})
    placed = emitter.add(
        channel,
        key,
        payload,
        rng=emitter.rng,
        row_id=row_id,
        indexed_at_ms=order.indexed_at_ms if row_id is None else order.indexed_at_ms or ms,
        metadata=None if order.metadata is UNSET else bytes(order.metadata),
    )
    if order.delay_s:
        due_ms = ms + round(order.delay_s * 1000)
        workspace.queues.add(emitter.id, placed, order.channel, due_ms=due_ms)
    else:
        workspace.publish(Emitted(emitter, order.channel, payload.event, ms))
    return placed


def _emit_row(emitter: Emitter, order: Emission, ms: int, text: str) -> str:
    """Keep a row as given; an id that can be read out of it is its place and cursor."""
    named = order.id or _id_within(text)
    key = emitter.place(order.channel, ms, row_id=named)
    row_id = str(key) if named is None else named
    emitter.stream(order.channel).add(Row.verbatim(key, row_id, text.encode()))
    return row_id


class _HasId(msgspec.Struct):
    id: str


def _id_within(text: str) -> str | None:
    try:
        return msgspec.json.decode(text, type=_HasId).id
    except (msgspec.DecodeError, RecursionError):
        return None


def create(workspace: Workspace, order: NewEmitters, now_ms: int) -> list[str]:
    """Create emitters, let each emit what was ordered, and return their ids."""
    if order.kind not in KINDS or order.type not in ("source", "workflow"):
        kinds = ", ".join(KINDS)
        raise InvalidParameter(f"type is source or workflow, kind is one of {kinds}")
    if not 0 <= order.count <= 100_000 or order.on_event not in ON_EVENT:
        raise InvalidParameter(f"count is 0 to 100000, on_event one of {', '.join(ON_EVENT)}")
    _check_id(workspace, order)
    owner = workspace.org(order.org_id)["id"] if order.org_id else workspace.user["id"]
    return [_create_one(workspace, order, owner, now_ms) for _ in range(order.count)]


def _check_id(workspace: Workspace, order: NewEmitters) -> None:
    prefix = _PREFIXES[order.type]
    if order.id is None:
        return
    if order.count != 1 or not re.fullmatch(rf"{prefix}_\w+", order.id, re.ASCII):
        raise InvalidParameter(f"id is {prefix}_… and of one emitter only")
    if order.id in workspace.emitters:
        raise InvalidParameter(f"there is a {order.id}")


def _create_one(workspace: Workspace, order: NewEmitters, owner: str, now_ms: int) -> str:
    emitter_id = order.id or short_id(_PREFIXES[order.type], workspace.rng, 8)
    rng = Random(f"{workspace.seed}:{emitter_id}")  # noqa: S311 - repeatable, not secret
    name = order.name or f"{order.kind} {len(workspace.emitters)}"
    emitter = Emitter(emitter_id, name, owner, {"": order.kind}, rng, on_event=order.on_event)
    emitter.by_arrival = order.retention == "by_arrival"
    record = source_record(
        emitter_id, name, {}, active=True, created_s=now_ms // 1000, rng=workspace.rng
    )
    if order.type == "source":
        emitter.record, emitter.listed_in = record, (owner,)
        workspace.components.add(component_of(record, order.kind, owner))
    else:
        emitter.kinds["$errors"] = _errors(emitter, workspace.seed)
    workspace.add_emitter(emitter)
    if order.per_hour > 0:
        workspace.add_feed(emitter, "", Steady(order.per_hour), since_ms=now_ms)
    first = Emission(emitter_id, event=order.event, count=order.events, spread_s=order.spread_s)
    emit(workspace, emitter, first, now_ms)
    return emitter_id


def _errors(workflow: Emitter, seed: int) -> Throws:
    rng = Random(f"{seed}:{workflow.id}:identity")  # noqa: S311
    trigger_id = short_id("dc", rng)
    identity = new_identity(
        workflow.id, workflow.name, owner_id=workflow.owner_id, trigger_id=trigger_id, rng=rng
    )
    return Throws((Thrower(identity, "http"),))
