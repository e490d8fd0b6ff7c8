"""How few rows can prove that nothing was missed, so that a quiet stream need not be read whole.

`limit=N` returns the last N events (API, "Get Source Events"). In a window whose rows came newest
first, the first few tell all that is new as soon as they reach down to what is loaded, and below
the stretch in which rows may come late: what lies further down was read before. Whatever is out of
the ordinary is left to the whole window.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import gt

from pipedream_source.core.polls.window import is_timely
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import StreamState
from pipedream_source.settings import WINDOW_SIZE

#: After so long, or so many new rows, a window is read whole again, to be measured.
WHOLE_AFTER_MS = 24 * 3_600_000
WHOLE_AFTER_ROWS = WINDOW_SIZE // 2

_HOUR_MS = 3_600_000
_WIDER = 5
# Half of a window is not worth another request when it turns out to be too little.
_MOST = WINDOW_SIZE // 2
# Under one new event in fifty polls the second request costs less than the row that spares it.
_RARE = 0.02


def fitted_limits(state: StreamState, now_ms: int) -> tuple[int, ...]:
    """Return how many rows to ask a stream for, and how many if those prove too little.

    Args:
        state: what the last poll left.
        now_ms: Unix ms.

    Returns:
        Growing limits; none of them if only the whole window can prove anything. Each is at most
        half of what the window held, so that the whole tells whether these were its newest rows.
    """
    shape, last = state.shape, state.last_loaded_id
    if shape is None or last is None or not shape.newest_first or not state.is_settled:
        return ()
    if not is_timely(last, state) or shape.newer > WHOLE_AFTER_ROWS:
        return ()
    if abs(now_ms - shape.read_at_ms) >= WHOLE_AFTER_MS:
        return ()
    known = sum(i.ms >= state.late_from_ms for i in state.remembered | {last})
    least = known + 1 + _expected(state, now_ms)
    most = min(_MOST, shape.size // 2)
    return tuple(n for n in (least, _WIDER * least) if n <= most)


def _expected(state: StreamState, now_ms: int) -> int:
    """Return room for twice the events that the stream's pace lets expect."""
    elapsed = max(now_ms - (state.polled_at_ms or now_ms), 0)
    expected = (state.events_per_hour or 0.0) * elapsed / _HOUR_MS
    return 0 if expected < _RARE else 1 + int(2 * expected)


def reaches(ids: Sequence[EventId], last: EventId | None, late_from_ms: int) -> bool:
    """Tell whether the newest rows of a window show all that is new in it.

    Args:
        ids: of the rows, as they came.
        last: H, the last loaded id.
        late_from_ms: where the stretch of late rows begins, Unix ms.

    Returns:
        Whether they stand newest first, hold H, and end below the stretch.
    """
    if last not in ids or ids[-1].ms >= late_from_ms:
        return False
    return is_newest_first(ids)


def is_newest_first(ids: Sequence[EventId]) -> bool:
    """Tell whether ids stand in strictly descending order."""
    return all(map(gt, ids, ids[1:]))
