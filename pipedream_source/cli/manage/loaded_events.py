"""Which events of a source are loaded: what may be deleted without losing any.

A deletion without an event name takes "all events associated with a source" (section "Delete
source events"), perhaps those of channels that nobody knows of. So a channel is always named, and
the request never reaches further than its newest loaded event: what comes while it is on its way
is out of its reach.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipedream_source.cli.output.console import plural
from pipedream_source.cli.read.database import open_database
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import PipedreamError

if TYPE_CHECKING:
    from pipedream_source.running.destination.target import Target
    from pipedream_source.running.maintenance.deletions import Deleted

_NEWEST = """\
SELECT id FROM source_event_summaries
WHERE emitter_id = ? AND (? IS NULL OR channel = ?)
  AND split_part(id, '-', 1)::HUGEINT * 100000000000000000000
    + split_part(id, '-', 2)::HUGEINT BETWEEN ?::HUGEINT AND ?::HUGEINT
ORDER BY emitted_at DESC, split_part(id, '-', 2)::HUGEINT DESC LIMIT 1"""
_STORED = "SELECT channel, id FROM source_event_summaries WHERE emitter_id = ? AND id IN ({marks})"
_CHANNELS = "SELECT DISTINCT channel FROM stream_status WHERE emitter_id = ?"
#: The channels that any source may have: the default one, errors, logs, the queue of delayed emits.
EVERYWHERE = ("", "$errors", "$logs", "$in")
_FIRST, _LAST = EventId(0, 0), EventId(10**15 - 1, 10**20 - 1)
_NAMED = 5


class NotLoaded(PipedreamError):
    """Events that are not in the database would be deleted: nothing was."""


class Held(NamedTuple):
    """An event that the API holds."""

    channel: str
    id: str


@dataclass(frozen=True, slots=True)
class EventRange:
    """The events of a source from one id to another, both included.

    Attributes:
        source_id: the source.
        channel: the event name; empty for the default channel, None for all of them.
        start, end: None leaves that end open.
    """

    source_id: str
    channel: str | None = None
    start: EventId | None = None
    end: EventId | None = None

    def held(self, event: Mapping[str, Any], asked: str) -> Held | None:
        """Return an event of the API if it is in it; one without a readable id may be.

        Args:
            event: as the API sent it.
            asked: the channel that was asked for, for an event that names none.
        """
        metadata = event.get("metadata")
        name = metadata.get("name") if isinstance(metadata, Mapping) else None
        channel = name if isinstance(name, str) else asked
        place = EventId.parse(str(event.get("id")))
        inside = place is None or (self.start or _FIRST) <= place <= (self.end or _LAST)
        is_wanted = inside and self.channel in (None, channel)
        return Held(channel, str(event.get("id"))) if is_wanted else None

    def before(self, moment_ms: int) -> EventRange:
        """Return the part of it that is older than a time in Unix milliseconds."""
        last = EventId(moment_ms - 1, _LAST.seq)
        return replace(self, end=min(self.end or last, last))

    def arguments(self) -> dict[str, Any]:
        """Return it as `delete_events` takes it."""
        return {
            "source_id": self.source_id,
            "start_id": str(self.start) if self.start else None,
            "end_id": str(self.end) if self.end else None,
            "event_name": self.channel,
        }


@dataclass(frozen=True, slots=True)
class LoadedEvents:
    """A DuckDB file with loaded events; it is never held open, as a load may want it."""

    database: Path
    dataset: str

    def up_to_newest(self, span: EventRange) -> EventRange | None:
        """Return a range that ends with its newest loaded event; None when none is loaded."""
        ends = _number(span.start or _FIRST), _number(span.end or _LAST)
        with open_database(self.database, self.dataset) as reader:
            channel = span.channel
            rows = reader.rows(_NEWEST, span.source_id, channel, channel, *ends)
        newest = EventId.parse(rows[0]["id"]) if rows else None
        return replace(span, end=newest) if newest else None

    def channels(self, source_id: str) -> list[str]:
        """Return the channels of a source that anything is known of."""
        with open_database(self.database, self.dataset) as reader:
            polled = [row["channel"] for row in reader.rows(_CHANNELS, source_id)]
        return sorted({*EVERYWHERE, *polled})

    @property
    def target(self) -> Target:
        """The place that loads write to."""
        from pipedream_source.running.destination.target import Target

        return Target(database=self.database, dataset=self.dataset)

    def deletions(self, span: EventRange, held: Iterable[Held]) -> list[Deleted]:
        """Return what a request deletes, for each channel that has loaded events of it.

        Args:
            span: as it is requested.
            held: what the API holds of it, in every channel that the request may reach.
        """
        from pipedream_source.running.maintenance.deletions import Deleted

        counts = Counter(event.channel for event in held)
        ends = {c: self.up_to_newest(replace(span, channel=c)) for c in counts}
        return [
            Deleted(span.source_id, channel, span.start, found.end, counts[channel])
            for channel, found in ends.items()
            if found and found.end
        ]

    def check(self, source_id: str, held: Iterable[Held], *, only_loaded: bool) -> None:
        """Refuse events that the API holds and that are not loaded.

        Args:
            source_id: whose events they are.
            held: the events that would be gone.
            only_loaded: newer ones are left out already.

        Raises:
            NotLoaded: says which these are, and what to do.
        """
        wanted = list(held)
        stored = self._stored(source_id, sorted({event.id for event in wanted}))
        missing = [event for event in wanted if event not in stored]
        if missing:
            named = ", ".join(f"{e.id} {e.channel}".rstrip() for e in missing[:_NAMED])
            more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
            less = "" if only_loaded else "only what is loaded (--loaded), "
            raise NotLoaded(
                f"Nothing was deleted, as {self.database} lacks {plural(len(missing), 'event')} "
                f"that would be gone: {printable(named, 500)}{more}. Load what is missing "
                "first (`pipedream-source load`, with --channel where they have one), delete "
                f"{less}one channel (--event-name '' is the default one), or lose them "
                "(--even-unloaded)."
            )

    def _stored(self, source_id: str, ids: list[str]) -> set[Held]:
        if not ids:
            return set()
        query = _STORED.format(marks=", ".join("?" * len(ids)))
        with open_database(self.database, self.dataset) as reader:
            rows = reader.rows(query, source_id, *ids)
        return {Held(row["channel"], row["id"]) for row in rows}


def _number(place: EventId) -> str:
    """Return an id as one number, of at most 20 digits for its sequence.

    As a text: DuckDB 1.4.0 takes an integer of over 64 bits for a double, which rounds it.
    """
    return str(place.ms * 10**20 + place.seq)
