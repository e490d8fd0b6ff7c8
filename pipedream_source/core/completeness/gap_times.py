"""When a stored gap starts and ends, given what polls proved before it.

Rows of older versions start a gap at the last event, however many polls found nothing after it.
What a poll proved stays proven, so the times are worked out anew from `stream_coverage`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from pipedream_source.core.polls.window import Verdict
from pipedream_source.core.streams.event_id import place_of
from pipedream_source.settings import LATE_STRETCH_MS

Row = Mapping[str, Any]
_LATE_STRETCH = timedelta(milliseconds=LATE_STRETCH_MS)


def started(gap: Row, proven: datetime) -> datetime | None:
    """Return when a gap starts: what a poll proved stays proven, less its late stretch.

    Args:
        gap: a row of `event_gaps`.
        proven: the last poll before the gap that proved overlap.

    Returns:
        None where the ids run behind the polls: an event that is older than a poll may have come
        after it, so the poll proves nothing of the gap.
    """
    before = gap["before_id"]
    start: datetime = gap["gap_start"]
    if before and gap["verdict"] != Verdict.REGRESSED and place_of(before).moment < proven:
        return None
    return max(start, proven - _LATE_STRETCH)


def dated(gaps: Iterable[Row], stretches: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """Yield the gaps with the times that the stretches leave them.

    Args:
        gaps: rows of `event_gaps`, of any streams.
        stretches: rows of `stream_coverage`, of all of these streams at least.
    """
    polls: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
    for row in stretches:
        polls[row["emitter_id"], row["channel"]].append(row["covered_until"])
    for times in polls.values():
        times.sort()
    for gap in gaps:
        found, proofs = gap["detected_at"], polls[gap["emitter_id"], gap["channel"]]
        place = bisect_left(proofs, found)
        end = found if gap["verdict"] == Verdict.REGRESSED else gap["gap_end"]
        start = started(gap, proofs[place - 1]) if place else None
        yield {**gap, "gap_start": min(start or gap["gap_start"], end), "gap_end": end}
