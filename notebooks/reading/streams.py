"""Which streams there are, and where a notebook's data comes from and how fresh it is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from .database import Database
from .tables import EVENT_TABLES
from .words import ago, bytes_of, count, moment


def streams(database: Database) -> pd.DataFrame:
    """Return the streams with stored events, the busiest first.

    Returns:
        Columns source_table, emitter_id, channel, events, first_at, last_at, name, kind.
    """
    return database.frame(
        "SELECT source_table, emitter_id, channel, count(*) AS events, "
        "min(emitted_at) AS first_at, max(emitted_at) AS last_at, "
        "coalesce(any_value(name), emitter_id) AS name, any_value(kind) AS kind "
        "FROM every_event LEFT JOIN named_emitters USING (emitter_id) "
        "GROUP BY source_table, emitter_id, channel "
        "ORDER BY events DESC, emitter_id, channel, source_table"
    )


def stream_name(name: str, channel: str) -> str:
    """Return how a stream is called: its emitter's name, and its channel unless the default."""
    return f"{name} · {channel}" if channel else name


def told_apart(names: pd.Series, ids: pd.Series) -> pd.Series:
    """Return names, each with its id where others have the same name."""
    shared = ids.groupby(names).transform("nunique") > 1
    return names.where(~shared, names + " (" + ids + ")").astype(object)


def labels(found: pd.DataFrame) -> dict[str, int]:
    """Return for a picker what each stream is called, and its row; names may repeat, ids do not."""
    return {
        f"{stream_name(row['name'], row['channel'])} "
        f"({row['emitter_id']}, {count(row['events'], 'event')})": place
        for place, row in enumerate(found.to_dict("records"))
    }


def provenance(database: Database) -> str:
    """Say in Markdown where the data comes from, how much there is and how fresh it is."""
    found = database.frame("SELECT source_table, count(*) AS n FROM every_event GROUP BY ALL")
    stored = dict(zip(found["source_table"], found["n"], strict=True))
    counts = {table: int(stored.get(table, 0)) for table in EVENT_TABLES}
    total = sum(counts.values())
    parts = " · ".join(f"{n:,} in `{t}`" for t, n in counts.items())
    size = bytes_of(database.path.stat().st_size)
    return (
        f"**{count(total, 'event')}** ({parts}) from `{database.path}` ({size}), dataset "
        f"`{database.dataset}`, opened read-only. {_fresh(database)} {_marts(database, total)} "
        "Times are UTC."
    )


def _fresh(database: Database) -> str:
    newest, polled = newest_event(database), database.as_of()
    if polled is None:
        return "**Nothing was polled yet.** Load with `pipedream-source load`."
    event = f"the newest event is of **{moment(newest)}**" if newest else "it holds no events"
    run = database.value("SELECT max(finished_at) FROM load_runs")
    loaded = f", the last run ended {moment(run)}" if run else ""
    behind = f" ({_apart(newest, polled)})" if newest else ""
    return f"Last polled **{moment(polled)}**; {event}{behind}{loaded}."


def _apart(event: datetime, poll: datetime) -> str:
    return f"{ago(poll, event)} after it" if event > poll else f"{ago(event, poll)} before"


def _marts(database: Database, total: int) -> str:
    if database.marts is None:
        return "There are no dbt marts in it, and none are needed."
    behind = total - int(database.value("SELECT count(*) FROM fct_events"))
    if behind > 0:
        return (
            f"The dbt marts in `{database.marts}` **lack the newest {count(behind, 'event')}**: "
            "run `dbt build` after a load."
        )
    return f"The dbt marts in `{database.marts}` are up to date."


def newest_event(database: Database) -> datetime | None:
    """Return when the newest stored event was emitted."""
    newest: datetime | None = database.value("SELECT max(emitted_at) FROM every_event")
    return newest


def day_before(database: Database) -> datetime | None:
    """Return the time 24 hours before the newest data; None when there is none."""
    newest = database.as_of()
    return newest - timedelta(days=1) if newest else None
