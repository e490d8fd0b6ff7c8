"""The rows that prove, or fail to prove, completeness: status, gaps, quarantine; as dicts."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from pipedream_source.api.pages.event_rows import BadRow
from pipedream_source.core.completeness.loss import LossEstimate
from pipedream_source.core.polls import cadence
from pipedream_source.core.polls.pace import Pace
from pipedream_source.core.polls.window import Gap
from pipedream_source.core.streams.event_id import time_of
from pipedream_source.core.streams.stream_state import Begin, StreamState
from pipedream_source.resources.polls.polling import Poll
from pipedream_source.settings import QUARANTINE_RAW_CHARS


def status_row(poll: Poll, state: StreamState, verdict: str) -> dict[str, Any]:
    """Return a stream's row of `stream_status`, without what only a completed walk tells."""
    last = state.last_loaded_id
    return {
        "emitter_id": poll.stream.emitter_id,
        "channel": poll.stream.channel,
        "last_id": str(last) if last else None,
        "last_polled_at": time_of(state.polled_at_ms) if state.polled_at_ms else None,
        "verdict": str(verdict),
        "events_per_hour": state.events_per_hour,
        "failures": state.failures,
        "last_error": None,
    }


def measures(
    poll: Poll, size: int, pace: Pace, fill: float, before: StreamState, wait_s: float
) -> dict[str, Any]:
    """Return what a completed walk adds to the row of `stream_status`."""
    between = poll.polled_at_ms - before.polled_at_ms if before.polled_at_ms else None
    return {
        "window_size": size,
        "window_seconds": pace.span_ms / 1000,
        "fill": fill,
        "headroom": cadence.headroom(pace, size, between),
        "next_poll_at": time_of(poll.polled_at_ms + int(wait_s * 1000)),
    }


def coverage_row(poll: Poll, state: StreamState, before: StreamState) -> dict[str, Any] | None:
    """Return the row of `stream_coverage` that a poll writes; None when it proves nothing."""
    stretch, last = state.stretch, state.last_loaded_id
    if stretch is None or stretch is before.stretch:
        return None
    is_whole = stretch.begins is Begin.ORIGIN
    return {
        "emitter_id": poll.stream.emitter_id,
        "channel": poll.stream.channel,
        "from_id": str(stretch.from_id),
        "opened_at": time_of(stretch.opened_at_ms),
        "begins": stretch.begins.value,
        "covered_from": None if is_whole else stretch.from_id.moment,
        "covered_until": time_of(stretch.proven_at_ms),
        "until_id": str(last) if last else None,
        "until_at": last.moment if last else None,
        "events": stretch.events,
        "polls": stretch.polls,
        "longest_pause_s": stretch.longest_pause_ms / 1000,
    }


def gap_row(poll: Poll, gap: Gap, loss: LossEstimate) -> dict[str, Any]:
    """Return a row of `event_gaps`."""
    return {
        "emitter_id": poll.stream.emitter_id,
        "channel": poll.stream.channel,
        "verdict": gap.verdict.value,
        "after_id": str(gap.after),
        "before_id": str(gap.before or ""),
        "gap_start": time_of(gap.start_ms),
        "gap_end": time_of(gap.end_ms),
        "lost_min": loss.least,
        "lost_likely": loss.likely,
        "lost_max": loss.most,
        "method": loss.method,
        "inputs": json.dumps(loss.inputs),
        "detected_at": time_of(poll.polled_at_ms),
    }


def quarantine_row(poll: Poll, bad: BadRow) -> dict[str, Any]:
    """Return a row of `quarantine`; its hash makes a row that is read again the same row."""
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
        "detected_at": time_of(poll.polled_at_ms),
    }


def _as_text(raw: bytes) -> tuple[str, str]:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = "\0"
    # Not every destination has texts with U+0000.
    return (base64.b64encode(raw).decode(), "base64") if "\0" in text else (text, "utf8")
