"""The control plane under `/_sandbox`: what a test does to the world, and the truth about it."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from pipedream_source.sandbox.clock import iso
from pipedream_source.sandbox.emission import Emission, NewEmitters, create, emit
from pipedream_source.sandbox.emitters import Emitter
from pipedream_source.sandbox.errors import InvalidParameter
from pipedream_source.sandbox.exchange import Call, Reply
from pipedream_source.sandbox.faults import Fault
from pipedream_source.sandbox.ids import EventId, parse_event_id
from pipedream_source.sandbox.members import NotAnObject, set_aside
from pipedream_source.sandbox.site import Site
from pipedream_source.sandbox.switches import allowed_values

Order = TypeVar("Order")


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `clock`."""

    advance_s: float = 0.0


class Reset(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `reset`; without a seed the present one."""

    seed: int | None = None


class Deletion(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `delete`: both ends belong to the range, a missing one leaves it open."""

    emitter_id: str
    channel: str = ""
    start_id: str | None = None
    end_id: str | None = None


def emit_events(site: Site, call: Call) -> Reply:
    """Emit events, as the emitter's code would."""
    order = _read(call, Emission)
    now_ms = site.now_ms()
    return Reply.json({"ids": emit(site.workspace.emitter(order.emitter_id), order, now_ms)})


def move_clock(site: Site, call: Call) -> Reply:
    """Move the clock forward; all that is due on the way is emitted."""
    order = _read(call, Advance)
    if not 0 <= order.advance_s < 10**9:
        raise InvalidParameter("advance_s must be between 0 and a billion")
    site.clock.advance(order.advance_s)
    return Reply.json(_time(site))


def reset(site: Site, call: Call) -> Reply:
    """Put the seeded state back; switches, faults, clock and journal too."""
    site.reset(_read(call, Reset).seed)
    workspace = site.workspace
    ids = {"org_id": workspace.orgs[0]["id"], "user_id": workspace.user["id"]}
    return Reply.json({**_time(site), "seed": workspace.seed, **ids})


def delete_events(site: Site, call: Call) -> Reply:
    """Drop events at once, as someone who purges them would."""
    order = _read(call, Deletion)
    stream = site.workspace.emitter(order.emitter_id).stream(order.channel)
    dropped = stream.delete(_event_id(order.start_id), _event_id(order.end_id))
    return Reply.json({"deleted": dropped})


def add_emitters(site: Site, call: Call) -> Reply:
    """Create emitters, for load tests."""
    order = _read(call, NewEmitters)
    return Reply.json({"ids": create(site.workspace, order, site.now_ms())})


def change_switches(site: Site, call: Call) -> Reply:
    """Set some switches; the others stay."""
    site.switches = site.switches.changed(_read(call, dict[str, Any]))
    return read_switches(site, call)


def read_switches(site: Site, _: Call) -> Reply:
    """Return the switches and the values that each can take."""
    return Reply.json({"switches": site.switches.as_dict(), "allowed": allowed_values()})


def add_fault(site: Site, call: Call) -> Reply:
    """Add a fault."""
    site.faults.add(_read(call, Fault))
    return read_faults(site, call)


def read_faults(site: Site, _: Call) -> Reply:
    """Return the faults in force."""
    return Reply.json({"faults": site.faults.as_list()})


def clear_faults(site: Site, call: Call) -> Reply:
    """Drop all faults."""
    site.faults.clear()
    return read_faults(site, call)


def read_journal(site: Site, _: Call) -> Reply:
    """Return the calls that came in under `/v1`."""
    return Reply.json(site.journal.as_dict())


def clear_journal(site: Site, call: Call) -> Reply:
    """Forget the calls so far."""
    site.journal.clear()
    return read_journal(site, call)


def read_state(site: Site, _: Call) -> Reply:
    """Return the truth: every emitter with what it emitted in all and what is retained."""
    time = _time(site)
    workspace = site.workspace
    settings = {"switches": site.switches.as_dict(), "faults": site.faults.as_list()}
    owners = {"user_id": workspace.user["id"], "org_ids": [org["id"] for org in workspace.orgs]}
    emitters = [_about(emitter) for emitter in workspace.emitters.values()]
    state = {**time, "seed": workspace.seed, **owners, **settings, "emitters": emitters}
    return Reply.json(state)


def _about(emitter: Emitter) -> dict[str, Any]:
    channels = {
        name: {
            "emitted": stream.emitted,
            "retained": len(stream.rows),
            "oldest_id": stream.rows[0].id if stream.rows else None,
            "newest_id": stream.rows[-1].id if stream.rows else None,
        }
        for name, stream in emitter.streams.items()
    }
    return {
        "id": emitter.id,
        "name": emitter.name,
        "type": "source" if emitter.is_source else "workflow",
        "owner_id": emitter.owner_id,
        "listed_in": list(emitter.listed_in),
        "paces": emitter.paces,
        "channels": channels,
    }


def _time(site: Site) -> dict[str, Any]:
    now_ms = site.now_ms()
    return {"now": iso(now_ms), "now_ms": now_ms}


def _event_id(text: str | None) -> EventId | None:
    if text is None:
        return None
    event_id = parse_event_id(text)
    if event_id is None:
        raise InvalidParameter(f"not an event id: {text[:80]!r}")
    return event_id


def _read(call: Call, order: type[Order]) -> Order:
    """Read the body; an empty one means no settings."""
    try:
        return _decoded(call.body or b"{}", order)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidParameter(str(error)) from None


def _decoded(body: bytes, order: type[Order]) -> Order:
    """Decode a body; an event that is no JSON is taken as the text that it is."""
    try:
        return msgspec.json.decode(body, type=order)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if order not in (Emission, NewEmitters):
            raise
        try:
            rest, texts = set_aside(body, ("event", "metadata"))
        except NotAnObject:
            texts = {}
        if not texts:
            raise
    read = msgspec.json.decode(rest, type=order)
    for name, text in texts.items():
        setattr(read, name, msgspec.Raw(text))
    return read
