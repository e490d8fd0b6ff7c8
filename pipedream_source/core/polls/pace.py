"""How fast a stream fills, measured from the ids of one window, and from polls.

Ids tell when events came only while the server's clock goes forward. Where it is set back, ids go
on counting within the last millisecond until the clock is past it again; there only the times of
polls tell a pace.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from operator import itemgetter, sub

from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import FULL_HISTORY_MS, StreamState
from pipedream_source.settings import WINDOW_SIZE

HOUR_MS = 3_600_000
_BURST = 10  # events; the shortest stretch whose pace is worth believing
SHORTEST_MS = 1000
_PEAK_HALVES_MS = 7 * FULL_HISTORY_MS  # a burst of long ago is no reason to expect another
_SAME_MOMENT_MS = 2000  # an answer's `Date` counts whole seconds


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


def stalled_in(
    before: StreamState,
    ids: Sequence[EventId],
    fresh: Sequence[EventId],
    polled_at_ms: int,
    indexed: Iterable[tuple[EventId, int | None]] = (),
) -> frozenset[int]:
    """Return the milliseconds of a window whose ids do not tell when their events came.

    One is known by new ids that share it with an id that an earlier poll showed, at another time
    than the poll's; by new ids that share one which is still to come; or by events that share one
    and were indexed at different times.

    Args:
        before: the state before the poll.
        ids: the window's, ascending.
        fresh: those of them that are new.
        polled_at_ms: the time of the poll, Unix ms by the API's clock.
        indexed: the window's ids with their `indexed_at_ms`, which may be None.
    """
    kept = frozenset(ms for ms in before.stalled if ms >= ids[0].ms) if ids else before.stalled
    if not fresh:
        return kept
    times = [ms for ms, _ in fresh]
    last, moments = before.polled_at_ms or 0, set(times)
    found = {i.ms for i in before.proven} & moments
    split = {ms for ms in found if abs(ms - last) > _SAME_MOMENT_MS}
    if len(moments) == len(times):
        return kept | split
    shared = {a for a, b in pairwise(times) if a == b}
    apart = _indexed_apart((i.ms, at) for i, at in indexed if i.ms in shared)
    ahead = {ms for ms in shared if ms > polled_at_ms + _SAME_MOMENT_MS}
    return kept | split | apart | ahead


def _indexed_apart(times: Iterable[tuple[int, int | None]]) -> set[int]:
    """Return the milliseconds of ids that were indexed more than a moment apart."""
    known = sorted((ms, at) for ms, at in times if at is not None)
    groups = [(ms, [at for _, at in group]) for ms, group in groupby(known, itemgetter(0))]
    return {ms for ms, found in groups if found[-1] - found[0] > _SAME_MOMENT_MS}


def step_ms(before: StreamState, stalled: Set[int], fresh: int, polled_at_ms: int) -> float | None:
    """Return how far apart the events of a stalled millisecond are taken to have come.

    Args:
        before: the state before the poll.
        stalled: the milliseconds that do not tell.
        fresh: new events in the window.
        polled_at_ms: the time of the poll, Unix ms by the API's clock.

    Returns:
        Milliseconds, by the pace of the history or, if it is faster, the pace since the last
        poll; None while polls tell neither.
    """
    pace = (before.events_per_hour or 0.0) / HOUR_MS
    elapsed = polled_at_ms - before.polled_at_ms if before.polled_at_ms else 0
    # A poll that finds the clock set back may be little later than the one before, by that clock.
    if elapsed > 0 and stalled <= before.stalled:
        pace = max(pace, fresh / elapsed)
    return 1 / pace if pace else None


def measure(
    ids: Sequence[EventId], stalled: Set[int] = frozenset(), step_ms: float | None = None
) -> Pace:
    """Measure the pace of a window's ids.

    Args:
        ids: in ascending order.
        stalled: milliseconds whose ids do not tell when their events came.
        step_ms: how far apart the events of these are taken to have come; None leaves all but the
            first of each out.
    """
    times: Sequence[float] = [i.ms for i in ids]
    if stalled:
        times = _told_apart(times, stalled, step_ms)
    steps = len(times) - 1
    span = times[-1] - times[0] if steps > 0 else 0
    if span <= 0:
        return Pace(0, None, None, None)
    burst = min(_BURST, steps + 1)
    shortest = min(map(sub, times[burst - 1 :], times))
    # Many events share a millisecond when one call emits them; that is no pace to be kept up.
    peak = (burst - 1) / max(shortest, SHORTEST_MS)
    mean = steps / span
    fullness = min(WINDOW_SIZE / mean, WINDOW_SIZE / burst * max(shortest, 1))
    return Pace(round(span), _short(mean * HOUR_MS), _short(max(peak, mean) * HOUR_MS), fullness)


def _told_apart(
    times: Sequence[float], stalled: Set[int], step_ms: float | None
) -> Sequence[float]:
    """Put events of a stalled millisecond a step apart, and what follows later by as much."""
    told: list[float] = []
    shift, last = 0.0, None
    for ms in times:
        if ms == last and ms in stalled:
            if step_ms is None:
                continue
            shift += step_ms
        told.append(ms + shift)
        last = ms
    return told


def extend(known: Pace, shown: Pace, size: int) -> Pace:
    """Return the pace of a window of which only the newest ids were read again.

    Its span stays what it was: fewer than ten events are too few to tell a pace by.

    Args:
        known: the pace of the window when it was read whole.
        shown: the pace of the ids that were read.
        size: how many they are.
    """
    if size < _BURST or shown.full_in_ms is None:
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
    if after.stalled - before.stalled:
        # What was taken for a burst may have been the clock that stood still.
        faded = 0.0
    # A window that brought nothing new shows a peak that is known, and it fades all the same.
    shown = pace.peak_per_hour if arrived or not faded else None
    peak = _short(max(shown or 0.0, faded), digits=6) or None
    if before.events_per_hour is None:
        mean, covered = _begun(after, pace)
    else:
        mean, covered = _smoothed(before.events_per_hour, before.history_ms, arrived, elapsed)
    return replace(after, events_per_hour=mean, peak_per_hour=peak, history_ms=covered)


def _begun(after: StreamState, pace: Pace) -> tuple[float, int]:
    """Begin a history with one window: its events, over all the time until it was polled."""
    newest_ms = after.last_loaded_id.ms if after.last_loaded_id else 0
    silence = max((after.polled_at_ms or 0) - newest_ms, 0) if newest_ms else 0
    covered = pace.span_ms + silence
    mean = (pace.events_per_hour or 0.0) * pace.span_ms / covered if covered else 0.0
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
