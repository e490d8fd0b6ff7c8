"""Ids that come again with another event: the first stays stored, the other is quarantined."""

from __future__ import annotations

from collections.abc import Sequence

from pipedream_source.api.pages.event_rows import BadRow
from pipedream_source.core.polls.window import Judgement
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.repeats import Digests, changed, digest_of, keep
from pipedream_source.core.streams.stream_state import StreamState
from pipedream_source.resources.polls.polling import Poll, Stream

_NAMED = 5
_AGAIN = "the id came again with another event; the first stays stored"


def repeats(
    poll: Poll, before: StreamState, verdict: Judgement
) -> tuple[Digests, Sequence[BadRow], str | None]:
    """Find ids that came again with another event.

    Returns:
        The digests to keep, all rows for quarantine, and what to tell of; None for nothing new.
    """
    kept = before.remembered | verdict.state.remembered
    rows = {row.place: row for row in poll.walk.rows if row.place in kept}
    shown = {place: digest_of(row.event or b"") for place, row in rows.items()}
    again = changed(before.digests, shown)
    bad = [*poll.walk.bad, *(BadRow.under_a_taken_id(rows[i], _AGAIN) for i in again)]
    # An id that stands twice in a window stays so for long: it is told of when it is new.
    twice = {row.place for row in poll.walk.bad if row.is_taken and row.place}
    taken = sorted({*again, *twice.intersection(verdict.fresh)})
    warning = _taken(poll.stream, taken) if taken else None
    return keep(before.digests, shown, verdict.state.remembered), bad, warning


def _taken(stream: Stream, ids: Sequence[EventId]) -> str:
    """Say which ids came again with another event, as after a failover of the API."""
    named = ", ".join(map(str, ids[:_NAMED])) + (", …" if len(ids) > _NAMED else "")
    many = "1 id" if len(ids) == 1 else f"{len(ids)} ids"
    return (
        f"{stream}: {many} came again with another event ({named}); the first event stays in its "
        "table, the other is in `quarantine`, where you can read it"
    )
