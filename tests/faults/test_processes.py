"""What only processes of their own can show: memory, two at once, a file that another holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.fault import START
from tests.faults.world import DATABASE
from tests.integration.contract import Contract, Warehouse
from tests.integration.contract.command import Command

pytestmark = pytest.mark.chaos

# The libraries take 200, and DuckDB as much as `DUCKDB_MEMORY` allows.
MOST_MB = 450
HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"


def test_a_page_of_fifty_megabytes_takes_bounded_memory(tmp_path: Path) -> None:
    """A hundred events of 512 KB, the most that an HTTP source takes."""
    with Contract() as contract:
        stream = contract.stream("dc_large")
        for n in range(100):
            stream.emit(f"{START + n}-0", b'{"body":"%s"}' % (b"%c" % (97 + n % 26) * 512_000))
        warehouse = Warehouse(tmp_path, contract.url, DATABASE)
        with Command(warehouse).start("load", "--quiet", "--only", "events") as running:
            _, status, usage = os.wait4(running.pid, 0)
            running.returncode = os.waitstatus_to_exitcode(status)
        assert running.returncode == 0
        assert warehouse.events() == contract.emitted()
        assert usage.ru_maxrss / 1024 < MOST_MB


def test_two_polls_at_once(tmp_path: Path) -> None:
    """One is told that another is at work, or begins when that has ended; nothing doubles."""
    with Contract() as contract:
        for n in range(5):
            contract.stream(f"dc_{n}").emit_many(50, START)
        contract.slow_s = 0.3
        warehouse = Warehouse(tmp_path, contract.url, DATABASE)
        command = Command(warehouse)
        running = [command.start("load", "--quiet", "--only", "events") for _ in range(3)]
        codes = []
        for process in running:
            process.communicate(timeout=120)
            codes.append(process.returncode)
        assert set(codes) <= {0, 75}
        assert 0 in codes
        assert warehouse.events() == contract.emitted()


def test_a_refused_key_drains_nothing(tmp_path: Path) -> None:
    """What was polled before stays in the working folder, and is loaded once the key is right."""
    with Contract() as contract:
        stream = contract.stream("dc_one")
        stream.emit_many(10, START)
        warehouse = Warehouse(tmp_path, contract.url, DATABASE)
        command = Command(warehouse)
        assert command.run("load", "--only", "events").returncode == 0
        stream.emit_many(10, START + 60_000)
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(warehouse.database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with holder:
            assert holder.stdout is not None
            holder.stdout.readline()
            kept = command.run("load", "--only", "events", "--lock-wait", "0", "--json")
            assert (kept.returncode, json.loads(kept.stdout)["loaded"]) == (5, False)
            holder.communicate("\n", timeout=30)
        contract.key_works = lambda _: False
        assert command.run("load", "--only", "events").returncode == 2
        assert len(warehouse.events()) == 10
        contract.key_works = lambda _: True
        assert command.run("load", "--only", "events").returncode == 0
        assert warehouse.events() == contract.emitted()
