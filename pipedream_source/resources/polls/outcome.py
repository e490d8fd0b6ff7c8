"""From a poll to rows: events that are new, a gap, the stream's status, what is quarantined."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

from pipedream_source.api.pages.event_rows import EventRow, read_names
from pipedream_source.api.protocol import is_workflow
from pipedream_source.core.completeness.coverage import continued, proven_by
from pipedream_source.core.completeness.deletion import Deletion, judge_with
from pipedream_source.core.completeness.loss import estimate
from pipedream_source.core.polls import cadence
from pipedream_source.core.polls.pace import (
    Pace,
    extend,
    measure,
    remember_pace,
    stalled_in,
    step_ms,
)
from pipedream_source.core.polls.window import Judgement, Verdict, Window, judge
from pipedream_source.core.streams.absence import ENDED, Absence, answered, one_more
from pipedream_source.core.streams.event_id import EventId, time_of
from pipedream_source.core.streams.stream_state import StreamState, Stretch, WindowShape
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ApiError, PipedreamError, Unavailable
from pipedream_source.resources.polls.polling import Poll, Stream
from pipedream_source.resources.polls.repeated_ids import repeats
from pipedream_source.resources.polls.side_rows import (
    coverage_row,
    gap_row,
    measures,
    quarantine_row,
    status_row,
)
from pipedream_source.settings import WINDOW_SIZE

_CONTEXT_WORKFLOW = re.compile(rb'"workflow_id"\s*:\s*"(p_[A-Za-z0-9]{1,64})"')
_CONTEXT_NAME = re.compile(rb'"workflow_name"\s*:\s*("(?:[^"\\]|\\.){1,200}")')


_MANY_POLLS = 9  # enough to know a stream is slow; more would change the state for nothing
_NOT_FOUND = 404
_PLACE = attrgetter("place")


@dataclass(slots=True)
class Outcome:
    """What one poll adds to the tables, and the stream's next state.

    Attributes:
        rows: events that are new, in order.
        gaps, quarantine: rows of those tables, as dicts.
        status: the stream's row of `stream_status`.
        coverage: the row of `stream_coverage` that it extends or begins; None when the poll
            proves nothing.
        workflows: ids that errors name, with the workflow's name when the error tells it.
        warning: something the user should know although nothing failed.
        reachable: whether the emitter could be read; None when the poll does not tell.
        has_ended: the API does not find the emitter any more, which is no failure.
    """

    stream: Stream
    state: StreamState
    status: Mapping[str, Any]
    coverage: Mapping[str, Any] | None = None
    rows: list[EventRow] = field(default_factory=list)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    quarantine: list[dict[str, Any]] = field(default_factory=list)
    workflows: dict[str, str | None] = field(default_factory=dict)
    warning: str | None = None
    reachable: bool | None = None
    has_ended: bool = False


def assess(
    poll: Poll,
    before: StreamState,
    *,
    full_window: bool,
    since_ms: int | None,
    quiet_poll_s: float,
    deletions: Callable[[], Iterable[Deletion]] = tuple,
) -> Outcome:
    """Judge a walk that ended.

    Args:
        poll: the walk.
        before: the stream's state.
        full_window: yield every row of the window.
        since_ms: yield only rows from this time on; the verdict is not affected.
        quiet_poll_s: longest wait suggested for a quiet stream.
        deletions: returns what we deleted of the stream; called only when something is missing.
    """
    if poll.walk.is_unchanged and before.shape:
        shape = replace(before.shape, read_at_ms=poll.polled_at_ms)
        return _unchanged(poll, before, shape, quiet_poll_s)
    if _channel_was_ignored(poll):
        return _ignored(poll, before)
    window = _window(poll, complete=True)
    verdict = judge_with(deletions, before, window, full_window=full_window)
    digests, bad, warning = repeats(poll, before, verdict)
    if poll.walk.is_partial and before.shape and not (verdict.fresh or bad):
        return _unchanged(poll, before, before.shape, quiet_poll_s)
    indexed = ((row.place, row.indexed_at_ms) for row in poll.walk.rows)
    stalled = stalled_in(before, window.ids, verdict.fresh, poll.polled_at_ms, indexed)
    pace, shape = _measured(poll, before, window, len(verdict.fresh), stalled)
    loss = estimate(verdict.gap, window.ids, pace, before) if verdict.gap else None
    fill = cadence.fill_of(len(verdict.fresh), shape.size)
    lost = loss.likely if loss else 0
    verdict = replace(verdict, state=replace(verdict.state, stalled=stalled))
    state = _next_state(poll, before, verdict, pace, shape, fill=fill, lost=lost)
    wait_s = cadence.next_poll_s(
        pace, fill=fill, slow_polls=state.slow_polls, quiet_poll_s=quiet_poll_s
    )
    fresh = _fresh_rows(poll, verdict.fresh, since_ms)
    stretch = proven_by(before, window, verdict, since_ms=since_ms)
    stretch = _counted(poll, before, state.last_loaded_id, stretch, fresh)
    state = replace(state, stretch=stretch, digests=digests)
    return Outcome(
        stream=poll.stream,
        state=state,
        status=status_row(poll, state, verdict.verdict)
        | measures(poll, shape.size, pace, fill, before, wait_s),
        coverage=coverage_row(poll, state, before),
        rows=fresh,
        gaps=[gap_row(poll, verdict.gap, loss)] if verdict.gap and loss else [],
        quarantine=[quarantine_row(poll, row) for row in bad],
        workflows=_named_workflows(fresh) if poll.walk.has_contexts else {},
        warning="; ".join(filter(None, (_answers_again(poll, before), warning))) or None,
        reachable=True,
    )


def _answers_again(poll: Poll, before: StreamState) -> str | None:
    if before.absence is None or not before.absence.has_ended:
        return None
    return f"{poll.stream}: it had ended, and answers again: it is polled as before"


def _counted(
    poll: Poll,
    before: StreamState,
    last: EventId | None,
    stretch: Stretch | None,
    fresh: Sequence[EventRow],
) -> Stretch | None:
    """Add to a stretch the new events of its own channel that it reaches over.

    An event that is counted is stored; one that is stored may be uncounted, when it came out of
    order. So a stretch never counts more than the tables hold, unless rows are removed.
    """
    if stretch is None or stretch is before.stretch or last is None:
        return stretch
    asked, known = poll.stream.channel, before.stretch
    goes_on = known is not None and known.opened_at_ms == stretch.opened_at_ms
    above = before.last_loaded_id if goes_on else None
    own = [row.place for row in fresh if row.channel(asked) == asked]
    first = bisect_left(own, stretch.from_id)
    if above is not None:
        first = max(first, bisect_right(own, above))
    count = max(bisect_right(own, last) - first, 0)
    return replace(stretch, events=stretch.events + count)


def _measured(
    poll: Poll, before: StreamState, window: Window, fresh: int, stalled: frozenset[int]
) -> tuple[Pace, WindowShape]:
    """Measure a window; of one that was read in part, what was known of it and what is new."""
    step = step_ms(before, stalled, fresh, poll.polled_at_ms) if stalled else None
    pace = measure(window.ids, stalled, step)
    if poll.walk.is_partial and before.shape:
        shape, size = before.shape, min(before.shape.size + fresh, WINDOW_SIZE)
        shape = replace(shape, digest="", size=size, newer=shape.newer + fresh)
        known = Pace(shape.span_ms, None, None, shape.full_in_ms)
        return extend(known, pace, len(window.ids)), shape
    shape = WindowShape(
        poll.walk.digest,
        window.size,
        pace.span_ms,
        pace.full_in_ms,
        newest_first=poll.walk.newest_first,
        read_at_ms=poll.polled_at_ms,
    )
    return pace, shape


def _next_state(
    poll: Poll,
    before: StreamState,
    verdict: Judgement,
    pace: Pace,
    shape: WindowShape,
    *,
    fill: float,
    lost: int | None,
) -> StreamState:
    """Complete the judged state by what the cadence and the estimate remember."""
    # What was lost arrived too: without it the pace would drop just when the stream was fast.
    arrived = len(verdict.fresh) + (lost or 0)
    slow_polls = min(before.slow_polls + 1, _MANY_POLLS) if cadence.is_slow(fill) else 0
    after = replace(
        remember_pace(before, verdict.state, pace, arrived=arrived),
        failures=0,
        slow_polls=slow_polls,
        absence=answered(before.absence) if verdict.verdict is Verdict.UNKNOWN else None,
        short_page_ends=before.short_page_ends or poll.walk.short_page_ends,
        limits_to_newest=before.limits_to_newest or poll.walk.limits_to_newest,
    )
    in_one_page = poll.walk.digest or poll.walk.is_partial
    is_known = in_one_page and after.is_settled and verdict.verdict is not Verdict.UNKNOWN
    return replace(after, shape=shape if is_known else None)


def _unchanged(poll: Poll, before: StreamState, shape: WindowShape, quiet_poll_s: float) -> Outcome:
    """Take a window that holds what it held the last time: it overlaps, and nothing is new."""
    pace = Pace(shape.span_ms, None, None, shape.full_in_ms)
    state = replace(
        remember_pace(before, replace(before, polled_at_ms=poll.polled_at_ms), pace, arrived=0),
        failures=0,
        absence=None,
        slow_polls=min(before.slow_polls + 1, _MANY_POLLS),
        limits_to_newest=before.limits_to_newest or poll.walk.limits_to_newest,
        shape=shape,
        stretch=continued(before, poll.polled_at_ms),
    )
    wait_s = cadence.next_poll_s(
        pace, fill=0.0, slow_polls=state.slow_polls, quiet_poll_s=quiet_poll_s
    )
    return Outcome(
        stream=poll.stream,
        state=state,
        status=status_row(poll, state, Verdict.CONTIGUOUS)
        | measures(poll, shape.size, pace, 0.0, before, wait_s),
        coverage=coverage_row(poll, state, before),
        warning=_answers_again(poll, before),
        reachable=True,
    )


def assess_failure(
    poll: Poll, before: StreamState, error: PipedreamError, *, is_unlisted: bool = False
) -> Outcome:
    """Take what a walk that did not end brought; its cursor stays, and no gap is claimed.

    Args:
        poll: the walk.
        before: the stream's state.
        error: why it did not end.
        is_unlisted: the lists were read whole, and do not name the emitter any more.
    """
    absence = _absence(poll, before, error, is_unlisted=is_unlisted)
    if absence is not None and absence.has_ended and poll.walk.first is None:
        return _ended(poll, before, absence)
    verdict = judge(before, _window(poll, complete=False))
    digests, bad, warning = repeats(poll, before, verdict)
    is_its_own = not (poll.skipped or poll.is_unsent)
    state = replace(
        verdict.state,
        failures=before.failures + is_its_own,
        digests=digests,
        absence=absence,
    )
    fresh = _fresh_rows(poll, verdict.fresh, None)
    return Outcome(
        stream=poll.stream,
        state=state,
        status=status_row(poll, state, Verdict.UNKNOWN)
        | {"last_error": printable(str(error), 500)},
        rows=fresh,
        quarantine=[quarantine_row(poll, row) for row in bad],
        workflows=_named_workflows(fresh) if poll.walk.has_contexts else {},
        warning=warning,
        reachable=False if isinstance(error, Unavailable) else None,
    )


def _absence(
    poll: Poll, before: StreamState, error: PipedreamError, *, is_unlisted: bool
) -> Absence | None:
    """Return the polls in a row that found no emitter; other failures neither add nor end them."""
    known = before.absence
    if poll.walk.first is not None:
        return answered(known)
    if isinstance(error, Unavailable):
        # Without being listed, an emitter that the key may not read is as good as gone.
        if error.status == _NOT_FOUND or is_unlisted:
            return one_more(known, poll.polled_at_ms, is_unlisted=is_unlisted)
    elif known and known.has_ended and isinstance(error, ApiError) and not poll.is_unsent:
        return replace(known, asked_ms=poll.polled_at_ms)
    return known


def _ended(poll: Poll, before: StreamState, absence: Absence) -> Outcome:
    """Take a poll that shows, or shows again, that a stream has ended."""
    state = replace(before, failures=0, absence=absence)
    since = time_of(absence.since_ms).isoformat(timespec="seconds")
    why = f"it has ended: the API does not find it any more (since {since})"
    is_news = before.absence is None or not before.absence.has_ended
    emitter = poll.stream.emitter_id
    verb = f"{'workflows' if is_workflow(emitter) else 'sources'} forget {emitter}"
    told = f"{poll.stream}: {why}. It is asked rarely now; `pipedream-source {verb}` ends that"
    return Outcome(
        stream=poll.stream,
        state=state,
        status=status_row(poll, state, ENDED) | {"last_error": why},
        warning=told if is_news else None,
        reachable=False,
        has_ended=True,
    )


def _channel_was_ignored(poll: Poll) -> bool:
    """Tell whether an emitter answered another channel than the one asked for.

    `event_name` is what Pipedream's own client sends, but it is not documented: where it has no
    effect the rows are those of the default channel.
    """
    asked, walk = poll.stream.channel, poll.walk
    if not asked or not (walk.rows or walk.others):
        return False
    if is_workflow(poll.stream.emitter_id):
        # The channel stands in the path, so that rows without a name are of it.
        return not walk.rows
    return all(row.names()[0] != asked for row in walk.rows)


def _ignored(poll: Poll, before: StreamState) -> Outcome:
    why = (
        f"the API answered other channels than {printable(poll.stream.channel, 60)!r}: it ignores "
        "`event_name` for this emitter, so the channel cannot be read"
    )
    status = status_row(poll, before, Verdict.UNKNOWN) | {"last_error": why}
    return Outcome(poll.stream, before, status, warning=f"{poll.stream}: {why}")


def _window(poll: Poll, *, complete: bool) -> Window:
    return Window(
        # Rows come in order, more or less, which sets do not.
        ids=sorted(dict.fromkeys(row.place for row in poll.walk.rows)),
        polled_at_ms=poll.polled_at_ms,
        now_ms=poll.now_ms,
        quarantined=poll.walk.unplaced,
        total_count=poll.walk.total_count,
        complete=complete,
        others=poll.walk.others,
        is_end_shown=poll.walk.is_end_shown,
    )


def _fresh_rows(poll: Poll, fresh: tuple[EventId, ...], since_ms: int | None) -> list[EventRow]:
    if since_ms is not None:
        fresh = tuple(i for i in fresh if i.ms >= since_ms)
    if not fresh:
        return []
    rows, wanted = poll.walk.rows, frozenset(fresh)
    if len(wanted) < len(poll.walk.places):
        rows = [row for row in rows if row.place in wanted]
    rows = sorted(rows, key=_PLACE)
    read_names(rows)
    return rows


def _named_workflows(rows: list[EventRow]) -> dict[str, str | None]:
    """Find workflows in the contexts of errors, wherever errors were delivered."""
    named: dict[str, str | None] = {}
    for row in rows:
        text = bytes(row.event or b"")
        if b'"original_context"' not in text:
            continue
        found = _CONTEXT_WORKFLOW.search(text)
        if found:
            name = _CONTEXT_NAME.search(text)
            known = named.get(found[1].decode())
            named[found[1].decode()] = _unquote(name[1]) if name else known
    return named


def _unquote(text: bytes) -> str | None:
    try:
        value = json.loads(text)
        value.encode()
    except ValueError:
        return None
    return str(value)
