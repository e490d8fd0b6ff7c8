"""The count of proven events that the tables hold no more, against one of each stretch."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from pipedream_source.resources.events.missing_events import gone_query

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
STREAMS = [("dc_1", ""), ("dc_1", "other"), ("p_1", "$errors")]
TABLES = ["source_event_summaries", "workflow_errors"]
KEY = "emitter_id VARCHAR, channel VARCHAR"
COVERAGE = (
    f"{KEY}, opened_at TIMESTAMPTZ, from_id VARCHAR, covered_from TIMESTAMPTZ, "
    "until_at TIMESTAMPTZ, events BIGINT"
)

Stretch = tuple[str, str, datetime, str, datetime | None, datetime | None, int]
Event = tuple[str, str, str, datetime]


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE stream_coverage ({COVERAGE})")
        for table in TABLES:
            connection.execute(f"CREATE TABLE {table} ({KEY}, id VARCHAR, emitted_at TIMESTAMPTZ)")
        yield connection


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def event(stream: tuple[str, str], second: int, seq: int = 0) -> Event:
    return (*stream, f"{int(at(second).timestamp() * 1000)}-{seq}", at(second))


def stretch(rng: random.Random, stream: tuple[str, str], number: int) -> Stretch:
    """A stretch anywhere, over others too; from the beginning, or without an event yet."""
    start, end = sorted(rng.randint(-5, 40) for _ in range(2))
    begin = rng.choice([at(start), at(start), None])
    until = rng.choice([at(end), at(end), at(start - 3), None])
    return *stream, at(number // 2), f"{number}-0", begin, until, rng.randint(0, 12)


def fill(database: duckdb.DuckDBPyConnection, table: str, rows: list[Any]) -> None:
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


def due(stretches: list[Stretch], events: list[Event]) -> dict[tuple, int]:
    """Count by looking at each event for each stretch."""
    found = {}
    for emitter, channel, opened, from_id, begin, until, events_loaded in stretches:
        inside = {
            name
            for own, of, name, moment in events
            if (own, of) == (emitter, channel)
            and until is not None
            and moment <= until
            and (begin is None or begin <= moment)
        }
        if events_loaded > len(inside):
            found[emitter, channel, opened, from_id] = events_loaded - len(inside)
    return found


def counted(database: duckdb.DuckDBPyConnection, tables: list[str]) -> dict[tuple, int]:
    rows = database.execute(gone_query(tables)).fetchall()
    return {(*key, opened.astimezone(UTC), name): gone for *key, opened, name, gone in rows}


@pytest.mark.parametrize("seed", range(60))
def test_each_stretch_lacks_what_a_plain_count_says(
    database: duckdb.DuckDBPyConnection, seed: int
) -> None:
    rng = random.Random(seed)
    stretches = [
        stretch(rng, stream, number)
        for number, stream in enumerate(rng.choices(STREAMS, k=rng.randint(1, 9)))
    ]
    events: dict[str, list[Event]] = {table: [] for table in TABLES}
    for _ in range(rng.randint(0, 60)):
        one = event(rng.choice(STREAMS), rng.randint(-8, 45), rng.choice([0, 0, 1]))
        # The same row twice is one event.
        events[rng.choice(TABLES)] += [one] * rng.choice([1, 1, 2])
    fill(database, "stream_coverage", stretches)
    for table, rows in events.items():
        fill(database, table, rows)
    assert counted(database, TABLES) == due(
        stretches, [e for rows in events.values() for e in rows]
    )


def test_without_tables_of_events_all_are_gone(database: duckdb.DuckDBPyConnection) -> None:
    fill(database, "stream_coverage", [("dc_1", "", NOON, "0-0", None, at(9), 4)])
    fill(database, "stream_coverage", [("dc_1", "", at(5), "5-0", at(5), None, 0)])
    assert counted(database, []) == {("dc_1", "", NOON, "0-0"): 4}
