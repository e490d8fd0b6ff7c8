"""How many events a gap swallowed: a range, with the inputs to compute it again.

What is certain is little. Exactly 100 arrivals since the last loaded id H lose nothing and yet
push H out, so the least is 0, unless the sequence number of the oldest event o still shown tells
of earlier ones in its millisecond. The rest is inference from the pace around the gap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipedream_source.core.event_id import EventId
from pipedream_source.core.pace import HOUR_MS, SHORTEST_MS, Pace
from pipedream_source.core.stream_state import StreamState
from pipedream_source.core.window import Gap, Verdict

METHOD = "pace-1"
UNBOUNDED = "unbounded"


@dataclass(frozen=True, slots=True)
class LossEstimate:
    """Events lost in a gap: at least, most likely and at most (None: no bound can be given).

    Attributes:
        method: `pace-1`, or `unbounded` where the window does not tell how much is missing.
        inputs: everything the estimate was computed from, JSON-ready.
    """

    least: int
    likely: int | None
    most: int | None
    method: str
    inputs: dict[str, Any]


def estimate(gap: Gap, ids: Sequence[EventId], pace: Pace, state: StreamState) -> LossEstimate:
    """Estimate the loss of a gap.

    Args:
        gap: the gap that `judge` found.
        ids: the window's ids, ascending.
        pace: the pace within that window.
        state: the stream as it was before this poll; its history is the pace before the gap.
    """
    inputs = _inputs(gap, ids, pace, state)
    least = _least(gap, state)
    if gap.verdict is not Verdict.OVERRUN:
        return LossEstimate(least, None, None, UNBOUNDED, inputs)
    likely, most = _range_from_pace(inputs, least)
    return LossEstimate(least, likely, most, METHOD, inputs)


def _least(gap: Gap, state: StreamState) -> int:
    """Count the events that o's own sequence number proves.

    Where the answer contradicts itself they may still be shown; what a failed walk showed of them
    is not lost.
    """
    before = gap.before
    if before is None or gap.verdict in (Verdict.REGRESSED, Verdict.UNKNOWN):
        return 0
    first = gap.after.seq + 1 if before.ms == gap.after.ms else 0
    seen = sum(i.ms == before.ms and first <= i.seq < before.seq for i in state.remembered)
    return max(before.seq - first - seen, 0)


def _range_from_pace(inputs: dict[str, Any], least: int) -> tuple[int, int]:
    """Likely and most, from the stored inputs alone.

    The window's pace holds after the gap and the history's before it; when a burst opens the gap
    they differ by orders of magnitude, so their geometric mean stands for the middle. A window
    that came in under a second tells no pace: then the history goes on, or, without one, another
    such window is missing.
    """
    hours = inputs["gap_ms"] / HOUR_MS
    window, history = _window_pace(inputs), inputs["history_per_hour"]
    if inputs["window_ms"] < SHORTEST_MS:
        middle = least + (history * hours if history else inputs["window_size"])
    else:
        paces = [pace for pace in (window, history) if pace]
        middle = max(math.prod(paces) ** (1 / len(paces)) * hours, least)
    peaks = (window, inputs["window_peak_per_hour"], inputs["history_peak_per_hour"])
    highest = max(pace or 0.0 for pace in peaks)
    slack = 3 * math.sqrt(middle) + 3
    return round(middle), math.ceil(max(highest * hours + least, middle + slack))


def _window_pace(inputs: dict[str, Any]) -> float:
    """Return the pace within the window per hour, as if it had taken a second at least."""
    steps = max(inputs["window_size"] - 1, 0)
    return float(steps * HOUR_MS / max(inputs["window_ms"], SHORTEST_MS))


def _inputs(gap: Gap, ids: Sequence[EventId], pace: Pace, state: StreamState) -> dict[str, Any]:
    return {
        "after_id": str(gap.after),
        "before_id": str(gap.before) if gap.before else None,
        "newest_id": str(ids[-1]) if ids else None,
        "gap_ms": gap.end_ms - gap.start_ms,
        "window_size": len(ids),
        "window_ms": pace.span_ms,
        "window_per_hour": pace.events_per_hour,
        "window_peak_per_hour": pace.peak_per_hour,
        "history_per_hour": state.events_per_hour,
        "history_peak_per_hour": state.peak_per_hour,
    }
