"""Emitters of all paces, the faults, and the truth about both: the model of `tests/simulator`."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from pipedream_source.sandbox import Sandbox
from tests.simulator.model import Sighting, Stream
from tests.simulator.promise import (
    Gap,
    Key,
    Ranges,
    check_certificate,
    check_complete,
    check_new_gaps,
    check_rows,
    read_tables,
)

EVERY_S = 300
_DAY = 86_400
_ENDED = (0, 3)
_FAULTS: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 503, "html": True},
    {"status": 404},
    {"status": 429, "headers": {"retry-after": "0"}},
    {"body": "{}"},
    {"body": "not JSON"},
    {"truncate": 20},
    {"reset": "before"},
    {"reset": "body"},
    {"delay_s": 0.2},
]


def _poisson(rng: Random, mean: float) -> int:
    if mean > 30:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    left, count = rng.random() - math.exp(-mean), 0
    share = math.exp(-mean)
    while left > 0:
        count += 1
        share *= mean / count
        left -= share
    return count


def _steady(per_hour: float) -> Callable[[Random, float], int]:
    return lambda rng, _: _poisson(rng, per_hour * EVERY_S / 3600)


def _diurnal(peak: float) -> Callable[[Random, float], int]:
    def count(rng: Random, now_s: float) -> int:
        light = max(0.05, math.sin((now_s % _DAY / _DAY - 0.25) * 2 * math.pi))
        return _poisson(rng, peak * light * EVERY_S / 3600)

    return count


def _bursty(most: int) -> Callable[[Random, float], int]:
    return lambda rng, _: rng.randint(1, most) if rng.random() < 1 / 40 else 0


#: Paces by name, with the share of the emitters that keep them.
PACES: dict[str, tuple[float, Callable[[Random], Callable[[Random, float], int]]]] = {
    "dead": (0.2, lambda _: _steady(0)),
    "one a day": (0.2, lambda _: _steady(1 / 24)),
    "steady": (0.3, lambda rng: _steady(rng.uniform(2, 90))),
    "diurnal": (0.12, lambda rng: _diurnal(rng.uniform(20, 400))),
    "bursty": (0.14, lambda rng: _bursty(rng.choice([40, 90, 250]))),
    # On average 54 to 90 events in five minutes: one interval in some hundreds brings over 100.
    "fast": (0.04, lambda rng: _steady(rng.uniform(650, 1_080))),
}


class World:
    """The sandbox's emitters, and what they emitted.

    Args:
        sandbox: its own sources stay, and count as emitters that nobody watches.
        rng: draws everything.
        count: how many emitters to make.
        faults: the share of the calls that fail.
    """

    def __init__(self, sandbox: Sandbox, rng: Random, count: int, faults: float) -> None:
        self._sandbox, self._rng = sandbox, rng
        self.model: dict[Key, Stream] = {}
        self.workflows: list[str] = []
        self.ranges = Ranges()
        self.gaps: list[Gap] = []
        self.killed = 0
        self.lost = 0
        self._number = 0
        self._now_s = 0.0
        self._paces = [self._add(n, count) for n in range(count)]
        self._since: dict[Key, Sighting | None] = {}
        self._seen: dict[Key, Sighting] = {}
        for fault in _FAULTS if faults else ():
            share = {"probability": faults / len(_FAULTS)}
            sandbox.fault(path="/v1/*/event_summaries", method="GET", **share, **fault)

    def _add(self, number: int, count: int) -> tuple[Stream, Callable[[Random, float], int]]:
        kind = "workflow" if number % 10 == 9 else "source"
        retention = "by_arrival" if number % 2 else "by_id"
        (emitter,) = self._sandbox.add_emitters(1, type=kind, retention=retention)
        self.workflows += [emitter] if kind == "workflow" else []
        stream = Stream(emitter, "", by_arrival=retention == "by_arrival")
        self.model[emitter, ""] = stream
        at, share = (number * 7919 % count) / count, 0.0
        for part, pace in PACES.values():
            share += part
            if at < share:
                return stream, pace(self._rng)
        return stream, _steady(0)

    @property
    def emitted(self) -> int:
        """How many events there were in all."""
        return sum(stream.arrived for stream in self.model.values())

    def pass_time(self) -> None:
        """Let an interval pass, and emit what came within it."""
        self._sandbox.advance(EVERY_S)
        self._now_s += EVERY_S
        for stream, pace in self._paces:
            if count := pace(self._rng, self._now_s):
                self._emit(stream, count)

    def _emit(self, stream: Stream, count: int) -> None:
        self._number += 1
        filler = "x" * self._rng.choice([10, 200, 2_000])
        payload = f'{{"number": {self._number}, "filler": "{filler}"}}'
        spread_s = self._rng.uniform(0.05, 1) * EVERY_S
        ids = self._sandbox.emit(stream.emitter, count=count, spread_s=spread_s, event_text=payload)
        for event_id in ids:
            stream.emit(event_id, payload)

    def calm(self) -> None:
        """Let no call fail any more."""
        self._sandbox.clear_faults()

    def begin_load(self) -> None:
        """Remember what a poll sees now."""
        self._seen = {key: stream.look() for key, stream in self.model.items()}
        self._since = {**{key: s.last for key, s in self.model.items()}, **self._since}

    def end_load(self, report: dict[str, Any]) -> None:
        """Note what the load promises to have seen."""
        is_known = report["exit_code"] in _ENDED and not report["streams"]["skipped"]
        failed = report.get("failures", {})
        for key, stream in self.model.items():
            if is_known and f"{key[0]} {key[1]}".rstrip() not in failed and not _lists(failed):
                stream.polled(self._seen[key], is_loaded=True)
            else:
                stream.doubted.append(self._seen[key])
        self.killed += report["exit_code"] < 0

    def check(self, database: Path) -> None:
        """Check the promise."""
        if not database.exists():
            return
        tables = read_tables(database)
        check_rows(self.model, tables)
        check_complete(self.model, tables)
        check_certificate(self.model, tables, database)
        check_new_gaps(self.model, tables, self.gaps, self._since, self.ranges)
        self.gaps, self._since = tables.gaps, {}
        loaded = sum(len(tables.events.get(key, ())) for key in self.model)
        self.lost = self.emitted - loaded


def _lists(failed: dict[str, str]) -> bool:
    """Tell whether a list failed, and with it perhaps the poll of what it would have named."""
    return any("_" not in name for name in failed)
