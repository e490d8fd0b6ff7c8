"""Judge a poll: which rows are new, and is there proof that none was missed?

The API keeps the last 100 events of a stream and says nothing of those it threw away. The only
proof of completeness is overlap: the window still reaches down to what was loaded before. This
module decides that from ids alone; every doubt ends in a verdict that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pipedream_source.core.event_id import ORIGIN, EventId
from pipedream_source.core.stream_state import StreamState
from pipedream_source.settings import (
    FUTURE_TOLERANCE_MS,
    LATE_STRETCH_MS,
    MAX_REMEMBERED_IDS,
    WINDOW_SIZE,
)


class Verdict(StrEnum):
    """What a poll proves about the stretch since the last one."""

    FIRST = "first"  # nothing was loaded before
    CONTIGUOUS = "contiguous"  # the window overlaps what was loaded: nothing was missed
    OVERRUN = "overrun"  # full and without overlap: events were, or may have been, lost
    PURGED = "purged"  # not full and without overlap: somebody deleted events
    REGRESSED = "regressed"  # all ids are older than what was loaded: re-created or restored
    UNKNOWN = "unknown"  # the answer contradicts itself or the walk failed


GAP_VERDICTS = frozenset({Verdict.OVERRUN, Verdict.PURGED, Verdict.REGRESSED, Verdict.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Window:
    """What one walk of a stream's window brought.

    Attributes:
        ids: the distinct ids of its rows, in any order.
        quarantined: rows whose id could not be read; they count for fullness.
        total_count: what the first page said the stream retains; None when it said nothing.
        polled_at_ms: when, Unix ms by the API's clock (its `Date`), else by ours.
        now_ms: the later of the two clocks; ids beyond it by five minutes are ahead of time.
        complete: the walk reached its end.
    """

    ids: Sequence[EventId]
    polled_at_ms: int
    now_ms: int
    quarantined: int = 0
    total_count: int | None = None
    complete: bool = True

    @property
    def size(self) -> int:
        """Rows in the window, quarantined ones included."""
        return len(self.ids) + self.quarantined


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch between two known ids of which the API no longer shows everything.

    Attributes:
        after: the last id known before the stretch.
        before: the first id known after it; None when the window was empty.
        start_ms, end_ms: the same as times, Unix ms.
    """

    verdict: Verdict
    after: EventId
    before: EventId | None
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of a poll: `fresh` ids in order, the verdict, a gap to record, the next state."""

    verdict: Verdict
    fresh: tuple[EventId, ...]
    gap: Gap | None
    state: StreamState


def judge(state: StreamState, window: Window, *, full_window: bool = False) -> Judgement:
    """Judge one walk against what is known of the stream.

    Args:
        state: what the last poll left.
        window: what this walk brought; an incomplete one never moves the cursor and never
            records a gap, but its rows are kept.
        full_window: take every row as new, for the destination's key to sort out.

    Returns:
        The judgement. Its state holds only once its rows and its gap have been handed on.
    """
    ids = sorted(window.ids)
    verdict = _verdict(state, window, ids)
    gap = _gap(state, window, ids, verdict) if window.complete else None
    fresh = tuple(ids) if full_window else _fresh(state, ids, verdict)
    return Judgement(verdict, fresh, gap, _advance(state, window, ids, verdict))


def _verdict(state: StreamState, window: Window, ids: list[EventId]) -> Verdict:
    if not window.complete:
        return Verdict.UNKNOWN
    if not ids and not window.quarantined and window.total_count:
        return Verdict.UNKNOWN
    last = known_until(state)
    if last is None:
        return Verdict.FIRST
    if not ids:
        return _verdict_without_ids(state, window)
    if ids[-1] < last:
        return Verdict.REGRESSED
    # Overlap counts only at the lower end: an id ahead of time stays in the window at its upper
    # end however much was thrown away below it.
    if ids[0] <= (state.last_loaded_id or ORIGIN) or ids[0] in state.remembered:
        return Verdict.CONTIGUOUS
    if window.total_count is not None and window.total_count > window.size:
        return Verdict.UNKNOWN
    if window.size >= WINDOW_SIZE:
        return Verdict.OVERRUN
    return Verdict.CONTIGUOUS if state.was_empty else Verdict.PURGED


def _verdict_without_ids(state: StreamState, window: Window) -> Verdict:
    """Judge a window in which no id can be read: empty, or quarantined rows only."""
    if window.size >= WINDOW_SIZE:
        return Verdict.OVERRUN
    return Verdict.CONTIGUOUS if state.was_empty else Verdict.PURGED


def known_until(state: StreamState) -> EventId | None:
    """Return the id that a window must reach down to; None when nothing is known yet.

    Without H it is the largest remembered id (all ids so far were ahead of time), or the origin
    for a stream that was seen empty: its first hundred events prove as little as any others.
    """
    if state.last_loaded_id is not None:
        return state.last_loaded_id
    if state.remembered:
        return max(state.remembered)
    return ORIGIN if state.was_empty else None


def _fresh(state: StreamState, ids: list[EventId], verdict: Verdict) -> tuple[EventId, ...]:
    last = state.last_loaded_id
    if last is None or verdict is Verdict.REGRESSED:
        return tuple(i for i in ids if i not in state.remembered)
    floor = EventId(last.ms - LATE_STRETCH_MS, 0)
    return tuple(i for i in ids if i >= floor and i not in state.remembered)


def _gap(state: StreamState, window: Window, ids: list[EventId], verdict: Verdict) -> Gap | None:
    if verdict not in GAP_VERDICTS or verdict in state.recorded:
        return None
    after = known_until(state) or ORIGIN
    before = ids[0] if ids else None
    # After an empty window only what came since can be missing, however old H is.
    since_poll = state.was_empty or after == ORIGIN
    start = (state.polled_at_ms or window.polled_at_ms) if since_poll else after.ms
    end = before.ms if before else window.polled_at_ms
    return Gap(verdict, after, before, min(start, end), max(start, end))


def _advance(
    state: StreamState, window: Window, ids: list[EventId], verdict: Verdict
) -> StreamState:
    if not window.complete:
        return replace(state, remembered=_remember(state, ids, state.last_loaded_id, moves=False))
    moves = verdict is not Verdict.UNKNOWN
    timely = [i for i in ids if i.ms <= window.now_ms + FUTURE_TOLERANCE_MS] if moves else []
    last = _next_last(state.last_loaded_id, timely, verdict)
    told = verdict in GAP_VERDICTS and last == state.last_loaded_id
    return replace(
        state,
        last_loaded_id=last,
        remembered=_remember(state, ids, last, moves=moves),
        polled_at_ms=window.polled_at_ms,
        was_empty=window.size == 0 and not window.total_count,
        recorded=state.recorded | {verdict} if told else frozenset(),
    )


def _next_last(last: EventId | None, timely: list[EventId], verdict: Verdict) -> EventId | None:
    if not timely:
        return last
    newest = timely[-1]
    if last is None or verdict is Verdict.REGRESSED:
        return newest
    return max(last, newest)


def _remember(
    state: StreamState, ids: list[EventId], last: EventId | None, *, moves: bool
) -> frozenset[EventId]:
    """Keep the ids that the cursor alone cannot tell from new ones."""
    floor = EventId(last.ms - LATE_STRETCH_MS, 0) if last else ORIGIN
    known = state.remembered.union(ids)
    if moves:
        # Above H only what the window still shows can come back; in the stretch below, anything.
        shown = frozenset(ids)
        known = frozenset(i for i in known if i in shown or (last is not None and i <= last))
    kept = sorted(i for i in known if i >= floor)
    return frozenset(kept[-MAX_REMEMBERED_IDS:])
