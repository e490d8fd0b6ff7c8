"""Two machines that load to one destination: whose cursor counts, and which gaps never were.

Each machine has a working folder of its own. dlt takes a stored state by its version number, which
counts the changes of one folder and says nothing about which of two saw more.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import dlt
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.common.versioned_state import decompress_state
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase

from pipedream_source.core.event_id import EventId
from pipedream_source.core.stream_state import StreamState, load_state
from pipedream_source.core.window import Verdict
from pipedream_source.resources.polling import Stream
from pipedream_source.resources.tables import EVENT_GAPS, EVENT_TABLES
from pipedream_source.running.undo import can_delete_rows

Sql = SqlClientBase[object]

_LOG = logging.getLogger("pipedream_source")
# dlt reads the newest only; the others are for whoever wants to know how it came about.
_KEPT_STATES = 10


class _Gap(NamedTuple):
    emitter_id: str
    channel: str
    after_id: str
    before_id: str
    verdict: str
    detected_at: datetime
    load_id: str


def take_over(pipeline: dlt.Pipeline, sql: Sql, load_ids: Sequence[str]) -> None:
    """Use the cursors that came with packages, where their run was killed before it saved them.

    Args:
        pipeline: its state is older than these packages.
        sql: at the destination.
        load_ids: of the packages, which are loaded.
    """
    states = sql.make_qualified_table_name("_dlt_pipeline_state")
    query = (
        f"SELECT state FROM {states} WHERE pipeline_name = %s "  # noqa: S608
        f"AND _dlt_load_id IN ({', '.join(['%s'] * len(load_ids))}) "
        "ORDER BY _dlt_load_id DESC LIMIT 1"
    )
    try:
        found = sql.execute_sql(query, pipeline.pipeline_name, *load_ids)
    except DestinationUndefinedEntity:
        return
    for (stored,) in found or ():
        late = decompress_state(str(stored))
        with pipeline.managed_state() as state:
            state["_state_version"] = max(state["_state_version"], late["_state_version"])
            state["sources"] = late["sources"]


def forget_old_states(pipeline: dlt.Pipeline, sql: Sql) -> None:
    """Keep the newest stored states only: each holds the cursors of all streams.

    Those of other pipelines in the dataset stay, and so do files, of which dlt itself keeps the
    newest. Only states of loads that were completed count: no other is ever restored. What cannot
    be removed now is left for the next load, as this one is complete without it.
    """
    if not can_delete_rows(pipeline):
        return
    try:
        _delete_old_states(sql, pipeline.pipeline_name)
    except DatabaseException as error:
        _LOG.debug("Old states stay in the destination: %s", error)


def _delete_old_states(sql: Sql, pipeline_name: str) -> None:
    states = sql.make_qualified_table_name("_dlt_pipeline_state")
    loads = sql.make_qualified_table_name("_dlt_loads")
    oldest = (
        f"SELECT s._dlt_load_id FROM {states} AS s "  # noqa: S608
        f"JOIN {loads} AS l ON l.load_id = s._dlt_load_id WHERE s.pipeline_name = %s "
        f"AND l.status = 0 ORDER BY s._dlt_load_id DESC LIMIT 1 OFFSET {_KEPT_STATES - 1}"
    )
    old = f"DELETE FROM {states} WHERE pipeline_name = %s AND _dlt_load_id < %s"  # noqa: S608
    for (load_id,) in sql.execute_sql(oldest, pipeline_name) or ():
        sql.execute_sql(old, pipeline_name, load_id)


def join_other_machines(
    pipeline: dlt.Pipeline, sql: Sql, since: str, drained: Sequence[str]
) -> bool:
    """Take into account what another machine has loaded since; tell whether one has.

    Args:
        pipeline: its state gets the newer cursor of each stream.
        sql: at the destination, which holds all loads that the state knows of.
        since: this machine's last load before them.
        drained: its packages that came late.
    """
    theirs = _newest_of_others(pipeline.pipeline_name, sql, since, drained)
    if theirs is None:
        return False
    ours = copy.deepcopy(dict(pipeline.state["sources"]))
    if drained and can_delete_rows(pipeline):
        _drop_refuted_gaps(sql, ours, since, drained)
    with pipeline.managed_state() as state:
        state["_state_version"] = max(state["_state_version"], theirs["_state_version"])
        if _load_id(theirs["sources"]) > _load_id(ours):
            state["sources"] = newest_cursors(theirs["sources"], ours)
        else:
            state["sources"] = newest_cursors(ours, theirs["sources"])
    return True


def newest_cursors(base: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return one state of the sources with those streams of another that were polled later.

    The later of two polls is the better cursor whatever it started from: all that its window
    showed is stored, and so is all that it knew.

    Args:
        base: is changed and returned; what is no cursor stays as it is.
        other: the other one.
    """
    target, source = base.setdefault("pipedream", {}), other.get("pipedream", {})
    target["workflows"] = {**source.get("workflows", {}), **target.get("workflows", {})}
    resources = target.setdefault("resources", {})
    for name, key, packed in _packed_streams(other):
        streams = resources.setdefault(name, {}).setdefault("streams", {})
        if key not in streams or _polled_at(packed) > _polled_at(streams[key]):
            streams[key] = packed
    return base


def _newest_of_others(name: str, sql: Sql, since: str, drained: Sequence[str]) -> Any:
    """Return the newest stored state that this machine did not write; None without one."""
    states = sql.make_qualified_table_name("_dlt_pipeline_state")
    loads = sql.make_qualified_table_name("_dlt_loads")
    mine = ", ".join(["%s"] * (len(drained) + 1))
    query = (
        f"SELECT s.state FROM {states} AS s JOIN {loads} AS l ON l.load_id = s._dlt_load_id "  # noqa: S608
        "WHERE s.pipeline_name = %s AND l.status = 0 AND s._dlt_load_id > %s "
        f"AND s._dlt_load_id NOT IN ({mine}) ORDER BY s._dlt_load_id DESC LIMIT 1"
    )
    try:
        found = sql.execute_sql(query, name, since, since, *drained)
    except DestinationUndefinedEntity:
        return None
    return decompress_state(str(found[0][0])) if found else None


def _load_id(sources: Mapping[str, Any]) -> str:
    return str(sources.get("pipedream", {}).get("last_load_id", ""))


def _packed_streams(sources: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for name, resource in sources.get("pipedream", {}).get("resources", {}).items():
        for key, packed in resource.get("streams", {}).items():
            yield name, key, packed


def _unpacked(packed: Any) -> StreamState:
    try:
        return load_state(packed)
    except (ValueError, KeyError):
        return StreamState()


def _polled_at(packed: Any) -> int:
    return _unpacked(packed).polled_at_ms or 0


def _drop_refuted_gaps(
    sql: Sql, ours: Mapping[str, Any], since: str, drained: Sequence[str]
) -> None:
    """Remove the gaps that one machine tells of and the other one's loads close.

    While the database was locked, neither could know what the other had polled. A gap ends with
    the oldest event of a window. Where the other machine had seen that event or a later one, the
    events between are loaded too, or stand in a gap of its own, which then stays.
    """
    gaps = _gaps_since(sql, since)
    late = [gap for gap in gaps if gap.load_id in drained]
    seen = {Stream.from_key(key): _unpacked(p) for _, key, p in _packed_streams(ours)}
    refuted = [gap for gap in late if _is_loaded(sql, gap, since, drained)]
    told = {gap[:2] for gap in late}
    refuted += [
        gap
        for gap in gaps
        if gap.load_id not in drained and gap[:2] not in told and _covers(seen, gap)
    ]
    name = sql.make_qualified_table_name(EVENT_GAPS.name)
    key = " AND ".join(f"{column} = %s" for column in EVENT_GAPS.key)
    for gap in refuted:
        sql.execute_sql(f"DELETE FROM {name} WHERE {key}", *gap[: len(EVENT_GAPS.key)])  # noqa: S608


def _gaps_since(sql: Sql, since: str) -> list[_Gap]:
    name = sql.make_qualified_table_name(EVENT_GAPS.name)
    query = (
        f"SELECT {', '.join(_Gap._fields[:-1])}, _dlt_load_id FROM {name} "  # noqa: S608
        "WHERE _dlt_load_id > %s AND before_id <> '' AND verdict IN (%s, %s)"
    )
    found = sql.execute_sql(query, since, Verdict.OVERRUN.value, Verdict.PURGED.value)
    return [_Gap(*row) for row in found or ()]


def _is_loaded(sql: Sql, gap: _Gap, since: str, drained: Sequence[str]) -> bool:
    """Tell whether another machine had loaded the event that ends a gap."""
    mine = ", ".join(["%s"] * len(drained))
    for table in EVENT_TABLES:
        query = (
            f"SELECT 1 FROM {sql.make_qualified_table_name(table.name)} "  # noqa: S608
            "WHERE emitter_id = %s AND channel = %s AND id = %s AND _dlt_load_id > %s "
            f"AND _dlt_load_id NOT IN ({mine})"
        )
        given = (gap.emitter_id, gap.channel, gap.before_id, since, *drained)
        if sql.execute_sql(query, *given):
            return True
    return False


def _covers(seen: Mapping[Stream, StreamState], gap: _Gap) -> bool:
    """Tell whether this machine's polls overlapped one another from one end of a gap to the other.

    It is not enough that they went beyond it: after a kill the gap may be this machine's own.
    """
    state = seen.get(Stream(gap.emitter_id, gap.channel), StreamState())
    after, before = EventId.parse(gap.after_id), EventId.parse(gap.before_id)
    stretch, last = state.stretch, state.last_loaded_id
    if not (after and before and stretch and last):
        return False
    return stretch.from_id <= after and last >= before
