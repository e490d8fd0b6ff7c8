"""How many events a gap swallowed: a range, with the inputs to compute it again.

What is certain is little. Exactly 100 arrivals since the last loaded id H lose nothing and yet
push H out, so the least is 0, unless the sequence number of the oldest event o still shown tells
of earlier ones in its millisecond. If H is of that millisecond too, the numbers tell the loss. The
rest is inference from the pace around the gap; how well it does is measured in docs/estimate.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipedream_source.core.polls.pace import HOUR_MS, SHORTEST_MS, Pace
from pipedream_source.core.polls.window import Gap, Verdict
from pipedream_source.core.streams.event_id import ORIGIN, EventId
from pipedream_source.core.streams.stream_state import StreamState
from pipedream_source.settings import LATE_STRETCH_MS

METHOD = "pace-3"
UNBOUNDED = "unbounded"
NUMBERED = "seq-1"

_LONGEST_BURST = 100  # windows
# Where bursts of 100 to 600 events are equally likely, or smaller ones more so, this many windows
# are within a factor of two of what was lost most often.
_BURST_LOST = 2.5
_SILENCE = 5  # windows; after a longer silence what came is a burst rather than the usual


@dataclass(frozen=True, slots=True)
class LossEstimate:
    """Events lost in a gap: at least, most likely and at most (None: no bound can be given).

    Attributes:
        method: `pace-3`; `seq-1` where sequence numbers tell it all; or `unbounded` where the
            window does not tell how much is missing.
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
    least = gap.missing
    inputs = _inputs(gap, ids, pace, state) | {"least": least}
    if gap.at_most is not None:
        return LossEstimate(least, gap.at_most, gap.at_most, NUMBERED, inputs)
    if gap.verdict is not Verdict.OVERRUN:
        return LossEstimate(least, None, None, UNBOUNDED, inputs)
    likely, most = likely_and_most(inputs)
    return LossEstimate(least, likely, most, METHOD, inputs)


def likely_and_most(inputs: Mapping[str, Any]) -> tuple[int, int]:
    """Compute the likely and the greatest loss of an overrun from its stored inputs alone."""
    least, likely = inputs["least"], _likely(inputs)
    if inputs["window_ms"] >= SHORTEST_MS:
        likely = max(likely, least)
    elif _history_pace(inputs):
        likely += least
    else:
        # Nothing tells a pace: as many again as were emitted at one go.
        likely = least + inputs["window_size"]
    most = max(_with_slack(_bound(inputs, likely)) + least, _with_slack(likely))
    return round(likely), math.ceil(most)


def _likely(inputs: Mapping[str, Any]) -> float:
    """Return the likely loss: of a stream that goes on, or of a burst that broke a silence.

    The longer nothing had come when the stream was last polled, beside the time of the window, the
    more it is a burst. Nothing tells how large one is that was cut off: as many as the window's
    pace gives since the poll, a few windows at most. Where all of it came in one millisecond, its
    numbers have told.
    """
    open_hours = float(inputs["open_ms"]) / HOUR_MS
    usual = _likely_pace(inputs) * open_hours
    if not inputs["window_ms"]:
        return usual
    silence = int(inputs["silent_ms"])
    weight = silence / (silence + _SILENCE * _window_ms(inputs))
    largest = _BURST_LOST * int(inputs["window_size"])
    burst = min(_window_pace(inputs) * open_hours, largest) + _history_pace(inputs) * open_hours
    return float(usual ** (1 - weight) * burst**weight)


def _likely_pace(inputs: Mapping[str, Any]) -> float:
    """Return the likely pace in the gap: between the window's and the history's.

    A gap that is short beside the window goes on at the window's pace; the longer it is, the more
    of the stream's ups and downs it holds, and the more the history tells.
    """
    window, history = _window_pace(inputs), _history_pace(inputs)
    if not (window and history):
        return float(window or history or 0.0)
    weight = 1 / (1 + math.sqrt(inputs["open_ms"] / _window_ms(inputs)) / 2)
    return float(window**weight * history ** (1 - weight))


def _bound(inputs: Mapping[str, Any], likely: float) -> float:
    """Return how many came if the gap was as fast as the stream is known to be.

    The pace of the fastest ten events lasts for a gap that is short beside the window; a longer
    one cannot keep it up, so its pace is between that and a whole window's. Nor does a burst last
    a hundred windows: beyond them, three times the likely pace is enough. What was emitted before
    the last poll may have become visible after it.
    """
    window, span = _window_pace(inputs), _window_ms(inputs)
    reach = min(inputs["gap_ms"], inputs["open_ms"] + LATE_STRETCH_MS)
    peaks = (inputs["window_peak_per_hour"], inputs["history_peak_per_hour"])
    sustained = max(window, _history_pace(inputs))
    peak = max(sustained, *(pace or 0.0 for pace in peaks))
    weight = (1 + 1 / (1 + reach / span)) / 2
    burst_ms = min(reach, _LONGEST_BURST * span)
    rest = 3 * likely * (1 - burst_ms / reach) if reach else 0.0
    return float(peak**weight * sustained ** (1 - weight) * burst_ms / HOUR_MS + rest)


def _with_slack(count: float) -> float:
    """Add three standard deviations of a count that comes by chance, and three."""
    return count + 3 * math.sqrt(count) + 3


def _history_pace(inputs: Mapping[str, Any]) -> float:
    """Return the pace of the history per hour: of a silent one, one event in all its time."""
    pace, covered_ms = inputs["history_per_hour"], inputs["history_ms"]
    if pace is None or not covered_ms:
        return 0.0
    return float(max(pace, HOUR_MS / covered_ms))


def _window_ms(inputs: Mapping[str, Any]) -> int:
    return max(int(inputs["window_ms"]), SHORTEST_MS)


def _window_pace(inputs: Mapping[str, Any]) -> float:
    """Return the pace within the window per hour, as if it had taken a second at least."""
    return float(max(inputs["window_size"] - 1, 0) * HOUR_MS / _window_ms(inputs))


def _inputs(gap: Gap, ids: Sequence[EventId], pace: Pace, state: StreamState) -> dict[str, Any]:
    open_ms = _open_ms(gap, state)
    return {
        "after_id": str(gap.after),
        "before_id": str(gap.before) if gap.before else None,
        "newest_id": str(ids[-1]) if ids else None,
        "gap_ms": max(gap.end_ms - gap.start_ms, open_ms),
        "open_ms": open_ms,
        "window_size": len(ids),
        "window_ms": pace.span_ms,
        "window_per_hour": pace.events_per_hour,
        "window_peak_per_hour": pace.peak_per_hour,
        "history_per_hour": state.events_per_hour,
        "history_ms": state.history_ms,
        "silent_ms": _silent_ms(gap, state.polled_at_ms),
        "history_peak_per_hour": state.peak_per_hour,
    }


def _silent_ms(gap: Gap, polled_at_ms: int | None) -> int:
    """Return how long nothing had come when the stream was last polled; 0 where nothing tells.

    A stream of which nothing was ever seen is silent since 1970.
    """
    return max((polled_at_ms or 0) - gap.after.ms, 0)


def _open_ms(gap: Gap, state: StreamState) -> int:
    """Return how much of a gap came after the last poll, which would have shown what came before.

    That is all of it where the ids are older than the poll: then they do not tell when they came.
    Where the poll had found nothing, they do not tell where the gap began either, and it is as
    long as the time between the two polls at least.
    """
    polled_at_ms, span_ms = state.polled_at_ms, gap.end_ms - gap.start_ms
    if polled_at_ms is None:
        return span_ms
    if polled_at_ms < gap.end_ms:
        return gap.end_ms - max(gap.start_ms, polled_at_ms)
    if gap.found_at_ms is not None and (state.was_empty or gap.after == ORIGIN):
        return max(span_ms, gap.found_at_ms - polled_at_ms)
    return span_ms
