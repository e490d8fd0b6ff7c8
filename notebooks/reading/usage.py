"""Credits and quotas over time, from the snapshots that each load takes of users and workspaces.

The API tells what was used today, and of the billing period where there is one; so a day's use is
the highest figure seen within it, and a day without a load is not known.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from .database import Database
from .tables import EMITTERS, EVENT_TABLES

#: What is counted: its column, and how people call it.
MEASURES: Final = {
    "daily_credits": "credits",
    "daily_invocations": "invocations",
    "daily_compute_time": "compute time (ms)",
}
_OWNERS = """\
owners AS (
    SELECT 'workspace' AS kind, coalesce(name, id) AS owner, * EXCLUDE (name, id), id FROM (
        SELECT id, name, snapshot_at, daily_credits_quota, daily_credits_used,
               daily_compute_time_quota, daily_compute_time_used, daily_invocations_quota,
               daily_invocations_used, billing_period_start_ts, billing_period_end_ts,
               billing_period_credits FROM workspaces)
    UNION ALL BY NAME
    SELECT 'user' AS kind, coalesce(username, id) AS owner, * EXCLUDE (username, id), id FROM (
        SELECT id, username, snapshot_at, daily_credits_quota, daily_credits_used,
               daily_compute_time_quota, daily_compute_time_used, daily_invocations_quota,
               daily_invocations_used, billing_period_start_ts, billing_period_end_ts,
               billing_period_credits FROM users)
)"""


def snapshots(database: Database) -> pd.DataFrame:
    """Return each snapshot's daily figures, one row for each measure.

    Returns:
        Columns kind, id, owner, snapshot_at, measure, used, quota, share (of the quota).
    """
    each = " UNION ALL ".join(
        f"SELECT kind, id, owner, snapshot_at, '{words}' AS measure, {name}_used AS used, "
        f"{name}_quota AS quota FROM owners WHERE {name}_used IS NOT NULL"
        for name, words in MEASURES.items()
    )
    return database.frame(
        f"WITH {_OWNERS}, found AS ({each}) SELECT *, used / nullif(quota, 0) AS share FROM found "
        "ORDER BY kind DESC, owner, id, measure, snapshot_at"
    )


def days(found: pd.DataFrame) -> pd.DataFrame:
    """Return what was used on each day (UTC) that a snapshot tells of.

    Returns:
        Columns kind, id, owner, measure, day, used, quota, share, until (the last snapshot).
    """
    key = ["kind", "id", "owner", "measure"]
    by_day = found.assign(day=found["snapshot_at"].dt.floor("D")).groupby([*key, "day"], sort=True)
    daily = by_day.agg(used=("used", "max"), quota=("quota", "last"), until=("snapshot_at", "max"))
    daily = daily.reset_index()
    return daily.assign(share=daily["used"] / daily["quota"].where(daily["quota"] > 0))


def billing(database: Database) -> pd.DataFrame:
    """Return the credits of each billing period, at each snapshot.

    Returns:
        Columns kind, id, owner, snapshot_at, credits, begins, ends.
    """
    return database.frame(
        f"WITH {_OWNERS} SELECT kind, id, owner, snapshot_at, billing_period_credits AS credits, "
        "billing_period_start_ts AS begins, billing_period_end_ts AS ends FROM owners "
        "WHERE billing_period_credits IS NOT NULL ORDER BY kind DESC, owner, id, snapshot_at"
    )


def top_emitters(database: Database, days_back: int | None = 7, limit: int = 15) -> pd.DataFrame:
    """Return the emitters with the most events: what most likely uses up the credits.

    Args:
        days_back: of the days before the newest data; None for everything.

    Returns:
        Columns emitter_id, name, kind, events, errors, payload_bytes, share (of all events).
    """
    each = " UNION ALL ".join(
        f"SELECT emitter_id, emitted_at, strlen(event::VARCHAR) AS bytes, "  # noqa: S608
        f"{table == 'workflow_errors'} AS is_error FROM {table}"
        for table in EVENT_TABLES
    )
    found = database.frame(
        f"WITH {EMITTERS}, found AS ({each}) "
        "SELECT emitter_id, coalesce(any_value(name), emitter_id) AS name, "
        "coalesce(any_value(kind), 'emitter') AS kind, "
        "count(*) FILTER (NOT is_error) AS events, count(*) FILTER (is_error) AS errors, "
        "coalesce(sum(bytes), 0)::BIGINT AS payload_bytes "
        "FROM found LEFT JOIN emitters USING (emitter_id) WHERE $days IS NULL OR emitted_at > "
        "(SELECT max(last_polled_at) FROM stream_status) - to_days($days::INTEGER) "
        "GROUP BY emitter_id ORDER BY events DESC, emitter_id",
        {"days": days_back},
    )
    total = found["events"].sum()
    return found.assign(share=found["events"] / total if total else 0.0).head(limit)
