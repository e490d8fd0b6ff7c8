"""A day in minutes: many emitters, faults, kills, and the promise checked to the end.

Run from the project's folder: `make soak ARGS="--hours 24 --emitters 200"`.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.progress import Progress

from benchmarks.soak_figures import Figures, draw, summary
from benchmarks.soak_world import EVERY_S, World
from pipedream_source.sandbox import Sandbox
from tests.simulator.lasting_loader import Loader

CHECK_EVERY = 12
_OK, _SOME_FAILED, _BROKEN = 0, 3, 1
_ENDED = {_OK, _SOME_FAILED}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0, help="simulated hours")
    parser.add_argument("--emitters", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--faults", type=float, default=0.01, help="share of calls that fail")
    parser.add_argument("--kills", type=float, default=0.05, help="share of loads that are killed")
    parser.add_argument("--plot", type=Path, help="draw the figures as an SVG")
    return parser.parse_args()


class Soak:
    """One run.

    Args:
        options: what the command line says.
        sandbox: the API.
        folder: for the database; removed by the caller.
    """

    def __init__(self, options: argparse.Namespace, sandbox: Sandbox, folder: Path) -> None:
        self.rng = random.Random(options.seed)  # noqa: S311 - repeatable, not secret
        self.options = options
        self.database = folder / "events.duckdb"
        self.world = World(sandbox, self.rng, options.emitters, options.faults)
        self.loader = Loader(sandbox, self.database)
        self.figures = Figures()
        self.typical_s = 2.0

    def run(self) -> None:
        """Load once for each interval, and to the end in peace."""
        rounds = round(self.options.hours * 3600 / EVERY_S)
        with Progress() as progress:
            task = progress.add_task("soaking", total=rounds)
            for number in range(1, rounds + 1):
                self.round()
                if number % CHECK_EVERY == 0:
                    self.world.check(self.database)
                progress.update(task, advance=1, description=self.figures.line)
        self.world.calm()
        for _ in range(2):
            self.load(0.0)
        self.world.check(self.database)

    def round(self) -> None:
        """Let five minutes pass, and load."""
        self.world.pass_time()
        is_killed = self.rng.random() < self.options.kills
        self.load(self.rng.uniform(0.05, 1.0) * self.typical_s if is_killed else 0.0)

    def load(self, kill_after_s: float) -> None:
        """Run one load and take its figures."""
        self.world.begin_load()
        report = self.loader.load(kill_after_s, self.world.workflows)
        self.world.end_load(report)
        self.figures.take(report, self.database, self.world)
        if report["exit_code"] in _ENDED:
            self.typical_s = 0.8 * self.typical_s + 0.2 * report["seconds"]


def main() -> int:
    """Soak, print what came of it, and return the exit code."""
    options, started = arguments(), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    broken = ""
    try:
        with Sandbox(seed=options.seed) as sandbox:
            soak = Soak(options, sandbox, folder)
            try:
                soak.run()
            except AssertionError as error:
                broken = str(error)[:2000]
            except KeyboardInterrupt:
                sys.stderr.write("Stopped; what follows is of the part that ran.\n")
            finally:
                soak.loader.close()
            told: dict[str, Any] = {"seed": options.seed, "emitters": options.emitters}
            told |= summary(soak.figures, soak.world)
            told |= {"wall_s": round(time.monotonic() - started), "broken": broken or None}
            if options.plot:
                draw(soak.figures, options.plot)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return _BROKEN if broken else _OK


if __name__ == "__main__":
    sys.exit(main())
