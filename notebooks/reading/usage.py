"""Credits and quotas over time, from the snapshots that each load takes of users and workspaces.

The API tells what was used today, and of the billing period where there is one; so a day's use is
the highest figure seen within it, and a day without a load is not known.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from .database import Database
from .streams import told_apart
from .words import count, moment

#: What is counted: its column, and how people call it.
MEASURES: Final = {
    "daily_credits": "credits",
    "daily_invocations": "invocations",
    "daily_compute_time": "compute time (ms)",
}
# Later than that after midnight UTC, a figure that has not fallen is taken for the day's own.
_RESET_WITHIN: Final = pd.Timedelta(hours=1)
_TOP = """
SELECT emitter_id, coalesce(any_value(name), emitter_id) AS name,
       coalesce(any_value(kind), 'emitter') AS kind,
       count(*) FILTER (source_table <> 'workflow_errors') AS events,
       count(*) FILTER (source_table = 'workflow_errors') AS errors,
       coalesce(sum(strlen(event::VARCHAR)), 0)::BIGINT AS payload_bytes
FROM every_event LEFT JOIN named_emitters USING (emitter_id)
WHERE $days IS NULL OR emitted_at >
      (SELECT max(last_polled_at) FROM stream_status) - to_days($days::INTEGER)
GROUP BY emitter_id ORDER BY events DESC, emitter_id
"""


def snapshots(database: Database) -> pd.DataFrame:
    """Return each snapshot's daily figures, one row for each measure.

    Returns:
        Columns kind, id, owner, snapshot_at, measure, used, quota, share (of the quota).
    """
    each = " UNION ALL ".join(
        f"SELECT kind, id, owner, snapshot_at, '{words}' AS measure, {name}_used AS used, "  # noqa: S608
        f"{name}_quota AS quota FROM usage_snapshots WHERE {name}_used IS NOT NULL"
        for name, words in MEASURES.items()
    )
    return database.frame(
        f"SELECT *, used / nullif(quota, 0) AS share FROM ({each}) "  # noqa: S608
        "ORDER BY kind DESC, owner, id, measure, snapshot_at"
    )


def days(found: pd.DataFrame) -> pd.DataFrame:
    """Return what was used on each day (UTC) that a snapshot tells of.

    A figure that is read just after midnight and has not fallen since is still yesterday's: the
    API begins anew somewhat later.

    Returns:
        Columns kind, id, owner, measure, day, used, quota, share, until (the last snapshot).
    """
    key = ["kind", "id", "owner", "measure"]
    by_day = found.assign(day=_counted_on(found, key)).groupby([*key, "day"], sort=True)
    daily = by_day.agg(used=("used", "max"), quota=("quota", "last"), until=("snapshot_at", "max"))
    daily = daily.reset_index()
    return daily.assign(share=daily["used"] / daily["quota"].where(daily["quota"] > 0))


def _counted_on(found: pd.DataFrame, key: list[str]) -> pd.Series:
    """Return the day to which each snapshot's figure belongs, from snapshots in order of time."""
    day = found["snapshot_at"].dt.floor("D")
    own = found.groupby(key)["used"]
    is_early = found["snapshot_at"] - day < _RESET_WITHIN
    has_fallen = own.diff() < 0
    # Of those of one early hour, all that follow a fall are of the new day.
    fallen = has_fallen.groupby([*(found[name] for name in key), day]).cummax()
    is_stale = is_early & ~fallen & (found["used"] > 0) & own.shift().notna()
    return day.where(~is_stale, day - pd.Timedelta(days=1))


def billing(database: Database) -> pd.DataFrame:
    """Return the credits of each billing period, at each snapshot.

    Returns:
        Columns kind, id, owner, snapshot_at, credits, begins, ends.
    """
    return database.frame(
        "SELECT kind, id, owner, snapshot_at, credits, begins, ends FROM usage_snapshots "
        "WHERE credits IS NOT NULL ORDER BY kind DESC, owner, id, snapshot_at"
    )


def top_emitters(database: Database, days_back: int | None = 7, limit: int = 15) -> pd.DataFrame:
    """Return the emitters with the most events: what most likely uses up the credits.

    Args:
        days_back: of the days before the newest data; None for everything.

    Returns:
        Columns emitter_id, name, kind, events, errors, payload_bytes, share (of all events).
    """
    found = database.frame(_TOP, {"days": days_back})
    found["name"] = told_apart(found["name"], found["emitter_id"])
    total = found["events"].sum()
    return found.assign(share=found["events"] / total if total else 0.0).head(limit)


def _whole(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:,.0f}"


#: How tables write these columns.
FORMATS: Final = {
    **dict.fromkeys(("used", "quota", "low", "likely", "high", "payload_bytes"), _whole),
    "share": "{:.1%}",
}


def snapshot_words(found: pd.DataFrame) -> str:
    """Say in Markdown what the figures rest on."""
    if found.empty:
        return (
            "**No snapshots of usage are stored.** Each load takes one of the user and of each "
            "workspace; an OAuth client sees no user."
        )
    first, last = found["snapshot_at"].min(), found["snapshot_at"].max()
    return (
        f"From {count(found['snapshot_at'].nunique(), 'snapshot')} between {moment(first)} and "
        f"{moment(last)}. *likely*, *low* and *high* are by midnight UTC, from the whole days "
        "seen; in nine of ten cases the day ends within them."
    )


def owner_labels(daily: pd.DataFrame) -> dict[str, tuple[str, str, str]]:
    """Return for a picker each owner and measure, the one nearest to its quota first."""
    key = ["kind", "id", "measure"]
    newest = daily.groupby([*key, "owner"], as_index=False).last()
    newest = newest.sort_values("share", ascending=False, na_position="last")
    return {
        f"{row['owner']} ({row['kind']}): {row['measure']}": (
            row["kind"],
            row["id"],
            row["measure"],
        )
        for row in newest.to_dict("records")
    }


def of_owner(daily: pd.DataFrame, key: tuple[str, str, str]) -> pd.DataFrame:
    """Return the days of one owner and measure."""
    kind, owner_id, measure = key
    is_own = (daily["kind"] == kind) & (daily["id"] == owner_id) & (daily["measure"] == measure)
    return daily[is_own]
