"""When events arrive: five kinds of streams, each drawn from a seeded generator.

Times are whole milliseconds from 0, sorted; several events may share one.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MINUTE_MS = HOUR_MS // 60
Times = NDArray[np.int64]

#: Draws a stream: the generator, its mean rate an hour, until when.
Process = Callable[[Generator, float, float], Times]


def poisson(rng: Generator, per_hour: float, until_ms: float) -> Times:
    """Arrive at random, at the same rate always."""
    count = rng.poisson(per_hour * until_ms / HOUR_MS)
    return _whole(rng.uniform(0, until_ms, count))


def clockwork(rng: Generator, per_hour: float, until_ms: float) -> Times:
    """Arrive at one distance, give or take up to a third of it."""
    step = HOUR_MS / per_hour
    ticks = np.arange(rng.uniform(0, step), until_ms, step)
    return _whole(ticks + rng.uniform(0, 0.3) * step * rng.uniform(-1, 1, len(ticks)))


def on_and_off(rng: Generator, per_hour: float, until_ms: float) -> Times:
    """Arrive at random while on, never while off; both last exponentially long."""
    duty, burst = rng.choice([0.05, 0.15, 0.4]), rng.choice([15.0, 50.0, 150.0, 400.0])
    on_rate = per_hour / duty
    on_ms = burst / on_rate * HOUR_MS
    off_ms = on_ms * (1 - duty) / duty
    cycles = math.ceil(2 * until_ms / (on_ms + off_ms)) + 20
    lengths = np.column_stack((rng.exponential(off_ms, cycles), rng.exponential(on_ms, cycles)))
    ends = np.cumsum(lengths.ravel()).reshape(-1, 2)
    starts = ends[:, 0] - rng.uniform(0, off_ms)
    counts = rng.poisson(lengths[:, 1] * on_rate / HOUR_MS)
    return _within(np.repeat(starts, counts) + _spread(rng, lengths[:, 1], counts), until_ms)


def clusters(rng: Generator, per_hour: float, until_ms: float) -> Times:
    """Arrive in clusters: a geometric number each, within seconds to minutes of their causes."""
    mean_size = rng.choice([5.0, 20.0, 60.0, 200.0])
    spread_ms = rng.choice([0.02, 0.2, 1.0]) * mean_size / per_hour * HOUR_MS
    causes = rng.uniform(
        -spread_ms, until_ms, rng.poisson(per_hour / mean_size * until_ms / HOUR_MS)
    )
    counts = rng.geometric(1 / mean_size, len(causes))
    return _within(np.repeat(causes, counts) + rng.exponential(spread_ms, counts.sum()), until_ms)


def diurnal(rng: Generator, per_hour: float, until_ms: float) -> Times:
    """Arrive at random at a rate that swings by day between 1 and 20, along a sine or its power."""
    shape = rng.choice(["sine", "power"])
    phase = rng.uniform(0, DAY_MS)

    def swing(at: NDArray[np.float64]) -> NDArray[np.float64]:
        wave = np.sin((at + phase) * 2 * math.pi / DAY_MS)
        return (21 + 19 * wave) / 2 if shape == "sine" else 20 ** ((1 + wave) / 2)

    mean = float(np.mean(swing(np.linspace(0, DAY_MS, 1000))))
    count = rng.poisson(20 / mean * per_hour * until_ms / HOUR_MS)
    at = rng.uniform(0, until_ms, count)
    return _whole(at[rng.uniform(0, 20, count) < swing(at)])


def pareto(rng: Generator, per_hour: float, until_ms: float) -> Times:
    """Arrive at distances of Pareto's law, whose variance is infinite or nearly so."""
    index = rng.choice([1.1, 1.3, 1.6, 2.0])
    least_ms = HOUR_MS / per_hour * (index - 1) / index
    times: list[NDArray[np.float64]] = []
    # The stream is older than its first poll, so that the first pause is one like all others.
    end = -50 * HOUR_MS / per_hour
    while end < until_ms:
        steps = least_ms * (1 + rng.pareto(index, 1000))
        times.append(end + np.cumsum(steps))
        end = float(times[-1][-1])
    return _within(np.concatenate(times), until_ms)


def bursts(rng: Generator, per_hour: float, until_ms: float) -> Times:
    """Arrive not at all for days, then 100 to 600 at a time within minutes."""
    pause_ms = 350 / per_hour * HOUR_MS
    starts = np.cumsum(rng.uniform(0.4, 1.6, math.ceil(3 * until_ms / pause_ms) + 3) * pause_ms)
    # Sizes are spread evenly, or as many from 100 to 200 as from 300 to 600.
    sizes = rng.uniform(100, 600, len(starts))
    if rng.uniform() < 0.5:
        sizes = np.exp(rng.uniform(math.log(100), math.log(600), len(starts)))
    counts = np.round(sizes).astype(np.int64)
    lengths = rng.uniform(1, 12, len(starts)) * MINUTE_MS
    return _within(np.repeat(starts, counts) + _spread(rng, lengths, counts), until_ms)


#: The kind that is polled by the clock, whatever its pace.
BURSTS = "idle, then a burst"
KINDS: dict[str, tuple[Process, ...]] = {
    "steady": (poisson, clockwork),
    "bursty": (on_and_off, clusters),
    "diurnal": (diurnal,),
    "heavy-tailed": (pareto,),
    BURSTS: (bursts,),
}


def _spread(
    rng: Generator, lengths: NDArray[np.float64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    return np.repeat(lengths, counts) * rng.uniform(0, 1, int(counts.sum()))


def _within(at: NDArray[np.float64], until_ms: float) -> Times:
    return _whole(at[(at >= 0) & (at < until_ms)])


def _whole(at: NDArray[np.float64]) -> Times:
    return np.sort(np.maximum(at, 0).astype(np.int64))
