"""The certificate: what is proven complete of each stream, from what a database holds.

Nothing is asked of the API. Any database that this package loaded will do, whichever destination
it is; a database that was loaded by an older version proves what its polls left a row of.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipedream_source.core.completeness.proof import (
    IN_ORDER,
    Evidence,
    Segment,
    as_row,
    doubled,
    prove,
)
from pipedream_source.core.streams.absence import ENDED
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.resources.events.missing_events import gone_query
from pipedream_source.resources.schema.tables import (
    EVENT_GAPS,
    EVENT_TABLES,
    QUARANTINE,
    STREAM_COVERAGE,
    STREAM_STATUS,
)
from pipedream_source.settings import DATASET

if TYPE_CHECKING:
    import dlt
    import duckdb
    import pandas as pd

Row = Mapping[str, Any]
StreamKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Store:
    """A dataset to read.

    Attributes:
        rows: runs a query over unqualified tables and returns its rows as dicts.
        tables: the tables that exist.
    """

    rows: Callable[[str], Sequence[Row]]
    tables: Collection[str]

    def table(self, name: str) -> Sequence[Row]:
        """Return a table's rows; none when it does not exist yet."""
        return self.rows(f"SELECT * FROM {name}") if name in self.tables else []  # noqa: S608


@dataclass(frozen=True, slots=True)
class StreamProof:
    """What is proven of one stream.

    Attributes:
        segments: in order of time; none when the period holds nothing of the stream.
        last_poll_at: the last poll that proved anything, UTC.
        events: its rows in the event tables, within the period.
        quarantined: rows that could not be stored as they are; see table `quarantine`.
        copies: how many of `events` are copies of others.
        has_ended: the API does not find the emitter any more.
    """

    emitter_id: str
    channel: str
    segments: Sequence[Segment]
    last_poll_at: datetime | None = None
    events: int = 0
    quarantined: int = 0
    copies: int = 0
    has_ended: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether nothing that was asked for is missing, up to the end of a stream that ended."""
        some = bool(self.segments) or self.has_ended
        return some and not self.copies and all(s.standing in IN_ORDER for s in self.segments)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is proven of a database's streams in a period.

    Attributes:
        since: the period's begin; None from each stream's own.
        until: its end; the last poll of any stream unless another was asked for; None when no
            stream was ever polled. What lies behind a stream's own last poll is unobserved.
        latest: the last poll of any stream; None when none was ever polled.
    """

    since: datetime | None
    until: datetime | None
    latest: datetime | None
    streams: Sequence[StreamProof] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether every stream is complete; False without streams."""
        return bool(self.streams) and all(stream.is_complete for stream in self.streams)


def certify(
    store: Store,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    emitters: Collection[str] = (),
) -> Certificate:
    """Say for each stream and period what is proven complete, lost, unknown or unobserved.

    Args:
        store: what was loaded.
        since: the period's begin, aware of its time zone; by default each stream's own.
        until: its end, behind the last poll too, which is unobserved then; by default each
            stream's last poll.
        emitters: only theirs; all by default.

    Raises:
        ConfigurationError: the period ends before it begins.
    """
    found, latest = _evidence(store)
    end = until or latest
    if since is not None and end is not None and since >= end:
        raise ConfigurationError(
            f"since: {since.isoformat(timespec='seconds')} is not before the end of the period, "
            f"{end.isoformat(timespec='seconds')}"
            + ("" if until else ", when the last poll was: load first, or name an earlier time")
        )
    events, ids, quarantined = _counts(store, since, until)
    copies = events - ids
    streams = [
        StreamProof(
            *key,
            segments=doubled(prove(evidence, since=since, until=until), copies[key]),
            last_poll_at=max((s["covered_until"] for s in evidence.stretches), default=None),
            events=events[key],
            quarantined=quarantined[key],
            copies=copies[key],
            has_ended=(evidence.status or {}).get("verdict") == ENDED,
        )
        for key, evidence in sorted(found.items())
        if not emitters or key[0] in emitters
    ]
    return Certificate(since, end, latest, streams)


def _evidence(store: Store) -> tuple[dict[StreamKey, Evidence], datetime | None]:
    """Return what is stored of each stream, and the last poll of any."""
    stretches = _by_stream(store.table(STREAM_COVERAGE.name))
    gaps = _by_stream(store.table(EVENT_GAPS.name))
    # A destination that cannot merge keeps older rows too; the newest counts.
    status = _by_stream(sorted(store.table(STREAM_STATUS.name), key=_load_id))
    gone = _gone(store)
    last_load = max((_load_id(row) for rows in stretches.values() for row in rows), default="")
    polls = (row["covered_until"] for rows in stretches.values() for row in rows)
    latest = max(polls, default=None)
    found = {
        key: Evidence(
            _newest(stretches[key]),
            gaps[key],
            status[key][-1] if status[key] else None,
            is_current=any(_load_id(row) == last_load for row in stretches[key]),
            latest=latest,
            gone=gone[key],
        )
        for key in {*stretches, *gaps, *status}
    }
    return found, latest


def _load_id(row: Row) -> str:
    return str(row["_dlt_load_id"])


def _newest(stretches: Sequence[Row]) -> list[Row]:
    """Return each stretch as it was last written."""
    newest = {(s["opened_at"], s["from_id"]): s for s in sorted(stretches, key=_load_id)}
    return list(newest.values())


def _by_stream(rows: Sequence[Row]) -> defaultdict[StreamKey, list[Row]]:
    found: defaultdict[StreamKey, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["emitter_id"], row["channel"]].append(row)
    return found


def _gone(store: Store) -> defaultdict[StreamKey, dict[tuple[datetime, str], int]]:
    """Count the events of each stretch that the tables hold no more."""
    gone: defaultdict[StreamKey, dict[tuple[datetime, str], int]] = defaultdict(dict)
    if STREAM_COVERAGE.name not in store.tables:
        return gone
    for row in store.rows(gone_query(store.tables)):
        gone[row["emitter_id"], row["channel"]][row["opened_at"], row["from_id"]] = row["gone"]
    return gone


def _counts(
    store: Store, since: datetime | None, until: datetime | None
) -> tuple[Counter[StreamKey], Counter[StreamKey], Counter[StreamKey]]:
    """Count the rows of events, the events and the quarantined rows of streams in a period."""
    rows, events, quarantined = Counter[StreamKey](), Counter[StreamKey](), Counter[StreamKey]()
    for table in EVENT_TABLES:
        if table.name in store.tables:
            for row in _counted(store, table.name, "emitted_at", since, until):
                rows[row["emitter_id"], row["channel"]] += row["n"]
                events[row["emitter_id"], row["channel"]] += row["ids"]
    if QUARANTINE.name in store.tables:
        for row in _counted(store, QUARANTINE.name, "detected_at", since, until):
            quarantined[row["emitter_id"], row["channel"]] += row["n"]
    return rows, events, quarantined


def _counted(
    store: Store, table: str, time: str, since: datetime | None, until: datetime | None
) -> Sequence[Row]:
    bounds = [
        f"{time} {sign} CAST('{moment.astimezone(UTC).isoformat()}' AS TIMESTAMP WITH TIME ZONE)"
        for sign, moment in ((">=", since), ("<=", until))
        if moment is not None
    ]
    where = f" WHERE {' AND '.join(bounds)}" if bounds else ""
    query = (
        "SELECT emitter_id, channel, count(*) AS n, count(DISTINCT id) AS ids "  # noqa: S608
        f"FROM {table}{where} GROUP BY emitter_id, channel"
    )
    return store.rows(query)


def coverage(
    place: dlt.Pipeline | duckdb.DuckDBPyConnection,
    *,
    dataset: str = DATASET,
    since: datetime | None = None,
    until: datetime | None = None,
    emitters: Collection[str] = (),
) -> pd.DataFrame:
    """Return what is proven of each stream as a pandas frame, one row for each period.

    Args:
        place: a pipeline that loaded `pipedream_source(...)`, whose dataset is read; or an open
            connection to a DuckDB file, which takes no dlt and may be read-only.
        dataset: the schema in that file.
        since: the period's begin, aware of its time zone; by default each stream's own.
        until: its end, behind the last poll too, which is unobserved then; by default each
            stream's last poll.
        emitters: only theirs; all by default.

    Returns:
        Columns emitter_id, channel, standing (`complete`, `lost`, `unknown`, `unobserved`,
        `excluded`, `ended`, `doubled`), start (no time: since the stream exists), end, why,
        from_id, to_id, lost_min, lost_likely, lost_max, polls, opened_at, longest_pause_s.

    Raises:
        ConfigurationError: the period ends before it begins.
    """
    import pandas as pd

    found = certify(_store(place, dataset), since=since, until=until, emitters=emitters)
    frame = pd.DataFrame(list(_records(found)), columns=_COLUMNS)
    times = dict.fromkeys(("start", "end", "opened_at"), "datetime64[us, UTC]")
    return frame.astype({**times, "lost_likely": "Int64", "lost_max": "Int64"})


_COLUMNS = ["emitter_id", "channel", *Segment.__dataclass_fields__]


def _records(found: Certificate) -> Iterator[dict[str, Any]]:
    for stream in found.streams:
        for segment in stream.segments:
            yield {
                "emitter_id": stream.emitter_id,
                "channel": stream.channel,
                **as_row(segment),
                "standing": segment.standing.value,
            }


def _store(place: Any, schema: str) -> Store:
    if not hasattr(place, "dataset"):
        return _store_in(place.cursor(), schema)
    dataset: Any = place.dataset()
    return Store(lambda query: _fetched(dataset(query)), frozenset(dataset.tables))


def _store_in(cursor: duckdb.DuckDBPyConnection, schema: str) -> Store:
    """Open a schema of a DuckDB file; the cursor's settings are its own."""

    def rows(query: str) -> list[Row]:
        found = cursor.execute(query)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    cursor.execute("SET TimeZone = 'UTC'")
    query = (
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_schema = ? AND table_catalog = current_database()"
    )
    tables = frozenset(name for (name,) in cursor.execute(query, [schema]).fetchall())
    if tables:
        quoted = schema.replace('"', '""')
        cursor.execute(f'SET schema = "{quoted}"')
    return Store(rows, tables)


def _fetched(relation: Any) -> list[Row]:
    names = list(relation.columns_schema)
    return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
