"""What a period means for the streams that were loaded: read from the database, nothing is asked.

The measure is that of `check` ("busiest", "safe_every_s"), taken of the last events that are stored
instead of the window that the API shows. Events that were lost count too: as many as likely were.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from pipedream_source.cli.read.database import Reader, Row
from pipedream_source.core.completeness.gap_times import dated
from pipedream_source.core.polls.cadence import headroom, next_poll_s
from pipedream_source.core.polls.pace import Pace, measure
from pipedream_source.core.streams.absence import ENDED
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.resources.polls.polling import Stream
from pipedream_source.resources.schema.tables import EVENT_TABLES
from pipedream_source.running.survey import Outlook, StreamSurvey, Survey, outlook_of
from pipedream_source.settings import FUTURE_TOLERANCE_MS, WINDOW_SIZE

# What came before tells little of what comes next.
_LOOK_BACK = timedelta(days=30)
# A stream that the newest polls left out is polled no longer.
_LAPSED = timedelta(days=1)
_EVENTS = 500
_AHEAD = timedelta(milliseconds=FUTURE_TOLERANCE_MS)
# Half a window within one period leaves room for a burst twice as dense, as in `check`.
_ROOM = WINDOW_SIZE // 2
_EPOCH, _MS = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
# DuckDB keeps the newest in a heap for each stream, which takes a tenth of the time and memory.
_NEWEST_IN_DUCKDB = """\
SELECT emitter_id, channel, unnest(list_sort(max(emitted_at, {most}))) AS emitted_at
FROM {table} GROUP BY emitter_id, channel"""
_NEWEST = """\
SELECT emitter_id, channel, emitted_at FROM (
    SELECT emitter_id, channel, emitted_at, row_number() OVER (
        PARTITION BY emitter_id, channel ORDER BY emitted_at DESC) AS place
    FROM {table}) AS ranked
WHERE place <= {most} ORDER BY emitted_at"""
_RUNS = """\
SELECT runs.started_at, runs.finished_at, loads.inserted_at
FROM load_runs AS runs LEFT JOIN _dlt_loads AS loads ON loads.load_id = runs._dlt_load_id
ORDER BY runs.started_at DESC LIMIT 100"""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Loads:
    """How long the last loads took, polling and loading.

    Attributes:
        runs: how many are known, a hundred at most.
        usual_s: the median of their seconds.
        longest_s: the most.
    """

    runs: int
    usual_s: float
    longest_s: float


@dataclass(frozen=True, slots=True)
class StoredOutlook:
    """What a period means, as far as the database tells.

    Attributes:
        asked_every_s: the period that was asked for.
        survey: each stream's outlook, at the period that loads can keep.
        loads: how long loads took; None where no run was recorded.
        headroom: by stream, the time that its last whole window spans over the period; under 1
            events would be lost.
        rule_s: by stream, the seconds after which the cadence rule would poll again.
        as_of: the newest poll.
    """

    asked_every_s: float
    survey: Survey
    loads: Loads | None
    headroom: dict[Key, float]
    rule_s: dict[Key, float]
    as_of: datetime | None

    @property
    def every_s(self) -> float:
        """The period that loads can keep: a run that finds another one at work ends at once."""
        return self.survey.every_s

    @property
    def at_risk(self) -> list[StreamSurvey]:
        """The streams for which the period is not safe."""
        return [s for s in self.survey.streams if s.outlook is not Outlook.SAFE]

    @property
    def is_safe(self) -> bool:
        """Whether every stream is safe at the pace that was seen."""
        return not self.at_risk


def stored_outlook(reader: Reader, every_s: float, *, is_duckdb: bool) -> StoredOutlook:
    """Say what loading every so many seconds would mean for the streams in a database.

    Args:
        reader: of the dataset.
        every_s: seconds between two loads.
        is_duckdb: whether the reader takes DuckDB's own functions.
    """
    loads = _loads(reader)
    kept_s = every_s * max(math.ceil(loads.longest_s / every_s), 1) if loads else every_s
    streams, as_of = _polled_streams(reader)
    ids = _newest_ids(reader, as_of, _NEWEST_IN_DUCKDB if is_duckdb else _NEWEST)
    gaps = _gaps(reader, as_of)
    survey = Survey(kept_s, names=reader.names())
    rule, room = {}, {}
    for key, row in sorted(streams.items()):
        own = ids.get(key, [])
        found = outlook_of(Stream(*key), own, every_s=kept_s)
        survey.streams.append(_with_gaps(found, gaps.get(key, []), kept_s, row["last_error"]))
        if own:
            rule[key] = next_poll_s(
                measure(own[-WINDOW_SIZE:]), fill=row["fill"] or 0, slow_polls=0
            )
        if (space := _headroom(row, kept_s)) is not None:
            room[key] = space
    return StoredOutlook(every_s, survey, loads, room, rule, as_of)


def _headroom(row: Row, every_s: float) -> float | None:
    span_ms = int((row["window_seconds"] or 0) * 1000)
    return headroom(Pace(span_ms, None, None, None), row["window_size"] or 0, int(every_s * 1000))


def _polled_streams(reader: Reader) -> tuple[dict[Key, Row], datetime | None]:
    """Return the newest status of each stream that is still polled, and the newest poll's time."""
    rows = sorted(reader.table("stream_status"), key=lambda row: row["_dlt_load_id"])
    newest = {_key(row): row for row in rows if row["last_polled_at"]}
    newest = {key: row for key, row in newest.items() if row.get("verdict") != ENDED}
    as_of = max((row["last_polled_at"] for row in newest.values()), default=None)
    kept = {k: row for k, row in newest.items() if as_of - row["last_polled_at"] < _LAPSED}
    return kept, as_of


def _newest_ids(reader: Reader, as_of: datetime | None, query: str) -> dict[Key, list[EventId]]:
    """Return the last events of each stream, oldest first; their times are all that counts."""
    found: dict[Key, list[EventId]] = {}
    for table in (table.name for table in EVENT_TABLES):
        if table in reader.tables and as_of:
            for row in reader.rows(query.format(table=table, most=_EVENTS)):
                emitted_at = row["emitted_at"]
                # Ids that are ahead of their time tell nothing of the pace.
                if emitted_at and -_AHEAD < as_of - emitted_at < _LOOK_BACK:
                    ms = (emitted_at - _EPOCH) // _MS
                    found.setdefault(_key(row), []).append(EventId(ms, 0))
    return found


def _gaps(reader: Reader, as_of: datetime | None) -> dict[Key, list[Row]]:
    """Return the gaps of each stream that were found lately, and that pace tore."""
    found: dict[Key, list[Row]] = {}
    for gap in dated(reader.table("event_gaps"), reader.table("stream_coverage")):
        is_recent = as_of and as_of - gap["detected_at"] < _LOOK_BACK
        if gap["verdict"] == "overrun" and is_recent:
            found.setdefault(_key(gap), []).append(gap)
    return found


def _with_gaps(
    found: StreamSurvey, gaps: Iterable[Row], every_s: float, error: str | None
) -> StreamSurvey:
    """Count what was lost as what came; a gap shorter than the period came within one."""
    most, safe_s = found.busiest or 0, found.safe_every_s
    for gap in gaps:
        span_s = max((gap["gap_end"] - gap["gap_start"]).total_seconds(), 1.0)
        likely = gap["lost_likely"] or gap["lost_min"] or 0
        most = max(most, round(likely * min(every_s / span_s, 1.0)))
        if likely > _ROOM:
            safe_s = min(safe_s or math.inf, span_s * _ROOM / likely)
    is_dense = most > _ROOM and found.outlook is Outlook.SAFE
    outlook = Outlook.AT_RISK if is_dense else found.outlook
    return replace(found, busiest=most, safe_every_s=safe_s, outlook=outlook, error=error)


def _loads(reader: Reader) -> Loads | None:
    if not {"load_runs", "_dlt_loads"} <= reader.tables:
        return None
    taken = sorted(_seconds(reader.rows(_RUNS)))
    return Loads(len(taken), median(taken), taken[-1]) if taken else None


def _seconds(runs: Iterable[Row]) -> Iterator[float]:
    """Yield how long each run took; a run without news has the load before it for its package."""
    for run in runs:
        ended = max(filter(None, (run["finished_at"], run["inserted_at"])))
        yield max((ended - run["started_at"]).total_seconds(), 0.0)


def _key(row: dict[str, Any]) -> Key:
    return row["emitter_id"], row["channel"]
