"""Errors of workflows, grouped by what went wrong, and what it takes to look into one.

A fingerprint is made of the workflow, the step, the error's code and its message without numbers,
ids and quoted texts. Where the dbt marts are built, theirs is used (`fingerprints`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd

from .database import Database
from .tables import EMITTERS

_PLAIN = (
    "regexp_replace(regexp_replace(message, '''[^'']*''|\"[^\"]*\"', '…', 'g'), "
    "'\\b[0-9a-fA-F-]*\\d[0-9a-fA-F-]*\\b', '#', 'g')"
)

#: One row for each error.
ERRORS = f"""\
{EMITTERS},
raised AS (
    SELECT emitter_id, channel, id, emitted_at, event_seq, event,
           coalesce(event ->> '$.original_context.workflow_id', emitter_id) AS workflow_id,
           event ->> '$.original_context.workflow_name' AS told_name,
           event ->> '$.original_context.emitter_id' AS trigger_id,
           event ->> '$.error.cellId' AS step,
           coalesce(event ->> '$.error.code', '?') AS code,
           coalesce(event ->> '$.error.msg', split_part(event ->> '$.error.stack', chr(10), 1), '')
               AS message,
           event ->> '$.error.stack' AS stack
    FROM workflow_errors
),
errors AS (
    SELECT raised.*, coalesce(told_name, name, workflow_id) AS workflow, {_PLAIN} AS plain,
           left(md5(concat_ws(chr(31), workflow_id, step, code, {_PLAIN})), 12) AS fingerprint
    FROM raised LEFT JOIN emitters ON emitters.emitter_id = workflow_id
)"""


def groups(database: Database, new_since: datetime | None) -> pd.DataFrame:
    """Return the groups of errors, those that are new first, then the most frequent.

    Args:
        new_since: a group is new if its first error is not older.

    Returns:
        Columns fingerprint, is_new, workflow, step, code, message (of the newest), errors, recent
        (since `new_since`), first_at, last_at, workflow_id.
    """
    return database.frame(
        f"WITH {ERRORS} "
        "SELECT fingerprint, coalesce(min(emitted_at) >= $since, false) AS is_new, "
        "any_value(workflow) AS workflow, any_value(step) AS step, any_value(code) AS code, "
        "arg_max(message, emitted_at) AS message, count(*) AS errors, "
        "count(*) FILTER (emitted_at >= $since) AS recent, "
        "min(emitted_at) AS first_at, max(emitted_at) AS last_at, workflow_id "
        "FROM errors GROUP BY fingerprint, workflow_id "
        "ORDER BY is_new DESC, recent DESC, errors DESC, fingerprint",
        {"since": new_since},
    )


def timeline(database: Database, seconds: int, fingerprint: str | None = None) -> pd.DataFrame:
    """Return how many errors of each code each step of time brought.

    Args:
        fingerprint: only this group's; all by default.

    Returns:
        Columns start, end, code, errors.
    """
    start = "time_bucket(to_seconds($seconds), emitted_at)"
    return database.frame(
        f"WITH {ERRORS} SELECT {start} AS start, {start} + to_seconds($seconds) AS end, "
        "code, count(*) AS errors FROM errors "
        "WHERE $fingerprint IS NULL OR fingerprint = $fingerprint "
        "GROUP BY ALL ORDER BY start, code",
        {"seconds": seconds, "fingerprint": fingerprint},
    )


def span(database: Database) -> tuple[datetime | None, datetime | None]:
    """Return when the first and the newest error happened."""
    found = database.frame(
        "SELECT min(emitted_at) AS first_at, max(emitted_at) AS last_at FROM workflow_errors"
    ).iloc[0]
    return tuple(None if pd.isna(value) else value.to_pydatetime() for value in found)  # type: ignore[return-value]


def by_workflow(database: Database) -> pd.DataFrame:
    """Return how many errors each workflow has.

    Returns:
        Columns workflow_id, workflow, code, errors.
    """
    return database.frame(
        f"WITH {ERRORS} SELECT workflow_id, any_value(workflow) AS workflow, code, "
        "count(*) AS errors FROM errors GROUP BY workflow_id, code ORDER BY errors DESC, workflow_id, code"
    )


def occurrences(database: Database, fingerprint: str, limit: int = 100) -> pd.DataFrame:
    """Return the newest errors of a group.

    Returns:
        Columns emitted_at, emitter_id, channel, id, message, event_bytes (of what caused it).
    """
    return database.frame(
        f"WITH {ERRORS} SELECT emitted_at, emitter_id, channel, id, message, "
        "strlen((event -> '$.original_event')::VARCHAR) AS event_bytes FROM errors "
        f"WHERE fingerprint = ? ORDER BY emitted_at DESC, event_seq DESC LIMIT {limit}",
        [fingerprint],
    )


def one(database: Database, emitter_id: str, channel: str, event_id: str) -> dict[str, Any] | None:
    """Return one error with its stack, its context and what caused it; None when it is gone.

    Returns:
        The columns of `ERRORS`, and `payload`: the event's text as the API sent it, `trigger`: the
        name of the emitter of what caused it, `endpoint`: where the workflow takes events.
    """
    found = database.frame(
        f"WITH {ERRORS} SELECT errors.*, event::VARCHAR AS payload, t.name AS trigger, "
        "coalesce("
        "  CASE WHEN event ->> '$.original_context.source_type' = 'HTTP' OR trigger_id IS NULL "
        "       THEN event ->> '$.original_event.url' END,"
        "  s.configured_props ->> '$.http.endpoint_url', event ->> '$.original_event.url'"
        ") AS endpoint "
        "FROM errors LEFT JOIN emitters AS t ON t.emitter_id = trigger_id "
        "LEFT JOIN sources AS s ON s.id = trigger_id AND s._dlt_valid_to IS NULL "
        "WHERE errors.emitter_id = ? AND channel = ? AND errors.id = ? LIMIT 1",
        [emitter_id, channel, event_id],
    )
    return None if found.empty else {str(k): v for k, v in found.iloc[0].items()}
