"""Events of sources and workflows: windows, the older reader, deletion."""

from __future__ import annotations

from itertools import chain
from operator import attrgetter

from pipedream_source.sandbox.endpoints.answers import fields, text_of
from pipedream_source.sandbox.protocol.errors import InvalidParameter, RecordNotFound
from pipedream_source.sandbox.protocol.exchange import Call, Reply
from pipedream_source.sandbox.protocol.ids import EventId, parse_event_id
from pipedream_source.sandbox.protocol.paging import page_of_window, read_limit
from pipedream_source.sandbox.protocol.rows import ERRORS, Row, View
from pipedream_source.sandbox.world.emitters import Emitter
from pipedream_source.sandbox.world.site import Site


def source_seen(site: Site, call: Call) -> Emitter:
    """Return the source that the path names, if the key may see it."""
    source = site.workspace.source(call.ids["id"])
    if not source.is_seen_by(call.org_id):
        raise RecordNotFound
    return source


def workflow_seen(site: Site, call: Call) -> Emitter:
    """Return the workflow that the path names, if the key may see it."""
    workflow = site.workspace.workflow(call.ids["id"])
    if not workflow.is_seen_by(call.org_id):
        raise RecordNotFound
    return workflow


def source_events(site: Site, call: Call) -> Reply:
    """Get Source Events: the default channel's, or those of `event_name`."""
    return _window(site, call, source_seen(site, call), _channel(site, call))


def _channel(site: Site, call: Call) -> str | None:
    obeyed = site.switches.event_name == "obeyed"
    return call.params.get("event_name") if obeyed else None


def workflow_events(site: Site, call: Call) -> Reply:
    """Get Workflow Emits."""
    return _window(site, call, workflow_seen(site, call), call.params.get("event_name"))


def workflow_errors(site: Site, call: Call) -> Reply:
    """Get Workflow Errors."""
    return _window(site, call, workflow_seen(site, call), ERRORS)


def workflow_channel(site: Site, call: Call) -> Reply:
    """Get the events of any channel of a workflow that the path names."""
    return _window(site, call, workflow_seen(site, call), call.ids["channel"])


def _window(site: Site, call: Call, emitter: Emitter, channel: str | None) -> Reply:
    page = page_of_window(_kept(site, emitter, channel), call.params, site.switches)
    include, exclude = fields(call)
    errors = channel == ERRORS
    view = View(
        expand=_expands(call),
        include=include,
        exclude=exclude,
        brief=site.switches.brief,
        nested=errors and site.switches.errors_metadata == "nested",
        errors=errors,
    )
    head = b'{"page_info":' + page.info_json + b',"data":['
    return Reply(200, b"".join((head, *view.pieces(page.rows), b"]}")))


def _expands(call: Call) -> bool:
    return "event" in call.params.get("expand", "").split(",")


def _kept(site: Site, emitter: Emitter, channel: str | None) -> list[Row]:
    """Return the rows that a call may see, oldest first; what is deleted may go on the way."""
    if channel is not None or site.switches.default_read == "default":
        _settle(site, emitter, channel or "")
        return emitter.stream(channel or "").rows
    names = [name for name in emitter.streams if not name.startswith("$")]
    for name in names:
        _settle(site, emitter, name)
    return sorted(chain(*(emitter.stream(name).rows for name in names)), key=attrgetter("key"))


def _settle(site: Site, emitter: Emitter, channel: str) -> None:
    purges = site.workspace.purges
    if purges.waiting:
        purges.settle(emitter, channel, site.clock.now_ms())


def older_events(site: Site, call: Call) -> Reply:
    """Get a source's events the older way: `n` of them, each with its payload under `e`."""
    params = {name: text for name, text in call.params.items() if name in ("n", "limit")}
    if "n" in params:
        params["limit"] = params.pop("n")
    limit = read_limit(params, site.switches)
    rows = _kept(site, source_seen(site, call), _channel(site, call))
    view = View(expand=True)
    texts = (view.older(row) for row in rows[::-1][:limit])
    return Reply(200, b'{"data":[' + b",".join(texts) + b"]}")


def delete_events(site: Site, call: Call) -> Reply:
    """Delete source events: all, or those from `start_id` to `end_id`, both included."""
    source = source_seen(site, call)
    ends = _event_id(call, "start_id"), _event_id(call, "end_id")
    event_name = text_of(call, "event_name")
    if event_name is None and site.switches.delete_without_event_name == "all_channels":
        channels = list(source.streams)
    else:
        channels = [event_name or ""]
    site.workspace.purges.accept(
        source, channels, ends, mode=site.switches.deletion, now_ms=site.clock.now_ms()
    )
    return Reply.empty(202)


def _event_id(call: Call, name: str) -> EventId | None:
    text = text_of(call, name)
    if text is None:
        return None
    # An empty one is refused too: a range that lost its end would delete everything.
    event_id = parse_event_id(text)
    if event_id is None:
        raise InvalidParameter(f"{name} must be an event id such as 1589486981597-0")
    return event_id
