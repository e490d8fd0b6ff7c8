"""Errors of workflows, grouped by what went wrong, and what it takes to look into one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from .database import Database
from .words import count, duration, harmless, moment


def groups(database: Database, new_since: datetime | None) -> pd.DataFrame:
    """Return the groups of errors, those that are new first, then the most frequent.

    Args:
        new_since: a group is new if its first error is not older.

    Returns:
        Columns fingerprint, is_new, workflow, step, code, message (of the newest), errors, recent
        (since `new_since`), first_at, last_at, workflow_id.
    """
    return database.frame(
        "SELECT fingerprint, coalesce(min(emitted_at) >= $since, false) AS is_new, "
        "any_value(workflow) AS workflow, any_value(step) AS step, any_value(code) AS code, "
        "arg_max(message, emitted_at) AS message, count(*) AS errors, "
        "count(*) FILTER (emitted_at >= $since) AS recent, "
        "min(emitted_at) AS first_at, max(emitted_at) AS last_at, workflow_id "
        "FROM detailed_errors GROUP BY fingerprint, workflow_id "
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
        f"SELECT {start} AS start, {start} + to_seconds($seconds) AS end, "
        "code, count(*) AS errors FROM detailed_errors "
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
        "SELECT workflow_id, any_value(workflow) AS workflow, code, "
        "count(*) AS errors FROM detailed_errors GROUP BY workflow_id, code "
        "ORDER BY errors DESC, workflow_id, code"
    )


def occurrences(database: Database, fingerprint: str, limit: int = 100) -> pd.DataFrame:
    """Return the newest errors of a group.

    Returns:
        Columns emitted_at, emitter_id, channel, id, message, event_bytes (of what caused it).
    """
    return database.frame(
        "SELECT emitted_at, emitter_id, channel, id, message, "
        "strlen((event -> '$.original_event')::VARCHAR) AS event_bytes FROM detailed_errors "
        f"WHERE fingerprint = ? ORDER BY emitted_at DESC, event_seq DESC LIMIT {limit}",
        [fingerprint],
    )


def one(database: Database, emitter_id: str, channel: str, event_id: str) -> dict[str, Any] | None:
    """Return one error with its stack, its context and what caused it; None when it is gone.

    Returns:
        The columns of the view `detailed_errors`, and `payload`: the event's text as the API sent it, `original`:
        the event that caused it, `trigger`: the name of that event's emitter, `endpoint`: that
        emitter's address, if it is an HTTP source. None for what is not known.
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
        " The stored history begins only shortly before, so that most groups count as new."
        if since is not None and first > since - timedelta(days=1)
        else ""
    )
    return (
        "## Over time\n\n"
        f"*Yesterday* is 24 hours before the last poll: **{moment(since)}**. A group is new if its "
        f"first error came later.{short} Each bar is {duration(step)}; scroll to zoom, drag to move."
    )


def group_words(group: pd.Series) -> str:
    """Say in Markdown what a group of `groups` is."""
    new = " It is **new**." if group["is_new"] else ""
    step = f", step {harmless(group['step'])}" if not pd.isna(group["step"]) else ""
    return (
        f"## {harmless(group['code'])}: {harmless(group['message'])}\n\n"
        f"Workflow **{harmless(group['workflow'])}** ({harmless(group['workflow_id'])}){step}: "
        f"{count(group['errors'], 'error')} from {moment(group['first_at'])} to "
        f"{moment(group['last_at'])}, {group['recent']:,} of them since yesterday.{new}"
    )


def error_words(error: dict[str, Any]) -> str:
    """Say in Markdown where an error of `one` happened, and what triggered it."""
    trigger = error["trigger"] or error["trigger_id"]
    by = f", triggered by **{harmless(trigger)}**" if trigger else ""
    return (
        f"### Stack\n\n{moment(error['emitted_at'])} in step {harmless(error['step'] or 'unknown')} "
        f"of **{harmless(error['workflow'])}**{by}:"
    )
