"""When to poll a stream again, so that its window still overlaps.

A burst of more than 100 events inside one interval cannot be caught by polling, whatever the
rule; the interval is fitted to the pace that was seen.
"""

from __future__ import annotations

from pipedream_source.core.polls.pace import Pace
from pipedream_source.settings import MAX_POLL_S, MIN_POLL_S, QUIET_POLL_S, WINDOW_SIZE

_QUIET_FILL = 0.1
_BUSY_FILL = 0.5
_QUIET_POLLS = 3


def next_poll_s(
    pace: Pace, *, fill: float, slow_polls: int, quiet_poll_s: float = QUIET_POLL_S
) -> float:
    """Return the seconds to wait before the next poll of a stream.

    Args:
        pace: the pace within the newest window.
        fill: share of the window that was new, 0 to 1.
        slow_polls: polls in a row, this one included, with a fill under a tenth.
        quiet_poll_s: the longest wait for a stream without a measurable pace.
    """
    if pace.full_in_ms is None:
        return quiet_poll_s
    wait = _clamp(0.5 * pace.full_in_ms / 1000)
    if fill > _BUSY_FILL:
        wait /= 2
    elif slow_polls >= _QUIET_POLLS:
        wait *= 1.5
    return _clamp(wait)


def is_slow(fill: float) -> bool:
    """Tell whether a poll brought under a tenth of its window."""
    return fill < _QUIET_FILL


def fill_of(fresh: int, size: int) -> float:
    """Return the share of a window that was new; 0 for an empty one."""
    return min(fresh / size, 1.0) if size else 0.0


def headroom(pace: Pace, size: int, between_polls_ms: int | None) -> float | None:
    """Return the time in which a full window passes over the time between polls.

    Under 1 events are being lost. None when either time is unknown.
    """
    if not between_polls_ms or between_polls_ms <= 0 or not pace.span_ms or size < 2:
        return None
    return pace.span_ms * (WINDOW_SIZE / size) / between_polls_ms


def _clamp(seconds: float) -> float:
    return min(max(seconds, MIN_POLL_S), MAX_POLL_S)
