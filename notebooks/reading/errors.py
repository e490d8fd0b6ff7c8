"""Errors of workflows, grouped by what went wrong, and what it takes to look into one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from .database import Database
from .streams import told_apart
from .words import ago, count, duration, harmless, moment

_GROUPS = """
WITH grouped AS (
    SELECT any_value(code) AS code, arg_max(message, emitted_at) AS message,
           string_agg(DISTINCT workflow, ', ' ORDER BY workflow) AS workflows,
           count(*) AS errors, count(*) FILTER (emitted_at >= $since) AS recent,
           min(emitted_at) AS first_at, max(emitted_at) AS last_at,
           string_agg(DISTINCT step, ', ' ORDER BY step) AS steps,
           any_value(top_frame) AS top_frame, fingerprint
    FROM detailed_errors GROUP BY fingerprint
)
SELECT CASE WHEN first_at >= $since THEN 'new' WHEN is_back THEN 'back' ELSE '' END AS standing,
       grouped.*
FROM grouped LEFT JOIN fct_error_groups USING (fingerprint)
ORDER BY standing = 'new' DESC, standing = 'back' DESC, recent DESC, errors DESC, fingerprint
"""


def groups(database: Database, new_since: datetime | None) -> pd.DataFrame:
    """Return the groups of errors, those that are new or back first, then the most frequent.

    Args:
        new_since: a group is new if its first error is not older.

    Returns:
        Columns standing (`new`, `back` after a pause of days if the dbt marts say so, or empty),
        code, message (of the newest), workflows (their names), errors, recent (since `new_since`),
        first_at, last_at, steps, top_frame, fingerprint.
    """
    return database.frame(_GROUPS, {"since": new_since})


def timeline(database: Database, seconds: int, fingerprint: str | None = None) -> pd.DataFrame:
    """Return how many errors of each code each step of time brought.

    Args:
        fingerprint: only this group's; all by default.

    Returns:
        Columns start, end, code, errors.
    """
    return database.frame(
        "SELECT time_bucket(to_seconds($seconds), emitted_at) AS start, "
        "start + to_seconds($seconds) AS end, coalesce(code, 'no code') AS code, "
        "count(*) AS errors FROM detailed_errors "
        "WHERE $fingerprint IS NULL OR fingerprint = $fingerprint "
        "GROUP BY ALL ORDER BY start, code",
        {"seconds": seconds, "fingerprint": fingerprint},
    )


def span(database: Database) -> tuple[datetime | None, datetime | None]:
    """Return when the first and the newest error happened."""
    found = database.frame(
        "SELECT min(emitted_at) AS first_at, max(emitted_at) AS last_at FROM workflow_errors"
    ).iloc[0]
    first, last = (None if pd.isna(value) else value.to_pydatetime() for value in found)
    return first, last


def by_workflow(database: Database) -> pd.DataFrame:
    """Return how many errors each workflow has.

    Returns:
        Columns workflow_id, workflow, code, errors.
    """
    found = database.frame(
        "SELECT workflow_id, first(workflow ORDER BY workflow) AS workflow, "
        "coalesce(code, 'no code') AS code, count(*) AS errors FROM detailed_errors "
        "GROUP BY workflow_id, code ORDER BY errors DESC, workflow_id, code"
    )
    return found.assign(workflow=told_apart(found["workflow"], found["workflow_id"]))


def occurrences(database: Database, fingerprint: str, limit: int = 100) -> pd.DataFrame:
    """Return the newest errors of a group.

    Returns:
        Columns emitted_at, workflow, step, message, emitter_id, channel, id, event_bytes (of what
        caused it).
    """
    return database.frame(
        "SELECT emitted_at, workflow, step, message, emitter_id, channel, id, "
        "strlen((event -> '$.original_event')::VARCHAR) AS event_bytes FROM detailed_errors "
        "WHERE fingerprint = ? ORDER BY emitted_at DESC, event_seq DESC LIMIT ?",
        [fingerprint, limit],
    )


def one(database: Database, emitter_id: str, channel: str, event_id: str) -> dict[str, Any] | None:
    """Return one error with its stack, its context and what caused it; None when it is gone.

    Returns:
        The columns of the view `detailed_errors`, and `payload`: its text as the API sent it,
        `original`: the event that caused it, `trigger`: the name of that event's emitter,
        `endpoint`: that emitter's address, if it is an HTTP source. None for what is not known.
    """
    found = database.frame(
        "SELECT errors.*, event::VARCHAR AS payload, t.name AS trigger, t.endpoint, "
        "(event -> '$.original_event')::VARCHAR AS original "
        "FROM detailed_errors AS errors LEFT JOIN named_emitters AS t ON t.emitter_id = trigger_id "
        "WHERE errors.emitter_id = ? AND channel = ? AND errors.id = ? LIMIT 1",
        [emitter_id, channel, event_id],
    )
    if found.empty:
        return None
    return {str(k): None if pd.isna(v) else v for k, v in found.iloc[0].items()}


def since_words(found: pd.DataFrame, since: datetime | None, step: float) -> str:
    """Say in Markdown what "new" means here, and how to read the chart."""
    first = found["first_at"].min()
    short = (
        f" The stored errors begin only {ago(first, since)} before that, so a group may look new "
        "that is not."
        if since is not None and since - timedelta(days=1) < first < since
        else ""
    )
    return (
        "## Over time\n\n"
        f"*Yesterday* is 24 hours before the last poll: **{moment(since)}**. A group is "
        f"new if its first error came later.{short} Each bar is {duration(step)}; scroll to zoom, "
        "drag to move."
    )


def group_words(group: pd.Series) -> str:
    """Say in Markdown what a group of `groups` is."""
    standing = {"new": " It is **new**.", "back": " It is **back** after a pause."}
    steps = "" if pd.isna(group["steps"]) else f", step {harmless(group['steps'])}"
    message = "" if pd.isna(group["message"]) else f": {harmless(group['message'])}"
    return (
        f"## {harmless(_told(group['code'], 'no code'))}{message}\n\n"
        f"In **{harmless(group['workflows'])}**{steps}: {count(group['errors'], 'error')} from "
        f"{moment(group['first_at'])} to {moment(group['last_at'])}, {group['recent']:,} of them "
        f"since yesterday.{standing.get(group['standing'], '')}"
    )


def _told(value: Any, otherwise: str) -> str:
    return otherwise if value is None or pd.isna(value) else str(value)


def error_words(error: dict[str, Any]) -> str:
    """Say in Markdown where an error of `one` happened, and what triggered it."""
    trigger = error["trigger"] or error["trigger_id"]
    by = f", triggered by **{harmless(trigger)}**" if trigger else ""
    return (
        f"### Stack\n\n{moment(error['emitted_at'])} in step "
        f"{harmless(error['step'] or 'unknown')} of **{harmless(error['workflow'])}**{by}:"
    )
