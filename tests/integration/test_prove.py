"""The certificate: what `prove` and `coverage` say of databases that were really loaded."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from pandas.testing import assert_frame_equal

from pipedream_source import coverage
from pipedream_source.certificate import Certificate, Store, certify
from pipedream_source.cli.read.database import open_database
from pipedream_source.core.completeness.proof import Standing
from tests.integration.contract import Contract, Warehouse
from tests.integration.contract.command import Command
from tests.integration.contract.server import Reply

HOUR = 3_600_000
START = int(time.time() * 1000) - HOUR


def certificate(warehouse: Warehouse, **period: Any) -> Certificate:
    with open_database(warehouse.database, "pipedream") as reader:
        return certify(Store(reader.rows, reader.tables), **period)


def standings(warehouse: Warehouse, emitter: str, **period: Any) -> list[str]:
    found = certificate(warehouse, emitters=[emitter], **period)
    return [s.standing.value for stream in found.streams for s in stream.segments]


def test_a_stretch_is_extended_and_never_repeated(contract: Contract, warehouse: Warehouse) -> None:
    stream = contract.stream("dc_a")
    for round_number in range(4):
        stream.emit_many(30, START + round_number * 60_000)
        assert warehouse.load().exit_code == 0
        assert warehouse.load().exit_code == 0
    query = "SELECT begins, from_id, covered_from, until_id, events, polls FROM stream_coverage"
    assert warehouse.rows(query) == [("origin", "0-0", None, stream.emitted[-1].id, 120, 8)]
    found = certificate(warehouse)
    assert found.is_complete
    (proof,) = found.streams
    assert (proof.events, proof.quarantined) == (120, 0)
    assert found.until == proof.last_poll_at


def test_a_gap_is_lost_and_what_follows_is_complete(
    contract: Contract, warehouse: Warehouse
) -> None:
    contract.stream("dc_a").emit_many(100, START)
    warehouse.load()
    contract.stream("dc_a").emit_many(300, START + 600_000)
    contract.stream("dc_b").emit_many(5, START)
    warehouse.load()
    (proof,) = certificate(warehouse, emitters=["dc_a"]).streams
    assert [s.standing.value for s in proof.segments] == ["complete", "lost", "complete"]
    lost = proof.segments[1]
    (gap,) = warehouse.gaps("dc_a")
    assert (lost.from_id, lost.to_id, lost.lost_min, lost.lost_likely, lost.lost_max) == gap[1:]
    assert standings(warehouse, "dc_b") == ["complete"]
    # The window was full when it was first seen.
    long_ago = datetime.fromtimestamp(START / 1000 - 3600, UTC)
    assert standings(warehouse, "dc_a", since=long_ago)[0] == "unobserved"


def test_a_failing_stream_is_unobserved_until_it_is_read_again(
    contract: Contract, warehouse: Warehouse
) -> None:
    for name in ("dc_a", "dc_b"):
        contract.stream(name).emit_many(5, START)
    warehouse.load()
    contract.stream("dc_a", answers=lambda _: Reply(b"{}", 404))
    time.sleep(1.1)  # the API's `Date` counts seconds
    assert warehouse.load().exit_code == 3
    assert standings(warehouse, "dc_a") == ["complete", "unobserved"]
    assert standings(warehouse, "dc_b") == ["complete"]
    contract.stream("dc_a", answers=None)
    warehouse.load()
    assert standings(warehouse, "dc_a") == ["complete"]


def test_left_out_rows_are_no_part_of_it(contract: Contract, warehouse: Warehouse) -> None:
    contract.stream("dc_a").emit_many(50, START)
    warehouse.load(since=datetime.fromtimestamp(START / 1000 + 20, UTC).isoformat())
    assert len(warehouse.events()) == 30
    assert standings(warehouse, "dc_a") == ["complete"]
    earlier = datetime.fromtimestamp(START / 1000 - 1, UTC)
    assert standings(warehouse, "dc_a", since=earlier) == ["unobserved", "complete"]


def test_deleted_rows_take_the_proof_along(contract: Contract, warehouse: Warehouse) -> None:
    stream = contract.stream("dc_a")
    stream.emit_many(120, START)
    warehouse.load()
    stream.emit_many(10, START + 600_000)
    warehouse.load(full_window=True)
    assert standings(warehouse, "dc_a") == ["complete"]
    with duckdb.connect(str(warehouse.database)) as database:
        one = "DELETE FROM pipedream.source_event_summaries WHERE id = ?"
        database.execute(one, [stream.emitted[60].id])
    (proof,) = certificate(warehouse).streams
    assert "1 of its 110 events" in proof.segments[0].why
    assert standings(warehouse, "dc_a") == ["unknown"]


def test_rows_that_stand_more_than_once(contract: Contract, warehouse: Warehouse) -> None:
    for name in ("dc_a", "dc_b", "dc_c"):
        contract.stream(name).emit_many(60, START)
    warehouse.load()
    table = "pipedream.source_event_summaries"
    with duckdb.connect(str(warehouse.database)) as database:
        some = "WHERE emitter_id = 'dc_a' ORDER BY id LIMIT 25"
        database.execute(f"INSERT INTO {table} SELECT * FROM {table} {some}")
    later = datetime.fromtimestamp(START / 1000 + 30, UTC)
    found = {stream.emitter_id: stream for stream in certificate(warehouse).streams}
    assert (found["dc_a"].events, found["dc_a"].copies) == (85, 25)
    assert not found["dc_a"].is_complete
    assert standings(warehouse, "dc_a") == ["doubled"]
    assert standings(warehouse, "dc_a", since=later) == ["complete"]
    assert standings(warehouse, "dc_c") == ["complete"]
    done = Command(warehouse).run("prove", "--emitter", "dc_a")
    assert (done.returncode, "docs/destinations.md" in done.stdout) == (4, True)
    said = " ".join(done.stdout.split())
    assert "Lost: nothing that is known. Copies: 25 rows." in said
    assert warehouse.load().exit_code == 0
    with duckdb.connect(str(warehouse.database)) as database:
        kept = f"SELECT min(rowid) FROM {table} GROUP BY emitter_id, channel, id"
        database.execute(f"DELETE FROM {table} WHERE rowid NOT IN ({kept})")
        assert coverage(database)["standing"].tolist() == ["complete"] * 3
    assert warehouse.load().rows_gone == {"source_event_summaries": 25}
    assert certificate(warehouse).is_complete


def test_rows_of_coverage_that_were_deleted_come_back(
    contract: Contract, warehouse: Warehouse
) -> None:
    contract.stream("dc_a").emit_many(5, START)
    warehouse.load()
    with duckdb.connect(str(warehouse.database)) as database:
        database.execute("DELETE FROM pipedream.stream_coverage")
    assert not certificate(warehouse).is_complete
    warehouse.load()
    assert standings(warehouse, "dc_a") == ["complete"]


def test_a_frame_for_pandas(contract: Contract, warehouse: Warehouse) -> None:
    contract.stream("dc_a").emit_many(100, START)
    pipeline = warehouse.pipeline()
    pipeline.run(warehouse.source())
    contract.stream("dc_a").emit_many(300, START + 600_000)
    pipeline.run(warehouse.source())
    frame = coverage(pipeline)
    assert [*frame["standing"]] == ["complete", "lost", "complete"]
    assert str(frame["start"].dtype) == "datetime64[us, UTC]"
    assert int(frame["lost_max"][1]) >= 200
    assert coverage(pipeline, emitters=["dc_none"]).empty
    with duckdb.connect(str(warehouse.database), read_only=True) as connection:
        connection.execute("SET TimeZone = 'Asia/Tokyo'")
        assert_frame_equal(coverage(connection), frame)
        assert coverage(connection, dataset='no "such"').empty
        # The connection stays as it was.
        zone = connection.execute("SELECT current_setting('TimeZone'), current_schema()")
        assert zone.fetchall() == [("Asia/Tokyo", "main")]


def test_the_command_says_it_and_ends_with_4(contract: Contract, warehouse: Warehouse) -> None:
    contract.stream("dc_a").emit_many(100, START)
    contract.stream("dc_b").emit_many(5, START)
    warehouse.load()
    command = Command(warehouse)
    done = command.run("prove")
    assert (done.returncode, "Complete: 2 streams" in done.stdout) == (0, True), done
    contract.stream("dc_a").emit_many(300, START + 600_000)
    warehouse.load()
    done = command.run("prove")
    assert (done.returncode, "lost (" in done.stdout) == (4, True), done
    assert "Not complete: 1 of 2 streams" in done.stdout
    done = command.run("prove", "--json")
    assert done.returncode == 4
    answer = json.loads(done.stdout)
    assert (answer["complete"], answer["lost"]["min"]) == (False, 0)
    (stream,) = [s for s in answer["streams"] if s["emitter_id"] == "dc_a"]
    assert [s["standing"] for s in stream["segments"]] == ["complete", "lost", "complete"]
    assert stream["segments"][1]["lost_max"] == answer["lost"]["max"]
    assert command.run("prove", "--emitter", "dc_b").returncode == 0
    done = command.run("prove", "--emitter", "dc_c")
    assert (done.returncode, "no stream of these emitters" in done.stdout) == (4, True), done
    one = command.run("prove", "--emitter", "dc_a").stdout
    assert "Not complete: 0 of 1 stream is, since" in one
    assert command.run("prove", "--emitter", "dc_c", "--emitter", "dc_b").returncode == 4
    wrong = command.run("prove", "--since", "2030-01-01")
    assert (wrong.returncode, "last poll" in wrong.stderr) == (2, True), wrong


def test_no_statement_reaches_past_the_last_poll(contract: Contract, warehouse: Warehouse) -> None:
    contract.stream("dc_a").emit_many(5, START)
    warehouse.load()
    command = Command(warehouse)
    assert command.run("prove").returncode == 0
    later = command.run("prove", "--until", "2030-01-01")
    assert (later.returncode, "Complete:" in later.stdout) == (4, False), later
    assert "unobserved from" in later.stdout
    assert "until 2030-01-01 00:00:00 UTC" in " ".join(later.stdout.split())
    told = " ".join(later.stdout.split())
    assert "Lost: nothing that is known. Unobserved: 1 period." in told
    (stream,) = json.loads(command.run("prove", "--until", "2030-01-01", "--json").stdout)[
        "streams"
    ]
    whole, unseen = stream["segments"]
    assert (whole["standing"], whole["end"]) == ("complete", stream["last_poll_at"])
    assert (unseen["standing"], unseen["start"]) == ("unobserved", whole["end"])
    assert unseen["end"] == "2030-01-01T00:00:00+00:00"
    with duckdb.connect(str(warehouse.database), read_only=True) as connection:
        frame = coverage(connection, until=datetime(2030, 1, 1, tzinfo=UTC))
    assert [*frame["standing"]] == ["complete", "unobserved"]
    before = datetime.fromtimestamp(START / 1000 + 60, UTC).isoformat()
    earlier = command.run("prove", "--until", before)
    assert (earlier.returncode, "the last poll" in earlier.stdout) == (0, False), earlier


def test_what_polls_of_an_idle_stream_proved_stays_proven(
    contract: Contract, warehouse: Warehouse
) -> None:
    """A burst after days of polls that found nothing takes none of those days along."""
    stream = contract.stream("dc_a")
    stream.emit_many(30, START - 96 * HOUR)
    for _ in range(2):
        warehouse.load()
        time.sleep(1.1)  # the API's `Date` counts seconds
    last_poll = certificate(warehouse).streams[0].last_poll_at
    assert last_poll is not None
    stream.emit_many(300, int(last_poll.timestamp() * 1000) + 500, 1)
    warehouse.load()
    proven, command = last_poll - timedelta(minutes=1), Command(warehouse)
    old = datetime.fromtimestamp(START / 1000 - 96 * 3600 + 29, UTC)
    stored = "SELECT epoch(gap_start) FROM event_gaps"
    assert warehouse.rows(stored) == [(proven.timestamp(),)]
    # So older versions stored it.
    with duckdb.connect(str(warehouse.database)) as database:
        database.execute("UPDATE pipedream.event_gaps SET gap_start = ?", [old])
    assert warehouse.rows(stored) == [(old.timestamp(),)]
    whole, lost, _ = certificate(warehouse).streams[0].segments
    assert (whole.standing, whole.end) == (Standing.COMPLETE, proven)
    assert (lost.standing, lost.start) == (Standing.LOST, proven)
    (gap,) = json.loads(command.run("gaps", "--json").stdout)["gaps"]
    assert gap["inputs"]["window_size"] == 100
    assert datetime.fromisoformat(gap["gap_start"]) == proven


def test_a_sum_with_an_unknown_in_it_says_so(contract: Contract, warehouse: Warehouse) -> None:
    """One stream loses a range, of another's loss nothing is known."""
    overrun, purged = contract.stream("dc_a"), contract.stream("dc_b")
    overrun.emit_many(100, START)
    purged.emit_many(5, START)
    warehouse.load()
    purged.shown = []
    warehouse.load()
    command = Command(warehouse)

    def told(verb: str) -> str:
        return " ".join(command.run(verb).stdout.split())

    assert "Lost: an unknown number of events." in told("prove")
    lost = {"min": 0, "likely": None, "max": None}
    assert json.loads(command.run("prove", "--json").stdout)["lost"] == lost
    overrun.emit_many(300, START + 600_000)
    loaded = told("load")
    ((_, _, _, least, _, most),) = warehouse.gaps("dc_a")
    assert f"1 gap, lost: {least} to {most} events" in loaded
    both = f"{least} to {most} events and, in 1 {{}}, an unknown number more"
    assert f"Lost: {both.format('period')}." in told("prove")
    assert f"2 gaps. Lost: {both.format('gap')}." in told("gaps")
    assert json.loads(command.run("gaps", "--json").stdout)["lost"]["max"] is None


@pytest.mark.parametrize("table", ["stream_coverage", "event_gaps", "source_event_summaries"])
def test_a_missing_table_proves_nothing(
    contract: Contract, warehouse: Warehouse, table: str
) -> None:
    contract.stream("dc_a").emit_many(5, START)
    warehouse.load()
    with duckdb.connect(str(warehouse.database)) as database:
        database.execute(f"DROP TABLE pipedream.{table}")
    found = certificate(warehouse)
    assert found.is_complete == (table == "event_gaps")
    assert {s.standing for p in found.streams for s in p.segments} <= {
        Standing.COMPLETE,
        Standing.UNKNOWN,
        Standing.UNOBSERVED,
    }
