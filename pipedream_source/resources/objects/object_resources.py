"""The dimension resources: the API's objects as tables.

A list that failed halfway is not yielded: it would close rows that still exist.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dlt

from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.protocol import is_workflow
from pipedream_source.exceptions import ApiError, GaveUp
from pipedream_source.resources.arrow.items import create_once, items_of
from pipedream_source.resources.objects.object_rows import ordered, row_of
from pipedream_source.resources.objects.secret_props import hide_secret_props
from pipedream_source.resources.objects.snapshots import Row, user_rows, workspace_rows
from pipedream_source.resources.schema.tables import (
    SOURCES,
    SUBSCRIPTIONS,
    USERS,
    WEBHOOKS,
    WORKFLOWS,
    WORKSPACES,
    Table,
)
from pipedream_source.resources.session.session import Session
from pipedream_source.resources.session.source_state import (
    dataset_salt,
    forget_note,
    is_changed,
    known_workflows,
    note_once,
)

_KINDS = {"p": "workflow", "wh": "webhook", "o": "workspace", "u": "user"}


def source_items(session: Session) -> Iterator[Any]:
    """Yield all sources of the scope, if every list of them was read whole.

    History is kept (scd2): a source that changes or vanishes closes its row. Nothing is yielded
    when nothing changed since the last load.
    """
    inventory = session.inventory()
    if not session.selection.discover or not inventory.is_whole("sources"):
        yield from create_once(SOURCES)
    else:
        yield from _history(session, SOURCES, hide_secret_props(session, inventory.sources))


def webhook_items(session: Session) -> Iterator[Any]:
    """Yield the account's webhooks with their history, as `source_items` does sources."""
    inventory = session.inventory()
    if inventory.remarks:
        note_once(session.tally.warn, " ".join(inventory.remarks))
    else:
        forget_note()
    if inventory.webhooks is None or not inventory.is_whole("webhooks"):
        yield from create_once(WEBHOOKS)
    else:
        yield from _history(session, WEBHOOKS, inventory.webhooks)


def _history(
    session: Session, table: Table, objects: Mapping[str, Mapping[str, Any]]
) -> Iterator[Any]:
    salt = dataset_salt()
    rows = [row_of(table, item, salt) for item in ordered(objects)]
    if is_changed(rows):
        yield items_of(table, rows, session.load_id)
        session.tally.add_rows(table.name, len(rows))


def subscription_items(session: Session) -> Iterator[Any]:
    """Yield all subscriptions of the scope; they replace those of the last load."""
    inventory = session.inventory()
    if not session.selection.discover or not inventory.is_whole("subscriptions"):
        yield from create_once(SUBSCRIPTIONS)
        return
    rows = [row_of(SUBSCRIPTIONS, item) for item in ordered(inventory.subscriptions)]
    for row in rows:
        row["emitter_kind"] = kind_of(row["emitter_id"])
        row["listener_kind"] = kind_of(row["listener_id"])
    if is_changed(rows):
        yield items_of(SUBSCRIPTIONS, rows, session.load_id)
        session.tally.add_rows(SUBSCRIPTIONS.name, len(rows))


def user_items(session: Session) -> Iterator[Any]:
    """Yield a snapshot of the user."""
    session.inventory()
    yield from _snapshot(session, USERS, user_rows(session))


def workspace_items(session: Session) -> Iterator[Any]:
    """Yield a snapshot of each workspace of the scope."""
    session.inventory()
    yield from _snapshot(session, WORKSPACES, workspace_rows(session))


def _snapshot(session: Session, table: Table, rows: list[Row]) -> Iterator[Any]:
    if not rows:
        yield from create_once(table)
        return
    yield items_of(table, rows, session.load_id)
    session.tally.add_rows(table.name, len(rows))


def workflow_items(session: Session) -> Iterator[Any]:
    """Yield the workflows that are known, with how they were found and whether they answer.

    Last of all, as errors name workflows and polls tell whether they answer; None until then,
    which dlt takes for "ask me later".
    """
    inventory = session.inventory()
    while session.pollers.is_polling:
        yield None
    known, state = known_workflows(), dlt.current.resource_state()
    now = datetime.now(UTC)
    rows = []
    for workflow_id, how in sorted(inventory.found_by.items()):
        entry = known.setdefault(workflow_id, {})
        entry.setdefault("first", now.isoformat())
        entry["by"] = sorted(how | set(entry.get("by", ())))
        rows.append(
            {
                "id": workflow_id,
                "name": entry.get("name"),
                "discovered_by": json.dumps(entry["by"]),
                "reachable": _reachable(session.client, workflow_id, entry),
                "first_seen_at": datetime.fromisoformat(entry["first"]),
                "last_seen_at": now,
            }
        )
    if rows or "exists" not in state:
        yield items_of(WORKFLOWS, rows, session.load_id)
        state["exists"] = True
    session.tally.add_rows(WORKFLOWS.name, len(rows))


def _reachable(client: PipedreamClient, workflow_id: str, entry: dict[str, Any]) -> bool | None:
    """Say what the last poll told; a workflow never polled is asked for one event."""
    if "ok" not in entry:
        try:
            entry["ok"] = client.answers(workflow_id)
        except (ApiError, GaveUp):
            return None
    return bool(entry["ok"])


def kind_of(emitter_id: str | None) -> str | None:
    """Name what an end of a subscription is: source, workflow, webhook, … or a glob of them."""
    if not emitter_id:
        return None
    if emitter_id.endswith("*"):
        return "glob"
    prefix = emitter_id.split("_", 1)[0]
    return "workflow" if is_workflow(emitter_id) else _KINDS.get(prefix, "source")
