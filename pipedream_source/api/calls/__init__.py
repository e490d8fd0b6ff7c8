"""The API's calls as requests, with checked arguments; may use endpoints, arguments and protocol.

Each function has the name of the client's method that sends its request, so that what a call
would send can be shown without sending it. All of them raise `ConfigurationError` for an argument
that cannot be used. `include` and `exclude` (section "Common Parameters") travel in the query of
GET and DELETE, and in the body of POST and PUT.
"""

from pipedream_source.api.calls.accounts import me, workflow, workspace
from pipedream_source.api.calls.components import component, create_component, registry_component
from pipedream_source.api.calls.events import (
    delete_events,
    event_summaries,
    workflow_emits,
    workflow_errors,
)
from pipedream_source.api.calls.raw import request
from pipedream_source.api.calls.sources import (
    create_source,
    delete_source,
    source,
    sources,
    update_source,
)
from pipedream_source.api.calls.subscriptions import (
    auto_subscribe,
    create_subscription,
    delete_subscription,
    subscriptions,
)
from pipedream_source.api.calls.webhooks import create_webhook, delete_webhook, webhooks

__all__ = [
    "auto_subscribe",
    "component",
    "create_component",
    "create_source",
    "create_subscription",
    "create_webhook",
    "delete_events",
    "delete_source",
    "delete_subscription",
    "delete_webhook",
    "event_summaries",
    "me",
    "registry_component",
    "request",
    "source",
    "sources",
    "subscriptions",
    "update_source",
    "webhooks",
    "workflow",
    "workflow_emits",
    "workflow_errors",
    "workspace",
]
