"""The one table of all endpoints: what answers a call, and what the description lists.

Paths are tried from the top; `{id}` stands for one segment.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from starlette.routing import compile_path

from pipedream_source.sandbox.control import calls, state_calls
from pipedream_source.sandbox.endpoints import (
    components,
    events,
    oauth,
    sources,
    subscriptions,
    users,
    webhooks,
    workflows,
)
from pipedream_source.sandbox.protocol.errors import RouteNotFound
from pipedream_source.sandbox.protocol.exchange import Call, Reply
from pipedream_source.sandbox.world.site import Site

Handler = Callable[[Site, Call], Reply]
API_PREFIX = "/v1"
CONTROL_PREFIX = "/_sandbox"
_FIELDS = ("include", "exclude")
_PAGE = ("limit", "after", "before", *_FIELDS)
_EVENTS = (*_PAGE, "expand")
_NAMED_EVENTS = (*_EVENTS, "event_name")
_IN_ORG = ("org_id", "workspace_id")
_LIST = (*_PAGE, *_IN_ORG)
_MAKE = (*_FIELDS, *_IN_ORG)
_CODE = ("component_code", "component_url")
_SOURCE = ("component_id", *_CODE, "name", "configured_props")
_LINK = ("emitter_id", "listener_id", "event_name")
_CLIENT = ("grant_type", "client_id", "client_secret")


class Route(NamedTuple):
    """An endpoint: method, path, function, and the parameters it knows.

    Attributes:
        method: The HTTP method.
        path: The path under the prefix; `{id}` stands for one segment.
        handler: What answers.
        params: Its parameters, in the query or, where a call has one, in the JSON body.
        answer: The shape of its answer's `data`; with `[]` a list; empty for no body.
        status: The status of its answer.
        required: The parameters that must be there.
        documented: Whether the API's documentation has it.
        keyless: Whether it takes no key.
    """

    method: str
    path: str
    handler: Handler
    params: tuple[str, ...] = ()
    answer: str = ""
    status: int = 200
    required: tuple[str, ...] = ()
    documented: bool = True
    keyless: bool = False


_DOCUMENTED = (
    Route("GET", "/sources/{id}/event_summaries", events.source_events, _NAMED_EVENTS, "Event[]"),
    Route(
        *("GET", "/workflows/{id}/event_summaries", events.workflow_events),
        *(_NAMED_EVENTS, "Event[]"),
    ),
    Route(
        *("GET", "/workflows/{id}/$errors/event_summaries", events.workflow_errors),
        *(_EVENTS, "Event[]"),
    ),
    Route("GET", "/users/me", users.current_user, _FIELDS, "User"),
    Route("GET", "/users/me/sources", sources.user_sources, _LIST, "Source[]"),
    Route(
        *("GET", "/users/me/subscriptions", subscriptions.user_subscriptions),
        *(_LIST, "Subscription[]"),
    ),
    Route("GET", "/users/me/webhooks", webhooks.user_webhooks, _LIST, "Webhook[]"),
    Route("GET", "/workspaces/{org_id}", users.workspace, _FIELDS, "Workspace"),
    Route("GET", "/orgs/{org_id}/sources", sources.workspace_sources, _PAGE, "Source[]"),
    Route(
        *("GET", "/workspaces/{org_id}/subscriptions", subscriptions.workspace_subscriptions),
        *(_PAGE, "Subscription[]"),
    ),
    Route("POST", "/components", components.create_component, (*_CODE, *_MAKE), "Component"),
    Route(
        *("GET", "/components/registry/{key}", components.registry_component),
        *(_FIELDS, "Component"),
    ),
    Route("GET", "/components/{key}", components.get_component, _FIELDS, "Component"),
    Route("POST", "/sources", sources.create_source, (*_SOURCE, *_MAKE), "Source"),
    Route(
        *("PUT", "/sources/{id}", sources.update_source),
        *((*_SOURCE, "active", *_FIELDS), "Source"),
    ),
    Route("DELETE", "/sources/{id}", sources.delete_source, status=204),
    Route(
        *("DELETE", "/sources/{id}/events", events.delete_events),
        *(("start_id", "end_id", "event_name"), "", 202),
    ),
    Route(
        *("POST", "/subscriptions", subscriptions.create_subscription),
        *((*_LINK, *_MAKE), "Subscription[]"),
        required=("emitter_id", "listener_id"),
    ),
    Route(
        *("DELETE", "/subscriptions", subscriptions.delete_subscription),
        *((*_LINK, *_FIELDS), "Subscription[]"),
        required=("emitter_id", "listener_id"),
    ),
    Route(
        *("POST", "/auto_subscriptions", subscriptions.create_auto_subscription),
        *(("event_name", "listener_id", *_MAKE), "Subscription[]"),
        required=("event_name", "listener_id"),
    ),
    Route(
        *("POST", "/webhooks", webhooks.create_webhook),
        *(("url", "name", "description", *_MAKE), "Webhook"),
        required=("url",),
    ),
    Route("DELETE", "/webhooks/{id}", webhooks.delete_webhook, status=204),
)

# What clients send beside the documentation; none of these is needed to obey it.
_UNDOCUMENTED = (
    Route(
        *("GET", "/workflows/{id}/{channel}/event_summaries", events.workflow_channel),
        *(_EVENTS, "Event[]"),
    ),
    Route("GET", "/workspaces/{org_id}/sources", sources.workspace_sources, _PAGE, "Source[]"),
    Route(
        *("GET", "/orgs/{org_id}/subscriptions", subscriptions.workspace_subscriptions),
        *(_PAGE, "Subscription[]"),
    ),
    Route("GET", "/sources/{id}", sources.get_source, _FIELDS, "Source"),
    Route(
        *("GET", "/sources/{id}/events", events.older_events),
        *(("n", "limit", "expand", "event_name"), "OlderEvent[]"),
    ),
    Route("GET", "/workflows/{id}", workflows.get_workflow, (*_FIELDS, *_IN_ORG), "Workflow"),
    Route(
        *("POST", "/oauth/token", oauth.issue_token, _CLIENT, "Token"),
        required=_CLIENT,
        keyless=True,
    ),
)

API_ROUTES = (*_DOCUMENTED, *(route._replace(documented=False) for route in _UNDOCUMENTED))

CONTROL_ROUTES = (
    Route("POST", "/emit", calls.emit_events),
    Route("POST", "/clock", calls.move_clock),
    Route("POST", "/delete", calls.delete_events),
    Route("POST", "/emitters", calls.add_emitters),
    Route("POST", "/listeners", calls.set_listener),
    Route("POST", "/components", calls.publish_component),
    Route("POST", "/switches", calls.change_switches),
    Route("GET", "/switches", calls.read_switches),
    Route("POST", "/faults", calls.add_fault),
    Route("GET", "/faults", calls.read_faults),
    Route("DELETE", "/faults", calls.clear_faults),
    Route("POST", "/reset", state_calls.reset),
    Route("GET", "/dump", state_calls.dump),
    Route("POST", "/restore", state_calls.restore),
    Route("GET", "/state", state_calls.read_state),
    Route("GET", "/journal", state_calls.read_journal),
    Route("DELETE", "/journal", state_calls.clear_journal),
    Route("GET", "/deliveries", state_calls.read_deliveries),
)


class Table:
    """Finds the route of a call among those under one prefix."""

    def __init__(self, prefix: str, routes: tuple[Route, ...]) -> None:
        self.prefix = prefix
        self.routes = routes

    @cached_property
    def _patterns(self) -> list[tuple[Route, Callable[[str], dict[str, str] | None]]]:
        return [(route, _matcher(self.prefix + route.path)) for route in self.routes]

    def find(self, call: Call) -> Route:
        """Return the call's endpoint, and tell the call the ids in its path.

        Raises:
            RouteNotFound: there is none.
        """
        # "HEAD" is answered as "GET" is, as web frameworks do; the server leaves the body out.
        method = "GET" if call.method == "HEAD" else call.method
        for route, match in self._patterns:
            if route.method == method and (ids := match(call.path)) is not None:
                call.ids = ids
                return route
        raise RouteNotFound

    def answer(self, site: Site, call: Call) -> Reply:
        """Let the call's endpoint answer it."""
        return self.find(call).handler(site, call)


def _matcher(path: str) -> Callable[[str], dict[str, str] | None]:
    regex = compile_path(path)[0]

    def match(candidate: str) -> dict[str, str] | None:
        found = regex.match(candidate)
        return found.groupdict() if found else None

    return match


API = Table(API_PREFIX, API_ROUTES)
CONTROL = Table(CONTROL_PREFIX, CONTROL_ROUTES)
