"""The dimension resources: sources, subscriptions and workflows as tables.

A list that failed halfway is not yielded: it would close rows that still exist.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dlt

from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.protocol import is_workflow
from pipedream_source.exceptions import ApiError, GaveUp
from pipedream_source.resources.session import Session
from pipedream_source.resources.source_state import known_workflows
from pipedream_source.resources.tables import SOURCES, SUBSCRIPTIONS, WORKFLOWS, Table

_KINDS = {"p": "workflow", "wh": "webhook", "o": "workspace", "u": "user"}


def source_items(session: Session) -> Iterator[Any]:
    """Yield all sources of the scope, if every list of them was read whole.

    History is kept (scd2): a source that changes or vanishes closes its row. Nothing is yielded
    when nothing changed since the last load.
    """
    inventory = session.inventory()
    if not session.selection.discover or not inventory.is_whole("sources"):
        yield from _create_once(SOURCES)
        return
    rows = [_row(SOURCES, item) for item in _ordered(inventory.sources)]
    if _is_changed(rows):
        yield SOURCES.item(rows) if rows else _nothing(SOURCES)
        session.tally.add_rows(SOURCES.name, len(rows))


def subscription_items(session: Session) -> Iterator[Any]:
    """Yield all subscriptions of the scope; they replace those of the last load."""
    inventory = session.inventory()
    if not session.selection.discover or not inventory.is_whole("subscriptions"):
        yield from _create_once(SUBSCRIPTIONS)
        return
    rows = [_row(SUBSCRIPTIONS, item) for item in _ordered(inventory.subscriptions)]
    for row in rows:
        row["emitter_kind"] = kind_of(row["emitter_id"])
        row["listener_kind"] = kind_of(row["listener_id"])
    if _is_changed(rows):
        yield SUBSCRIPTIONS.rows(rows, session.load_id) if rows else SUBSCRIPTIONS.empty()
        session.tally.add_rows(SUBSCRIPTIONS.name, len(rows))


def workflow_items(session: Session) -> Iterator[Any]:
    """Yield the workflows that are known, with how they were found and whether they answer.

    Last of all, as errors name workflows and polls tell whether they answer; None until then,
    which dlt takes for "ask me later".
    """
    inventory = session.inventory()
    while session.is_polling:
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
        yield WORKFLOWS.rows(rows, session.load_id)
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


def _ordered(objects: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [objects[key] for key in sorted(objects)]


def _row(table: Table, item: Mapping[str, Any]) -> dict[str, Any]:
    """Fit an object of the API into a table's columns; fields without one go to `extra`."""
    row = {name: _value(kind, item.get(name)) for name, kind in table.columns.items()}
    extra = {name: value for name, value in item.items() if name not in table.columns}
    # A value of another type than the column's is kept beside it rather than lost.
    for name in table.columns:
        if row[name] is None and item.get(name) is not None:
            extra[name] = item[name]
    row["extra"] = json.dumps(extra, sort_keys=True) if extra else None
    return row


def _value(kind: str, value: Any) -> Any:
    """Convert a value to a column's type; None when it is of another."""
    if value is None:
        return None
    match kind:
        case "json":
            return json.dumps(value, sort_keys=True)
        case "timestamp":
            return _seconds(value)
        case "bool":
            return value if isinstance(value, bool) else None
        case _:
            return value if isinstance(value, str) else None


def _seconds(value: Any) -> datetime | None:
    """Read a resource's time, which the API gives in Unix seconds (events have milliseconds)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _is_changed(rows: list[dict[str, Any]]) -> bool:
    """Tell whether a dimension differs from what was last yielded, and remember it."""
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()
    state = dlt.current.resource_state()
    if state.get("digest") == digest:
        return False
    state["digest"] = digest
    return True


def _create_once(table: Table) -> Iterator[Any]:
    """Create a table that has nothing to say yet, at the first load only."""
    state = dlt.current.resource_state()
    if "digest" not in state:
        state["digest"] = ""
        yield _nothing(table)


def _nothing(table: Table) -> Any:
    return dlt.mark.with_hints(
        dlt.mark.materialize_table_schema(), table.hints(), create_table_variant=True
    )
