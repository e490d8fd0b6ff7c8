"""How far a stream is proven complete: stretches of polls that each overlap the one before.

A stretch begins where the first of its windows begins and ends with the last poll that overlaps.
It grows with each such poll and is never repeated, so that the history of a stream that loses
nothing is one row however often it is polled.
"""

from __future__ import annotations

from dataclasses import replace

from pipedream_source.core.polls.window import Judgement, Verdict, Window, known_until
from pipedream_source.core.streams.event_id import ORIGIN, EventId
from pipedream_source.core.streams.stream_state import Begin, StreamState, Stretch
from pipedream_source.settings import WINDOW_SIZE


def proven_by(
    before: StreamState, window: Window, judgement: Judgement, *, since_ms: int | None = None
) -> Stretch | None:
    """Return the stretch that a poll leaves open.

    Args:
        before: the stream's state before the poll.
        window: what the poll brought.
        judgement: what `judge` made of it.
        since_ms: new rows older than this are left out; Unix ms.

    Returns:
        The open stretch, extended, begun anew, or as it was when the poll proves nothing.
    """
    verdict, at_ms = judgement.verdict, window.polled_at_ms
    if not window.complete or verdict is Verdict.UNKNOWN:
        return before.stretch
    if since_ms is not None and any(i.ms < since_ms for i in judgement.fresh):
        # Of a full first window it is not known either what came before it.
        is_unseen = verdict is Verdict.FIRST and _is_full(window)
        begins = Begin.WINDOW if is_unseen else Begin.SINCE
        doubt = _after_doubt(before, window) if verdict is Verdict.CONTIGUOUS else None
        opened_at_ms = doubt.opened_at_ms if doubt else at_ms
        return replace(_opened(begins, EventId(since_ms, 0), opened_at_ms), proven_at_ms=at_ms)
    if verdict is Verdict.FIRST:
        return _first(window)
    if verdict is Verdict.CONTIGUOUS:
        return _after_doubt(before, window) or continued(before, at_ms)
    if judgement.gap is None:
        # Told of before: nothing came since, or nothing that could be measured by.
        return before.stretch
    begins_with = None if verdict is Verdict.REGRESSED else judgement.gap.before
    return _opened(Begin.GAP, begins_with or EventId(at_ms, 0), at_ms)


def continued(before: StreamState, at_ms: int) -> Stretch:
    """Return the open stretch after a poll that overlaps it.

    Args:
        before: a state that knows the stream; without a stretch (an older version's) one begins
            at what it knows.
        at_ms: the time of the poll, Unix ms by the API's clock.
    """
    open_one = before.stretch
    if open_one is None:
        known = known_until(before) or ORIGIN
        polled = EventId(before.polled_at_ms or at_ms, 0)
        return _opened(Begin.WINDOW, known if known > ORIGIN else polled, at_ms)
    pause = at_ms - open_one.proven_at_ms
    return replace(
        open_one,
        # Clocks may be set back.
        proven_at_ms=max(at_ms, open_one.proven_at_ms),
        polls=open_one.polls + 1,
        longest_pause_ms=max(pause, open_one.longest_pause_ms),
    )


def _after_doubt(before: StreamState, window: Window) -> Stretch | None:
    """Return a new stretch where a poll overlaps only one that contradicted itself.

    Such a poll proves nothing of the time before it, and its gap stands, until a window reaches
    down to what was loaded before.
    """
    known, doubted_at = before.stretch, before.polled_at_ms
    if known is None or doubted_at is None or doubted_at <= known.proven_at_ms:
        return None
    oldest = min(window.ids, default=None)
    if before.was_empty or oldest is None or oldest <= (before.last_loaded_id or ORIGIN):
        return None
    return replace(_opened(Begin.GAP, oldest, doubted_at), proven_at_ms=window.polled_at_ms)


def _first(window: Window) -> Stretch:
    """A window that is not full shows that the API has thrown nothing away so far."""
    if not _is_full(window):
        return _opened(Begin.ORIGIN, ORIGIN, window.polled_at_ms)
    oldest = min(window.ids, default=EventId(window.polled_at_ms, 0))
    return _opened(Begin.WINDOW, oldest, window.polled_at_ms)


def _is_full(window: Window) -> bool:
    return window.size >= WINDOW_SIZE or window.promises_more


def _opened(begins: Begin, from_id: EventId, at_ms: int) -> Stretch:
    return Stretch(begins, from_id, opened_at_ms=at_ms, proven_at_ms=at_ms)
