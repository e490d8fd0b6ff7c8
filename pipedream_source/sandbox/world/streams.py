"""One (emitter, channel) and the window of it that the API keeps.

"Once you send your 101st event, the 1st event will be automatically deleted": nothing else is
kept, so the count of all events ever emitted stands beside the window as the truth for tests.
Which one is the first, when one came late, is not documented: the oldest by its id, or by arrival.
"""

from __future__ import annotations

from bisect import insort
from copy import copy
from operator import attrgetter
from typing import Any

from pipedream_source.sandbox.protocol.ids import EventId, parse_event_id
from pipedream_source.sandbox.protocol.rows import Row

WINDOW_SIZE = 100
_by_key = attrgetter("key")


class Stream:
    """The retained rows of one stream, oldest first; `last` is the last id that its clock made.

    Attributes:
        arrivals: The same rows as they came; None where the oldest id is the first to go.
    """

    def __init__(self, emitter_id: str, channel: str, *, by_arrival: bool = False) -> None:
        self.emitter_id = emitter_id
        self.channel = channel
        self.rows: list[Row] = []
        self.arrivals: list[Row] | None = [] if by_arrival else None
        self.emitted = 0
        self.last = EventId(0, -1)

    def __deepcopy__(self, memo: dict[int, Any]) -> Stream:
        """Copy the window but not its rows, which never change."""
        twin = copy(self)
        twin.rows = self.rows[:]
        twin.arrivals = None if self.arrivals is None else self.arrivals[:]
        return twin

    def next_key(self, ms: int) -> EventId:
        """Take the next id at this time; ids only rise, so an earlier time counts as the last."""
        last = self.last
        self.last = EventId(ms, 0) if ms > last.ms else EventId(last.ms, last.seq + 1)
        return self.last

    def forced_key(self, row_id: str, now_ms: int) -> EventId:
        """Return the place of an id that the caller chose; one that is no id goes to the end.

        An id from the future leaves the stream's own ids where they are, as if another clock had
        made it.
        """
        key = parse_event_id(row_id)
        if key is None:
            return self.next_key(now_ms)
        if key.ms <= now_ms:
            self.last = max(self.last, key)
        return key

    def add(self, row: Row) -> None:
        """Keep a row and drop the oldest one over the window's size."""
        self.emitted += 1
        insort(self.rows, row, key=_by_key)
        if self.arrivals is not None:
            self.arrivals.append(row)
        if len(self.rows) > WINDOW_SIZE:
            self._drop_one()

    def _drop_one(self) -> None:
        if self.arrivals is None:
            del self.rows[0]
            return
        first = self.arrivals.pop(0)
        self.rows = [row for row in self.rows if row is not first]

    def delete(self, start: EventId | None = None, end: EventId | None = None) -> int:
        """Drop the rows from start to end, both included; return how many."""
        before = len(self.rows)

        def stays(row: Row) -> bool:
            return (start is not None and row.key < start) or (end is not None and row.key > end)

        self.rows = [*filter(stays, self.rows)]
        if self.arrivals is not None:
            self.arrivals = [*filter(stays, self.arrivals)]
        return before - len(self.rows)
