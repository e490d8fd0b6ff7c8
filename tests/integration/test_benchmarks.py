"""The benchmark runs, and notices a load that is not the truth."""

import json
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from benchmarks.bench import served
from benchmarks.cases import AGAIN, CASES, FIRST, Scene, problem_of
from benchmarks.growth_days import Growth, fresh_copy
from benchmarks.inputs import FEW, QUICK
from benchmarks.proof import fill
from benchmarks.size import loaded, table
from pipedream_source import coverage
from tests.integration.contract import HOUR, Contract, Warehouse

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Measure our own loads of the quick input, once."""
    path = tmp_path_factory.mktemp("bench") / "bench.json"
    command = [sys.executable, "-m", "benchmarks.bench", "--inputs", "quick", "--rounds", "1"]
    command += ["--cases", "ours", "--json", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert f"| {FIRST} | 1.00 |" in done.stdout
    told: dict[str, dict[str, object]] = json.loads(path.read_text())["inputs"]["quick"]
    return told


def test_our_loads_bring_the_truth_at_a_cost(figures: dict[str, dict[str, object]]) -> None:
    assert {case: run["problem"] for case, run in figures.items()} == dict.fromkeys(figures)
    assert all(run["cpu_s"] and run["peak_mb"] and run["requests"] for run in figures.values())


def test_a_load_without_news_reads_less_than_the_first(
    figures: dict[str, dict[str, object]],
) -> None:
    first, again = figures[FIRST], figures[AGAIN]
    assert float(str(again["nbytes"])) < float(str(first["nbytes"])) / 4


def test_the_file_of_a_first_load_is_small(tmp_path: Path) -> None:
    with served(FEW.name) as base_url:
        size = loaded(ROOT, FEW.name, base_url, tmp_path)
    assert size.figures.problem is None
    assert size.parquet < size.database < size.payload / 8
    told = table({FEW.name: {"this": size}})
    assert f"| few | this | {size.database / 1e6:.1f} |" in told


def test_wrong_rows_do_not_count(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == FIRST)
    scene = Scene(QUICK, "", tmp_path)
    with duckdb.connect(scene.database) as connection:
        connection.execute("CREATE SCHEMA pipedream")
        connection.execute(
            "CREATE TABLE pipedream.source_event_summaries AS "
            "SELECT 'dc_1' AS emitter_id, '1-0' AS id, '{}'::JSON AS event"
        )
    problem = problem_of(case, scene, with_fresh=False)
    assert problem is not None
    assert "1 rows instead of 20000" in problem


def test_a_proof_takes_as_long_as_its_rows_are_many(tmp_path: Path) -> None:
    """Eight times the gaps of a stream: 8 times the time where it is linear, 64 where it is not."""
    seconds = []
    for gaps in (500, 4_000):
        fill(tmp_path / f"{gaps}.duckdb", gaps)
        with duckdb.connect(str(tmp_path / f"{gaps}.duckdb"), read_only=True) as connection:
            found = coverage(connection)["standing"]
            assert found.to_list() == ["complete", *["lost", "complete"] * gaps]
            begun = time.process_time()
            coverage(connection)
            seconds.append(time.process_time() - begun)
    assert seconds[1] / seconds[0] < 20


def test_quiet_loads_leave_a_file_as_large_as_it_was(
    contract: Contract, warehouse: Warehouse
) -> None:
    """Loads with news first, whose staging tables and old blocks are to be used again."""
    start, growth = int(time.time() * 1000) - HOUR, Growth()
    for number in range(6):
        if number < 2:
            contract.stream("dc_one").emit_many(50, start + number * 60_000)
        assert warehouse.load().exit_code == 0
        growth.sizes.append(warehouse.database.stat().st_size)
        growth.packages.append(int(warehouse.one("SELECT count(*) FROM _dlt_loads")[0]))
    assert growth.packages[1:] == [2] * 5
    growth.copies[6] = fresh_copy(warehouse.database)
    assert growth.problems() == []
