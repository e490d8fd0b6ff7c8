"""What gets a row with each run is bounded in a DuckDB file."""

import time

import dlt
import pytest

from pipedream_source.running.state import old_runs, stored_states
from tests.integration.contract import HOUR, Contract, Warehouse

START = int(time.time() * 1000) - HOUR
IDS = "SELECT load_id FROM _dlt_loads ORDER BY load_id"
RUNS = "SELECT count(*), count(DISTINCT run_id) FROM load_runs"


def test_the_newest_runs_are_kept(
    contract: Contract, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = contract.stream("dc_one")
    other = dlt.pipeline(
        "other",
        pipelines_dir=str(warehouse.folder / "other"),
        destination=dlt.destinations.duckdb(str(warehouse.database)),
        dataset_name="pipedream",
    )

    def load(number: int) -> None:
        stream.emit_many(1, START + 60_000 * number)
        report = warehouse.load()
        assert (report.exit_code, report.notes) == (0, [])

    load(0)
    theirs = other.run(dlt.resource([{"n": 1}], name="mine")).loads_ids
    monkeypatch.setattr(old_runs, "MOST_RUNS", 3)
    monkeypatch.setattr(stored_states, "_KEPT_STATES", 1)
    for number in range(1, 5):
        load(number)
    ids = [load_id for (load_id,) in warehouse.rows(IDS)]
    assert len(ids) == 4
    assert ids[0] in theirs  # older than the three, but dlt finds the other's state by it
    assert warehouse.rows(RUNS) == [(3, 3)]
    assert len(warehouse.events()) == 5
