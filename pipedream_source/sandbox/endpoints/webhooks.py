"""Webhooks: list, create, delete."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pipedream_source.sandbox.endpoints.answers import (
    Record,
    created,
    listed,
    named_org,
    one,
    required,
    text_of,
)
from pipedream_source.sandbox.protocol.errors import InvalidParameter, RecordNotFound
from pipedream_source.sandbox.protocol.exchange import Call, Reply
from pipedream_source.sandbox.protocol.ids import short_id
from pipedream_source.sandbox.world.site import Site

_NOT_IN_A_URL = re.compile(r"[\s\x00-\x1f\x7f]")
_MOST = 2_048


def user_webhooks(site: Site, call: Call) -> Reply:
    """Get Current User's Webhooks."""
    org_id = named_org(site, call)
    held = site.workspace.webhooks.values()
    rows = [w for w in held if org_id in (None, w.get("org_id"))]
    return listed([_shown(row, ("user_id", "org_id")) for row in rows], site, call)


def create_webhook(site: Site, call: Call) -> Reply:
    """Create a webhook."""
    url = _checked(required(call, "url"))
    workspace, seconds = site.workspace, site.clock.now_ms() // 1000
    record: Record = {"id": short_id("wh", workspace.rng), "user_id": workspace.user["id"]}
    record |= {"name": text_of(call, "name"), "description": text_of(call, "description")}
    record |= {"url": url, "active": True, "created_at": seconds, "updated_at": seconds}
    org_id = named_org(site, call)
    workspace.add_webhook(record | ({"org_id": org_id} if org_id else {}))
    return one(record, call, created(site))


def delete_webhook(site: Site, call: Call) -> Reply:
    """Delete a webhook."""
    workspace, webhook_id = site.workspace, call.ids["id"]
    webhook = workspace.webhooks.get(webhook_id)
    if webhook is None or call.org_id not in (None, webhook.get("org_id")):
        raise RecordNotFound
    del workspace.webhooks[webhook_id]
    workspace.subscriptions.remove_all_of(webhook_id)
    return Reply.empty(204)


def _shown(record: Record, hidden: tuple[str, ...]) -> Record:
    return {name: value for name, value in record.items() if name not in hidden}


def _checked(url: str) -> str:
    """Refuse what is no URL with a protocol of http or https and a hostname (Create a webhook)."""
    refusal = InvalidParameter("url must have a protocol of http or https, and a hostname")
    if _NOT_IN_A_URL.search(url) or len(url) > _MOST:
        raise refusal
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        raise refusal from None
    if not usable:
        raise refusal
    return url
