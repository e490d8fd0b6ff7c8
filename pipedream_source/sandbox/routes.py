"""The one table of all endpoints: what answers a call, and what the description lists.

Paths are tried from the top; `{id}` stands for one segment.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from starlette.routing import compile_path

from pipedream_source.sandbox import api, control
from pipedream_source.sandbox.errors import RouteNotFound
from pipedream_source.sandbox.exchange import Call, Reply
from pipedream_source.sandbox.site import Site

Handler = Callable[[Site, Call], Reply]
API_PREFIX = "/v1"
CONTROL_PREFIX = "/_sandbox"
_PAGE = ("limit", "after", "before", "include", "exclude")
_EVENTS = (*_PAGE, "expand")
_FIELDS = ("include", "exclude")


class Route(NamedTuple):
    """An endpoint: method, path, function, and the query parameters it knows."""

    method: str
    path: str
    handler: Handler
    params: tuple[str, ...] = ()


API_ROUTES = (
    Route("GET", "/sources/{id}/event_summaries", api.source_events, (*_EVENTS, "event_name")),
    Route("GET", "/workflows/{id}/event_summaries", api.workflow_events, _EVENTS),
    Route("GET", "/workflows/{id}/{channel}/event_summaries", api.workflow_channel, _EVENTS),
    Route("GET", "/users/me", api.current_user, _FIELDS),
    Route("GET", "/users/me/sources", api.user_sources, _PAGE),
    Route("GET", "/users/me/subscriptions", api.user_subscriptions, _PAGE),
    Route("GET", "/users/me/webhooks", api.user_webhooks, _PAGE),
    Route("GET", "/workspaces/{org_id}", api.workspace, _FIELDS),
    Route("GET", "/orgs/{org_id}/sources", api.workspace_sources, _PAGE),
    Route("GET", "/workspaces/{org_id}/sources", api.workspace_sources, _PAGE),
    Route("GET", "/workspaces/{org_id}/subscriptions", api.workspace_subscriptions, _PAGE),
    Route("GET", "/orgs/{org_id}/subscriptions", api.workspace_subscriptions, _PAGE),
)

CONTROL_ROUTES = (
    Route("POST", "/emit", control.emit_events),
    Route("POST", "/clock", control.move_clock),
    Route("POST", "/reset", control.reset),
    Route("POST", "/delete", control.delete_events),
    Route("POST", "/emitters", control.add_emitters),
    Route("POST", "/switches", control.change_switches),
    Route("GET", "/switches", control.read_switches),
    Route("POST", "/faults", control.add_fault),
    Route("GET", "/faults", control.read_faults),
    Route("DELETE", "/faults", control.clear_faults),
    Route("GET", "/journal", control.read_journal),
    Route("DELETE", "/journal", control.clear_journal),
    Route("GET", "/state", control.read_state),
)


class Table:
    """Finds the route of a call among those under one prefix."""

    def __init__(self, prefix: str, routes: tuple[Route, ...]) -> None:
        self.prefix = prefix
        self.routes = routes

    @cached_property
    def _patterns(self) -> list[tuple[Route, Callable[[str], dict[str, str] | None]]]:
        return [(route, _matcher(self.prefix + route.path)) for route in self.routes]

    def answer(self, site: Site, call: Call) -> Reply:
        """Let the call's endpoint answer it."""
        for route, match in self._patterns:
            if route.method == call.method and (ids := match(call.path)) is not None:
                call.ids = ids
                return route.handler(site, call)
        raise RouteNotFound


def _matcher(path: str) -> Callable[[str], dict[str, str] | None]:
    regex = compile_path(path)[0]

    def match(candidate: str) -> dict[str, str] | None:
        found = regex.match(candidate)
        return found.groupdict() if found else None

    return match


API = Table(API_PREFIX, API_ROUTES)
CONTROL = Table(CONTROL_PREFIX, CONTROL_ROUTES)
