"""A load leaves a small file behind: it compacts one that is free for a quarter and 16 MB."""

import time
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest

from pipedream_source.exceptions import DestinationUnavailable, PipedreamError
from pipedream_source.running.duckdb.storage import storage_version_of
from pipedream_source.running.maintenance import compact
from pipedream_source.running.maintenance.auto_compact import free_bytes, is_worth_compacting
from tests.integration.command import Command
from tests.integration.contract import HOUR, Contract, Warehouse
from tests.integration.pruning import payloads

FILL = "CREATE TABLE {} AS SELECT md5(range::VARCHAR) || uuid()::VARCHAR AS text FROM range({})"
START = int(time.time() * 1000) - HOUR


def fill_and_free(database: Path) -> None:
    """Write some 40 MB of the user's own, and drop them.

    DuckDB cuts off free blocks at the end of a file: something is to stand behind them.
    """
    with duckdb.connect(str(database)) as connection:
        for name, rows in (("dropped", 600_000), ("kept", 10_000)):
            connection.execute(FILL.format(name, rows))
            connection.execute("CHECKPOINT")
        connection.execute("DROP TABLE dropped")


@pytest.fixture
def loaded(contract: Contract, warehouse: Warehouse) -> Warehouse:
    """A database with 50 events, 40 MB of free blocks and an event to come."""
    stream = contract.stream("dc_one")
    stream.emit_many(50, START)
    assert warehouse.load().exit_code == 0
    fill_and_free(warehouse.database)
    stream.emit_many(1, START + HOUR // 2)
    return warehouse


def test_a_load_gives_free_blocks_back(loaded: Warehouse) -> None:
    before = loaded.database.stat()
    version = storage_version_of(loaded.database)
    report = loaded.load()
    assert (report.exit_code, report.notes, report.rows_gone) == (0, [], {})
    assert report.compacted is not None
    assert report.compacted[0] >= before.st_size > 10 * loaded.database.stat().st_size
    assert report.compacted[1] == loaded.database.stat().st_size
    assert loaded.database.stat().st_mode == before.st_mode
    assert storage_version_of(loaded.database) == version
    assert free_bytes(loaded.database) < 1 << 20
    assert len(payloads(loaded.database)["source_event_summaries"]) == 51
    # The fingerprint is that of the copy: nothing was new, and nothing is compacted again.
    again = loaded.load()
    assert (again.exit_code, again.notes, again.compacted) == (0, [], None)


@pytest.mark.parametrize(
    ("error", "notes"),
    [
        (DestinationUnavailable("somebody reads it"), []),
        (PipedreamError("no room"), ["The rows are loaded, but: no room"]),
    ],
)
def test_a_load_succeeds_where_the_copy_cannot_be_made(
    loaded: Warehouse, error: PipedreamError, notes: list[str]
) -> None:
    size = loaded.database.stat().st_size
    with patch.object(compact, "swap_in", side_effect=error):
        report = loaded.load()
    assert (report.exit_code, report.notes, report.compacted) == (0, notes, None)
    assert loaded.database.stat().st_size >= size
    assert len(payloads(loaded.database)["source_event_summaries"]) == 51
    assert {p.name for p in loaded.folder.iterdir() if "compact" in p.name} == set()


def test_a_user_may_leave_it_to_compact(loaded: Warehouse) -> None:
    size = loaded.database.stat().st_size
    assert loaded.load(compact=False).compacted is None
    assert loaded.database.stat().st_size >= size
    told = Command(loaded.folder).run("status", "--database", str(loaded.database))
    assert "MB are free: `pipedream-source compact`" in " ".join(told.stdout.split())


@pytest.mark.parametrize(
    ("free", "size", "worth"),
    [
        (4 << 20, 16 << 20, True),
        ((4 << 20) - 1, 5 << 20, False),
        (4 << 20, (16 << 20) + 4, False),
    ],
)
def test_what_is_worth_a_copy(free: int, size: int, worth: bool) -> None:
    assert is_worth_compacting(free, size) == worth
