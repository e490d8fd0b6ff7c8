"""The database is held by another process for long: what is polled piles up and drains in order."""

import json
import shutil
import time
from datetime import UTC, datetime

import pytest

from tests.destinations.holding import held
from tests.integration.contract import HOUR, Contract, Warehouse
from tests.integration.contract.command import Command

START = int(time.time() * 1000) - HOUR


@pytest.mark.parametrize("role", ["writer", pytest.param("reader", marks=pytest.mark.chaos)])
def test_loads_pile_up_and_drain_in_order(
    contract: Contract, warehouse: Warehouse, role: str
) -> None:
    stream, command = contract.stream("dc_a"), Command(warehouse)
    stream.emit_many(50, START)
    assert warehouse.load().exit_code == 0
    began = datetime.now(UTC)
    with held(warehouse.database, role):
        for n in (1, 2, 3):
            stream.emit_many(80, START + n * 100_000)
            report = warehouse.load()
            assert (report.exit_code, report.loaded) == (5, False)
            assert "What was polled is kept" in str(report.error)
        told = command.run("status", "--json")
        shown = json.loads(told.stdout)
        assert shown["pending_packages"] == 3
        assert began <= datetime.fromisoformat(shown["pending_since"]) <= datetime.now(UTC)
        for_people = command.run("status")
        assert "3 packages polled" in " ".join((for_people.stdout + for_people.stderr).split())
        # Read-only, status reads beside a reader, and says that it cannot beside a writer.
        assert told.returncode == for_people.returncode == (5 if role == "writer" else 0)
    stream.emit_many(10, START + 500_000)
    report = warehouse.load()
    assert report.exit_code == 0, report.as_dict()
    assert len(stream.emitted) == 300 > 3 * len(stream.shown[:99])
    assert warehouse.events() == contract.emitted()
    assert warehouse.gaps("dc_a") == []
    assert warehouse.status("dc_a", "last_id, verdict") == (stream.emitted[-1].id, "contiguous")
    order = "SELECT list(DISTINCT _dlt_load_id ORDER BY _dlt_load_id), count(*) FROM load_runs"
    assert warehouse.one(order)[1] == 5
    first = "SELECT _dlt_load_id FROM source_event_summaries GROUP BY ALL ORDER BY min(emitted_at)"
    assert [row[0] for row in warehouse.rows(first)] == warehouse.one(order)[0]
    assert command.run("status", "--json").returncode == 0


@pytest.mark.chaos
def test_a_quiet_run_under_a_lock_is_kept_as_well(contract: Contract, warehouse: Warehouse) -> None:
    contract.stream("dc_a").emit_many(100, START)
    assert warehouse.load().exit_code == 0
    with held(warehouse.database):
        assert warehouse.load().exit_code == 5
    contract.stream("dc_a").emit_many(100, START + 200_000)
    report = warehouse.load(fail_on_loss=True)
    assert report.exit_code == 4
    assert [gap[:2] for gap in warehouse.gaps("dc_a")] == [
        ("overrun", contract.stream("dc_a").emitted[99].id)
    ]
    assert warehouse.events() == contract.emitted()
    assert warehouse.one("SELECT count(*) FROM load_runs") == (3,)


@pytest.mark.chaos
def test_a_fresh_folder_polls_nothing_while_its_cursors_are_locked_away(
    contract: Contract, warehouse: Warehouse
) -> None:
    stream = contract.stream("dc_a")
    stream.emit_many(50, START)
    assert warehouse.load().exit_code == 0
    shutil.rmtree(warehouse.target.folder)
    contract.journal.clear()
    with held(warehouse.database):
        for _ in range(2):
            report = warehouse.load()
            assert (report.exit_code, "Nothing was polled" in str(report.error)) == (5, True)
    assert not [path for path, _ in contract.journal if path.endswith("event_summaries")]
    stream.emit_many(30, START + 100_000)
    assert warehouse.load().exit_code == 0
    assert warehouse.events() == contract.emitted()
    assert warehouse.status("dc_a") == ("contiguous",)
