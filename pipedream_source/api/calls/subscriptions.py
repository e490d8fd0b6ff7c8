"""Calls of the section "Subscriptions"; their parameters travel in the query."""

from __future__ import annotations

from pipedream_source.api import endpoints
from pipedream_source.api.arguments import check_emitter, check_event_name, check_kind
from pipedream_source.api.calls.parameters import Fields, fields, in_workspace, page
from pipedream_source.api.protocol import Request, check_id
from pipedream_source.settings import PAGE_LIMIT


def subscriptions(
    org_id: str | None = None,
    *,
    limit: int = PAGE_LIMIT,
    include: Fields = None,
    exclude: Fields = None,
) -> Request:
    """Ask for the first page of the user's subscriptions, or of a workspace's."""
    params = page(limit, include, exclude)
    if org_id is None:
        return endpoints.USER_SUBSCRIPTIONS.request(params=params)
    ids = {"org_id": check_kind(org_id, "org_id", "o")}
    return endpoints.WORKSPACE_SUBSCRIPTIONS.request(ids, params)


def create_subscription(
    emitter_id: str,
    listener_id: str,
    *,
    event_name: str = "",
    org_id: str | None = None,
    include: Fields = None,
    exclude: Fields = None,
) -> Request:
    """Let a listener hear an emitter: an id, or a glob such as `p_*`."""
    params = _ends(emitter_id, listener_id)
    if check_event_name(event_name):
        params["event_name"] = event_name
    params.update(in_workspace(org_id))
    body = fields(include, exclude) or None
    return endpoints.CREATE_SUBSCRIPTION.request(params=params, body=body)


def delete_subscription(
    emitter_id: str,
    listener_id: str,
    *,
    event_name: str = "",
    org_id: str | None = None,
    include: Fields = None,
    exclude: Fields = None,
) -> Request:
    """End a subscription; the section demands `event_name=` for the default channel."""
    params = {
        **_ends(emitter_id, listener_id),
        "event_name": check_event_name(event_name),
        **in_workspace(org_id),
        **fields(include, exclude),
    }
    return endpoints.DELETE_SUBSCRIPTION.request(params=params)


def auto_subscribe(
    listener_id: str,
    event_name: str,
    *,
    org_id: str | None = None,
    include: Fields = None,
    exclude: Fields = None,
) -> Request:
    """Let a listener hear a channel of each workflow and source that is made from now on."""
    params = {
        "event_name": check_event_name(event_name, required=True),
        "listener_id": check_id(listener_id, "listener_id"),
        **in_workspace(org_id),
    }
    body = fields(include, exclude) or None
    return endpoints.AUTO_SUBSCRIBE.request(params=params, body=body)


def _ends(emitter_id: str, listener_id: str) -> dict[str, str]:
    return {
        "emitter_id": check_emitter(emitter_id),
        "listener_id": check_id(listener_id, "listener_id"),
    }
