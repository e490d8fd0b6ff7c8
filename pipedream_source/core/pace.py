"""How fast a stream fills, measured from the ids of one window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import sub

from pipedream_source.core.event_id import EventId
from pipedream_source.core.stream_state import FULL_HISTORY_MS, StreamState
from pipedream_source.settings import WINDOW_SIZE

HOUR_MS = 3_600_000
_BURST = 10  # events; the shortest stretch whose pace is worth believing
SHORTEST_MS = 1000
_PEAK_HALVES_MS = 7 * FULL_HISTORY_MS  # a burst of long ago is no reason to expect another


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


def extend(known: Pace, newest: Sequence[EventId]) -> Pace:
    """Return the pace of a window of which only the newest ids were read again, ascending.

    Its span stays what it was: fewer than ten events are too few to tell a pace by.
    """
    if len(newest) < _BURST or (shown := measure(newest)).full_in_ms is None:
        return known
    fullness = min(f for f in (known.full_in_ms, shown.full_in_ms) if f is not None)
    return replace(known, peak_per_hour=shown.peak_per_hour, full_in_ms=fullness)


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
    elapsed = (after.polled_at_ms or 0) - before.polled_at_ms if before.polled_at_ms else 0
    faded = (before.peak_per_hour or 0.0) * 0.5 ** (max(elapsed, 0) / _PEAK_HALVES_MS)
    # A window that brought nothing new shows a peak that is known, and it fades all the same.
    shown = pace.peak_per_hour if arrived or not faded else None
    peak = _short(max(shown or 0.0, faded), digits=6) or None
    if before.events_per_hour is None:
        mean, covered = _begun(after, pace)
    else:
        mean, covered = _smoothed(before.events_per_hour, before.history_ms, arrived, elapsed)
    return replace(after, events_per_hour=mean, peak_per_hour=peak, history_ms=covered)


def _begun(after: StreamState, pace: Pace) -> tuple[float | None, int]:
    """Begin a history with one window: its events, over all the time until it was polled."""
    if not pace.events_per_hour:
        return None, FULL_HISTORY_MS
    newest_ms = after.last_loaded_id.ms if after.last_loaded_id else 0
    silence = max((after.polled_at_ms or 0) - newest_ms, 0) if newest_ms else 0
    covered = pace.span_ms + silence
    mean = pace.events_per_hour * pace.span_ms / covered
    return _short(mean, digits=6), min(covered, FULL_HISTORY_MS)


def _smoothed(mean: float, covered: int, arrived: int, elapsed: int) -> tuple[float, int]:
    """Go on with a history: each stretch weighs as much as it is long, a day at most is kept."""
    if elapsed <= 0:
        return mean, covered
    events = mean * covered / HOUR_MS + arrived
    mean = events * HOUR_MS / (covered + elapsed)
    return _short(mean, digits=6), min(covered + elapsed, FULL_HISTORY_MS)


def _short(value: float, *, digits: int = 4) -> float:
    """Round: a pace is a guide. What is smoothed keeps more digits, or small steps were lost."""
    return float(f"{value:.{digits}g}")
