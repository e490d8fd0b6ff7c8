"""Somebody takes things out of the database between loads: mended, read again, and told."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.destinations.holding import held
from tests.integration.contract import HOUR, Contract, Warehouse

START = int(time.time() * 1000) - HOUR
EVENTS = "source_event_summaries"
OURS = ("event_gaps", "stream_status", "quarantine", "load_runs", "sources", "workflows")
DLTS = ("_dlt_loads", "_dlt_pipeline_state", "_dlt_version")
HELD = "The destination does not hold what was loaded last"
chaos = pytest.mark.chaos


def change(warehouse: Warehouse, *statements: str) -> None:
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.execute("SET schema = 'pipedream'")
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def filled(contract: Contract, warehouse: Warehouse) -> Warehouse:
    """One stream of which the API still shows the last hundred of 150 loaded events."""
    stream = contract.stream("dc_a")
    stream.emit_many(100, START)
    assert warehouse.load().exit_code == 0
    stream.emit_many(50, START + 100_000)
    assert warehouse.load().exit_code == 0
    return warehouse


@pytest.mark.parametrize("news", [0, pytest.param(5, marks=chaos)])
def test_a_dropped_event_table_is_made_again_and_filled_from_whole_windows(
    contract: Contract, filled: Warehouse, news: int
) -> None:
    stream = contract.stream("dc_a")
    change(filled, f"DROP TABLE {EVENTS}")
    stream.emit_many(news, START + 200_000)
    report = filled.load(fail_on_loss=True)
    assert (report.exit_code, report.rows_gone) == (4, {EVENTS: 150})
    assert report.as_dict()["rows_gone"] == {EVENTS: 150}
    assert any(f"The table {EVENTS} was gone" in note for note in report.notes)
    assert sorted(filled.events()) == sorted(("dc_a", "", e.id) for e in stream.shown)
    # What was seen was seen: the rows are lost, not the knowledge that no poll missed any.
    assert filled.gaps("dc_a") == []
    assert filled.status("dc_a") == ("contiguous",)
    again = filled.load(fail_on_loss=True)
    assert (again.exit_code, again.notes) == (0, [])


@chaos
def test_loss_between_the_polls_is_told_all_the_same(contract: Contract, filled: Warehouse) -> None:
    stream = contract.stream("dc_a")
    last = stream.emitted[-1].id
    change(filled, f"DROP TABLE {EVENTS}")
    stream.emit_many(130, START + 500_000)
    assert filled.load().exit_code == 0
    assert [gap[:2] for gap in filled.gaps("dc_a")] == [("overrun", last)]


@pytest.mark.parametrize("which", ["newest", pytest.param("all", marks=chaos)])
def test_deleted_rows_are_read_again(contract: Contract, filled: Warehouse, which: str) -> None:
    stream = contract.stream("dc_a")
    where = "" if which == "all" else f"WHERE id > '{stream.emitted[129].id}'"
    change(filled, f"DELETE FROM {EVENTS} {where}")
    gone = 150 - len(filled.events())
    report = filled.load(fail_on_loss=True)
    assert (report.exit_code, report.rows_gone) == (4, {EVENTS: gone})
    assert any(f"{gone:,} rows that were loaded are gone" in note for note in report.notes)
    expected = {
        ("dc_a", "", e.id) for e in (stream.emitted[50:] if which == "all" else stream.emitted)
    }
    assert set(filled.events()) == expected


KILLED = (
    "import os, sys, duckdb; open = duckdb.connect(sys.argv[1]); open.execute(sys.argv[2]); "
    "os.kill(os.getpid(), 9)"
)


def deleted_in_the_log(warehouse: Warehouse) -> None:
    """Delete ten rows in a process that is killed: the file stays, the log beside it tells."""
    before = warehouse.database.stat()
    statement = f"DELETE FROM pipedream.{EVENTS} WHERE event_seq = 0 AND id > '{START + 109_500}'"
    subprocess.run([sys.executable, "-c", KILLED, str(warehouse.database), statement], check=False)
    assert warehouse.database.with_name("events.duckdb.wal").stat().st_size
    assert warehouse.database.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("news", [0, 5])
def test_rows_deleted_by_a_process_that_was_killed(
    contract: Contract, filled: Warehouse, news: int
) -> None:
    stream = contract.stream("dc_a")
    deleted_in_the_log(filled)
    gone = 150 - len(filled.events())
    assert 0 < gone < 100
    stream.emit_many(news, START + 200_000)
    report = filled.load(fail_on_loss=True)
    assert (report.exit_code, report.rows_gone) == (4, {EVENTS: gone})
    assert filled.events() == contract.emitted()
    assert filled.load(fail_on_loss=True).exit_code == 0


@pytest.mark.parametrize("news", [0, 5])
def test_rows_deleted_while_a_load_polls(contract: Contract, filled: Warehouse, news: int) -> None:
    stream = contract.stream("dc_a")
    assert filled.load().exit_code == 0
    stream.emit_many(news, START + 200_000)
    last = stream.emitted[139].id
    stream.on_page = lambda: change(filled, f"DELETE FROM {EVENTS} WHERE id = '{last}'")
    report = filled.load(fail_on_loss=True)
    stream.on_page = None
    assert (report.exit_code, report.rows_gone) == (4, {EVENTS: 1})
    assert filled.load(fail_on_loss=True).exit_code == 0
    assert filled.events() == contract.emitted()


@chaos
def test_a_stream_that_fails_meanwhile_is_read_again_later(
    contract: Contract, filled: Warehouse
) -> None:
    other = contract.stream("dc_b")
    other.emit_many(20, START)
    assert filled.load().exit_code == 0
    change(filled, f"DELETE FROM {EVENTS} WHERE emitter_id = 'dc_b'")
    del contract.streams["dc_b", ""]
    assert filled.load().exit_code == 3
    assert len(filled.events()) == 150
    contract.streams["dc_b", ""] = other
    for _ in range(2):
        report = filled.load()
        assert report.exit_code == 0
        assert filled.events() == contract.emitted()
    assert (report.notes, filled.target.reread.exists()) == ([], False)


@chaos
def test_rows_deleted_while_a_package_waits(contract: Contract, filled: Warehouse) -> None:
    stream = contract.stream("dc_a")
    stream.emit_many(40, START + 200_000)
    with held(filled.database):
        assert filled.load().exit_code == 5
    change(filled, f"DELETE FROM {EVENTS} WHERE id > '{stream.emitted[139].id}'")
    report = filled.load()
    assert (report.exit_code, report.rows_gone) == (0, {EVENTS: 10})
    assert filled.events() == contract.emitted()


@pytest.mark.parametrize("table", [pytest.param(t, marks=chaos) for t in (*OURS, *DLTS)])
def test_one_other_table_dropped(contract: Contract, filled: Warehouse, table: str) -> None:
    stream = contract.stream("dc_a")
    before = sorted(filled.rows(TABLES))
    change(filled, f"DROP TABLE {table}")
    stream.emit_many(5, START + 200_000)
    report = filled.load()
    assert report.exit_code == 0, report.as_dict()
    assert f"The table {table} was gone: it is made again." in report.notes
    assert sorted(filled.rows(TABLES)) == before
    assert filled.events() == contract.emitted()
    assert filled.gaps("dc_a") == []
    assert filled.status("dc_a") == ("contiguous",)
    assert filled.one("SELECT count(*) FROM sources WHERE _dlt_valid_to IS NULL") == (1,)
    again = filled.load()
    assert (again.exit_code, again.notes) == (0, [])


TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'pipedream'"


def test_all_of_them_but_the_events_at_once(contract: Contract, filled: Warehouse) -> None:
    before = sorted(filled.rows(TABLES))
    change(filled, *(f"DROP TABLE {table}" for table in (*OURS[:3], "sources", *DLTS)))
    contract.stream("dc_a").emit_many(5, START + 200_000)
    report = filled.load()
    assert report.exit_code == 0, report.as_dict()
    assert sum("is made again" in note for note in report.notes) == 7
    assert sorted(filled.rows(TABLES)) == before
    assert filled.events() == contract.emitted()
    assert filled.one("SELECT count(*) FROM sources WHERE _dlt_valid_to IS NULL") == (1,)


@pytest.mark.parametrize(
    "emptied", ["_dlt_loads", pytest.param("_dlt_pipeline_state", marks=chaos)]
)
def test_an_emptied_table_of_dlt_costs_no_cursor(
    contract: Contract, filled: Warehouse, emptied: str
) -> None:
    change(filled, f"DELETE FROM {emptied}")
    contract.stream("dc_a").emit_many(120, START + 300_000)
    assert filled.load(fail_on_loss=True).exit_code == 4
    assert [gap[0] for gap in filled.gaps("dc_a")] == ["overrun"]


def unlinked(warehouse: Warehouse) -> None:
    warehouse.database.unlink()


def without_schema(warehouse: Warehouse) -> None:
    change(warehouse, "SET schema = 'main'", "DROP SCHEMA pipedream CASCADE")


@chaos
@pytest.mark.parametrize("empty", [unlinked, without_schema])
def test_a_database_that_is_gone_begins_anew(
    contract: Contract, filled: Warehouse, empty: Callable[[Warehouse], None]
) -> None:
    empty(filled)
    report = filled.load(fail_on_loss=True)
    assert (report.exit_code, report.rows_gone) == (4, {EVENTS: 150})
    assert any(HELD in note for note in report.notes)
    assert len(filled.events()) == 100
    assert filled.load(fail_on_loss=True).exit_code == 0


@pytest.mark.parametrize(
    ("alteration", "told"),
    [
        pytest.param("DROP COLUMN event_state", "event_state was gone", marks=chaos),
        pytest.param("RENAME COLUMN event_state TO mine", "event_state was gone", marks=chaos),
        pytest.param("ALTER COLUMN event_seq TYPE VARCHAR", "event_seq is text", marks=chaos),
        pytest.param("ALTER COLUMN event TYPE VARCHAR", "event is text", marks=chaos),
        pytest.param("ADD COLUMN mine VARCHAR", "", marks=chaos),
    ],
)
def test_a_changed_column(
    contract: Contract, filled: Warehouse, alteration: str, told: str
) -> None:
    change(filled, f"ALTER TABLE {EVENTS} {alteration}")
    contract.stream("dc_a").emit_many(5, START + 200_000)
    report = filled.load()
    assert report.exit_code == 0, report.as_dict()
    assert any(told in note for note in report.notes) == bool(told)
    assert filled.events() == contract.emitted()
    assert filled.one(f"SELECT count(*) FROM {EVENTS} WHERE event_state = 'full'")[0] >= 5
    assert filled.load().exit_code == 0


def test_a_key_that_is_gone_is_refused_before_anything_is_polled(
    contract: Contract, filled: Warehouse
) -> None:
    change(filled, f"ALTER TABLE {EVENTS} DROP COLUMN channel")
    contract.journal.clear()
    report = filled.load()
    assert (report.exit_code, "lacks its column channel" in str(report.error)) == (2, True)
    assert not [path for path, _ in contract.journal if path.endswith("event_summaries")]
    change(filled, f"DROP TABLE {EVENTS}")
    assert filled.load().exit_code == 0
    assert len(filled.events()) == 100


@pytest.mark.parametrize("when", ["at work", pytest.param("waiting", marks=chaos)])
def test_a_backup_put_in_place_unseen(
    contract: Contract, warehouse: Warehouse, tmp_path: Path, when: str
) -> None:
    """The file is replaced after it was compared, or before a package that waits is loaded."""
    stream, backup = contract.stream("dc_a"), tmp_path / "backup"
    stream.emit_many(50, START)
    assert warehouse.load().exit_code == 0
    backup.write_bytes(warehouse.database.read_bytes())
    for n in (1, 2):
        stream.emit_many(90, START + n * 100_000)
        assert warehouse.load().exit_code == 0

    def put_back() -> None:
        warehouse.database.write_bytes(backup.read_bytes())

    stream.emit_many(5, START + 400_000)
    if when == "waiting":
        with held(warehouse.database):
            assert warehouse.load().exit_code == 5
        put_back()
    else:
        stream.on_page = put_back
        assert any(HELD in note for note in warehouse.load().notes)
        stream.on_page = None
    stream.emit_many(3, START + 500_000)
    report = warehouse.load()
    # The backup ends with event 50; the API shows the last hundred of 238.
    assert [gap[:2] for gap in warehouse.gaps("dc_a")] == [("overrun", stream.emitted[49].id)]
    assert report.exit_code == 0, report.as_dict()
    events = warehouse.events()
    assert {("dc_a", "", e.id) for e in stream.emitted[:50] + stream.shown} <= set(events)
    assert warehouse.load(fail_on_loss=True).exit_code == 0
