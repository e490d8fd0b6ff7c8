"""The control plane under `/_sandbox`: what a test does to the world."""

from __future__ import annotations

from typing import Any

from pipedream_source.sandbox.content.component_code import read_code
from pipedream_source.sandbox.content.library import Published
from pipedream_source.sandbox.content.payloads import KINDS
from pipedream_source.sandbox.control.emission import Emission, NewEmitters, create, emit
from pipedream_source.sandbox.control.orders import (
    Advance,
    Deletion,
    Listening,
    Publication,
    read_order,
)
from pipedream_source.sandbox.protocol.clock import iso
from pipedream_source.sandbox.protocol.errors import InvalidParameter
from pipedream_source.sandbox.protocol.exchange import Call, Reply
from pipedream_source.sandbox.protocol.faults import Fault
from pipedream_source.sandbox.protocol.ids import EventId, parse_event_id
from pipedream_source.sandbox.protocol.switches import allowed_values
from pipedream_source.sandbox.world.router import ON_EVENT
from pipedream_source.sandbox.world.site import Site

_FASTEST = 10**6


def emit_events(site: Site, call: Call) -> Reply:
    """Emit events, as the emitter's code would."""
    order = read_order(call, Emission)
    now_ms = site.now_ms()
    emitter = site.workspace.emitter(order.emitter_id)
    return Reply.json({"ids": emit(site.workspace, emitter, order, now_ms)})


def move_clock(site: Site, call: Call) -> Reply:
    """Move the clock forward, or let it run; all that is due on the way is emitted."""
    order = read_order(call, Advance)
    if not 0 <= order.advance_s < 10**9:
        raise InvalidParameter("advance_s must be between 0 and a billion")
    if order.speed is not None and not 0 <= order.speed <= _FASTEST:
        raise InvalidParameter(f"speed must be between 0 and {_FASTEST}")
    site.clock.advance(order.advance_s)
    if order.speed is not None:
        site.clock.set(site.clock.now_ms(), order.speed)
    return Reply.json(time_of(site))


def time_of(site: Site) -> dict[str, Any]:
    """Return the clock's time, after all that is due was emitted."""
    now_ms = site.now_ms()
    return {"now": iso(now_ms), "now_ms": now_ms, "speed": site.clock.speed}


def delete_events(site: Site, call: Call) -> Reply:
    """Drop events at once, as someone who purges them would."""
    order = read_order(call, Deletion)
    stream = site.workspace.emitter(order.emitter_id).stream(order.channel)
    dropped = stream.delete(_event_id(order.start_id), _event_id(order.end_id))
    return Reply.json({"deleted": dropped})


def _event_id(text: str | None) -> EventId | None:
    if text is None:
        return None
    event_id = parse_event_id(text)
    if event_id is None:
        raise InvalidParameter(f"not an event id: {text[:80]!r}")
    return event_id


def add_emitters(site: Site, call: Call) -> Reply:
    """Create emitters, for load tests or of a chosen id."""
    order = read_order(call, NewEmitters)
    return Reply.json({"ids": create(site.workspace, order, site.now_ms())})


def set_listener(site: Site, call: Call) -> Reply:
    """Choose what an emitter does with the events that are delivered to it."""
    order = read_order(call, Listening)
    if order.on_event not in ON_EVENT:
        raise InvalidParameter(f"on_event is one of {', '.join(ON_EVENT)}")
    site.workspace.emitter(order.emitter_id).on_event = order.on_event
    return Reply.json({"emitter_id": order.emitter_id, "on_event": order.on_event})


def publish_component(site: Site, call: Call) -> Reply:
    """Make code known at an address and in the registry."""
    order = read_order(call, Publication)
    if order.kind not in KINDS:
        raise InvalidParameter(f"kind is one of {', '.join(KINDS)}")
    key = read_code(order.code).key or order.url
    site.published[order.url] = Published(key, order.code, order.kind)
    return Reply.json({"url": order.url, "key": key})


def change_switches(site: Site, call: Call) -> Reply:
    """Set some switches; the others stay."""
    site.switches = site.switches.changed(read_order(call, dict[str, Any]))
    return read_switches(site, call)


def read_switches(site: Site, _: Call) -> Reply:
    """Return the switches and the values that each can take."""
    return Reply.json({"switches": site.switches.as_dict(), "allowed": allowed_values()})


def add_fault(site: Site, call: Call) -> Reply:
    """Add a fault."""
    site.faults.add(read_order(call, Fault))
    return read_faults(site, call)


def read_faults(site: Site, _: Call) -> Reply:
    """Return the faults in force."""
    return Reply.json({"faults": site.faults.as_list()})


def clear_faults(site: Site, call: Call) -> Reply:
    """Drop all faults."""
    site.faults.clear()
    return read_faults(site, call)
