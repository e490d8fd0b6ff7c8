"""Subscriptions: list, create, delete, and automatic ones."""

from __future__ import annotations

from pipedream_source.sandbox.endpoints.answers import (
    Record,
    created,
    listed,
    named_org,
    org_seen,
    owner_of,
    picked,
    required,
    text_of,
)
from pipedream_source.sandbox.protocol.errors import RecordNotFound
from pipedream_source.sandbox.protocol.exchange import Call, Reply
from pipedream_source.sandbox.protocol.ids import short_id
from pipedream_source.sandbox.protocol.paging import read_limit
from pipedream_source.sandbox.world.listeners import GLOBS, Subscription
from pipedream_source.sandbox.world.site import Site


def user_subscriptions(site: Site, call: Call) -> Reply:
    """Get Current User's Subscriptions."""
    return _subscriptions(owner_of(site, call), site, call)


def workspace_subscriptions(site: Site, call: Call) -> Reply:
    """Get Workspaces's Subscriptions."""
    return _subscriptions(org_seen(site, call, call.ids["org_id"]), site, call)


def _subscriptions(owner_id: str, site: Site, call: Call) -> Reply:
    rows = site.workspace.subscriptions.listed(owner_id)
    if site.switches.subscriptions == "paginated":
        return listed(rows, site, call)
    # A page's size is refused when it is wrong, though the whole list is answered.
    read_limit(call.params, site.switches)
    return Reply.json({"data": [picked(row, call) for row in rows]})


def create_subscription(site: Site, call: Call) -> Reply:
    """Listen for events from another source or workflow."""
    emitter_id, listener_id = required(call, "emitter_id"), required(call, "listener_id")
    event_name = text_of(call, "event_name") or ""
    owners = _owners_of(site, call, emitter_id)
    _check_listener(site, call, listener_id)
    lists = (named_org(site, call),) if named_org(site, call) else owners
    names = (emitter_id, listener_id, event_name)
    listed_in = tuple(dict.fromkeys(owner for owner in lists if owner))
    return _answer([_kept(site, names, listed_in).record], call, created(site))


def create_auto_subscription(site: Site, call: Call) -> Reply:
    """Automatically subscribe a listener to events from new workflows and sources."""
    listener_id = required(call, "listener_id")
    # As printed in the documentation, a shell makes nothing of the unquoted `$errors`.
    event_name = text_of(call, "event_name")
    if event_name is None:
        event_name = required(call, "event_name")
    _check_listener(site, call, listener_id)
    owner = owner_of(site, call)
    kept = _kept(site, (owner, listener_id, event_name), (owner,), auto=True)
    return _answer([kept.record], call, created(site))


def delete_subscription(site: Site, call: Call) -> Reply:
    """Delete a subscription."""
    emitter_id, listener_id = required(call, "emitter_id"), required(call, "listener_id")
    names = (emitter_id, listener_id, text_of(call, "event_name") or "")
    subscriptions = site.workspace.subscriptions
    found = subscriptions.find(names) or subscriptions.find(names, auto=True)
    if found is None or not _sees(call, found):
        raise RecordNotFound
    subscriptions.remove(found)
    return _answer([found.record], call, 200)


def _kept(
    site: Site, names: tuple[str, str, str], listed_in: tuple[str, ...], *, auto: bool = False
) -> Subscription:
    """Return the subscription of these names, made if there is none; it joins the lists named."""
    workspace = site.workspace
    found = workspace.subscriptions.find(names, auto=auto)
    if found is not None:
        found.listed_in = tuple(dict.fromkeys((*found.listed_in, *listed_in)))
        return found
    record: Record = {"id": short_id("sub", workspace.rng)}
    record |= dict(zip(("emitter_id", "listener_id", "event_name"), names, strict=True))
    subscription = Subscription(record, listed_in, auto)
    workspace.subscriptions.add(subscription)
    return subscription


def _owners_of(site: Site, call: Call, emitter_id: str) -> tuple[str, ...]:
    """Return whose subscription it is that names an emitter, and refuse an unknown one."""
    workspace = site.workspace
    user_id: str = workspace.user["id"]
    if emitter_id in GLOBS or (emitter_id == user_id and call.org_id is None):
        return (call.org_id or user_id,)
    if emitter_id.startswith("o_"):
        return (user_id, org_seen(site, call, emitter_id))
    emitter = workspace.emitter(emitter_id)
    if not emitter.is_seen_by(call.org_id):
        raise RecordNotFound
    return (user_id, emitter.owner_id)


def _check_listener(site: Site, call: Call, listener_id: str) -> None:
    if listener_id in site.workspace.webhooks:
        return
    if not site.workspace.emitter(listener_id).is_seen_by(call.org_id):
        raise RecordNotFound


def _sees(call: Call, subscription: Subscription) -> bool:
    return call.org_id is None or call.org_id in subscription.listed_in


def _answer(records: list[Record], call: Call, status: int) -> Reply:
    return Reply.json({"data": [picked(record, call) for record in records]}, status)
