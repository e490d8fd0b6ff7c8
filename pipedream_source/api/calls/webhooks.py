"""Calls of the section "Webhooks"; their parameters travel in the query."""

from __future__ import annotations

from pipedream_source.api import endpoints
from pipedream_source.api.arguments import check_kind, check_url
from pipedream_source.api.calls.parameters import Fields, fields, in_workspace, page, texts
from pipedream_source.api.protocol import Request
from pipedream_source.settings import PAGE_LIMIT


def webhooks(*, limit: int = PAGE_LIMIT, include: Fields = None, exclude: Fields = None) -> Request:
    """Ask for the first page of the user's webhooks."""
    return endpoints.WEBHOOKS.request(params=page(limit, include, exclude))


def create_webhook(
    url: str,
    *,
    name: str | None = None,
    description: str | None = None,
    org_id: str | None = None,
    include: Fields = None,
    exclude: Fields = None,
) -> Request:
    """Make a webhook that points to a URL."""
    params = {
        "url": check_url(url, "url"),
        **texts(name=name, description=description),
        **in_workspace(org_id),
    }
    return endpoints.CREATE_WEBHOOK.request(params=params, body=fields(include, exclude) or None)


def delete_webhook(webhook_id: str) -> Request:
    """Delete a webhook."""
    return endpoints.DELETE_WEBHOOK.request({"id": check_kind(webhook_id, "webhook_id", "wh")})
