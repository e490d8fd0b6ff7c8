"""The promise, checked against a database: each row was emitted, each loss was reported.

*Every event that the API showed in a poll that ended is in its table exactly once. Each loss is
reported with its stream and its range.*
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipedream_source.certificate import Store, certify
from pipedream_source.cli.read.database import open_database
from pipedream_source.core.completeness.proof import Segment, Standing
from tests.simulator.model import KEPT, Event, Place, Sighting, Stream

LATE_MS = 60_000
TABLES = ("source_event_summaries", "workflow_emits", "workflow_errors")
Key = tuple[str, str]
Model = Mapping[Key, Stream]

# Behind every poll of a simulated life.
_LATER = datetime(2200, 1, 1, tzinfo=UTC)
_ROWS = "SELECT emitter_id, channel, id, event::VARCHAR FROM {}"
_GAPS = (
    "SELECT emitter_id, channel, verdict, after_id, before_id, epoch_ms(gap_start), "
    "epoch_ms(gap_end), lost_min, lost_likely, lost_max FROM event_gaps"
)


class Gap(NamedTuple):
    """A row of `event_gaps`."""

    emitter: str
    channel: str
    verdict: str
    after: Place
    before: Place | None
    start_ms: int
    end_ms: int
    lost_min: int
    lost_likely: int | None
    lost_max: int | None

    def holds(self, place: Place, slack_ms: int = 0, beyond_ms: int = 0) -> bool:
        """Tell whether an id lies within it, or so little below or beyond it."""
        between = self.after < place and (self.before is None or place < self.before)
        return self.start_ms - slack_ms <= place.ms <= self.end_ms + beyond_ms or (
            between and place.ms <= self.end_ms
        )


@dataclass(frozen=True)
class Tables:
    """What a database holds: payloads by id for each stream, how often each id, and the gaps."""

    events: dict[Key, dict[str, str | None]]
    times: Counter[tuple[str, str, str]]
    gaps: list[Gap]


@dataclass
class Ranges:
    """How often the estimate's range held the truth, which is a matter of statistics."""

    held: int = 0
    missed: list[tuple[Gap, int]] = field(default_factory=list)


def read_tables(database: Path) -> Tables:
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("SET search_path = 'pipedream'; SET TimeZone = 'UTC'")
        rows = [
            row for table in TABLES for row in connection.execute(_ROWS.format(table)).fetchall()
        ]
        found = connection.execute(_GAPS).fetchall()
    events: dict[Key, dict[str, str | None]] = {}
    for emitter, channel, event_id, payload in rows:
        events.setdefault((emitter, channel), {})[event_id] = payload
    gaps = [
        Gap._make((*row[:3], Place.of(row[3]), Place.of(row[4]) if row[4] else None, *row[5:]))
        for row in found
    ]
    return Tables(events, Counter(row[:3] for row in rows), gaps)


def check_rows(model: Model, tables: Tables) -> None:
    """Each row was emitted as it stands there, and stands there once."""
    doubled = {key: count for key, count in tables.times.items() if count > 1}
    assert not doubled, f"doubled: {doubled}"
    for key, stream in model.items():
        for event_id, payload in tables.events.get(key, {}).items():
            assert event_id in stream.events, f"{key} {event_id} was never emitted"
            expected = stored(stream.events[event_id].payload)
            if key[1] == "$errors":
                payload = without_metadata(payload)
            assert payload == expected, f"{key} {event_id}: {payload} is not {expected}"


def without_metadata(payload: str | None) -> str | None:
    """Return an error's payload as it was emitted: the API may show the metadata within it."""
    before, nested, _ = (payload or "").partition(',"metadata":')
    return before + "}" if nested else payload


def stored(payload: str) -> str:
    """Return a payload as it is stored: DuckDB refuses half a surrogate pair, which is replaced."""
    return payload.replace(r"\ud83d", r"\ufffd")


def check_complete(model: Model, tables: Tables) -> None:
    """Whatever a poll saw is there; whatever else is missing lies in a gap of its stream."""
    for key, stream in model.items():
        there = tables.events.get(key, {}).keys()
        assert stream.safe <= there, f"{key}: seen and lost: {sorted(stream.safe - there)}"
        gaps = [
            (gap, stream.begins_late(f"{gap.before.ms}-{gap.before.seq}" if gap.before else None))
            for gap in tables.gaps
            if (gap.emitter, gap.channel) == key
        ]
        missing = [stream.events[event_id] for event_id in stream.owed() - there]
        untold = [
            event.id
            for event in missing
            if not any(
                gap.holds(event.place, LATE_MS * event.is_late, LATE_MS * ends_late)
                for gap, ends_late in gaps
            )
        ]
        assert not untold, f"{key}: lost and not told: {sorted(untold)}; gaps {gaps}"


def check_new_gaps(
    model: Model,
    tables: Tables,
    known: Iterable[Gap],
    since: Mapping[Key, Sighting | None],
    ranges: Ranges,
) -> None:
    """No gap stands where nothing can be missing, and none claims more than was lost at least.

    Args:
        known: the gaps that stood there before.
        since: the last poll of each stream whose rows were in the database by then.
    """
    for gap in set(tables.gaps) - set(known):
        stream = model.get((gap.emitter, gap.channel))
        if stream is None:
            continue
        _check_cause(gap, stream, since.get((gap.emitter, gap.channel)))
        there = tables.events.get((gap.emitter, gap.channel), {})
        lost = sum(
            gap.after < event.place and (gap.before is None or event.place < gap.before)
            for event in stream.events.values()
            if event.id not in there
        )
        assert gap.lost_min <= lost, f"{gap}: no more than {lost} were lost"
        if gap.lost_likely is not None and gap.lost_max is not None:
            assert gap.lost_min <= gap.lost_likely <= gap.lost_max, gap
            ranges.held += lost <= gap.lost_max
            if lost > gap.lost_max:
                ranges.missed.append((gap, lost))


def _check_cause(gap: Gap, stream: Stream, since: Sighting | None) -> None:
    """A gap needs a hundred events since the last poll that counts, a deletion, or a lie."""
    if gap.verdict == "unknown":
        assert stream.was_contradicted, gap
        return
    if since is not None and stream.deletions == since.deletions:
        arrived = stream.arrived - since.arrived
        assert arrived >= KEPT, f"{gap} though only {arrived} events came since {since}"
        assert gap.verdict == "overrun", gap


def check_certificate(model: Model, tables: Tables, database: Path) -> None:
    """What the certificate calls complete lacks nothing that was emitted in that time."""
    with open_database(database, "pipedream") as reader:
        found = certify(Store(reader.rows, reader.tables))
        later = certify(Store(reader.rows, reader.tables), until=_LATER)
    assert not later.is_complete
    for whole in later.streams:
        assert whole.segments[-1].standing is not Standing.COMPLETE
        assert whole.segments[-1].end == _LATER
    for proof in found.streams:
        key = (proof.emitter_id, proof.channel)
        last = proof.last_poll_at
        assert all(
            last is not None and s.end <= last
            for s in proof.segments
            if s.standing is Standing.COMPLETE
        )
        stream = model.get(key)
        if stream is None:
            continue
        there = tables.events.get(key, {}).keys()
        missing = [stream.events[event_id] for event_id in stream.owed() - there]
        for segment in proof.segments:
            if not (stream.was_cut_short or stream.is_cut_elsewhere):
                assert "not in the tables" not in segment.why, f"{key}: {segment}"
            if segment.standing is Standing.COMPLETE:
                start_ms = LATE_MS * stream.begins_late(segment.from_id)
                inside = [event.id for event in missing if _is_within(segment, event, start_ms)]
                assert not inside, f"{key}: called complete, but lost: {inside} in {segment}"


def _is_within(segment: Segment, event: Event, start_ms: int) -> bool:
    """Tell whether an event lies within a period; what came late may lie in its last minute.

    A period begins with an id and ends with a poll, which sees what has arrived by then.

    Args:
        start_ms: how much of its begin is left out.
    """
    moment = datetime.fromtimestamp((event.place.ms - start_ms) / 1000, UTC)
    end = segment.end.timestamp() * 1000 - LATE_MS * event.is_late
    return (segment.start is None or segment.start < moment) and event.dated_ms < end
