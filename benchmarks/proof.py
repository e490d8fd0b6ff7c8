"""What a proof costs by the number of gaps: python -m benchmarks.proof [GAPS …].

One stream of a hundred events every fifteen minutes, each window without overlap: the worst year of
a stream has 35,000 gaps. The rows are made in DuckDB, in the tables that loads write; then they are
read, proven by `coverage` as `prove` does, and proven by the dbt model. Medians of three.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from benchmarks.dbt_build import run_models
from benchmarks.report import machine
from pipedream_source import coverage

ROUNDS, WINDOW = 3, 100
START_MS, EVERY_MS, STEP_MS = 1_760_000_000_000, 900_000, 1_000
MODEL = "int_pipedream__coverage_intervals"
# How many times as long as reading its rows a proof may take.
ALLOWED = 3.0


def fill(database: Path, gaps: int) -> None:
    """Write the rows of a stream's polls, of which each but the first found a gap.

    Args:
        database: a new DuckDB file.
        gaps: how many.
    """
    first, last = f"ms - {WINDOW * STEP_MS}", f"ms - {STEP_MS}"
    before, event = f"ms - {EVERY_MS + STEP_MS}", f"ms - e * {STEP_MS}"
    status = f"WHERE n = {gaps}"
    tables = {
        "stream_coverage": (
            f"({first}) || '-0' AS from_id, {_at('ms')} AS opened_at, "
            "CASE n WHEN 0 THEN 'window' ELSE 'gap' END AS begins, "
            f"{_at(first)} AS covered_from, {_at('ms')} AS covered_until, "
            f"({last}) || '-0' AS until_id, {_at(last)} AS until_at, {WINDOW} AS events, "
            "1 AS polls, 0.0::DOUBLE AS longest_pause_s",
            "",
        ),
        "event_gaps": (
            f"'overrun' AS verdict, ({before}) || '-0' AS after_id, "
            f"({first}) || '-0' AS before_id, {_at(before)} AS gap_start, "
            f"{_at(first)} AS gap_end, 0 AS lost_min, 700 AS lost_likely, 900 AS lost_max, "
            f"'pace-2' AS method, '{{}}'::JSON AS inputs, {_at('ms')} AS detected_at",
            "WHERE n > 0",
        ),
        "stream_status": (
            f"({last}) || '-0' AS last_id, {_at('ms')} AS last_polled_at, 'overrun' AS verdict, "
            f"{WINDOW} AS window_size, 99.0::DOUBLE AS window_seconds, 1.0::DOUBLE AS fill, "
            "0.1::DOUBLE AS headroom, 3600.0::DOUBLE AS events_per_hour, "
            "NULL::TIMESTAMPTZ AS next_poll_at, 0 AS failures, NULL::VARCHAR AS last_error",
            status,
        ),
        "source_event_summaries": (
            f"({event}) || '-0' AS id, {_at(event)} AS emitted_at, 0::BIGINT AS event_seq, "
            f"{_at('ms')} AS indexed_at, '{{}}'::JSON AS event, 'full' AS event_state, "
            "NULL::JSON AS metadata, 'e' AS emit_id, 'poll' AS origin",
            f", range(1, {WINDOW + 1}) AS emitted(e)",
        ),
    }
    polls = f"range({gaps + 1}) AS numbers(n), (SELECT {START_MS} + n * {EVERY_MS} AS ms)"
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE SCHEMA pipedream")
        for table, (columns, more) in tables.items():
            query = (
                f"SELECT 'dc_bench' AS emitter_id, '' AS channel, {columns}, "  # noqa: S608
                f"'1790000000.1' AS _dlt_load_id, 'r' || n AS _dlt_id FROM {polls} {more}"
            )
            connection.execute(f"CREATE TABLE pipedream.{table} AS {query}")


def _at(ms: str) -> str:
    return f"make_timestamptz(({ms}) * 1000)"


def read(connection: duckdb.DuckDBPyConnection) -> None:
    """Read the rows that a proof rests on, and each event once."""
    for table in ("stream_coverage", "event_gaps", "stream_status"):
        connection.execute(f"SELECT * FROM pipedream.{table}").fetchall()  # noqa: S608
    connection.execute("SELECT count(DISTINCT id) FROM pipedream.source_event_summaries").fetchall()


def timed(work: Callable[[], object]) -> float:
    """Return the median CPU time of some rounds, in seconds."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def one(gaps: int) -> tuple[float, float, float]:
    """Return the seconds of reading, of a proof and of the dbt model, for so many gaps."""
    with tempfile.TemporaryDirectory(prefix="proof-") as name:
        folder = Path(name)
        database = folder / "events.duckdb"
        fill(database, gaps)
        with duckdb.connect(str(database), read_only=True) as connection:
            found = coverage(connection)["standing"].to_list()
            if found != ["complete", *["lost", "complete"] * gaps]:
                raise SystemExit(f"{len(found)} periods of {gaps} gaps: {found[:5]} …")
            seconds = timed(lambda: read(connection)), timed(lambda: coverage(connection))
        models = run_models(database, folder, f"+{MODEL}")
        return (*seconds, models[MODEL])


def main() -> None:
    """Measure each number of gaps and print a table; fail when a proof takes too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gaps", type=int, nargs="*", default=[250, 1_000, 4_000, 16_000, 35_000])
    out, ratio = sys.stdout.write, 0.0
    counts = parser.parse_args().gaps
    out(", ".join(f"{name} {value}" for name, value in machine().items()) + "\n\n")
    out("| gaps | rows read, CPU s | proof, CPU s | ratio | dbt model, s |\n")
    out("|---:|---:|---:|---:|---:|\n")
    for gaps in counts:
        rows_s, proof_s, model_s = one(gaps)
        ratio = proof_s / rows_s
        out(f"| {gaps:,} | {rows_s:.2f} | {proof_s:.2f} | {ratio:.1f} | {model_s:.2f} |\n")
        sys.stdout.flush()
    if ratio > ALLOWED:
        raise SystemExit(f"A proof took {ratio:.1f} times as long as to read its rows.")


if __name__ == "__main__":
    main()
