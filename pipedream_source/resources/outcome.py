"""From a poll to rows: events that are new, a gap, the stream's status, what is quarantined."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from pipedream_source.api.protocol import is_workflow
from pipedream_source.api.rows import BadRow, EventRow
from pipedream_source.core import cadence
from pipedream_source.core.event_id import EventId
from pipedream_source.core.loss import estimate
from pipedream_source.core.pace import Pace, measure, remember_pace
from pipedream_source.core.redaction import printable
from pipedream_source.core.stream_state import StreamState
from pipedream_source.core.window import Gap, Verdict, Window, judge
from pipedream_source.exceptions import PipedreamError, Unavailable
from pipedream_source.resources.polling import Poll, Stream
from pipedream_source.settings import QUARANTINE_RAW_CHARS

_CONTEXT_WORKFLOW = re.compile(rb'"workflow_id"\s*:\s*"(p_[A-Za-z0-9]{1,64})"')
_CONTEXT_NAME = re.compile(rb'"workflow_name"\s*:\s*("(?:[^"\\]|\\.){1,200}")')


_PLACE = attrgetter("place")


@dataclass(slots=True)
class Outcome:
    """What one poll adds to the tables, and the stream's next state.

    Attributes:
        rows: events that are new, in order.
        gaps, quarantine: rows of those tables, as dicts.
        status: the stream's row of `stream_status`.
        workflows: ids that errors name, with the workflow's name when the error tells it.
        warning: something the user should know although nothing failed.
        reachable: whether the emitter could be read; None when the poll does not tell.
    """

    stream: Stream
    state: StreamState
    status: Mapping[str, Any]
    rows: list[EventRow] = field(default_factory=list)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    quarantine: list[dict[str, Any]] = field(default_factory=list)
    workflows: dict[str, str | None] = field(default_factory=dict)
    warning: str | None = None
    reachable: bool | None = None


def assess(
    poll: Poll, before: StreamState, *, full_window: bool, since_ms: int | None, quiet_poll_s: float
) -> Outcome:
    """Judge a walk that ended.

    Args:
        poll: the walk.
        before: the stream's state.
        full_window: yield every row of the window.
        since_ms: yield only rows from this time on; the verdict is not affected.
        quiet_poll_s: longest wait suggested for a quiet stream.
    """
    if _channel_was_ignored(poll):
        return _ignored(poll, before)
    window = _window(poll, complete=True)
    ids = window.ids
    verdict = judge(before, window, full_window=full_window)
    pace = measure(ids)
    fill = cadence.fill_of(len(verdict.fresh), window.size)
    slow = before.slow_polls + 1 if cadence.is_slow(fill) else 0
    state = remember_pace(before, verdict.state, pace, arrived=len(verdict.fresh))
    state = replace(
        state,
        failures=0,
        slow_polls=min(slow, 9),
        short_page_ends=before.short_page_ends or poll.walk.short_page_ends,
    )
    gaps = [_gap_row(poll, verdict.gap, ids, pace, before)] if verdict.gap else []
    wait_s = cadence.next_poll_s(pace, fill=fill, slow_polls=slow, quiet_poll_s=quiet_poll_s)
    fresh = _fresh_rows(poll, verdict.fresh, since_ms)
    return Outcome(
        stream=poll.stream,
        state=state,
        status=_status(poll, state, verdict.verdict)
        | _measures(window, pace, fill, before)
        | {"next_poll_at": _time(poll.polled_at_ms + int(wait_s * 1000))},
        rows=fresh,
        gaps=gaps,
        quarantine=[_quarantine_row(poll, bad) for bad in poll.walk.bad],
        workflows=_named_workflows(fresh) if poll.walk.has_contexts else {},
        reachable=True,
    )


def assess_failure(poll: Poll, before: StreamState, error: PipedreamError) -> Outcome:
    """Take what a walk that failed brought; its cursor stays, and no gap is claimed."""
    verdict = judge(before, _window(poll, complete=False))
    state = replace(verdict.state, failures=before.failures + 1)
    return Outcome(
        stream=poll.stream,
        state=state,
        status=_status(poll, state, Verdict.UNKNOWN) | {"last_error": printable(str(error), 500)},
        rows=_fresh_rows(poll, verdict.fresh, None),
        quarantine=[_quarantine_row(poll, bad) for bad in poll.walk.bad],
        reachable=False if isinstance(error, Unavailable) else None,
    )


def _channel_was_ignored(poll: Poll) -> bool:
    """Tell whether a source answered another channel than the one asked for.

    `event_name` is what Pipedream's own client sends, but it is not documented: where it has no
    effect the rows are those of the default channel.
    """
    asked, rows = poll.stream.channel, poll.walk.rows
    if not asked or not rows or is_workflow(poll.stream.emitter_id):
        return False
    return all(row.names()[0] != asked for row in rows)


def _ignored(poll: Poll, before: StreamState) -> Outcome:
    why = (
        f"the API answered other channels than {printable(poll.stream.channel, 60)!r}: it ignores "
        "`event_name` for this source, so the channel cannot be read"
    )
    status = _status(poll, before, Verdict.UNKNOWN) | {"last_error": why}
    return Outcome(poll.stream, before, status, warning=f"{poll.stream}: {why}")


def _window(poll: Poll, *, complete: bool) -> Window:
    return Window(
        ids=sorted(poll.walk.places),
        polled_at_ms=poll.polled_at_ms,
        now_ms=poll.now_ms,
        quarantined=poll.walk.unplaced,
        total_count=poll.walk.total_count,
        complete=complete,
    )


def _fresh_rows(poll: Poll, fresh: tuple[EventId, ...], since_ms: int | None) -> list[EventRow]:
    if since_ms is not None:
        fresh = tuple(i for i in fresh if i.ms >= since_ms)
    if not fresh:
        return []
    wanted = frozenset(fresh)
    return sorted((r for r in poll.walk.rows if r.place in wanted), key=_PLACE)


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


def _status(poll: Poll, state: StreamState, verdict: Verdict) -> dict[str, Any]:
    last = state.last_loaded_id
    return {
        "emitter_id": poll.stream.emitter_id,
        "channel": poll.stream.channel,
        "last_id": str(last) if last else None,
        "last_polled_at": _time(state.polled_at_ms),
        "verdict": verdict.value,
        "events_per_hour": state.events_per_hour,
        "failures": state.failures,
        "last_error": None,
    }


def _measures(window: Window, pace: Pace, fill: float, before: StreamState) -> dict[str, Any]:
    between = window.polled_at_ms - before.polled_at_ms if before.polled_at_ms else None
    return {
        "window_size": window.size,
        "window_seconds": pace.span_ms / 1000,
        "fill": fill,
        "headroom": cadence.headroom(pace, window.size, between),
    }


def _gap_row(
    poll: Poll, gap: Gap, ids: Sequence[EventId], pace: Pace, before: StreamState
) -> dict[str, Any]:
    loss = estimate(gap, ids, pace, before)
    return {
        "emitter_id": poll.stream.emitter_id,
        "channel": poll.stream.channel,
        "verdict": gap.verdict.value,
        "after_id": str(gap.after),
        "before_id": str(gap.before) if gap.before else None,
        "gap_start": _time(gap.start_ms),
        "gap_end": _time(gap.end_ms),
        "lost_min": loss.least,
        "lost_likely": loss.likely,
        "lost_max": loss.most,
        "method": loss.method,
        "inputs": json.dumps(loss.inputs),
        "detected_at": _time(poll.polled_at_ms),
    }


def _quarantine_row(poll: Poll, bad: BadRow) -> dict[str, Any]:
    stream = poll.stream
    identity = b"\0".join((stream.emitter_id.encode(), stream.channel.encode(), bad.raw))
    raw, encoding = _as_text(bad.raw)
    # The original of a repaired row exists nowhere else, so it is kept whole.
    truncated = bad.place is None and len(raw) > QUARANTINE_RAW_CHARS
    return {
        "row_hash": hashlib.sha256(identity).hexdigest(),
        "emitter_id": stream.emitter_id,
        "channel": stream.channel,
        "id": bad.id_text[:1000].encode("utf-8", "replace").decode() if bad.id_text else None,
        "reason": bad.reason,
        "raw": raw[:QUARANTINE_RAW_CHARS] if truncated else raw,
        "raw_encoding": encoding,
        "truncated": truncated,
        "detected_at": _time(poll.polled_at_ms),
    }


def _as_text(raw: bytes) -> tuple[str, str]:
    try:
        return raw.decode(), "utf8"
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), "base64"


def _time(ms: int | None) -> datetime | None:
    """Turn Unix ms into a UTC time; None for None and for what no calendar holds."""
    if ms is None:
        return None
    try:
        return datetime.fromtimestamp(ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
