"""Judge a poll: which rows are new, and is there proof that none was missed?

The API keeps the last 100 events of a stream and says nothing of those it threw away. The only
proof of completeness is overlap: the window still reaches down to what was loaded before. This
module decides that from ids alone; every doubt ends in a verdict that says so.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pipedream_source.core.streams.event_id import ORIGIN, EventId
from pipedream_source.core.streams.sequence import are_misnumbered, count_missing
from pipedream_source.core.streams.stream_state import StreamState
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
    PURGED = "purged"  # not full, and no overlap or numbers left out: somebody deleted events
    REGRESSED = "regressed"  # all ids are older than what was loaded: re-created or restored
    UNKNOWN = "unknown"  # the answer contradicts itself or the walk failed


_DATE_STEP_MS = 1000  # an answer's `Date` counts whole seconds

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
        others: rows of other channels in the same answers; they prove nothing for this one.
        is_end_shown: nothing follows the last row, as a page asked for behind it showed.
    """

    ids: Sequence[EventId]
    polled_at_ms: int
    now_ms: int
    quarantined: int = 0
    total_count: int | None = None
    complete: bool = True
    others: int = 0
    is_end_shown: bool = False

    @property
    def size(self) -> int:
        """Rows in the window, quarantined ones included."""
        return len(self.ids) + self.quarantined

    @property
    def promises_more(self) -> bool:
        """Whether `total_count` tells of rows that the walk did not bring."""
        return (self.total_count or 0) > self.size + self.others


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch between two known ids of which the API no longer shows everything.

    Attributes:
        after: the last id known before the stretch.
        before: the first id known after it; None when the window was empty.
        start_ms: when what is missing may begin, Unix ms: at `after`, or a late stretch before the
            last poll that proved overlap if that is later.
        end_ms: the time of `before`, or of the poll where the ids do not tell, Unix ms.
        missing: events that sequence numbers prove to be missing.
        at_most: how many can be missing, where sequence numbers tell: both ends are of one ms.
        found_at_ms: the poll that found it, Unix ms.
    """

    verdict: Verdict
    after: EventId
    before: EventId | None
    start_ms: int
    end_ms: int
    missing: int = 0
    at_most: int | None = None
    found_at_ms: int | None = field(default=None, compare=False)


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
    if window.others and window.promises_more:
        # Of several channels in one answer each may lack rows, wherever its own stand.
        window = replace(window, complete=False)
    if window.complete and not window.quarantined and are_misnumbered(ids):
        state = replace(state, is_misnumbered=True)
    verdict = _verdict(state, window, ids)
    fresh = _fresh(state, ids, verdict)
    if _came_late(state, fresh, verdict):
        state = replace(state, is_misnumbered=True)
    gap = _gap(state, window, ids, verdict) if window.complete else None
    after = _advance(state, window, ids, verdict)
    return Judgement(verdict, tuple(ids) if full_window else fresh, gap, after)


def _verdict(state: StreamState, window: Window, ids: list[EventId]) -> Verdict:
    if not window.complete:
        return Verdict.UNKNOWN
    if not window.size and window.promises_more:
        return Verdict.UNKNOWN
    if known_until(state) is None:
        return Verdict.PURGED if _lacks_first(state, window, ids) else Verdict.FIRST
    if not ids:
        return _without_overlap(state, window, ids)
    if state.last_loaded_id is not None and ids[-1] < state.last_loaded_id:
        return Verdict.REGRESSED
    if _overlaps(state, window, ids):
        return Verdict.CONTIGUOUS
    # A full window whose end was shown needs no more rows to tell of a loss.
    if window.promises_more and not (window.is_end_shown and window.size >= WINDOW_SIZE):
        return Verdict.UNKNOWN
    return _without_overlap(state, window, ids)


def _overlaps(state: StreamState, window: Window, ids: list[EventId]) -> bool:
    """Tell whether the window still reaches down to what a completed walk showed.

    Overlap counts at the lower end only: an id ahead of time stays at the upper end however much
    was thrown away below it. Nor does a row below H count that came late: a known one has to.
    """
    known, last = state.proven, state.last_loaded_id
    if ids[0] in known:
        return True
    if window.size < WINDOW_SIZE:
        return ids[0] <= last if last else not known.isdisjoint(ids)
    # An old id alone proves nothing in a full window: a row with a wrong time stays at the lower
    # end however much is thrown away above it.
    return not _timely(state).isdisjoint(ids)


def _timely(state: StreamState) -> frozenset[EventId]:
    """Return the known ids that were not ahead of time when they were last seen."""
    return frozenset(i for i in state.proven if is_timely(i, state))


def is_timely(event_id: EventId, state: StreamState) -> bool:
    """Tell whether a known id was not ahead of time when it was last seen."""
    return state.polled_at_ms is None or event_id.ms < state.polled_at_ms + _DATE_STEP_MS


def _without_overlap(state: StreamState, window: Window, ids: list[EventId]) -> Verdict:
    """Judge a window without overlap, or without an id: empty, or quarantined rows only."""
    if window.size >= WINDOW_SIZE:
        return Verdict.OVERRUN
    # With an emitter that was gone went whatever came since. And what a failed walk showed stands
    # in a window with room, unless somebody deleted events.
    is_doubtful = _was_gone(state) or not state.unproven <= {*ids}
    is_whole = state.was_empty and not is_doubtful and not _lacks_first(state, window, ids)
    return Verdict.CONTIGUOUS if is_whole else Verdict.PURGED


def _was_gone(state: StreamState) -> bool:
    """Tell whether the emitter had ended after the last poll that was judged."""
    return state.absence is not None and state.absence.was_gone


def _lacks_first(state: StreamState, window: Window, ids: list[EventId]) -> bool:
    """Tell whether a window with room for more begins amid the events of a millisecond."""
    if not ids or state.is_misnumbered or window.size >= WINDOW_SIZE or window.promises_more:
        return False
    after = known_until(state) or ORIGIN
    return count_missing(after, ids[0], state.remembered) > window.quarantined


def known_until(state: StreamState) -> EventId | None:
    """Return the id that a window must reach down to; None when nothing is known yet.

    Without H it is the largest proven id (all ids so far were ahead of time), or the origin for a
    stream that was seen empty: its first hundred events prove as little as any others.
    """
    if state.last_loaded_id is not None:
        return state.last_loaded_id
    return max(state.proven, default=ORIGIN if state.was_empty else None)


def _fresh(state: StreamState, ids: list[EventId], verdict: Verdict) -> tuple[EventId, ...]:
    if not state.remembered and state.last_loaded_id is None:
        return tuple(ids)
    if state.last_loaded_id is None or verdict is Verdict.REGRESSED:
        return tuple(i for i in ids if i not in state.remembered)
    stretch = ids[bisect_left(ids, (state.late_from_ms,)) :]
    return tuple(i for i in stretch if i not in state.remembered)


def _came_late(state: StreamState, fresh: tuple[EventId, ...], verdict: Verdict) -> bool:
    """Tell whether an id became visible after a greater one: then numbers prove no loss."""
    is_below = bool(fresh) and fresh[0] < max(_timely(state), default=ORIGIN)
    return is_below and verdict is not Verdict.REGRESSED


def _gap(state: StreamState, window: Window, ids: list[EventId], verdict: Verdict) -> Gap | None:
    if verdict not in GAP_VERDICTS:
        return None
    if verdict in state.recorded and not (_anchors(ids, verdict) or _was_gone(state)):
        return None
    after, before = _ends(state, ids, verdict)
    is_regressed = verdict is Verdict.REGRESSED
    end = before.ms if before and not is_regressed else window.polled_at_ms
    start = _start_ms(state, window, after, None if is_regressed else before)
    gap = Gap(verdict, after, before, min(start, end), max(start, end))
    return _counted(replace(gap, found_at_ms=window.polled_at_ms), state, window)


def _counted(gap: Gap, state: StreamState, window: Window) -> Gap:
    """Add to a gap what sequence numbers tell of it.

    Where the answer contradicts itself the events may still be shown; what a failed walk showed of
    them is not lost, and what is in quarantine may be some of them.
    """
    if gap.before is None or gap.verdict in (Verdict.REGRESSED, Verdict.UNKNOWN):
        return gap
    if state.is_misnumbered:
        return gap
    count = count_missing(gap.after, gap.before, state.remembered)
    at_most = count if gap.after.ms == gap.before.ms else None
    return replace(gap, missing=max(count - window.quarantined, 0), at_most=at_most)


def _start_ms(state: StreamState, window: Window, after: EventId, before: EventId | None) -> int:
    """Return where what is missing may begin: after the last event and the last poll that proved.

    A poll shows all that came before it, except what becomes visible late.
    """
    polled = (state.stretch.proven_at_ms if state.stretch else None) or state.polled_at_ms
    if polled is None:
        # A first window: of what came before it only its first millisecond is told of.
        return before.ms if before else window.polled_at_ms
    if before is not None and before.ms < polled:
        # The ids run behind the polls: they do not tell what came after the last one.
        return polled if state.was_empty or after == ORIGIN else after.ms
    proven = polled - LATE_STRETCH_MS
    # What an id that ran ahead of the last poll follows may be older than the id says.
    return max(after.ms, proven) if is_timely(after, state) else proven


def _ends(
    state: StreamState, ids: list[EventId], verdict: Verdict
) -> tuple[EventId, EventId | None]:
    """Return the known ids on both sides of what is missing."""
    last = known_until(state) or ORIGIN
    if not ids or verdict is Verdict.REGRESSED:
        return last, ids[0] if ids else None
    # Rows that came late may stand below H.
    above = max(_timely(state), default=ORIGIN)
    before = next((i for i in ids if i > above), ids[0])
    return max((i for i in state.proven if i < before), default=ORIGIN), before


def _anchors(ids: list[EventId], verdict: Verdict) -> bool:
    """Tell whether the next window can be measured by this one's ids, so that a gap ends here."""
    return bool(ids) and verdict in (Verdict.OVERRUN, Verdict.PURGED, Verdict.UNKNOWN)


def _advance(
    state: StreamState, window: Window, ids: list[EventId], verdict: Verdict
) -> StreamState:
    if not window.complete:
        return _after_failed_walk(state, ids)
    moves = verdict is not Verdict.UNKNOWN
    latest_ms = window.now_ms + FUTURE_TOLERANCE_MS
    timely = ids[: bisect_left(ids, (latest_ms + 1,))] if moves else []
    last = _next_last(state.last_loaded_id, timely, verdict)
    told = verdict in GAP_VERDICTS and last == state.last_loaded_id and not _anchors(ids, verdict)
    empty = window.size == 0 if moves else state.was_empty and not ids
    after = replace(
        state,
        last_loaded_id=last,
        polled_at_ms=window.polled_at_ms,
        was_empty=empty,
        recorded=state.recorded | {verdict} if told else frozenset(),
    )
    remembered = _remember(after, ids, moves=moves)
    unproven = frozenset() if moves else (state.unproven - set(ids)) & remembered
    return replace(after, remembered=remembered, unproven=unproven)


def _after_failed_walk(state: StreamState, ids: list[EventId]) -> StreamState:
    """Remember what was yielded; what was lost before it is for a completed walk to notice."""
    remembered = _remember(state, ids, moves=False)
    unproven = (state.unproven | (set(ids) - state.remembered)) & remembered
    return replace(state, remembered=remembered, unproven=unproven)


def _next_last(last: EventId | None, timely: list[EventId], verdict: Verdict) -> EventId | None:
    if not timely:
        return last
    newest = timely[-1]
    if last is None or verdict is Verdict.REGRESSED:
        return newest
    return max(last, newest)


def _remember(state: StreamState, ids: list[EventId], *, moves: bool) -> frozenset[EventId]:
    """Keep the ids that the cursor alone cannot tell from new ones."""
    last, floor = state.last_loaded_id, state.late_from_ms
    # Above H only what the window still shows can come back; in the stretch below, anything.
    older = {
        i
        for i in state.remembered
        if i.ms >= floor and (not moves or (last is not None and i <= last))
    }
    kept = older.union(ids[bisect_left(ids, (floor,)) :])
    if len(kept) > MAX_REMEMBERED_IDS:
        kept = set(sorted(kept)[-MAX_REMEMBERED_IDS:])
    return frozenset(kept.union(_anchor(state, ids) if moves else ()))


def _anchor(state: StreamState, ids: list[EventId]) -> list[EventId]:
    """Return the newest id that is not ahead of time if H is: only such prove overlap.

    Not the oldest of all: if it alone is behind the poll, its time may be the one that is wrong.
    """
    if state.last_loaded_id is None or is_timely(state.last_loaded_id, state):
        return []
    return [i for i in ids if is_timely(i, state)][1:][-1:]
