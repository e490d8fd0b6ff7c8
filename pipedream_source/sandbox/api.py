"""The documented endpoints under `/v1`, each a function of the site and one call."""

from __future__ import annotations

from heapq import merge
from operator import attrgetter

from pipedream_source.sandbox.emitters import Emitter
from pipedream_source.sandbox.exchange import Call, Reply
from pipedream_source.sandbox.paging import page_of_list, page_of_window
from pipedream_source.sandbox.payloads import to_json
from pipedream_source.sandbox.rows import ERRORS, Row, View
from pipedream_source.sandbox.site import Site
from pipedream_source.sandbox.workspace import Record


def current_user(site: Site, call: Call) -> Reply:
    """Get Current User Info."""
    user = {**site.workspace.user, "orgs": site.workspace.orgs}
    if site.switches.user_api_key == "present":
        user["api_key"] = site.api_key
    return _object(user, call)


def workspace(site: Site, call: Call) -> Reply:
    """Get a Workspace."""
    return _object(site.workspace.org(call.ids["org_id"]), call)


def user_sources(site: Site, call: Call) -> Reply:
    """List Current User Sources."""
    return _list(site.workspace.sources_of(site.workspace.user["id"]), site, call)


def workspace_sources(site: Site, call: Call) -> Reply:
    """Get Workspaces's Sources."""
    org = site.workspace.org(call.ids["org_id"])
    return _list(site.workspace.sources_of(org["id"]), site, call)


def user_subscriptions(site: Site, call: Call) -> Reply:
    """Get Current User's Subscriptions."""
    return _subscriptions(site.workspace.user["id"], site, call)


def workspace_subscriptions(site: Site, call: Call) -> Reply:
    """Get Workspaces's Subscriptions."""
    return _subscriptions(site.workspace.org(call.ids["org_id"])["id"], site, call)


def user_webhooks(site: Site, call: Call) -> Reply:
    """Get Current User's Webhooks."""
    return _list(site.workspace.webhooks, site, call)


def source_events(site: Site, call: Call) -> Reply:
    """Get Source Events: the default channel's, or those of `event_name`."""
    obeyed = site.switches.event_name == "obeyed"
    channel = call.params.get("event_name") if obeyed else None
    return _window(site, call, site.workspace.source(call.ids["id"]), channel)


def workflow_events(site: Site, call: Call) -> Reply:
    """Get Workflow Emits."""
    workflow = site.workspace.workflow(call.ids["id"])
    return _window(site, call, workflow, call.params.get("event_name"))


def workflow_channel(site: Site, call: Call) -> Reply:
    """Get Workflow Errors, and any other channel named in the path."""
    return _window(site, call, site.workspace.workflow(call.ids["id"]), call.ids["channel"])


def _window(site: Site, call: Call, emitter: Emitter, channel: str | None) -> Reply:
    params = call.params
    page = page_of_window(_kept(site, emitter, channel), params, site.switches)
    include, exclude = _fields(params)
    errors = channel == ERRORS
    view = View(
        expand="event" in params.get("expand", "").split(","),
        include=include,
        exclude=exclude,
        brief=site.switches.brief,
        nested=errors and site.switches.errors_metadata == "nested",
        errors=errors,
    )
    head = b'{"page_info":' + page.info_json + b',"data":['
    return Reply(200, b"".join((head, *view.pieces(page.rows), b"]}")))


def _kept(site: Site, emitter: Emitter, channel: str | None) -> list[Row]:
    if channel is not None or site.switches.default_read == "default":
        return emitter.stream(channel or "").rows
    custom = [s.rows for name, s in emitter.streams.items() if not name.startswith("$")]
    return list(merge(*custom, key=attrgetter("key")))


def _subscriptions(owner_id: str, site: Site, call: Call) -> Reply:
    rows = site.workspace.subscriptions_of(owner_id)
    if site.switches.subscriptions == "paginated":
        return _list(rows, site, call)
    return Reply.json({"data": [_picked(row, call.params) for row in rows]})


def _list(rows: list[Record], site: Site, call: Call) -> Reply:
    page = page_of_list(rows, call.params, site.switches)
    data = to_json([_picked(row, call.params) for row in page.rows])
    return Reply(200, b'{"page_info":' + page.info_json + b',"data":' + data + b"}")


def _object(record: Record, call: Call) -> Reply:
    return Reply.json({"data": _picked(record, call.params)})


def _picked(record: Record, params: dict[str, str]) -> Record:
    """Obey `include` and `exclude` (Common Parameters)."""
    include, exclude = _fields(params)
    return {
        name: value
        for name, value in record.items()
        if (include is None or name in include) and name not in exclude
    }


def _fields(params: dict[str, str]) -> tuple[frozenset[str] | None, frozenset[str]]:
    include = frozenset(filter(None, params.get("include", "").split(",")))
    return include or None, frozenset(filter(None, params.get("exclude", "").split(",")))
