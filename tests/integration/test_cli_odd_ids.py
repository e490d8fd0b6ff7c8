"""Every verb that reads takes every id that the tables may hold."""

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipedream_source.cli.flags.times import within_calendar
from pipedream_source.sandbox.server import Sandbox
from tests.integration.command import DATABASE, Command, id_of
from tests.integration.holding import EMITTER, MOMENT, holding_rows

#: The end of Python's calendar, what lies beyond, and sequence numbers of any length.
IDS = (
    "253402300799999-0",
    "253402300800000-1",
    "999999999999999-0",
    "999999999999999-999999999999999999",
)
SOURCE = "GitHub code"


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Command, str]]:
    """A database with odd ids beside usual ones, and the API that sent them; and their source."""
    with Sandbox() as sandbox:
        command = Command(tmp_path_factory.mktemp("odd"), sandbox)
        source = id_of(sandbox, SOURCE)
        for i in IDS:
            sandbox.emit(source, row_text=json.dumps({"id": i, "event": {"odd": i}}))
        assert command.run("load").returncode in (0, 4)
        with duckdb.connect(str(command.folder / DATABASE)) as database:
            ids = database.execute(
                "SELECT id FROM pipedream.source_event_summaries "
                "WHERE emitter_id = ? AND (event ->> 'odd') IS NOT NULL",
                [source],
            ).fetchall()
            assert {row[0] for row in ids} == set(IDS)
            # What another program wrote, and the lowest id.
            for changed in (
                "NULL AS emitted_at, NULL AS event_seq, NULL AS indexed_at, '0-1' AS id",
                "to_timestamp(0) AS emitted_at, 0 AS event_seq, '0-0' AS id",
            ):
                database.execute(
                    "INSERT INTO pipedream.source_event_summaries "
                    f"SELECT * REPLACE ({changed}) FROM pipedream.source_event_summaries "
                    "WHERE emitter_id = ? AND id = '253402300799999-0'",
                    [source],
                )
        yield command, source


TABLE = ("", "--json")
LIST = ("", "--json", "--jsonl")
VERBS = {
    "status": TABLE,
    "gaps --since 7d": TABLE,
    "prove --since 2026-11-01": TABLE,
    "schedule --every 15m --as cron": TABLE,
    "search odd --max 1000": LIST,
    "search odd --since 9000-01-01": LIST,
    "events list SOURCE": LIST,
    "events tail --emitter SOURCE -n 1000": LIST,
    "events tail --emitter SOURCE -n 1000 --live": LIST,
    "events delete SOURCE --loaded --dry-run": LIST,
    "events delete SOURCE --start-id 999999999999999-0 --dry-run": LIST,
    "workflows list": LIST,
    "check": TABLE,
    "prune --payloads-older-than 30d --archive payloads --dry-run": TABLE,
    "sql 'from source_event_summaries'": (*LIST, "--csv"),
    "export source_event_summaries --force": ("--to csv", "--to jsonl", "--to parquet", "--json"),
}


@pytest.mark.parametrize(
    "verb", [f"{verb} {form}" for verb, forms in VERBS.items() for form in forms]
)
def test_every_verb_that_reads_takes_every_id(verb: str, odd: tuple[Command, str]) -> None:
    command, source = odd
    done = command.run(*shlex.split(verb.replace("SOURCE", source)))
    # 4: something is not proven.
    assert done.returncode in (0, 4), done.stderr
    assert done.stdout
    assert "Unexpected" not in done.stderr


def test_times_end_with_the_calendar(odd: tuple[Command, str]) -> None:
    command, source = odd
    for live in ([], ["--live"]):
        rows = command.json("events", "tail", "--emitter", source, "-n", "4", *live)
        assert [row["id"] for row in rows] == list(IDS)
        assert {row["emitted_at"] for row in rows} == {"9999-12-31T23:59:59.999000+00:00"}
    found = command.json("search", "odd", "--since", "9999-12-31", "--emitter", source)
    assert [hit["id"] for hit in found] == list(IDS)[::-1]


def test_ids_ahead_of_their_time_are_no_pace(tmp_path: Path) -> None:
    usual = [(f"{i}-0", MOMENT + timedelta(minutes=i), 0, "1") for i in range(100)]
    ahead = [(f"9{i}-0", datetime(9999, 1, 1, i, tzinfo=UTC), 0, "1") for i in range(4)]
    told = []
    for name, rows in (("usual", usual), ("ahead", usual + ahead)):
        folder = tmp_path / name
        folder.mkdir()
        command = holding_rows(folder, rows)
        with duckdb.connect(str(folder / DATABASE)) as database:
            database.execute(
                "INSERT INTO pipedream.stream_status VALUES (?, '', ?, NULL, 1, 6000, 100, '1.0')",
                [EMITTER, MOMENT + timedelta(minutes=100)],
            )
        (stream,) = command.json("schedule", "--every", "15m", "--as", "cron")["streams"]
        told.append(stream)
    assert told[0] == told[1]
    assert told[0]["busiest"] == 15


@pytest.mark.parametrize(
    "since",
    [
        *("999999w", "9999999999w", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"),
        *("20000-01-01", "-1d", "1e9d", "P1D", "٣٣٣٣٣٣w"),
    ],
)
def test_a_time_outside_of_the_calendar_is_refused(since: str, odd: tuple[Command, str]) -> None:
    command = odd[0]
    for words in (
        ["gaps"],
        ["prove"],
        ["search", "x"],
        ["export", "event_gaps", "-o", "-", "--to", "csv"],
        ["load"],
    ):
        done = command.run(*words, f"--since={since}", COLUMNS="300")
        assert (done.returncode, "Unexpected" in done.stderr) == (2, False), done.stderr
        assert "since" in done.stderr


def test_a_period_that_nobody_lives_to_see_is_refused(odd: tuple[Command, str]) -> None:
    command, source = odd
    for words in (["schedule", "--as", "cron", "--every"], ["check", "--every"]):
        assert command.run(*words, "99999999999999d").returncode == 2
    tail = ["events", "tail", "--emitter", source, "--follow", "--interval", "99999999999999d"]
    assert command.run(*tail).returncode == 2


def test_times_of_duckdb() -> None:
    end = datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)
    first = datetime(1, 1, 1, tzinfo=UTC)
    query = (
        "SELECT to_timestamp(?::BIGINT)::TIMESTAMPTZ, TIMESTAMPTZ 'infinity', "
        "TIMESTAMPTZ '-infinity', TIMESTAMPTZ '0044-03-15 (BC) 00:00:00+00', NULL::TIMESTAMPTZ"
    )
    (row,) = duckdb.execute(query, [10**12]).fetchall()
    found = [within_calendar(value) for value in row]
    assert found[0] == end
    assert found[1] is not None
    assert found[1] >= end
    assert found[2:] == [first, first, None]
