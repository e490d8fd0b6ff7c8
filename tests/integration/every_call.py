"""Each call of the client with arguments that it takes, for tests of what all have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pipedream_source.api.client import PipedreamClient

OBJECT = b'{"data":{"id":"x_1"}}'
LIST = b'{"data":[{"id":"x_1"}]}'
NOTHING = b""

Call = Callable[[PipedreamClient], Any]


class Case(NamedTuple):
    """A call, the method that it sends, and the body of a good answer to it."""

    method: str
    call: Call
    good: bytes


def _walked(name: str, /, *args: Any, **named: Any) -> Case:
    return Case("GET", lambda client: list(getattr(client, name)(*args, **named)), LIST)


def _called(method: str, good: bytes, name: str, /, *args: Any, **named: Any) -> Case:
    return Case(method, lambda client: getattr(client, name)(*args, **named), good)


EVERY_CALL: dict[str, Case] = {
    "me": _called("GET", OBJECT, "me"),
    "sources": _walked("sources"),
    "source": _called("GET", OBJECT, "source", "dc_1"),
    "event_summaries": _walked("event_summaries", "dc_1"),
    "workflow_emits": _walked("workflow_emits", "p_1"),
    "workflow_errors": _walked("workflow_errors", "p_1"),
    "workflow": _called("GET", b'{"steps":[]}', "workflow", "p_1"),
    "component": _called("GET", OBJECT, "component", "my-component"),
    "registry_component": _called("GET", OBJECT, "registry_component", "rss-new-item"),
    "subscriptions": _walked("subscriptions"),
    "webhooks": _walked("webhooks"),
    "workspace": _called("GET", OBJECT, "workspace", "o_1"),
    "request": _called("GET", OBJECT, "request", "GET", "/users/me"),
    "create_source": _called("POST", OBJECT, "create_source", component_id="sc_1", name="n"),
    "update_source": _called("PUT", OBJECT, "update_source", "dc_1", active=False),
    "delete_source": _called("DELETE", NOTHING, "delete_source", "dc_1"),
    "delete_events": _called("DELETE", NOTHING, "delete_events", "dc_1", start_id="1-0"),
    "create_component": _called("POST", OBJECT, "create_component", component_code="x"),
    "create_subscription": _called("POST", LIST, "create_subscription", "dc_1", "p_1"),
    "delete_subscription": _called("DELETE", LIST, "delete_subscription", "dc_1", "p_1"),
    "auto_subscribe": _called("POST", LIST, "auto_subscribe", "p_1", "$errors"),
    "create_webhook": _called("POST", OBJECT, "create_webhook", "https://example.com"),
    "delete_webhook": _called("DELETE", NOTHING, "delete_webhook", "wh_1"),
}


def of_methods(*methods: str) -> list[str]:
    """Name the calls that send one of these methods."""
    return [name for name, case in EVERY_CALL.items() if case.method in methods]
