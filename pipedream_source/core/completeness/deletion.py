"""Deletions that are no loss: everything that they took had been proven to be loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from pipedream_source.core.completeness.loss import estimate
from pipedream_source.core.polls.pace import measure
from pipedream_source.core.polls.window import Judgement, Verdict, Window, judge
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import StreamState


@dataclass(frozen=True, slots=True)
class Deletion:
    """A stretch of a stream that was deleted after it was compared with the tables.

    Attributes:
        from_id, until_id: what was deleted, both included; all of it that the API held was loaded.
        proven_from: polls prove the stream complete from this id to `until_id`.
    """

    from_id: EventId
    until_id: EventId
    proven_from: EventId

    def explains(self, last: EventId) -> bool:
        """Tell whether a cursor's last loaded id is gone by this, with nothing unknown behind it.

        Events that came after `until_id` were out of the deletion's reach.
        """
        return max(self.from_id, self.proven_from) <= last <= self.until_id


def judge_with(
    deletions: Callable[[], Iterable[Deletion]],
    before: StreamState,
    window: Window,
    *,
    full_window: bool,
) -> Judgement:
    """Judge a window; what we deleted ourselves, after it was loaded, is not missing.

    Args:
        deletions: returns what we deleted of the stream; called only when something is missing.
        before: the state before the poll.
        window: what the poll brought.
        full_window: take every row as new.
    """
    found = judge(before, window, full_window=full_window)
    if found.verdict not in (Verdict.PURGED, Verdict.REGRESSED):
        return found
    if before.absence is not None and before.absence.was_gone:
        # More went with the emitter than we deleted.
        return found
    if found.gap and estimate(found.gap, window.ids, measure(window.ids), before).least:
        # Numbers prove that more is missing.
        return found
    return accepted(before, found, window, deletions(), full_window=full_window)


def accepted(
    before: StreamState,
    judgement: Judgement,
    window: Window,
    deletions: Iterable[Deletion],
    *,
    full_window: bool = False,
) -> Judgement:
    """Take a window without overlap as contiguous if our own deletion is what it lacks.

    Args:
        before: the state before the poll.
        judgement: what `judge` made of the poll.
        window: what the poll brought.
        deletions: of this stream.
        full_window: every row was taken as new, and stays so.

    Returns:
        The judgement, changed if a deletion explains all of it.
    """
    last = before.last_loaded_id
    found = [one for one in deletions if last is not None and one.explains(last)]
    # What only failed walks showed and is gone took with it what would prove the rest.
    is_proven = before.unproven <= {*window.ids}
    if found and is_proven and judgement.verdict is Verdict.PURGED:
        state = replace(judgement.state, recorded=frozenset())
        return Judgement(Verdict.CONTIGUOUS, judgement.fresh, None, state)
    if judgement.verdict is Verdict.REGRESSED and _is_what_was_left(before, window, found):
        at_ms = window.polled_at_ms
        state = replace(before, polled_at_ms=at_ms, was_empty=False, recorded=frozenset())
        late = [i for i in judgement.fresh if i.ms >= before.late_from_ms]
        state = replace(state, remembered=state.remembered.union(late))
        fresh = judgement.fresh if full_window else tuple(late)
        return Judgement(Verdict.CONTIGUOUS, fresh, None, state)
    return judgement


def _is_what_was_left(before: StreamState, window: Window, deletions: Iterable[Deletion]) -> bool:
    """Tell whether a window without the newest events is the older part of what it was before.

    One that grew holds events that came since with older ids, as in a stream that was restored.
    Of the same size it is the part that the last poll found left, if it spans the same time.
    """
    shape = before.shape
    if shape is None or not window.ids or window.size > shape.size:
        return False
    span_ms = max(window.ids).ms - min(window.ids).ms
    if window.size == shape.size and span_ms != shape.span_ms:
        return False
    return any(max(window.ids) < one.from_id for one in deletions)
