"""Look before loading: what is there, how fast it fills, what a schedule would lose.

Nothing is written, here or in Pipedream. What is known of a stream is its window alone, so the
outlook says what the same pace would lose, not what will come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pipedream_source.core.polls.pace import measure
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import StreamState
from pipedream_source.exceptions import GaveUp, PipedreamError
from pipedream_source.resources.polls.channels import parts_of
from pipedream_source.resources.polls.outcome import assess
from pipedream_source.resources.polls.polling import Poll, Stream, poll_all
from pipedream_source.resources.session.discovery import (
    ERRORS,
    Inventory,
    source_streams,
    workflow_streams,
)
from pipedream_source.resources.session.session import Session
from pipedream_source.running.exit_codes import FAILED, OK, SIGNALED, SOME_FAILED
from pipedream_source.running.signals import caught_signals
from pipedream_source.settings import QUIET_POLL_S, WINDOW_SIZE

_HOUR_S = 3_600
# Half a window within one interval leaves room for a burst twice as dense as any that was seen.
_ROOM = WINDOW_SIZE // 2


class Outlook(StrEnum):
    """What a schedule means for a stream, if it goes on as its window shows."""

    SAFE = "safe"
    AT_RISK = "at risk"  # over half a window came within one interval
    LOSES = "loses"  # more than a window comes in each interval
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class StreamSurvey:
    """What one window tells of its stream.

    Attributes:
        window_size: events in the window.
        last_event_at: the newest of them.
        events_per_hour: the mean pace within the window; None when that cannot be told.
        full_in_s: seconds in which 100 events pass at that pace.
        busiest: the most events within any stretch as long as the interval; the window's size
            caps it.
        lost_per_interval: about so many events are lost in each interval at the mean pace.
        safe_every_s: the shortest time in which half a window came; None when none did.
        error: why it could not be read.
    """

    emitter_id: str
    channel: str
    outlook: Outlook
    window_size: int | None = None
    last_event_at: datetime | None = None
    events_per_hour: float | None = None
    full_in_s: float | None = None
    busiest: int | None = None
    lost_per_interval: int = 0
    safe_every_s: float | None = None
    error: str | None = None


@dataclass(slots=True)
class Survey:
    """What `check` found.

    Attributes:
        every_s: the interval that the outlook is for.
        user: the answer of GET /users/me.
        inventory: what the lists brought.
        streams: every stream that was asked for, in order.
        names: names of sources and workflows by id, where known.
        signal: number of the signal that ended it; 0 for none.
    """

    every_s: float
    user: Mapping[str, Any] = field(default_factory=dict)
    inventory: Inventory = field(default_factory=Inventory)
    streams: list[StreamSurvey] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    signal: int = 0

    @property
    def readable(self) -> list[StreamSurvey]:
        """The streams that could be read."""
        return [s for s in self.streams if s.outlook is not Outlook.UNREADABLE]

    @property
    def advised_every_s(self) -> float | None:
        """The longest interval that is safe for all; None when nothing limits it."""
        return min((s.safe_every_s for s in self.readable if s.safe_every_s), default=None)

    @property
    def exit_code(self) -> int:
        """The exit code: signal > 1 (nothing readable) > 3 (something is not) > 0."""
        if self.signal:
            return SIGNALED + self.signal
        if self.streams and not self.readable:
            return FAILED
        whole = len(self.readable) == len(self.streams) and not self.inventory.failed_lists
        return OK if whole else SOME_FAILED


def survey(session: Session, *, every_s: float) -> Survey:
    """Read every window once and say what a poll every so many seconds would lose.

    Args:
        session: what to ask; who watches its tally is told.
        every_s: the interval between polls that is planned.

    Raises:
        ConfigurationError: the key is wrong.
        ApiError: the API cannot be reached.
    """
    found = Survey(every_s)
    with caught_signals(session.client.limiter.stop) as interrupt:
        try:
            _ask(session, found)
        except GaveUp:
            if not interrupt.number:
                raise
    found.signal = interrupt.number
    if session.tally.fatal is not None:
        raise session.tally.fatal
    return found


def _ask(session: Session, found: Survey) -> None:
    found.user = session.account.check_key()
    found.inventory = session.account.take_inventory({})
    session.account.refuse_to_poll_nothing()
    found.names = _source_names(found.inventory)
    surveyed = _survey_all(session, found)
    found.streams = sorted(surveyed, key=lambda s: (s.emitter_id, s.channel))


def _survey_all(session: Session, found: Survey) -> Iterator[StreamSurvey]:
    """Poll until errors name no workflow that was not polled yet."""
    seen: set[Stream] = set()
    while streams := [s for s in _streams(session, found.inventory) if s not in seen]:
        seen.update(streams)
        session.tally.expect(streams)
        workers = session.options.max_workers
        for poll in poll_all(session.client, streams, known={}, max_workers=workers):
            session.tally.note(poll)
            yield from (_judged(part, found) for part in parts_of(poll, seen))


def _streams(session: Session, inventory: Inventory) -> Iterator[Stream]:
    selection = session.selection
    yield from source_streams(inventory, selection)
    for errors in (False, True):
        yield from workflow_streams(inventory, selection, errors=errors)


def _judged(poll: Poll, found: Survey) -> StreamSurvey:
    if poll.error is not None:
        return _unreadable(poll.stream, poll.error)
    outcome = assess(
        poll, StreamState(), full_window=False, since_ms=None, quiet_poll_s=QUIET_POLL_S
    )
    if outcome.warning:
        return _unreadable(poll.stream, PipedreamError(outcome.warning))
    for workflow_id, name in outcome.workflows.items():
        found.inventory.found_by.setdefault(workflow_id, set()).add(ERRORS)
        if name:
            found.names[workflow_id] = name
    ids = sorted({row.place for row in poll.walk.rows})
    return outlook_of(poll.stream, ids, every_s=found.every_s)


def _unreadable(stream: Stream, error: PipedreamError) -> StreamSurvey:
    return StreamSurvey(stream.emitter_id, stream.channel, Outlook.UNREADABLE, error=str(error))


def outlook_of(stream: Stream, ids: Sequence[EventId], *, every_s: float) -> StreamSurvey:
    """Say what a stream's window means for a poll every so many seconds.

    Args:
        stream: whose window it is.
        ids: the window's ids, ascending.
        every_s: seconds between polls.
    """
    per_hour = measure(ids).events_per_hour
    coming = per_hour * every_s / _HOUR_S if per_hour and len(ids) >= WINDOW_SIZE else 0.0
    most = busiest(ids, int(every_s * 1000))
    lost = max(round(coming) - WINDOW_SIZE, 0)
    outlook = Outlook.LOSES if lost else Outlook.AT_RISK if most > _ROOM else Outlook.SAFE
    return StreamSurvey(
        stream.emitter_id,
        stream.channel,
        outlook,
        window_size=len(ids),
        last_event_at=_time(ids[-1]) if ids else None,
        events_per_hour=per_hour,
        full_in_s=WINDOW_SIZE / per_hour * _HOUR_S if per_hour else None,
        busiest=most,
        lost_per_interval=lost,
        safe_every_s=_shortest(ids, _ROOM + 1),
    )


def busiest(ids: Sequence[EventId], stretch_ms: int) -> int:
    """Return the most events within any stretch of this length."""
    most = start = 0
    for end, last in enumerate(ids):
        while last.ms - ids[start].ms >= stretch_ms:
            start += 1
        most = max(most, end - start + 1)
    return most


def _shortest(ids: Sequence[EventId], count: int) -> float | None:
    """Return the seconds of the densest stretch of so many events."""
    spans = [ids[i + count - 1].ms - ids[i].ms for i in range(len(ids) - count + 1)]
    return min(spans) / 1000 if spans else None


def _source_names(inventory: Inventory) -> dict[str, str]:
    names = {key: item.get("name") for key, item in inventory.sources.items()}
    return {key: name for key, name in names.items() if isinstance(name, str) and name}


def _time(place: EventId) -> datetime | None:
    try:
        return datetime.fromtimestamp(place.ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
