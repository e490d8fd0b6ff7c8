"""What the sequence numbers of ids prove: the server counts the events of a millisecond from 0.

So an id `…-190` tells of 190 earlier events in its millisecond, and two ids of one millisecond tell
how many stand between them. That holds for ids as Redis streams make them. A window with a hole in
its numbers shows that a stream's ids are counted in another way, or that single events were
deleted, and an id that shows up after a greater one that they do not rise. From then on a stream's
numbers prove nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from pipedream_source.core.streams.event_id import EventId


def count_missing(after: EventId, before: EventId, seen: Collection[EventId]) -> int:
    """Count the ids that the numbers say stand before an id in its millisecond.

    Args:
        after: the last id known before it; ids up to it are not missing.
        before: the id whose number counts them.
        seen: ids that were seen although the window does not show them.
    """
    first = after.seq + 1 if after.ms == before.ms else 0
    known = sum(i.ms == before.ms and first <= i.seq < before.seq for i in seen)
    return max(before.seq - first - known, 0)


# More than any server takes in within a millisecond, or while its clock stands still.
_MOST = 10**9


def are_misnumbered(ids: Sequence[EventId]) -> bool:
    """Tell whether the numbers of ascending ids leave one out above the oldest, or are no count."""
    greatest = max([seq for _, seq in ids], default=0)
    if not 0 < greatest <= _MOST:
        return greatest > 0
    return any(b.seq != (a.seq + 1 if a.ms == b.ms else 0) for a, b in pairwise(ids))
