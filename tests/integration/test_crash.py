"""kill -9 at any moment: after two reruns each event that a poll saw stands there once."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.contract import Contract, Warehouse

ROOT = Path(__file__).resolve().parents[2]
START = int(time.time() * 1000) - 3_600_000
KILLED = -signal.SIGKILL
# Where the package is committed: what was polled must survive although the API forgets it.
COMMITTED = [
    "after commit",
    "after normalize",
    "after schema",
    "after copy:source_event_summaries",
    "after copy:load_runs",
    "after copy:sources",
    "after copy:users",
    "after note",
    "before complete-job:source_event_summaries",
    "after record-load",
]
UNCOMMITTED = ["before commit"]


class Nursery:
    """Starts loads in processes of their own, quickly."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.contract.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def start(self, warehouse: Warehouse, stage: str = "") -> int:
        """Begin a load and return its process id."""
        order = {"folder": str(warehouse.folder), "url": warehouse.url, "stage": stage}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> int:
        """Wait for the load and return its exit code, negative for a signal."""
        return self._answer()

    def _answer(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    running = Nursery()
    yield running
    running.close()


@pytest.fixture
def workspace(contract: Contract) -> Contract:
    for name in ("dc_a", "dc_b", "dc_c"):
        contract.stream(name)
    for channel in ("", "$errors"):
        contract.stream("p_flow", channel)
    contract.subscribe("p_flow")
    return contract


def emit(workspace: Contract, round_number: int, count: int = 15) -> None:
    for stream in workspace.streams.values():
        stream.emit_many(count, START + round_number * 200_000, 700)
    for listed in workspace.lists["/users/me/sources"]:
        listed["updated_at"] = round_number


def check(workspace: Contract, warehouse: Warehouse) -> None:
    assert warehouse.events() == workspace.emitted()
    flow = {**warehouse.events("workflow_emits"), **warehouse.events("workflow_errors")}
    assert flow == workspace.emitted(workflows=True)
    unique = {
        "load_runs": "run_id",
        "event_gaps": "emitter_id, channel, after_id, verdict",
        "stream_status": "emitter_id, channel",
        "sources WHERE _dlt_valid_to IS NULL": "id",
        "subscriptions": "id",
        "workflows": "id",
        "users": "id, snapshot_at",
        "_dlt_pipeline_state": "version_hash, _dlt_load_id",
    }
    for table, key in unique.items():
        query = f"SELECT count(*), count(DISTINCT ({key})) FROM {table}"
        every, distinct = warehouse.one(query)
        assert every == distinct > 0 or table == "event_gaps", table


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_at_random_moments(
    workspace: Contract, warehouse: Warehouse, nursery: Nursery, seed: int
) -> None:
    """Four kills in a row, the first ones in the first run, then two reruns, and once more."""
    moments, kills = random.Random(seed), 0
    for round_number in range(5):
        emit(workspace, round_number)
        load = nursery.start(warehouse)
        time.sleep(moments.uniform(0.05, 1.4))
        if round_number == 4 or nursery_is_done(load):
            assert nursery.end() == 0
            continue
        os.kill(load, signal.SIGKILL)
        kills += nursery.end() == KILLED
    assert warehouse.load().exit_code == 0
    assert warehouse.load().exit_code == 0
    check(workspace, warehouse)
    assert warehouse.rows("SELECT * FROM event_gaps") == []
    assert kills


def nursery_is_done(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("stage", [*UNCOMMITTED, *COMMITTED])
def test_killed_at_a_stage(
    workspace: Contract, warehouse: Warehouse, nursery: Nursery, stage: str
) -> None:
    """Killed there in the first run and in a later one; between them the API forgets it all."""
    for round_number in range(2):
        emit(workspace, round_number * 2)
        nursery.start(warehouse, stage)
        assert nursery.end() == KILLED, f"{stage} was never reached"
        if stage in COMMITTED:
            for stream in workspace.streams.values():
                stream.shown = []
            emit(workspace, round_number * 2 + 1, 5)
        report = warehouse.load()
        assert report.exit_code == 0, report.as_dict()
        check(workspace, warehouse)
        # The cursors of the killed run count: what is missing behind them would be noticed.
        known = stage in COMMITTED
        expected = "purged" if known else ("first", "contiguous")[round_number]
        assert warehouse.status("dc_a") == (expected,)
