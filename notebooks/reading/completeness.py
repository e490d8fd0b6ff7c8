"""How complete each stream is, hour by hour, how much room its polls leave, and gaps in words.

What is proven comes from `pipedream_source.coverage`, the certificate; nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from pipedream_source import coverage

from .database import Database
from .palette import STANDINGS
from .streams import stream_name, told_apart
from .words import duration, harmless, loss, moment

Row = Mapping[Hashable, Any]

#: The worst standing of an hour counts.
_RANK = {standing: rank for rank, standing in enumerate(STANDINGS)}
_STEPS = (3_600, 2 * 3_600, 6 * 3_600, 86_400, 7 * 86_400)
_MOST_COLUMNS = 240
# As `pipedream-source check` judges: safe is an interval in which at most half a window came.
_HALF_WINDOW = 50
_HEADROOM = """
WITH spans AS (
    SELECT emitter_id, channel, emitted_at, epoch(emitted_at - lag(emitted_at, $half) OVER (
               PARTITION BY emitter_id, channel ORDER BY emitted_at, event_seq)) AS span
    FROM every_event
),
fastest AS (
    SELECT emitter_id, channel, min(span) AS safe_seconds, arg_min(emitted_at, span) AS busiest_at
    FROM spans WHERE span IS NOT NULL GROUP BY ALL
),
polls AS (
    SELECT emitter_id, channel,
           epoch(max(covered_until) - min(opened_at)) / nullif(sum(polls) - 1, 0) AS polled_every
    FROM stream_coverage GROUP BY ALL
)
SELECT coalesce(name, emitter_id) AS name, emitter_id, channel, headroom, fill, events_per_hour,
       window_seconds, safe_seconds, busiest_at, polled_every, verdict, last_error
FROM stream_status
LEFT JOIN fastest USING (emitter_id, channel)
LEFT JOIN polls USING (emitter_id, channel)
LEFT JOIN named_emitters USING (emitter_id)
ORDER BY safe_seconds NULLS LAST, headroom NULLS LAST, emitter_id, channel
"""
_GAPS = """
SELECT coalesce(emitter_name, emitter_id) AS name, * FROM losses
ORDER BY detected_at DESC, emitter_id, channel
"""


def periods(database: Database) -> pd.DataFrame:
    """Return what is proven of each stream: `coverage`, with each stream's name.

    Returns:
        The columns of `pipedream_source.coverage`, `name` and `stream` (name and channel).
    """
    with database.reading() as connection:
        found = coverage(connection, dataset=database.dataset)
        names = connection.execute("SELECT emitter_id, name FROM named_emitters").df()
    found = found.merge(names, on="emitter_id", how="left")
    found["name"] = found["name"].fillna(found["emitter_id"]).astype(object)
    return found.assign(stream=_called(found))


def _called(found: pd.DataFrame) -> pd.Series:
    pairs = zip(found["name"], found["channel"], strict=True)
    names = pd.Series([stream_name(*pair) for pair in pairs], index=found.index, dtype=object)
    return told_apart(names, found["emitter_id"])


def standing(found: pd.DataFrame) -> pd.DataFrame:
    """Return how many streams have periods of each standing; the worst of each stream counts."""
    worst = found.groupby(["emitter_id", "channel"])["standing"].agg(
        lambda all_of_it: max(all_of_it, key=_RANK.__getitem__)
    )
    counts = worst.value_counts()
    return pd.DataFrame(
        {"standing": list(_RANK), "streams": [int(counts.get(name, 0)) for name in _RANK]}
    )


def step_seconds(since: datetime, until: datetime) -> int:
    """Return the finest step, from an hour on, in which a span fits into one heat map."""
    span = (until - since).total_seconds()
    return next((s for s in _STEPS if span / s <= _MOST_COLUMNS), 30 * 86_400)


def hours(
    found: pd.DataFrame, since: datetime, until: datetime, seconds: int = 3_600
) -> pd.DataFrame:
    """Return the worst standing of each stream in each hour.

    Args:
        found: from `periods`.
        since, until: the time to look at.
        seconds: another step than an hour.

    Returns:
        Columns stream, emitter_id, channel, start, end (no later than `until`: nothing is said of
        what comes after it), standing, lost (a range in words), why.
    """
    step = pd.Timedelta(seconds=seconds)
    first = pd.Timestamp(since).floor(step)
    parts = [
        _cells(row, first, pd.Timestamp(until), step)
        for row in found.to_dict("records")
        if row["end"] >= first
    ]
    columns = ["stream", "emitter_id", "channel", "start", "standing", "lost", "why"]
    cells = pd.concat(parts) if parts else pd.DataFrame(columns=columns)
    cells = cells.assign(rank=cells["standing"].map(_RANK)).sort_values("rank", kind="stable")
    key = ["emitter_id", "channel", "stream", "start"]
    worst = cells.groupby(key, as_index=False).last().drop(columns="rank")
    grid = _grid(found, pd.date_range(first, until, freq=step, inclusive="left"))
    filled = grid.merge(worst, on=key, how="left")
    filled["standing"] = filled["standing"].fillna("unobserved")
    filled = filled.fillna({"lost": "", "why": "no poll tells of it"})
    last, ends = pd.Timestamp(until), filled["start"] + step
    return filled.assign(end=ends.where(ends < last, last))


def _grid(found: pd.DataFrame, starts: pd.DatetimeIndex) -> pd.DataFrame:
    """Return every stream in every hour."""
    each = found[["emitter_id", "channel", "stream"]].drop_duplicates()
    times = pd.DataFrame({"start": starts.astype("datetime64[us, UTC]")})
    return each.merge(times, how="cross")


def _cells(row: Row, first: pd.Timestamp, until: pd.Timestamp, step: pd.Timedelta) -> pd.DataFrame:
    start, end = row["start"], min(until, row["end"])
    begin: pd.Timestamp = max(first, start) if pd.notna(start) else first
    # A period that ends with an hour tells nothing of the next.
    starts = pd.date_range(
        begin.floor(step), max(end, begin.floor(step) + step), freq=step, inclusive="left"
    )
    return pd.DataFrame(
        {
            "stream": row["stream"],
            "emitter_id": row["emitter_id"],
            "channel": row["channel"],
            "start": starts.astype("datetime64[us, UTC]"),
            "standing": row["standing"],
            "lost": _range(row) if row["standing"] == "lost" else "",
            "why": row["why"],
        }
    )


def _range(row: Row) -> str:
    likely, most = row["lost_likely"], row["lost_max"]
    return (
        loss(
            int(row["lost_min"]),
            None if pd.isna(likely) else int(likely),
            None if pd.isna(most) else int(most),
        )
        + " events"
    )


def headroom(database: Database) -> pd.DataFrame:
    """Return how much room the polls leave each stream, the tightest first.

    Returns:
        Columns stream, emitter_id, channel, headroom (of the last poll; under 1 events are lost),
        fill, events_per_hour, window_seconds, safe_seconds (the shortest time in which half a
        window ever came, by the stored events; none where it never did), busiest_at, polled_every
        (the mean time between polls), verdict, last_error.
    """
    found = database.frame(_HEADROOM, {"half": _HALF_WINDOW})
    found.insert(0, "stream", _called(found))
    return found.drop(columns="name")


def advice(room: pd.DataFrame) -> str:
    """Say in Markdown which interval between polls would be safe, and which stream asks for it."""
    limited = room.dropna(subset=["safe_seconds"])
    if limited.empty:
        return (
            "No stream ever brought half a window (50 events) within what is stored: any interval "
            "is safe, as far as can be told."
        )
    tightest = limited.iloc[0]
    every = tightest["polled_every"]
    polled = "" if pd.isna(every) else f" It was polled every {duration(every)} on average."
    safe = tightest["safe_seconds"]
    interval = duration(safe) if safe >= 1 else "less than a second: no interval"
    return (
        f"A poll at least every **{interval}** is safe for every stream, if the future is no "
        f"busier than the past: **{harmless(tightest['stream'])}** once got 50 events, half a "
        f"window, in that time (up to {moment(tightest['busiest_at'])}).{polled} A burst of more "
        "than 100 events between two polls cannot be caught by polling, only noticed."
    )


def gaps(database: Database) -> pd.DataFrame:
    """Return each gap with a sentence that explains it, the newest first.

    Returns:
        Columns stream, emitter_id, channel, verdict, gap_start, gap_end, lost (in words),
        lost_min, lost_likely, lost_max, method, detected_at, explained.
    """
    found = database.frame(_GAPS)
    rows = found.to_dict("records")
    return pd.DataFrame(
        {
            "stream": [stream_name(row["name"], row["channel"]) for row in rows],
            **{name: found[name] for name in ("emitter_id", "channel", "verdict")},
            **{name: found[name] for name in ("gap_start", "gap_end")},
            "lost": [_range(row) for row in rows],
            **{name: found[name] for name in ("lost_min", "lost_likely", "lost_max", "method")},
            "detected_at": found["detected_at"],
            "explained": [explained(row) for row in rows],
        }
    )


def explained(gap: Row) -> str:
    """Say in one sentence what a row of `event_gaps` means."""
    stream = stream_name(str(gap["name"]), str(gap["channel"]))
    start, end = gap["gap_start"], gap["gap_end"]
    long = (end - start).total_seconds()
    return (
        f"{stream}: between {moment(start)} and {moment(end)} ({duration(long)}) "
        f"{gap['reason']}; {_range(gap)} are missing."
    )


def default_since(found: pd.DataFrame, until: datetime, days: int) -> datetime:
    """Return the begin of the last days, but not before anything is known, and an hour at least."""
    now = pd.Timestamp(until)
    starts = found.loc[found["standing"] != "unobserved", "start"].dropna()
    earliest = starts.min() if len(starts) else now - pd.Timedelta(days=1)
    since = max(earliest, now - pd.Timedelta(days=days))
    return min(since, now - pd.Timedelta(hours=1)).to_pydatetime()


HEADROOM_LEGEND = (
    "A dot is the shortest time in which half a window (50 events) ever came: the interval that "
    "`pipedream-source check` calls safe. The grey mark is how often the stream was polled; a dot "
    "left of it (red) means that a burst like the one seen may be lost. Streams that never had 50 "
    "events have no limit yet and are left out."
)
_MOST_STREAMS = 40


def figures(told: pd.DataFrame, found: pd.DataFrame) -> dict[str, str]:
    """Return the figures at the top: streams by standing (from `standing`), gaps and their loss."""
    streams = dict(zip(told["standing"], told["streams"], strict=True))
    return {
        "streams": f"{sum(streams.values()):,}",
        "complete_streams": f"{streams['complete']:,}",
        "streams_with_a_loss": f"{streams['lost']:,}",
        "gaps": f"{len(found):,}",
        "events_lost": _total(found) if len(found) else "0",
    }


def _total(found: pd.DataFrame) -> str:
    """Write what gaps lost together: a range, and how many of them have none."""
    bounded = found[found["lost_max"].notna()]
    told = f"{int(bounded['lost_min'].sum()):,} to {int(bounded['lost_max'].sum()):,}"
    if len(bounded) == len(found):
        return told
    unknown = len(found) - len(bounded)
    more = f"unknown in {unknown:,} gap{'' if unknown == 1 else 's'}"
    return f"{told}, {more}" if len(bounded) else more


def drawn(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of so many streams as a chart can show, those with the worst hours first."""
    rank = cells["standing"].map(_RANK)
    worst = cells.assign(rank=rank).groupby(["emitter_id", "channel"])["rank"].agg(["max", "sum"])
    kept = worst.sort_values(["max", "sum"], ascending=False, kind="stable").head(_MOST_STREAMS)
    return cells.merge(kept.reset_index()[["emitter_id", "channel"]], on=["emitter_id", "channel"])


def tightest(room: pd.DataFrame) -> pd.DataFrame:
    """Return the streams of `headroom` that limit how seldom one may poll."""
    return room.dropna(subset=["safe_seconds"]).head(_MOST_STREAMS)


def map_words(cells: pd.DataFrame, seconds: float) -> str:
    """Say in Markdown what the heat map shows."""
    streams = len(cells[["emitter_id", "channel"]].drop_duplicates())
    cut = (
        f" The {_MOST_STREAMS} worst of {streams:,} streams are shown."
        if streams > _MOST_STREAMS
        else ""
    )
    return (
        f"Each cell is {duration(seconds)}, coloured by the worst that is known of it; hover for "
        f"how much was lost.{cut}"
    )


def gap_words(found: pd.DataFrame, most: int = 12) -> str:
    """Explain in Markdown the newest gaps, of `gaps`."""
    if found.empty:
        return "**No gaps**: no poll found anything missing."
    lines = [f"- {harmless(sentence)}" for sentence in found["explained"].head(most)]
    if len(found) > most:
        lines.append(f"- and {len(found) - most:,} more, in the table below")
    return "\n".join(lines)
