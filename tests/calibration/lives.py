"""The life of one stream under a poller that has outages, driven as a load drives it.

Each gap that the judge finds is set beside the truth, which only the simulation knows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from pipedream_source.core.completeness.loss import LossEstimate, estimate
from pipedream_source.core.polls.pace import Pace, measure, remember_pace, stalled_in, step_ms
from pipedream_source.core.polls.window import Verdict, Window, judge
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import (
    StreamState,
    WindowShape,
    dump_state,
    load_state,
)
from pipedream_source.settings import WINDOW_SIZE
from tests.calibration.arrivals import BURSTS, DAY_MS, HOUR_MS, KINDS, MINUTE_MS, Times

START_MS = 1_700_000_000_000
RATES = (20.0, 200.0, 2_000.0, 20_000.0)  # events an hour
FILLS = (0.05, 0.2, 0.5, 0.8)  # poll interval over the window's time at the mean rate
OUTAGES = (2.0, 50.0)  # the same, of an outage


@dataclass(frozen=True, slots=True)
class Trial:
    """A gap, what was estimated, what was truly lost, and how the gap came about."""

    loss: LossEstimate
    truth: int
    polls_before: int
    outage: bool

    @property
    def is_covered(self) -> bool:
        """Whether the range holds the truth."""
        return self.loss.least <= self.truth <= (self.loss.most or 0)

    def is_within(self, factor: float) -> bool:
        """Whether the likely loss is the true one within a factor, or two events."""
        likely = self.loss.likely or 0
        return self.truth / factor - 2 <= likely <= self.truth * factor + 2


def trials(kind: str, count: int, seed: int) -> list[Trial]:
    """Return so many gaps of a kind: each outage's, and of each stream one that no outage explains.

    A stream whose bursts outgrow the window at every poll would otherwise speak for its kind.
    """
    found: list[Trial] = []
    for life in itertools.count():
        gaps = list(live(kind, np.random.default_rng([seed, [*KINDS].index(kind), life])))
        found += [gap for gap in gaps if gap.outage]
        found += [gap for gap in gaps if not gap.outage][: 3 if kind == BURSTS else 1]
        if len(found) >= count:
            break
    return found[:count]


def schedule(rng: Generator, window_ms: float) -> list[tuple[int, bool]]:
    """Draw the times of polls, and whether an outage came before each.

    A quarter of the streams have but one poll before their first outage.
    """
    step_ms = rng.choice(FILLS) * window_ms
    jitter = rng.choice([0.0, 0.1, 0.5])
    at = rng.uniform(0.5, 3) * window_ms
    polls = [(round(at), False)]
    for _ in range(2):
        for _ in range(0 if rng.uniform() < 0.25 else rng.integers(1, 40)):
            at += step_ms * rng.uniform(1 - jitter, 1 + jitter)
            polls.append((round(at), False))
        at += window_ms * np.exp(rng.uniform(*np.log(OUTAGES)))
        polls.append((round(at), True))
    return polls


def by_the_clock(rng: Generator, pause_ms: float) -> list[tuple[int, bool]]:
    """Draw polls every 15 minutes or 3 hours, through one to five pauses between bursts."""
    step_ms = rng.choice([15 * MINUTE_MS, 3 * HOUR_MS])
    until = (1 + rng.uniform(0.2, 4)) * pause_ms
    times = np.arange(rng.uniform(0.05, 1) * step_ms, until, step_ms)
    return [(round(at), False) for at in times]


def live(kind: str, rng: Generator) -> Iterator[Trial]:
    """Poll a stream through its life and yield its gaps."""
    if kind == BURSTS:
        pause_ms = rng.choice([1, 2, 4]) * DAY_MS
        per_hour, polls = 350 * HOUR_MS / pause_ms, by_the_clock(rng, pause_ms)
    else:
        per_hour = float(rng.choice(RATES))
        polls = schedule(rng, WINDOW_SIZE / per_hour * HOUR_MS)
    processes = KINDS[kind]
    process = processes[rng.integers(len(processes))]
    times = process(rng, per_hour, polls[-1][0] + 1)
    ids = places(times)
    state, cursor = StreamState(), 0
    for number, (at, outage) in enumerate(polls):
        end = int(np.searchsorted(times, at, side="right"))
        window = ids[max(end - WINDOW_SIZE, 0) : end]
        state, loss = poll(state, window, START_MS + at)
        assert bool(loss) == (number > 0 and end - cursor >= WINDOW_SIZE)
        if loss:
            yield Trial(loss, end - WINDOW_SIZE - cursor, number, outage)
        cursor = end


def places(times: Times) -> list[EventId]:
    """Give each arrival its id: those of one millisecond are numbered."""
    first = np.searchsorted(times, times, side="left")
    seqs = np.arange(len(times)) - first
    return [
        EventId(START_MS + ms, seq) for ms, seq in zip(times.tolist(), seqs.tolist(), strict=True)
    ]


def poll(
    state: StreamState, ids: list[EventId], at_ms: int
) -> tuple[StreamState, LossEstimate | None]:
    """Take one poll as the module `outcome` does, the state stored and read again after it."""
    polled_at_ms = at_ms // 1000 * 1000
    digest = str(ids[-1]) if ids else "empty"
    shape = state.shape
    if shape and shape.digest == digest:
        pace = Pace(shape.span_ms, None, None, shape.full_in_ms)
        after = remember_pace(state, replace(state, polled_at_ms=polled_at_ms), pace, arrived=0)
        return load_state(dump_state(after)), None
    result = judge(state, Window(ids, polled_at_ms, at_ms, total_count=len(ids)))
    assert result.verdict in (Verdict.FIRST, Verdict.CONTIGUOUS, Verdict.OVERRUN)
    stalled = stalled_in(state, ids, result.fresh, polled_at_ms)
    pace = measure(ids, stalled, step_ms(state, stalled, len(result.fresh), polled_at_ms))
    judged = replace(result.state, stalled=stalled)
    loss = estimate(result.gap, ids, pace, state) if result.gap else None
    lost = (loss.likely or 0) if loss else 0
    after = remember_pace(state, judged, pace, arrived=len(result.fresh) + lost)
    known = WindowShape(digest, len(ids), pace.span_ms, pace.full_in_ms)
    return load_state(dump_state(replace(after, shape=known))), loss
