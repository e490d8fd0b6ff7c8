"""DuckDB works within a limit of memory, which is lifted for what it cannot hold."""

import json
import secrets
import time
from collections.abc import Callable

import duckdb
import pytest

from pipedream_source.api.pages.event_rows import EventRow
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.resources.arrow.batches import Batch
from pipedream_source.resources.schema.tables import SOURCE_EVENT_SUMMARIES
from pipedream_source.running.destination import memory
from pipedream_source.settings import BYTES_PER_TABLE, DUCKDB_MEMORY
from tests.integration.contract import HOUR, Contract, Warehouse

START = int(time.time() * 1000) - HOUR
LARGE = json.dumps({"text": "x" * 1_000_000}).encode()
LIMIT = "DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG"


def limit_of(warehouse: Warehouse) -> str:
    """Return the limit that the connections of a load have, as DuckDB says it."""
    with warehouse.target.pipeline().sql_client() as sql:
        rows = sql.execute_sql("SELECT current_setting('memory_limit')") or []
    return str(rows[0][0])


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Note each time that a limit was to be lifted, and whether it was."""
    noted: list[bool] = []
    lift: Callable[..., bool] = memory.lift_limit

    def watched(*args: object) -> bool:
        noted.append(lift(*args))
        return noted[-1]

    monkeypatch.setattr("pipedream_source.running.packages.drain.lift_limit", watched)
    return noted


def test_what_the_limit_cannot_hold_is_loaded_without_it(
    contract: Contract,
    warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    attempts: list[bool],
) -> None:
    monkeypatch.setattr(memory, "DUCKDB_MEMORY", "2MB")
    # Each retry of dlt meets the same limit.
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")
    stream = contract.stream("dc_a")
    for number in range(20):
        stream.emit(f"{START + number * 1_000}-0", LARGE)
    report = warehouse.load()
    assert (report.exit_code, report.error) == (0, None)
    assert attempts == [True]
    assert warehouse.events() == {("dc_a", "", e.id): LARGE for e in stream.shown}
    assert not (warehouse.target.folder / "spill").exists()


def test_what_does_not_fit_is_written_to_a_folder(
    contract: Contract,
    warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    attempts: list[bool],
) -> None:
    """DuckDB refuses to be told of the folder again by another connection, once it was used."""
    monkeypatch.setattr(memory, "DUCKDB_MEMORY", "100MB")
    for number in range(20):
        stream = contract.stream(f"dc_{number}")
        for n in range(100):
            stream.emit(f"{START + n}-0", b'"%s"' % secrets.token_hex(20_000).encode())
    report = warehouse.load()
    assert (report.exit_code, report.error, attempts) == (0, None, [])
    assert warehouse.events() == contract.emitted()


def test_a_load_that_fails_for_another_reason_keeps_its_limit(warehouse: Warehouse) -> None:
    pipeline = warehouse.target.pipeline()
    assert not memory.lift_limit(pipeline, duckdb.IOException("No space left on device"))
    cause = duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block")
    failed = RuntimeError("load failed")
    failed.__cause__ = cause
    assert memory.lift_limit(pipeline, failed)
    # Without a limit there is nothing to lift: the failure is told.
    assert not memory.lift_limit(pipeline, failed)


def test_what_the_user_configures_goes_before_the_limit(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_ours = duckdb.connect(config={"memory_limit": DUCKDB_MEMORY})
    ((ours,),) = with_ours.execute("SELECT current_setting('memory_limit')").fetchall()
    assert limit_of(warehouse) == ours
    monkeypatch.setenv(LIMIT, json.dumps({"memory_limit": "1GB"}))
    assert limit_of(warehouse) == "953.6 MiB"


def test_leftovers_of_a_killed_run_are_removed(warehouse: Warehouse) -> None:
    spill = warehouse.target.folder / "spill"
    spill.mkdir(parents=True)
    (spill / "duckdb_temp_storage-0.tmp").write_bytes(b"x")
    warehouse.target.pipeline()
    assert not spill.exists()


def test_a_window_that_is_too_large_becomes_several_tables() -> None:
    batch = Batch(SOURCE_EVENT_SUMMARIES)
    events = [EventRow(EventId(START + n, 0), None, LARGE, None) for n in range(30)]
    batch.add("dc_a", "", events, 30 * len(LARGE))
    tables = batch.to_arrow("1")
    assert len(tables) == 4
    assert max(table.nbytes for table in tables) <= BYTES_PER_TABLE * 1.1
    stored = [row for table in tables for row in table.column("id").to_pylist()]
    assert stored == [str(event.place) for event in events]
