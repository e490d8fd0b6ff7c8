"""Delayed emits: until it is due, an event stands in the emitter's `$in` channel.

The channel is listed and deleted like any other; an event deleted from it is never emitted.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping

import msgspec

from pipedream_source.sandbox.content.payloads import Payload
from pipedream_source.sandbox.world.emitters import Emitter
from pipedream_source.sandbox.world.router import Emitted

QUEUE = "$in"


class Delayed(msgspec.Struct, order=True, frozen=True):
    """An event in a queue; the earliest comes first, then the one queued first."""

    due_ms: int
    number: int
    emitter_id: str
    row_id: str
    channel: str


class Queues:
    """The delayed emits of all emitters."""

    def __init__(self) -> None:
        self.waiting: list[Delayed] = []
        self.queued = 0

    def add(self, emitter_id: str, row_id: str, channel: str, *, due_ms: int) -> None:
        """Plan the emit of a row that stands in the emitter's queue."""
        self.queued += 1
        heapq.heappush(self.waiting, Delayed(due_ms, self.queued, emitter_id, row_id, channel))

    def take_due(self, emitters: Mapping[str, Emitter], now_ms: int) -> Iterator[Emitted]:
        """Emit what is due by now, and yield each event before the next is emitted."""
        while self.waiting and self.waiting[0].due_ms <= now_ms:
            delayed = heapq.heappop(self.waiting)
            emitter = emitters.get(delayed.emitter_id)
            if emitter and (emitted := _emit(emitter, delayed)):
                yield emitted


def _emit(emitter: Emitter, delayed: Delayed) -> Emitted | None:
    """Move a row from the emitter's queue to its channel, unless it was deleted meanwhile."""
    queue = emitter.stream(QUEUE)
    row = next((row for row in queue.rows if row.id == delayed.row_id), None)
    if row is None:
        return None
    queue.delete(row.key, row.key)
    key = emitter.place(delayed.channel, delayed.due_ms)
    emitter.add(delayed.channel, key, Payload(row.event, {}), rng=emitter.rng)
    return Emitted(emitter, delayed.channel, row.event, delayed.due_ms)
