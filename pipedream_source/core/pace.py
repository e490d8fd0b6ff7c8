"""How fast a stream fills, measured from the ids of one window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import sub

from pipedream_source.core.event_id import EventId
from pipedream_source.core.stream_state import StreamState
from pipedream_source.settings import WINDOW_SIZE

HOUR_MS = 3_600_000
_BURST = 10  # events; the shortest stretch whose pace is worth believing
SHORTEST_MS = 1000
_HISTORY_MS = 6 * HOUR_MS  # a poll interval of this length weighs as much as all history


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace within one window.

    Attributes:
        span_ms: from its oldest to its newest event; 0 for fewer than two.
        events_per_hour: mean pace over the span; None without a span.
        peak_per_hour: highest pace over any ten events (all of them when fewer); None likewise.
        full_in_ms: the time in which 100 events may arrive at the faster of the mean pace and
            the shortest stretch of ten; None without a span.
    """

    span_ms: int
    events_per_hour: float | None
    peak_per_hour: float | None
    full_in_ms: float | None


def measure(ids: Sequence[EventId]) -> Pace:
    """Measure the pace of a window's ids, given in ascending order."""
    steps = len(ids) - 1
    span = ids[-1].ms - ids[0].ms if steps > 0 else 0
    if span <= 0:
        return Pace(0, None, None, None)
    burst = min(_BURST, steps + 1)
    times = [i.ms for i in ids]
    shortest = min(map(sub, times[burst - 1 :], times))
    # Many events share a millisecond when one call emits them; that is no pace to be kept up.
    peak = (burst - 1) / max(shortest, SHORTEST_MS)
    mean = steps / span
    fullness = min(WINDOW_SIZE / mean, WINDOW_SIZE / burst * max(shortest, 1))
    return Pace(span, _short(mean * HOUR_MS), _short(max(peak, mean) * HOUR_MS), fullness)


def remember_pace(
    before: StreamState, after: StreamState, pace: Pace, *, arrived: int
) -> StreamState:
    """Fold one completed poll into the stream's smoothed pace.

    Args:
        before: the state before the poll; its poll time starts the interval.
        after: the state that the judgement gave.
        pace: the pace within the window.
        arrived: events known to have arrived in the interval.
    """
    peak = max(pace.peak_per_hour or 0.0, before.peak_per_hour or 0.0) or None
    mean = _smoothed(before, after.polled_at_ms or 0, arrived, pace.events_per_hour)
    return replace(after, events_per_hour=mean, peak_per_hour=peak)


def _smoothed(
    before: StreamState, now_ms: int, arrived: int, window_mean: float | None
) -> float | None:
    elapsed = now_ms - before.polled_at_ms if before.polled_at_ms else 0
    if before.events_per_hour is None:
        return window_mean
    if elapsed <= 0:
        return before.events_per_hour
    weight = elapsed / (elapsed + _HISTORY_MS)
    observed = arrived * HOUR_MS / elapsed
    return _short(before.events_per_hour * (1 - weight) + observed * weight)


def _short(value: float) -> float:
    """Round to four digits: the pace is a guide, and state should not change with its noise."""
    return float(f"{value:.4g}")
