"""Whether a load grows with the table: python -m benchmarks.growth [ROWS …].

10,000 new events of 200 streams are loaded into tables that hold more and more rows. Each load is
a fresh process; the ratios are to the smallest table.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.bench import ENV, control, say, served
from benchmarks.cases import Scene, load_command
from benchmarks.inputs import GROWING
from benchmarks.measuring import Figures, measure, median_of
from benchmarks.report import machine
from benchmarks.rows import fill

NEW_ROWS = GROWING.fresh_streams * GROWING.fresh_events


def one(rows: int) -> Figures:
    """Load the fresh events on top of so many rows."""
    folder = Path(tempfile.mkdtemp(prefix="growth-"))
    try:
        with served(GROWING.name) as base_url:
            scene = Scene(GROWING, base_url, folder)
            measure(load_command(scene), ENV, folder)
            fill(Path(scene.database), rows)
            # The file was written to by somebody else: this load looks at it, and notes it.
            measure(load_command(scene), ENV, folder)
            control(base_url, "advance")
            figures, _ = measure(load_command(scene), ENV, folder)
            say(f"{rows:,} rows: {figures.cpu_s:.2f} s of CPU, {figures.peak_mb:.0f} MB")
            if figures.problem:
                raise SystemExit(figures.problem)
            return figures
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measure each size some times and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="*", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--charts", type=Path, help="draw a chart into this folder")
    options = parser.parse_args()
    runs: dict[int, list[Figures]] = {rows: [] for rows in options.rows}
    for _ in range(options.rounds):
        for rows in options.rows:
            runs[rows].append(one(rows))
    out = sys.stdout.write
    out(f"{NEW_ROWS:,} new events, medians of {options.rounds} rounds; ")
    out(", ".join(f"{name} {value}" for name, value in machine().items()) + "\n\n")
    out("| rows in the table | ratio | CPU s | wall s | peak MB |\n|---:|---:|---:|---:|---:|\n")
    medians = {rows: median_of(found) for rows, found in runs.items()}
    base = medians[options.rows[0]].cpu_s
    for rows, run in medians.items():
        ratio = run.cpu_s / base
        out(
            f"| {rows:,} | {ratio:.2f} | {run.cpu_s:.2f} | {run.wall_s:.2f} | {run.peak_mb:.0f} |\n"
        )
    if options.charts:
        from benchmarks.charts import draw_growth

        cpu_s = {rows: run.cpu_s for rows, run in medians.items()}
        draw_growth(cpu_s, f"{NEW_ROWS:,} new events", options.charts)


if __name__ == "__main__":
    main()
