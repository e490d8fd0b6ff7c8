"""Whether the file grows by more than it holds: python -m benchmarks.growth_days.

Days of loads, every fifteen minutes, from the sandbox: most find nothing, some find events. The
file's size after each day stands beside that of a fresh copy of it in a new file.

DuckDB merges the row groups that loads leave, each merge into new blocks: right after one the file
is at its largest, and the blocks that become free are used again by what follows.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from benchmarks.report import machine
from pipedream_source.sandbox import Sandbox
from tests.simulator.lasting_loader import load

EVERY_S, DAY_S = 900, 86_400
# How new files are made.
BLOCK_BYTES, STORAGE_VERSION = 65_536, "v1.2.0"
#: How many times as large as a fresh copy the file is to be, and how many times it may be right
#: after DuckDB merged row groups; each of some thirty tables may hold a block of its own besides.
GOAL, ALLOWED, OWN_BLOCKS = 1.3, 2.2, 32 * BLOCK_BYTES
#: What a quiet load may add, in bytes.
ALLOWED_QUIET = 4_096.0
_LENGTHS = (200, 2_000, 8_000)


@dataclass
class Growth:
    """What the loads did to the file.

    Attributes:
        sizes: of the file after each load, in bytes.
        packages: how many load packages there were after each load.
        copies: the size of a fresh copy by the number of loads before it.
    """

    sizes: list[int] = field(default_factory=list)
    packages: list[int] = field(default_factory=list)
    copies: dict[int, int] = field(default_factory=dict)

    @property
    def quiet(self) -> list[int]:
        """By how much each load without a package changed the file's size.

        Of the second half: a new file still takes blocks to write into while old ones are held.
        """
        half = range(len(self.sizes) // 2, len(self.sizes) - 1)
        at = [n for n in half if self.packages[n] == self.packages[n + 1]]
        return [self.sizes[n + 1] - self.sizes[n] for n in at]

    @property
    def ratio(self) -> float:
        """The file's size at the end by that of a fresh copy."""
        return self.sizes[-1] / self.copies[len(self.sizes)]

    def problems(self) -> list[str]:
        """Say what is beyond its bound."""
        quiet, found = statistics.fmean(self.quiet or [0]), []
        if self.sizes[-1] > ALLOWED * self.copies[len(self.sizes)] + OWN_BLOCKS:
            found.append(f"the file is {self.ratio:.2f} times a fresh copy")
        if quiet > ALLOWED_QUIET:
            found.append(f"a quiet load adds {quiet:,.0f} bytes")
        return found


class World:
    """A workspace of emitters that emit only when they are told to.

    Args:
        sandbox: the API.
        streams: how many emitters.
        news: the share of the loads before which some of them emit.
        events: how many events they emit then.
    """

    def __init__(self, sandbox: Sandbox, streams: int, news: float, events: int) -> None:
        state = sandbox.dump()
        state["workspace"]["turns"] = []  # what is due of the sandbox's own emitters
        sandbox.restore(state)
        self._sandbox, self._news, self._events = sandbox, news, events
        self._rng = random.Random(7)  # noqa: S311 - repeatable, not secret
        self._emitters = sandbox.add_emitters(streams, events=5, spread_s=DAY_S)
        self.now_s = state["clock"]["now_ms"] / 1000

    def pass_time(self) -> None:
        """Let the time between two loads pass."""
        self._sandbox.advance(EVERY_S)
        self.now_s += EVERY_S
        if self._rng.random() < self._news:
            for _ in range(max(1, self._events // 10)):
                self._emit(self._rng.choice(self._emitters), min(10, self._events))

    def _emit(self, emitter: str, count: int) -> None:
        length = self._rng.choice(_LENGTHS)
        text = json.dumps({"n": self._rng.random(), "text": self._rng.randbytes(length // 2).hex()})
        self._sandbox.emit(emitter, count=count, spread_s=EVERY_S // 2, event_text=text)

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Let this process's clock stand where the sandbox's does."""
        real = time.time
        ahead_s = self.now_s - real()
        with patch("time.time", lambda: real() + ahead_s):
            yield


def measured(world: World, sandbox: Sandbox, database: Path, loads: int, each: int) -> Growth:
    """Load so many times.

    Args:
        world: lets time pass.
        sandbox: the API.
        database: a new file.
        loads: how many.
        each: after how many loads the file is copied.

    Raises:
        SystemExit: a load failed.
    """
    growth = Growth()
    for number in range(1, loads + 1):
        order = {"database": str(database), "url": sandbox.url, "key": sandbox.api_key}
        with world.clock():
            report = load({**order, "workflows": []})
        if report["exit_code"]:
            raise SystemExit(f"Load {number} ended with {report['exit_code']}: {report}")
        growth.sizes.append(database.stat().st_size)
        with duckdb.connect(str(database), read_only=True) as connection:
            loaded = connection.execute("SELECT count(*) FROM pipedream._dlt_loads").fetchall()
        growth.packages.append(loaded[0][0])
        if number % each == 0 or number == loads:
            growth.copies[number] = fresh_copy(database)
            say(growth, number)
        world.pass_time()
    return growth


def fresh_copy(database: Path) -> int:
    """Return how many bytes a copy of a DuckDB file takes in a new file of ours."""
    fresh = database.with_name("fresh.duckdb")
    with duckdb.connect() as connection:
        connection.execute("SET force_compression = 'zstd'")
        connection.execute("SET zstd_min_string_length = 64")
        connection.execute(f"ATTACH '{database}' AS old (READ_ONLY)")
        made_as = f"STORAGE_VERSION '{STORAGE_VERSION}', BLOCK_SIZE {BLOCK_BYTES}"
        connection.execute(f"ATTACH '{fresh}' AS fresh ({made_as})")
        connection.execute("COPY FROM DATABASE old TO fresh")
        connection.execute("DETACH fresh")
    size = fresh.stat().st_size
    fresh.unlink()
    return size


def say(growth: Growth, number: int) -> None:
    """Print a row of the table: the file and its copy after so many loads."""
    size, copy = growth.sizes[number - 1], growth.copies[number]
    sys.stdout.write(
        f"| {number * EVERY_S / DAY_S:.1f} | {number:,} | {growth.packages[number - 1]:,} "
        f"| {size / 1e6:.1f} | {copy / 1e6:.1f} | {size / copy:.2f} |\n"
    )
    sys.stdout.flush()


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=14.0, help="simulated days")
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--news", type=float, default=0.1, help="share of loads that find events")
    parser.add_argument("--events", type=int, default=100, help="how many such a load finds")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    return parser.parse_args()


def main() -> None:
    """Load for some days, print the sizes, and fail where the file holds too much."""
    options = arguments()
    out = sys.stdout.write
    out(", ".join(f"{name} {value}" for name, value in machine().items()) + "\n\n")
    out("| day | loads | packages | file, MB | fresh copy, MB | ratio |\n")
    out("|---:|---:|---:|---:|---:|---:|\n")
    folder = Path(tempfile.mkdtemp(prefix="growth-"))
    try:
        with Sandbox() as sandbox:
            world = World(sandbox, options.streams, options.news, options.events)
            loads = round(options.days * DAY_S / EVERY_S)
            each = min(loads, DAY_S // EVERY_S)
            growth = measured(world, sandbox, folder / "events.duckdb", loads, each)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    quiet = statistics.fmean(growth.quiet or [0])
    out(f"\nA quiet load of the second half adds {quiet:,.0f} bytes in the mean ")
    out(f"of {len(growth.quiet):,}.\n")
    reached = "yes" if growth.ratio <= GOAL else "NO"
    out(f"The file / a fresh copy <= {GOAL}: {growth.ratio:.2f} {reached}\n")
    if options.json:
        told: dict[str, Any] = {"options": vars(options) | {"json": None}, **machine()}
        told |= {"ratio": growth.ratio, "quiet_bytes": quiet, "sizes": growth.sizes}
        told |= {"packages": growth.packages, "copies": growth.copies}
        options.json.write_text(json.dumps(told, indent=1), encoding="utf-8")
    if problems := growth.problems():
        raise SystemExit("Beyond the bound: " + "; ".join(problems))


if __name__ == "__main__":
    main()
