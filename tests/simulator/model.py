"""What the API keeps of each stream, and what is then known to be safe: the truth of the simulator.

Written from the API's documentation and from our promise alone; it shares no code with the
package, so that what one of them misreads, the other does not repeat.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

KEPT = 100


class Place(NamedTuple):
    """Where an id stands in its stream."""

    ms: int
    seq: int

    @classmethod
    def of(cls, event_id: str) -> Place:
        ms, _, seq = event_id.partition("-")
        return cls(int(ms), int(seq))


@dataclass(frozen=True, eq=False)
class Event:
    """An emitted event.

    Attributes:
        number: counts the events of its stream as they came, from 1.
        dated_ms: the time that its id tells, or of its arrival where the ids' clock stood still.
        is_late: it became visible later than its id tells.
    """

    id: str
    place: Place
    payload: str
    number: int
    dated_ms: int
    is_late: bool


@dataclass(frozen=True)
class Sighting:
    """What a poll that reached its end could see, and what had happened in the stream by then."""

    ids: frozenset[str]
    arrived: int
    deletions: int


_NOTHING = Sighting(frozenset(), 0, 0)


@dataclass(eq=False)
class Stream:
    """One stream from its first event on.

    Attributes:
        by_arrival: the 101st event replaces the first that came, not the one with the oldest id.
        events: all that was ever emitted, by id.
        kept: what the API shows, oldest id first.
        hidden: ids that were never shown: too old for the window when they came.
        deleted: ids that somebody deleted.
        excused: ids whose loss no poll can notice, see `_excuse`.
        first: the first poll whose rows are in the database; nothing is promised of before it.
        last: the latest such poll.
        waiting: polls whose rows wait for the database, in this machine's working folder.
        elsewhere: the same in the other machine's.
        was_contradicted: some poll may have been answered by a page that contradicts itself.
        was_cut_short: a killed load may have brought a part of its rows, and never the rest.
        is_cut_short: the same, and this machine's next load brings the rest.
        is_cut_elsewhere: the same of the other machine.
        safe: ids that such polls saw: they must be in the database.
        doubted: polls since `last` that may count or not, as their runs were killed.
    """

    emitter: str
    channel: str
    by_arrival: bool = False
    events: dict[str, Event] = field(default_factory=dict)
    kept: list[Event] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    excused: set[str] = field(default_factory=set)
    deletions: int = 0
    first: Sighting | None = None
    last: Sighting | None = None
    waiting: list[Sighting] = field(default_factory=list)
    elsewhere: list[Sighting] = field(default_factory=list)
    doubted: list[Sighting] = field(default_factory=list)
    was_doubted: bool = False
    was_cut_short: bool = False
    is_cut_short: bool = False
    is_cut_elsewhere: bool = False
    was_contradicted: bool = False
    safe: set[str] = field(default_factory=set)

    @property
    def arrived(self) -> int:
        return len(self.events)

    @property
    def newest(self) -> Place | None:
        return max((event.place for event in self.kept), default=None)

    def emit(
        self, event_id: str, payload: str, *, is_late: bool = False, dated_ms: int | None = None
    ) -> None:
        place = Place.of(event_id)
        dated_ms = place.ms if dated_ms is None else dated_ms
        event = Event(event_id, place, payload, self.arrived + 1, dated_ms, is_late)
        self.events[event_id] = event
        insort(self.kept, event, key=attrgetter("place"))
        if len(self.kept) <= KEPT:
            return
        gone = min(self.kept, key=attrgetter("number" if self.by_arrival else "place"))
        self.kept.remove(gone)
        if gone is event:
            self.hidden.add(event_id)

    def delete(self, start: Place | None = None, end: Place | None = None) -> None:
        """Delete what stands from start to end, both included."""
        gone = [
            event
            for event in self.kept
            if (start is None or start <= event.place) and (end is None or event.place <= end)
        ]
        self.deletions += bool(gone)
        self.deleted |= {event.id for event in gone}
        self.kept = [event for event in self.kept if event not in gone]

    def look(self) -> Sighting:
        """Return what a poll sees now."""
        return Sighting(frozenset(e.id for e in self.kept), self.arrived, self.deletions)

    def polled(self, sighting: Sighting, *, is_loaded: bool) -> None:
        """Note a poll that ended; its rows are in the database, or wait for it."""
        self.waiting.append(sighting)
        if is_loaded:
            self.settle()

    def settle(self) -> None:
        """Note that what waited for the database is in it."""
        for sighting in self.waiting:
            self.safe |= sighting.ids
            if self.last and (sighting.arrived, sighting.deletions) < (
                self.last.arrived,
                self.last.deletions,
            ):
                continue  # the other machine's came later and was loaded first
            self._excuse(sighting)
            self.first = self.first or sighting
            self.last = sighting
            self.doubted = [seen for seen in self.doubted if seen.arrived > sighting.arrived]
        self.waiting = []
        self.is_cut_short = False

    def change_machine(self) -> None:
        """Note that the other machine goes on, with what waits in its own working folder."""
        self.waiting, self.elsewhere = self.elsewhere, self.waiting
        self.is_cut_short, self.is_cut_elsewhere = self.is_cut_elsewhere, self.is_cut_short

    def doubt(self, sighting: Sighting) -> None:
        """Note a poll that may count or not."""
        self.doubted.append(sighting)
        self.was_doubted = self.is_cut_short = True

    def forget_waiting(self) -> None:
        """Note that what waited for the database was thrown away with the working folder."""
        self.was_cut_short |= self.was_doubted
        self.doubted += self.waiting
        self.waiting = []

    def _excuse(self, sighting: Sighting) -> None:
        """Excuse what is gone between an empty window and one that deletions made smaller.

        Nothing shows then that more than a hundred events came and that the oldest were evicted:
        a window that begins after an empty one is whole as far as anybody can tell.
        """
        before = [self.last or _NOTHING, *self.doubted]
        shrunk = len(sighting.ids) < KEPT and sighting.deletions > before[0].deletions
        if shrunk and any(not seen.ids for seen in before):
            known = {event.id for event in self.events.values() if event.number > before[0].arrived}
            self.excused |= known - sighting.ids

    def begins_late(self, event_id: str | None) -> bool:
        """Tell whether a window that begins with this event may lack younger ones.

        One that came late stays in a window by arrival when earlier ones are gone whose ids are
        higher: what was lost then reaches up to a minute further than anybody can tell.
        """
        event = self.events.get(event_id or "")
        return self.by_arrival and event is not None and event.is_late

    def owed(self) -> set[str]:
        """Return the ids that are in the database, or lie in a reported gap."""
        if self.first is None or self.last is None:
            return set()
        since = {
            event.id
            for event in self.events.values()
            if self.first.arrived < event.number <= self.last.arrived
        }
        return since - self.hidden - self.deleted - self.excused
