"""How close a load comes to what the network allows: python -m benchmarks.latency [--ms 100].

A load without news of a thousand streams, each answer delayed. With N connections it cannot take
less than the delay of the lists' pages, one after the other, and of the windows, N at a time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.bench import ENV, served
from benchmarks.cases import FIRST, SECOND, Scene, load_command
from benchmarks.inputs import SMALL
from benchmarks.measuring import measure
from benchmarks.report import machine

#: Requests that wait for one another: the user, the pages of sources and their end, subscriptions.
LISTS = 1 + SMALL.streams // 100 + 1 + 1


def main() -> None:
    """Measure for some numbers of connections and print wall times beside their bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ms", type=float, default=100)
    parser.add_argument("--connections", type=int, nargs="+", default=[24, 48])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    out = sys.stdout.write
    out(f"{SMALL.streams:,} streams without news, each answer after {options.ms:g} ms; ")
    out(", ".join(f"{name} {value}" for name, value in machine().items()) + "\n\n")
    out("| connections | bound s | wall s | ratio |\n|---:|---:|---:|---:|\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with served(SMALL.name, str(options.ms / 1000)) as base_url:
            scene = Scene(SMALL, base_url, folder)
            for _ in (FIRST, SECOND):
                measure(load_command(scene), ENV, folder)
            for connections in options.connections:
                env = ENV | {"SOURCES__PIPEDREAM__MAX_WORKERS": str(connections)}
                runs = [measure(load_command(scene), env, folder)[0] for _ in range(options.rounds)]
                wall_s = statistics.median(run.wall_s for run in runs)
                bound_s = (LISTS + SMALL.streams / connections) * options.ms / 1000
                out(f"| {connections} | {bound_s:.2f} | {wall_s:.2f} | {wall_s / bound_s:.2f} |\n")


if __name__ == "__main__":
    main()
