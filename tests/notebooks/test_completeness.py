"""Hours and gaps, from periods made up."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytest.importorskip("altair", reason="notebooks need `make extras`")

from notebooks.reading import completeness
from notebooks.reading.database import Database
from pipedream_source.cli.read.database import open_database
from pipedream_source.core.completeness.gap_times import dated
from tests.notebooks.databases import writing

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def period(standing: str, start: datetime | None, end: datetime, **more: Any) -> dict[str, Any]:
    stream = {"emitter_id": "dc_a", "channel": "", "stream": "A"}
    lost = {"lost_min": 0, "lost_likely": None, "lost_max": None}
    return {**stream, "standing": standing, "start": start, "end": end, "why": "", **lost, **more}


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    times = dict.fromkeys(("start", "end"), "datetime64[us, UTC]")
    return pd.DataFrame(list(rows)).astype({**times, "lost_likely": "Int64", "lost_max": "Int64"})


def by_hour(found: pd.DataFrame) -> dict[int, str]:
    hours = (found["start"] - NOON) / timedelta(hours=1)
    return dict(zip(hours.astype(int), found["standing"], strict=True))


def test_the_worst_of_an_hour_counts_and_a_border_belongs_to_one_side() -> None:
    periods = frame(
        period("complete", None, at(1)),
        period("lost", at(1), at(1.5), lost_min=3, lost_likely=5, lost_max=9),
        period("complete", at(1.5), at(2.25)),
        period("unknown", at(2.25), at(3)),
    )
    found = completeness.hours(periods, at(0), at(4))
    assert by_hour(found) == {0: "complete", 1: "lost", 2: "unknown", 3: "unobserved"}
    assert list(found["lost"]) == ["", "3 to 9, likely 5 events", "", ""]
    assert (found["end"] - found["start"] == timedelta(hours=1)).all()


def test_every_stream_stands_in_every_hour() -> None:
    other = {"emitter_id": "dc_b", "stream": "B"}
    periods = frame(period("complete", at(0), at(3)), period("complete", at(-9), at(-8), **other))
    found = completeness.hours(periods, at(0), at(3))
    assert len(found) == 6
    assert set(found.loc[found["stream"] == "B", "standing"]) == {"unobserved"}


def test_streams_of_one_name_are_not_taken_for_one() -> None:
    twin = period("lost", at(0), at(1), lost_min=1, lost_max=2) | {"emitter_id": "dc_b"}
    found = completeness.hours(frame(period("complete", at(0), at(1)), twin), at(0), at(1))
    assert sorted(found["standing"]) == ["complete", "lost"]
    assert list(
        completeness.standing(frame(period("complete", at(0), at(1)), twin))["streams"]
    ) == [*(1, 0, 0, 0, 0, 0, 1)]


def test_a_gap_of_no_time_is_seen() -> None:
    found = completeness.hours(frame(period("lost", at(0.5), at(0.5), lost_min=1)), at(0), at(1))
    assert by_hour(found) == {0: "lost"}
    assert list(found["lost"]) == ["at least 1 events"]


def test_no_hour_reaches_past_the_last_poll() -> None:
    found = completeness.hours(frame(period("complete", None, at(1.25))), at(0), at(1.25))
    assert by_hour(found) == {0: "complete", 1: "complete"}
    assert list(found["end"]) == [at(1), at(1.25)]


def test_a_sum_with_an_unknown_in_it_says_so() -> None:
    def lost(*gaps: tuple[int, int | None]) -> str:
        found = pd.DataFrame(gaps, columns=["lost_min", "lost_max"]).astype("Int64")
        told = completeness.standing(frame(period("complete", at(0), at(1))))
        return completeness.figures(told, found)["events_lost"]

    assert lost((1, 9), (2, 2)) == "3 to 11"
    assert lost((1, 9), (2, None)) == "1 to 9, unknown in 1 gap"
    assert lost((0, None), (2, None)) == "unknown in 2 gaps"
    assert lost() == "0"


def test_gaps_are_dated_as_the_command_dates_them(demo: Path, tmp_path: Path) -> None:
    """Of polls before them, of ids behind the polls, and of streams that were not known before."""
    file = tmp_path / "dated.duckdb"
    file.write_bytes(demo.read_bytes())
    ms = int(NOON.timestamp() * 1000)
    gaps = [
        ("dc_a", "overrun", f"{ms}-0", at(-90), at(0), at(3)),
        ("dc_a", "purged", "", at(1.995), at(3), at(3)),
        ("dc_a", "regressed", f"{ms - 9}-0", at(-90), at(-1), at(4)),
        ("dc_a", "overrun", f"{ms + 3_600_000}-0", at(-90), at(1), at(3)),
        ("dc_b", "overrun", f"{ms}-0", at(-90), at(0), at(3)),
    ]
    with writing(file) as connection:
        connection.execute("DELETE FROM event_gaps")
        connection.executemany(
            "INSERT INTO event_gaps BY NAME SELECT $1 AS emitter_id, '' AS channel, $2 AS verdict, "
            "'5-0' AS after_id, $3 AS before_id, $4 AS gap_start, $5 AS gap_end, "
            "$6 AS detected_at, 0 AS lost_min, 'unbounded' AS method, "
            "'x' AS _dlt_load_id, uuid() AS _dlt_id",
            gaps,
        )
        for until in (at(-1), at(2)):
            connection.execute(
                "INSERT INTO stream_coverage BY NAME SELECT * REPLACE ('dc_a' AS emitter_id, "
                "$1::VARCHAR AS from_id, $1 AS covered_until, uuid() AS _dlt_id) "
                "FROM stream_coverage LIMIT 1",
                [until],
            )
    keys = ["emitter_id", "verdict", "gap_start", "gap_end"]
    with open_database(file, "pipedream") as reader:
        due = dated(reader.table("event_gaps"), reader.table("stream_coverage"))
        expected = sorted(tuple(row[key] for key in keys) for row in due)
    found = completeness.gaps(Database.find(file))[keys]
    assert sorted(tuple(row) for row in found.itertuples(index=False)) == expected
    starts = {row[2] for row in expected}
    assert starts == {at(-90), at(2) - timedelta(minutes=1), at(1.995)}


@pytest.mark.parametrize(
    ("days", "seconds"), [(1, 3_600), (7, 3_600), (30, 21_600), (365, 7 * 86_400)]
)
def test_the_step_fits_the_span(days: int, seconds: int) -> None:
    assert completeness.step_seconds(NOON - timedelta(days=days), NOON) == seconds


def test_a_gap_is_explained() -> None:
    gap: dict[Any, Any] = {"name": "A", "channel": "$errors", "reason": "all went wrong"}
    gap |= {"gap_start": at(0), "gap_end": at(2), "lost_min": 0, "lost_likely": 4, "lost_max": 8}
    said = completeness.explained(gap)
    when = "between 2026-03-01 12:00 and 2026-03-01 14:00 (2 hours)"
    assert said == f"A · $errors: {when} all went wrong; 0 to 8, likely 4 events are missing."


def test_where_nothing_limits_polling_this_is_said() -> None:
    room = pd.DataFrame({"stream": ["A"], "safe_seconds": [None], "polled_every": [60.0]})
    assert "any interval is safe, as far as can be told" in completeness.advice(room)


def test_a_period_begins_where_something_is_known() -> None:
    since = completeness.default_since
    known = frame(period("unobserved", at(-99), at(-5)), period("complete", at(-5), at(0)))
    assert since(known, NOON, 7) == at(-5)
    assert since(frame(period("complete", at(-999), at(0))), NOON, 7) == at(-7 * 24)
    assert since(frame(period("complete", None, at(0))), NOON, 7) == at(-24)
    only_now = frame(period("complete", at(0), at(0)))
    assert since(only_now, NOON, 7) == at(-1)
    assert "complete" in set(completeness.hours(only_now, at(-1), at(0.5))["standing"])


def test_streams_of_one_name_are_called_apart(demo: Path, tmp_path: Path) -> None:
    file = tmp_path / "twins.duckdb"
    file.write_bytes(demo.read_bytes())
    with writing(file) as connection:
        connection.execute(
            "UPDATE sources SET name = 'Twin' WHERE name IN ('Leads sheet', 'Contact form')"
        )
    database = Database.find(file)
    found = completeness.periods(database)
    twins = {s for s in found["stream"] if s.startswith("Twin")}
    assert twins == {f"Twin ({e})" for e in found.loc[found["name"] == "Twin", "emitter_id"]}
    assert len(twins) == 2
    assert twins <= set(completeness.headroom(database)["stream"])
    assert "Deploy hooks" in set(found["stream"])
