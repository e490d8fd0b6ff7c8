"""The demo: what a newcomer sees first."""

from pathlib import Path

import duckdb
import pytest

from tests.integration.command import Command


def test_it_tells_the_same_story_each_time(tmp_path: Path) -> None:
    command = Command(tmp_path)
    first = command.process("demo", COLUMNS="80")
    assert first.returncode == 0, first.stderr
    assert first.stderr == ""
    for said in (
        "2,079 new events from 27 streams",
        "319 new events from 27 streams",
        "estimate  0 to 207, likely 141 events lost",
        "truth     140: 240 were emitted, 100 were still there",
        "SELECT",
        "FROM pipedream.streams",
        "more sources",
        "pipedream-source gaps --database pipedream_demo.duckdb",
        "export PIPEDREAM_API_KEY=",
    ):
        assert said in first.stdout
    assert "\x1b" not in first.stdout
    again = command.json("demo")
    assert again["lost"] == {"min": 0, "likely": 141, "max": 207, "truth": 140}
    assert [load["rows"]["workflow_emits"] for load in again["loads"]] == [421, 56, 8]
    assert set(again["answers"]) == {"events_per_hour", "frequent_errors", "completeness"}
    database = tmp_path / "pipedream_demo.duckdb"
    assert again["database"] == str(database)
    assert database.stat().st_size < 6_000_000
    with duckdb.connect(str(database), read_only=True) as connection:
        query = "SELECT count(*), min(verdict), min(lost_likely) FROM pipedream.event_gaps"
        assert connection.execute(query).fetchall() == [(1, "overrun", 141)]
        query = "SELECT count(*) FROM pipedream.load_runs"
        assert connection.execute(query).fetchall() == [(3,)]


@pytest.mark.parametrize("name", ["pipedream_demo.duckdb", "pipedream_demo.duckdb.dlt/state"])
def test_it_removes_nothing_that_is_not_its_own(tmp_path: Path, name: str) -> None:
    mine = tmp_path / name
    mine.parent.mkdir(exist_ok=True)
    # What any DuckDB file begins with.
    mine.write_bytes(bytes(8) + b"DUCK" + bytes(100))
    done = Command(tmp_path).run("demo")
    assert (done.returncode, done.stdout) == (2, "")
    assert "not made by the demo" in done.stderr
    assert mine.read_bytes() == bytes(8) + b"DUCK" + bytes(100)
    assert [path.name for path in tmp_path.iterdir()] == [name.split("/")[0]]
