"""The one table of the API's endpoints: what the client, the command and the tests go by.

The documentation spells a workspace's id in three ways, mixes `/orgs` and `/workspaces`, and
writes some paths with a trailing slash or with `/v1`; here each has one spelling. What clients
were seen to use, or later documentation names, is listed with `documented=False`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipedream_source.api.protocol import Request

_PLACEHOLDER = re.compile(r"\\\{[a-z_]+\\\}")
_NONE: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A call that the API answers.

    Attributes:
        name: the client's method; empty where the client has none of its own.
        method: of HTTP.
        path: below the base URL, with `{id}`, `{key}`, `{org_id}` or `{workflow_id}`.
        section: its heading in the API's documentation.
        verb: the command, e.g. `sources create`; empty where there is none.
        documented: whether the contract names it.
        oauth: whether it takes the token of a workspace's OAuth client.
    """

    name: str
    method: str
    path: str
    section: str
    verb: str
    documented: bool = True
    oauth: bool = True

    def request(
        self,
        ids: Mapping[str, str] = _NONE,
        params: Mapping[str, str] = _NONE,
        body: Mapping[str, Any] | None = None,
    ) -> Request:
        """Build a request; ids must have been checked to be safe in a path."""
        return Request(self.path.format_map(ids), params, self.method, body)

    def answers(self, method: str, path: str) -> bool:
        """Tell whether a request goes to this endpoint."""
        return method == self.method and re.fullmatch(self.pattern, path) is not None

    @property
    def pattern(self) -> str:
        """The regular expression for its paths, with or without a trailing slash."""
        return _PLACEHOLDER.sub("[^/]+", re.escape(self.path)) + "/?"


ME: Final = Endpoint("me", "GET", "/users/me", "Get Current User Info", "users me", oauth=False)
USER_SOURCES: Final = Endpoint(
    "sources",
    "GET",
    "/users/me/sources",
    "List Current User Sources",
    "sources list",
    oauth=False,
)
ORG_SOURCES: Final = Endpoint(
    "sources", "GET", "/orgs/{org_id}/sources", "Get Workspaces's Sources", "sources list"
)
SOURCE: Final = Endpoint("source", "GET", "/sources/{id}", "", "sources show", documented=False)
CREATE_SOURCE: Final = Endpoint(
    "create_source", "POST", "/sources", "Create a Source", "sources create", oauth=False
)
UPDATE_SOURCE: Final = Endpoint(
    "update_source", "PUT", "/sources/{id}", "Update a source", "sources update"
)
DELETE_SOURCE: Final = Endpoint(
    "delete_source", "DELETE", "/sources/{id}", "Delete a source", "sources delete"
)
SOURCE_EVENTS: Final = Endpoint(
    "event_summaries",
    "GET",
    "/sources/{id}/event_summaries",
    "Get Source Events",
    "events list",
)
DELETE_EVENTS: Final = Endpoint(
    "delete_events", "DELETE", "/sources/{id}/events", "Delete source events", "events delete"
)
CREATE_COMPONENT: Final = Endpoint(
    "create_component",
    "POST",
    "/components",
    "Create a component",
    "components create",
    oauth=False,
)
COMPONENT: Final = Endpoint(
    "component", "GET", "/components/{key}", "Get a component", "components get", oauth=False
)
REGISTRY_COMPONENT: Final = Endpoint(
    "registry_component",
    "GET",
    "/components/registry/{key}",
    "Get a component from the global registry",
    "components registry",
    oauth=False,
)
USER_SUBSCRIPTIONS: Final = Endpoint(
    "subscriptions",
    "GET",
    "/users/me/subscriptions",
    "Get Current User's Subscriptions",
    "subscriptions list",
    oauth=False,
)
WORKSPACE_SUBSCRIPTIONS: Final = Endpoint(
    "subscriptions",
    "GET",
    "/workspaces/{org_id}/subscriptions",
    "Get Workspaces's Subscriptions",
    "subscriptions list",
)
CREATE_SUBSCRIPTION: Final = Endpoint(
    "create_subscription",
    "POST",
    "/subscriptions",
    "Listen for events from another source or workflow",
    "subscriptions create",
)
AUTO_SUBSCRIBE: Final = Endpoint(
    "auto_subscribe",
    "POST",
    "/auto_subscriptions",
    "Automatically subscribe a listener to events from new workflows / sources",
    "subscriptions auto",
)
DELETE_SUBSCRIPTION: Final = Endpoint(
    "delete_subscription",
    "DELETE",
    "/subscriptions",
    "Delete a subscription",
    "subscriptions delete",
)
WEBHOOKS: Final = Endpoint(
    "webhooks",
    "GET",
    "/users/me/webhooks",
    "Get Current User's Webhooks",
    "webhooks list",
    oauth=False,
)
CREATE_WEBHOOK: Final = Endpoint(
    "create_webhook", "POST", "/webhooks", "Create a webhook", "webhooks create"
)
DELETE_WEBHOOK: Final = Endpoint(
    "delete_webhook", "DELETE", "/webhooks/{id}", "Delete a webhook", "webhooks delete"
)
WORKSPACE: Final = Endpoint(
    "workspace", "GET", "/workspaces/{org_id}", "Get a Workspace", "workspaces show"
)
WORKFLOW_EMITS: Final = Endpoint(
    "workflow_emits",
    "GET",
    "/workflows/{workflow_id}/event_summaries",
    "Get Workflow Emits",
    "workflows emits",
)
WORKFLOW_ERRORS: Final = Endpoint(
    "workflow_errors",
    "GET",
    "/workflows/{workflow_id}/$errors/event_summaries",
    "Get Workflow Errors",
    "workflows errors",
)
WORKFLOW_CHANNEL: Final = Endpoint(
    "workflow_emits",
    "GET",
    "/workflows/{workflow_id}/{channel}/event_summaries",
    "",
    "workflows emits",
    documented=False,
)
WORKFLOW: Final = Endpoint(
    "workflow", "GET", "/workflows/{workflow_id}", "", "workflows show", documented=False
)
OLD_SOURCE_EVENTS: Final = Endpoint("", "GET", "/sources/{id}/events", "", "", documented=False)
OTHER_ORG_SUBSCRIPTIONS: Final = Endpoint(
    "", "GET", "/orgs/{org_id}/subscriptions", "", "", documented=False
)
OTHER_WORKSPACE_SOURCES: Final = Endpoint(
    "", "GET", "/workspaces/{org_id}/sources", "", "", documented=False
)
OAUTH_TOKEN: Final = Endpoint("", "POST", "/oauth/token", "", "", documented=False)

#: Every endpoint, in the order of the documentation's sections; the undocumented ones last.
ENDPOINTS: Final = (
    CREATE_COMPONENT,
    COMPONENT,
    REGISTRY_COMPONENT,
    SOURCE_EVENTS,
    DELETE_EVENTS,
    WORKSPACE,
    WORKSPACE_SUBSCRIPTIONS,
    ORG_SOURCES,
    USER_SOURCES,
    CREATE_SOURCE,
    UPDATE_SOURCE,
    DELETE_SOURCE,
    CREATE_SUBSCRIPTION,
    AUTO_SUBSCRIBE,
    DELETE_SUBSCRIPTION,
    CREATE_WEBHOOK,
    DELETE_WEBHOOK,
    WORKFLOW_EMITS,
    WORKFLOW_ERRORS,
    ME,
    USER_SUBSCRIPTIONS,
    WEBHOOKS,
    SOURCE,
    WORKFLOW,
    WORKFLOW_CHANNEL,
    OLD_SOURCE_EVENTS,
    OTHER_ORG_SUBSCRIPTIONS,
    OTHER_WORKSPACE_SOURCES,
    OAUTH_TOKEN,
)


def endpoint_of(method: str, path: str) -> Endpoint | None:
    """Return the endpoint that a request goes to; None for one that is not in the table."""
    return next((e for e in ENDPOINTS if e.answers(method, path)), None)


_USERS_ONLY: Final = re.compile(
    "|".join(f"{e.method} {e.pattern}" for e in ENDPOINTS if not e.oauth)
).fullmatch


def takes_tokens(method: str, path: str) -> bool:
    """Tell whether a request may go with an OAuth client's token; asked before each one."""
    return _USERS_ONLY(f"{method} {path}") is None
