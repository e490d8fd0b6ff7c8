"""Gaps that one machine tells of and the polls of another one close.

While the database is locked, no machine can know what the others polled. A gap ends with the oldest
event of a window. Where another machine's polls had come as far as that event, the events between
are loaded too, or stand in a gap of its own, which then stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.destinations.sql_client import SqlClientBase

from pipedream_source.core.polls.window import Verdict
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import Begin, StreamState, load_state
from pipedream_source.resources.polls.polling import Stream
from pipedream_source.resources.schema.tables import EVENT_GAPS, STREAM_COVERAGE
from pipedream_source.running.state.stored_states import StoredState

Sql = SqlClientBase[object]
States = Mapping[Stream, StreamState]


class _Gap(NamedTuple):
    emitter_id: str
    channel: str
    after_id: str
    before_id: str
    verdict: str
    detected_at: datetime
    load_id: str

    @property
    def stream(self) -> Stream:
        return Stream(self.emitter_id, self.channel)


def drop_refuted_gaps(
    sql: Sql, ours: Mapping[str, Any], theirs: Sequence[StoredState], drained: Sequence[str]
) -> None:
    """Remove the gaps of this machine's late packages and of other machines that others close.

    Args:
        sql: at the destination.
        ours: this machine's state of the sources.
        theirs: states that it does not know yet.
        drained: this machine's packages that came late.
    """
    gaps = _gaps_from(sql, min([*drained, *(state.load_id for state in theirs)]))
    late = [gap for gap in gaps if gap.load_id in drained]
    told = {gap.stream for gap in late}
    seen = [_streams_of(state.sources) for state in theirs] if late else []
    refuted = [gap for gap in late if _is_passed(gap, seen) and not _begins_within(sql, gap)]
    own = _streams_of(ours)
    refuted += [
        gap
        for gap in gaps
        if gap.load_id not in drained and gap.stream not in told and _covers(own, gap)
    ]
    name = sql.make_qualified_table_name(EVENT_GAPS.name)
    key = " AND ".join(f"{column} = %s" for column in EVENT_GAPS.key)
    for gap in refuted:
        sql.execute_sql(f"DELETE FROM {name} WHERE {key}", *gap[: len(EVENT_GAPS.key)])  # noqa: S608


def packed_streams(sources: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield the packed state of each stream, with the names of its resource and its key."""
    for name, resource in sources.get("pipedream", {}).get("resources", {}).items():
        for key, packed in resource.get("streams", {}).items():
            yield name, key, packed


def unpacked(packed: Any) -> StreamState:
    """Return a stream's state; one that cannot be read knows nothing."""
    try:
        return load_state(packed)
    except (ValueError, KeyError):
        return StreamState()


def _streams_of(sources: Mapping[str, Any]) -> States:
    return {Stream.from_key(key): unpacked(p) for _, key, p in packed_streams(sources)}


def _gaps_from(sql: Sql, load_id: str) -> list[_Gap]:
    """Read the gaps of these loads; of a machine whose clock is behind, some of them may stay."""
    name = sql.make_qualified_table_name(EVENT_GAPS.name)
    query = (
        f"SELECT {', '.join(_Gap._fields[:-1])}, _dlt_load_id FROM {name} "  # noqa: S608
        "WHERE _dlt_load_id >= %s AND before_id <> '' AND verdict IN (%s, %s)"
    )
    found = sql.execute_sql(query, load_id, Verdict.OVERRUN.value, Verdict.PURGED.value)
    return [_Gap(*row) for row in found or ()]


def _is_passed(gap: _Gap, seen: Sequence[States]) -> bool:
    """Tell whether the polls of another machine had come as far as the event that ends a gap."""
    before = EventId.parse(gap.before_id)
    lasts = [states[gap.stream].last_loaded_id for states in seen if gap.stream in states]
    return before is not None and any(last >= before for last in lasts if last)


def _begins_within(sql: Sql, gap: _Gap) -> bool:
    """Tell whether some machine first polled the stream behind the begin of a gap.

    It knows nothing of what came before.
    """
    name = sql.make_qualified_table_name(STREAM_COVERAGE.name)
    query = f"SELECT from_id FROM {name} WHERE emitter_id = %s AND channel = %s AND begins <> %s"  # noqa: S608
    try:
        found = sql.execute_sql(query, gap.emitter_id, gap.channel, Begin.GAP.value) or ()
    except DestinationUndefinedEntity:
        return True
    after, begins = EventId.parse(gap.after_id), [EventId.parse(str(row[0])) for row in found]
    return after is None or any(begin is None or begin > after for begin in begins)


def _covers(seen: States, gap: _Gap) -> bool:
    """Tell whether this machine's polls overlapped one another from one end of a gap to the other.

    It is not enough that they went beyond it: after a kill the gap may be this machine's own.
    """
    state = seen.get(gap.stream, StreamState())
    after, before = EventId.parse(gap.after_id), EventId.parse(gap.before_id)
    stretch, last = state.stretch, state.last_loaded_id
    if not (after and before and stretch and last):
        return False
    return stretch.from_id <= after and last >= before
