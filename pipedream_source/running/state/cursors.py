"""Machines that load to one destination: whose cursor of a stream counts.

Each machine has a working folder of its own. dlt takes a stored state by its version number, which
counts the changes of one folder and says nothing about which of two saw more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dlt
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.common.versioned_state import decompress_state
from dlt.destinations.sql_client import SqlClientBase

from pipedream_source.core.streams.stream_state import Begin, StreamState
from pipedream_source.running.packages.undo import can_delete_rows
from pipedream_source.running.state.refuted_gaps import drop_refuted_gaps, packed_streams, unpacked
from pipedream_source.running.state.stored_states import last_load_of, seen_by, unseen_states
from pipedream_source.settings import MOST_SEEN_LOADS

Sql = SqlClientBase[object]


def take_over(pipeline: dlt.Pipeline, sql: Sql, load_ids: Sequence[str]) -> None:
    """Use the cursors that came with packages, where their run was killed before it saved them.

    Args:
        pipeline: its state is older than these packages.
        sql: at the destination.
        load_ids: of the packages, which are loaded; all of this machine, whose load ids rise.
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


def join_other_machines(pipeline: dlt.Pipeline, sql: Sql, drained: Sequence[str]) -> bool:
    """Take into account what other machines have loaded; tell whether that moved a cursor.

    Args:
        pipeline: its state gets the better cursor of each stream.
        sql: at the destination, which holds all loads that the state knows of.
        drained: its packages that came late.
    """
    ours = dict(pipeline.state["sources"])
    known = {*seen_by(ours), last_load_of(ours), *drained}
    theirs, load_ids = unseen_states(sql, pipeline.pipeline_name, known)
    if not theirs:
        return False
    if drained and can_delete_rows(pipeline):
        drop_refuted_gaps(sql, ours, theirs, drained)
    before = {(name, key): packed for name, key, packed in packed_streams(ours)}
    # Whoever knew another's load has a higher id, see `_keep_load_ids_rising`.
    newest, *others = sorted(
        [ours, *(state.sources for state in theirs)], key=last_load_of, reverse=True
    )
    seen = [*seen_by(ours), *load_ids]
    for other in others:
        newest = joined(newest, other)
    newest["pipedream"]["seen"] = seen[-MOST_SEEN_LOADS:]
    with pipeline.managed_state() as state:
        versions = (state["_state_version"], *(one.version for one in theirs))
        state["_state_version"] = max(versions)
        state["sources"] = newest
    return any(before.get((n, key)) != packed for n, key, packed in packed_streams(newest))


def joined(base: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return one state of the sources with the better cursor of each stream of two.

    Args:
        base: is changed and returned; what is no cursor stays as it is.
        other: the other one.
    """
    target, source = base.setdefault("pipedream", {}), other.get("pipedream", {})
    target["workflows"] = {**source.get("workflows", {}), **target.get("workflows", {})}
    if last_load_of(other) not in seen_by(base):
        _doubt_digests(target, source)
    resources = target.setdefault("resources", {})
    for name, key, packed in packed_streams(other):
        streams = resources.setdefault(name, {}).setdefault("streams", {})
        streams[key] = better_cursor(streams[key], packed) if key in streams else packed
    return base


def _doubt_digests(target: dict[str, Any], source: Mapping[str, Any]) -> None:
    """Let objects be written again of which two machines that knew nothing of each other differ."""
    theirs = source.get("resources", {})
    for name, resource in target.get("resources", {}).items():
        other = theirs.get(name, {})
        if "digest" in resource and other.get("digest", "") != resource["digest"]:
            resource["digest"] = ""
        if "components" in resource:
            same = other.get("components", {}).items()
            known = resource["components"].items()
            resource["components"] = {key: read for key, read in known if (key, read) in same}
    if source.get("objects") != target.get("objects"):
        target.pop("objects", None)


def better_cursor(ours: Any, theirs: Any) -> Any:
    """Return that one of two packed states of a stream from which nothing is lost unseen.

    The later of two polls is the better cursor whatever it started from: all that its window
    showed is stored, and all that it missed since its own last poll is told. Not so where it was a
    first poll, whose window does not reach down to what the other one knew: what came in between
    is told by the next poll from the older cursor.
    """
    if ours == theirs:
        return ours
    mine, other = unpacked(ours), unpacked(theirs)
    if (other.polled_at_ms or 0) > (mine.polled_at_ms or 0):
        return ours if _knew_nothing_of(mine, other) else theirs
    return theirs if _knew_nothing_of(other, mine) else ours


def _knew_nothing_of(earlier: StreamState, later: StreamState) -> bool:
    """Tell whether a later cursor's polls began after another's, with a gap that nobody told."""
    stretch, polled_at, last = later.stretch, earlier.polled_at_ms, earlier.last_loaded_id
    if stretch is None or stretch.begins is not Begin.WINDOW or polled_at is None:
        return False
    return stretch.opened_at_ms > polled_at and (last is None or stretch.from_id > last)
