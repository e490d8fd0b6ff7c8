"""Measure first and no-news loads beside dlt's rest_api source: python first_load.py [ROUNDS]."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

HERE = Path(__file__).parent
STREAMS, EVENTS, NBYTES = 1_000, 100, 280
COUNT = "SELECT count(DISTINCT (%s, id)) FROM pipedream.source_event_summaries"

Figures = tuple[float, float, float]


def measure(command: list[str], env: dict[str, str]) -> Figures:
    """Run a command and return its CPU seconds, wall seconds and peak memory in MB."""
    clock = os.times()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    peak = usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    return usage.ru_utime + usage.ru_stime, os.times().elapsed - clock.elapsed, peak


def check_rows(database: Path, emitter: str) -> None:
    """Refuse figures of a load that is not complete."""
    with duckdb.connect(str(database), read_only=True) as connection:
        row = connection.execute(COUNT % emitter).fetchone()
    if row != (STREAMS * EVENTS,):
        raise SystemExit(f"{database}: {row} rows instead of {STREAMS * EVENTS}")


def round_of(base_url: str, folder: Path) -> dict[str, Figures]:
    """Measure each case once, in fresh databases."""
    env = {**os.environ, "PIPEDREAM_API_KEY": "bench", "RUNTIME__DLTHUB_TELEMETRY": "false"}
    ours, theirs = folder / "ours.duckdb", folder / "theirs.duckdb"
    load = [sys.executable, "-m", "pipedream_source.cli.app", "load", "--quiet"]
    load += ["--base-url", base_url, "--database", str(ours)]
    peer = [sys.executable, str(HERE / "rest_api_peer.py"), base_url, str(theirs)]
    figures = {
        "import dlt": measure([sys.executable, "-c", "import dlt"], env),
        "pipedream-source, first load": measure(load, env),
        "pipedream-source, nothing new": measure(load, env),
        "dlt rest_api, max_table_nesting=0": measure(peer, env),
    }
    check_rows(ours, "emitter_id")
    check_rows(theirs, "_sources_id")
    return figures


def main() -> None:
    """Run some rounds and print the medians, and the ratio to our first load."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    arguments = [sys.executable, str(HERE / "server.py"), str(STREAMS), str(EVENTS), str(NBYTES)]
    server = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    try:
        base_url = server.stdout.readline().strip() if server.stdout else ""
        results = []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                results.append(round_of(base_url, Path(folder)))
    finally:
        server.kill()
        server.communicate()
    report(results)


def report(results: list[dict[str, Figures]]) -> None:
    """Print the medians as a table."""
    medians = {
        case: [statistics.median(r[case][i] for r in results) for i in range(3)]
        for case in results[0]
    }
    base = medians["pipedream-source, first load"][0]
    out = sys.stdout.write
    out(f"{STREAMS} streams x {EVENTS} events of {NBYTES} B, medians of {len(results)} rounds, ")
    out(f"Python {platform.python_version()}, {os.cpu_count()} cores\n\n")
    out("| case | CPU s | ratio | wall s | peak MB |\n|---|---|---|---|---|\n")
    for case, (cpu, wall, peak) in medians.items():
        out(f"| {case} | {cpu:.1f} | {cpu / base:.2f} | {wall:.1f} | {peak:.0f} |\n")


if __name__ == "__main__":
    main()
