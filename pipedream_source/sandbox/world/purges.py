"""Deletions that were accepted with 202 and take effect later, as the switch says.

"Deletion happens asynchronously" (Delete source events). As the sandbox's clock may stand still,
later is not a time but a read: the next read of the stream still shows the rows, the one after it
no longer does. What is emitted after the deletion was accepted is not deleted.
"""

from __future__ import annotations

import msgspec

from pipedream_source.sandbox.protocol.ids import EventId, parse_event_id
from pipedream_source.sandbox.world.emitters import Emitter

CLOCK_LAG_MS = 2_000


class Purge(msgspec.Struct):
    """One accepted deletion on one channel.

    Attributes:
        emitter_id: Whose events go.
        channel: From which channel.
        start: The first id to go, or None for the oldest.
        end: The last id to go: never newer than the newest when it was accepted.
        reads_left: How many reads still show the rows.
        due_ms: The clock's time from which they are gone; None counts reads only.
    """

    emitter_id: str
    channel: str
    start: str | None
    end: str
    reads_left: int
    due_ms: int | None = None


class Purges:
    """The deletions that still show, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[Purge] = []

    def accept(
        self,
        emitter: Emitter,
        channels: list[str],
        ends: tuple[EventId | None, EventId | None],
        *,
        mode: str,
        now_ms: int,
    ) -> None:
        """Take a deletion on; under `at_once` it is done now."""
        start, end = ends
        for channel in channels:
            rows = emitter.stream(channel).rows
            if not rows:
                continue
            last = rows[-1].key if end is None else min(end, rows[-1].key)
            purge = Purge(emitter.id, channel, None if start is None else str(start), str(last), 1)
            if mode == "at_once":
                _carry_out(purge, emitter)
                continue
            if mode == "clock":
                purge.due_ms = now_ms + CLOCK_LAG_MS
            self.waiting.append(purge)

    def settle(self, emitter: Emitter, channel: str, now_ms: int) -> None:
        """Carry out what is due before a stream is read, and count the read."""
        place = (emitter.id, channel)
        for purge in [p for p in self.waiting if (p.emitter_id, p.channel) == place]:
            due = purge.reads_left <= 0 if purge.due_ms is None else now_ms >= purge.due_ms
            if due:
                self.waiting.remove(purge)
                _carry_out(purge, emitter)
            purge.reads_left -= 1


def _carry_out(purge: Purge, emitter: Emitter) -> None:
    start = parse_event_id(purge.start) if purge.start else None
    emitter.stream(purge.channel).delete(start, parse_event_id(purge.end))
