"""Measure the dbt models on a million events: python -m benchmarks.dbt_build [EVENTS] [NEW].

The events are made in DuckDB, in the tables that loads write: 1,000 streams of payloads of some 280
bytes in 20 shapes, one in ten an error of a workflow. First everything is built from nothing, then
again after a load of new rows, then once more without news.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measuring import Figures, measure

ROOT = Path(__file__).resolve().parents[1]
START_S = 1_790_000_000
TABLES = {"source_event_summaries": "dc_", "workflow_emits": "p_", "workflow_errors": "p_"}
SHARES = {"source_event_summaries": 0.8, "workflow_emits": 0.1, "workflow_errors": 0.1}
# A twentieth of the events has an item more in its list than the next: twenty shapes.
EVENT = """
'{"id":' || n || ',"type":"charge.succeeded","live":true,"amount":' || n % 400
    || ',"user":{"name":"Ada Byron","email":"ada@example.com"},"field_' || n % 20
    || '":"x","note":null,"items":[{"sku":"SKU-1","qty":1},{"sku":"SKU-2","qty":2}],"text":"'
    || repeat('lorem ', 12) || '"}'
"""
ERROR = """
'{"original_event":{"id":' || n || '},"original_context":{"workflow_id":"p_' || n % 100
    || '","workflow_name":"Flow","deployment_id":"d_1"},"error":{"code":"E' || n % 7
    || '","msg":"Request ' || n || ' failed","cellId":"c_1","stack":"E: Request failed'
    || '\\n    at run (file:///var/task/user.mjs:' || n % 80 || ':1)"}}'
"""


def main() -> None:
    """Build three times and print the figures."""
    given = [int(word) for word in sys.argv[1:]]
    events, new = given + [1_000_000, 10_000][len(given) :]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / "events.duckdb"
        _load(database, "1790000000.1", 0, events)
        size = database.stat().st_size / 1e6
        print(f"{platform.machine()}, {os.cpu_count()} cores, {events:,} events, {size:,.0f} MB")
        print(f"{'case':24}{'wall s':>8}{'models s':>10}{'CPU s':>8}{'peak MB':>9}")
        first = _build("from nothing", database, folder)
        _load(database, "1790086400.2", events, events + new)
        again = _build(f"{new:,} new events", database, folder)
        quiet = _build("nothing new", database, folder)
        _check(database, events + new)
        for what, place in (("wall", 0), ("models", 1)):
            ratios = (again[place] / first[place], quiet[place] / first[place])
            print("{}: new events {:.2f}, nothing new {:.2f} of the first".format(what, *ratios))


def _load(database: Path, load_id: str, first: int, last: int) -> None:
    """Put events into the tables as one load would."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS pipedream")
        begin = first
        for table, prefix in TABLES.items():
            end = begin + round((last - first) * SHARES[table])
            rows = _rows(prefix, table, load_id, begin, end)
            connection.execute(f"CREATE TABLE IF NOT EXISTS pipedream.{table} AS {rows} LIMIT 0")
            connection.execute(f"INSERT INTO pipedream.{table} {rows}")
            begin = end


def _rows(prefix: str, table: str, load_id: str, begin: int, end: int) -> str:
    event, channel = (ERROR, "$errors") if table == "workflow_errors" else (EVENT, "")
    streams = 800 if prefix == "dc_" else 100
    time = f"to_timestamp({START_S} + n * 2.5)"
    event_id = f"(({START_S} + n * 2.5) * 1000)::BIGINT || '-0'"
    return f"""
        SELECT '{prefix}' || n % {streams} AS emitter_id, '{channel}' AS channel,
            {event_id} AS id, {time} AS emitted_at, 0::BIGINT AS event_seq, {time} AS indexed_at,
            ({event})::JSON AS event, 'full' AS event_state, NULL::JSON AS metadata,
            'e' || n AS emit_id, 'poll' AS origin, '{load_id}' AS _dlt_load_id, 'r' || n AS _dlt_id
        FROM range({begin}, {end}) AS numbers(n)
    """  # noqa: S608


def _build(case: str, database: Path, folder: Path) -> tuple[float, float]:
    """Run the models in a process of their own; return its wall time, and that of the models.

    The rest is dbt's start: two thirds of a run that has little to do.
    """
    run = _run(database, folder)
    models = _results(folder)["elapsed_time"]
    print(f"{case:24}{run.wall_s:8.1f}{models:10.1f}{run.cpu_s:8.1f}{run.peak_mb:9.0f}", flush=True)
    return run.wall_s, models


def run_models(database: Path, folder: Path, select: str) -> dict[str, float]:
    """Run some models and return how long each took, in seconds.

    Args:
        database: the DuckDB file that was loaded.
        folder: for dbt's own files.
        select: which models, as dbt writes it.
    """
    _run(database, folder, "--select", select)
    found = _results(folder)["results"]
    return {run["unique_id"].rpartition(".")[2]: run["execution_time"] for run in found}


def _run(database: Path, folder: Path, *words: str) -> Figures:
    dbt = Path(sys.executable).with_name("dbt")
    if not dbt.exists() and not shutil.which("dbt"):
        raise SystemExit("dbt is not installed: make extras")
    command = [str(dbt), "--quiet", "run", "--project-dir", str(ROOT / "dbt")]
    command += ["--profiles-dir", str(ROOT / "dbt"), "--target-path", str(folder / "target")]
    command += ["--log-path", str(folder / "logs"), *words]
    env = {"PIPEDREAM_DATABASE": str(database), "DBT_SEND_ANONYMOUS_USAGE_STATS": "0"}
    run, _ = measure(command, env, folder)
    if run.problem:
        raise SystemExit(run.problem)
    return run


def _results(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "target" / "run_results.json").read_text())
    return found


def _check(database: Path, events: int) -> None:
    """Refuse figures of a build that is not complete."""
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.execute(
            "SELECT count(*), count(shape_id) FROM analytics.fct_events"
        ).fetchone()
    if found != (events, events):
        raise SystemExit(f"{found} events instead of {events}")


if __name__ == "__main__":
    main()
