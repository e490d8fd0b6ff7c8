"""Every table's name, columns, key and disposition: the only place where they are written down."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

INSERT_ONLY: Final = "insert-only"
UPSERT: Final = "upsert"
SCD2: Final = "scd2"


@dataclass(frozen=True)
class Table:
    """A table as it is created and written.

    Attributes:
        name: its name in the dataset.
        columns: dlt data type of each column, in order.
        key: columns that identify a row; never null.
        merge: merge strategy, or None for a table whose rows are appended or replaced.
        replace: each load that yields the table replaces it.
    """

    name: str
    columns: Mapping[str, str]
    key: Sequence[str] = ()
    merge: str | None = None
    replace: bool = False


def row_id(table: Table, row: Mapping[str, Any], load_id: str) -> str:
    """Return a row's `_dlt_id`: its key in words, so that normalize need not make one up.

    Where history is kept it is the row's version: dlt closes a row whose `_dlt_id` does not come
    again, and adds one that it has not.
    """
    if table.merge == SCD2:
        version = repr([row.get(name) for name in table.columns])
        return hashlib.sha256(version.encode()).hexdigest()[:32]
    return ":".join(str(row[name]) for name in table.key) or load_id


_EVENT_COLUMNS: Final = {
    "emitter_id": "text",
    "channel": "text",
    "id": "text",
    "emitted_at": "timestamp",
    "event_seq": "bigint",
    "indexed_at": "timestamp",
    "event": "json",
    "event_state": "text",
    "metadata": "json",
    "emit_id": "text",
    "origin": "text",
}
_EVENT_KEY: Final = ("emitter_id", "channel", "id")

SOURCE_EVENT_SUMMARIES = Table("source_event_summaries", _EVENT_COLUMNS, _EVENT_KEY, INSERT_ONLY)
WORKFLOW_EMITS = Table("workflow_emits", _EVENT_COLUMNS, _EVENT_KEY, INSERT_ONLY)
WORKFLOW_ERRORS = Table("workflow_errors", _EVENT_COLUMNS, _EVENT_KEY, INSERT_ONLY)
EVENT_TABLES: Final = (SOURCE_EVENT_SUMMARIES, WORKFLOW_EMITS, WORKFLOW_ERRORS)

# Two machines may find a gap from the same event on, within one second (the API's `Date` has no
# finer), and each of them another end of it; `before_id` is empty where no event is known after.
EVENT_GAPS = Table(
    "event_gaps",
    {
        "emitter_id": "text",
        "channel": "text",
        "verdict": "text",
        "after_id": "text",
        "before_id": "text",
        "gap_start": "timestamp",
        "gap_end": "timestamp",
        "lost_min": "bigint",
        "lost_likely": "bigint",
        "lost_max": "bigint",
        "method": "text",
        "inputs": "json",
        "detected_at": "timestamp",
    },
    ("emitter_id", "channel", "after_id", "before_id", "verdict", "detected_at"),
    INSERT_ONLY,
)

STREAM_STATUS = Table(
    "stream_status",
    {
        "emitter_id": "text",
        "channel": "text",
        "last_id": "text",
        "last_polled_at": "timestamp",
        "verdict": "text",
        "window_size": "bigint",
        "window_seconds": "double",
        "fill": "double",
        "headroom": "double",
        "events_per_hour": "double",
        "next_poll_at": "timestamp",
        "failures": "bigint",
        "last_error": "text",
    },
    ("emitter_id", "channel"),
    UPSERT,
)

#: One row for each stretch of a stream that is proven complete, extended and never repeated.
STREAM_COVERAGE = Table(
    "stream_coverage",
    {
        "emitter_id": "text",
        "channel": "text",
        "from_id": "text",
        "opened_at": "timestamp",
        "begins": "text",
        "covered_from": "timestamp",
        "covered_until": "timestamp",
        "until_id": "text",
        "until_at": "timestamp",
        "events": "bigint",
        "polls": "bigint",
        "longest_pause_s": "double",
    },
    ("emitter_id", "channel", "from_id", "opened_at"),
    UPSERT,
)

QUARANTINE = Table(
    "quarantine",
    {
        "row_hash": "text",
        "emitter_id": "text",
        "channel": "text",
        "id": "text",
        "reason": "text",
        "raw": "text",
        "raw_encoding": "text",
        "truncated": "bool",
        "detected_at": "timestamp",
    },
    ("row_hash",),
    INSERT_ONLY,
)

#: What `events delete` took after it was compared with the tables: its absence is no loss.
DELETIONS = Table(
    "deletions",
    {
        "emitter_id": "text",
        "channel": "text",
        "from_id": "text",
        "until_id": "text",
        "proven_from": "text",
        "events": "bigint",
        "deleted_at": "timestamp",
    },
    ("emitter_id", "channel", "until_id", "deleted_at"),
    INSERT_ONLY,
)

#: Tables that every event resource writes beside its own.
SIDE_TABLES: Final = (EVENT_GAPS, STREAM_STATUS, STREAM_COVERAGE, QUARANTINE, DELETIONS)

SOURCES = Table(
    "sources",
    {
        "id": "text",
        "component_id": "text",
        "user_id": "text",
        "name": "text",
        "name_slug": "text",
        "active": "bool",
        "configured_props": "json",
        "created_at": "timestamp",
        "updated_at": "timestamp",
        "listed_in": "json",
        "extra": "json",
    },
    ("id",),
    SCD2,
)

WEBHOOKS = Table(
    "webhooks",
    {
        "id": "text",
        "user_id": "text",
        "name": "text",
        "description": "text",
        "url": "text",
        "active": "bool",
        "created_at": "timestamp",
        "updated_at": "timestamp",
        "listed_in": "json",
        "extra": "json",
    },
    ("id",),
    SCD2,
)

COMPONENTS = Table(
    "components",
    {
        "id": "text",
        "key": "text",
        "name": "text",
        "version": "text",
        "code_hash": "text",
        "configurable_props": "json",
        "created_at": "timestamp",
        "updated_at": "timestamp",
        "extra": "json",
    },
    ("id",),
    UPSERT,
)

#: Apart from `components`, as components share their code, and one that is updated keeps the old.
COMPONENT_CODE = Table(
    "component_code", {"code_hash": "text", "code": "text"}, ("code_hash",), INSERT_ONLY
)

SUBSCRIPTIONS = Table(
    "subscriptions",
    {
        "id": "text",
        "emitter_id": "text",
        "emitter_kind": "text",
        "listener_id": "text",
        "listener_kind": "text",
        "event_name": "text",
        "listed_in": "json",
        "extra": "json",
    },
    ("id",),
    replace=True,
)

WORKFLOWS = Table(
    "workflows",
    {
        "id": "text",
        "name": "text",
        "discovered_by": "json",
        "reachable": "bool",
        "first_seen_at": "timestamp",
        "last_seen_at": "timestamp",
    },
    ("id",),
    UPSERT,
)

_USAGE: Final = {
    "daily_credits_quota": "bigint",
    "daily_credits_used": "bigint",
    "daily_compute_time_quota": "bigint",
    "daily_compute_time_used": "bigint",
    "daily_invocations_quota": "bigint",
    "daily_invocations_used": "bigint",
    "billing_period_start_ts": "timestamp",
    "billing_period_end_ts": "timestamp",
    "billing_period_credits": "bigint",
}

USERS = Table(
    "users",
    {
        "id": "text",
        "snapshot_at": "timestamp",
        "username": "text",
        "email": "text",
        "org_ids": "json",
        **_USAGE,
        "extra": "json",
    },
    ("id", "snapshot_at"),
)

WORKSPACES = Table(
    "workspaces",
    {
        "id": "text",
        "snapshot_at": "timestamp",
        "name": "text",
        "orgname": "text",
        "email": "text",
        **_USAGE,
        "extra": "json",
    },
    ("id", "snapshot_at"),
)

LOAD_RUNS = Table(
    "load_runs",
    {
        "run_id": "text",
        "started_at": "timestamp",
        "finished_at": "timestamp",
        "streams_polled": "bigint",
        "streams_failed": "bigint",
        "streams_skipped": "bigint",
        "events_new": "bigint",
        "gaps": "bigint",
        "lost_min": "bigint",
        "lost_likely": "bigint",
        "lost_max": "bigint",
        "requests": "bigint",
        "bytes": "bigint",
        "retries": "bigint",
        "version": "text",
    },
)
