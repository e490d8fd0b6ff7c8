"""The states that loads left in the destination: which are new to this machine, and which may go.

Load ids are times by the clock of the machine that loaded, so they do not tell which of two
machines' states is new. Each state lists the loads whose states it takes into account instead
(`seen` in the source's state), its own among them: whatever is not listed is news, and what is
listed may be removed, as a newer state has it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import dlt
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.common.versioned_state import decompress_state
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase

from pipedream_source.running.packages.undo import can_delete_rows
from pipedream_source.settings import MOST_SEEN_LOADS

Sql = SqlClientBase[object]
Sources = Mapping[str, Any]

_LOG = logging.getLogger("pipedream_source")
# dlt reads the newest only; the others are for whoever wants to know how it came about.
_KEPT_STATES = 10
# A load that was killed for good never completes; one that is at work now does.
_ABANDONED_AFTER_S = 7 * 86_400


class StoredState(NamedTuple):
    """A state in the destination.

    Attributes:
        load_id: the load that brought it.
        version: dlt's number, which counts the changes of one working folder.
        sources: the cursors of all streams, and what else the source keeps.
    """

    load_id: str
    version: int
    sources: dict[str, Any]


def last_load_of(sources: Sources) -> str:
    """Return the id of the last load that a state knows of; empty without one."""
    return str(sources.get("pipedream", {}).get("last_load_id", ""))


def seen_by(sources: Sources) -> list[str]:
    """Return the loads whose states a state takes into account, as far as it lists them."""
    found = sources.get("pipedream", {}).get("seen", [])
    return [str(load_id) for load_id in found] if isinstance(found, list) else []


def unseen_states(
    sql: Sql, pipeline_name: str, known: Collection[str]
) -> tuple[list[StoredState], list[str]]:
    """Read the states of completed loads that a machine does not know.

    Args:
        sql: at the destination.
        pipeline_name: whose states.
        known: loads of which nothing is to be read; at least one.

    Returns:
        The states, newest first, without those that another of them takes into account; and the
        loads of all.
    """
    states = sql.make_qualified_table_name("_dlt_pipeline_state")
    loads = sql.make_qualified_table_name("_dlt_loads")
    query = (
        f"SELECT s._dlt_load_id, s.state FROM {states} AS s "  # noqa: S608
        f"JOIN {loads} AS l ON l.load_id = s._dlt_load_id "
        f"WHERE s.pipeline_name = %s AND l.status = 0 AND s._dlt_load_id NOT IN {_marks(known)} "
        f"ORDER BY s._dlt_load_id DESC LIMIT {MOST_SEEN_LOADS}"
    )
    try:
        found = sql.execute_sql(query, pipeline_name, *known)
    except DestinationUndefinedEntity:
        return [], []
    unseen: list[StoredState] = []
    covered: set[str] = set()
    load_ids = [str(load_id) for load_id, _ in found or ()]
    for load_id, (_, text) in zip(load_ids, found or (), strict=True):
        if load_id not in covered:
            state = decompress_state(str(text))
            unseen.append(StoredState(load_id, state["_state_version"], state.get("sources", {})))
            covered.update(seen_by(unseen[-1].sources))
    return unseen, load_ids


def forget_old_states(pipeline: dlt.Pipeline, sql: Sql) -> None:
    """Keep the newest of the states that this machine's own one takes into account.

    Each holds the cursors of all streams. Those that it does not know stay, as other machines left
    them since, and so do those of other pipelines in the dataset, and files, of which dlt itself
    keeps the newest. What cannot be removed now is left for the next load, as this one is complete
    without it.
    """
    if not can_delete_rows(pipeline):
        return
    try:
        _delete_old_states(sql, pipeline.pipeline_name, pipeline.state.get("sources", {}))
    except DatabaseException as error:
        _LOG.debug("Old states stay in the destination: %s", error)


def _delete_old_states(sql: Sql, pipeline_name: str, sources: Sources) -> None:
    states = sql.make_qualified_table_name("_dlt_pipeline_state")
    loads = sql.make_qualified_table_name("_dlt_loads")
    query = (
        f"SELECT s._dlt_load_id, l.status FROM {states} AS s "  # noqa: S608
        f"LEFT JOIN {loads} AS l ON l.load_id = s._dlt_load_id WHERE s.pipeline_name = %s "
        "ORDER BY s._dlt_load_id DESC"
    )
    found = [(str(row[0]), row[1]) for row in sql.execute_sql(query, pipeline_name) or ()]
    own, seen = last_load_of(sources), seen_by(sources)
    known = [load_id for load_id, status in found if status == 0 and load_id in seen]
    # Behind another machine's clock, its own need not be among the highest.
    old = set(sorted(known, key=own.__eq__, reverse=True)[_KEPT_STATES:])
    old |= {load_id for load_id, status in found if status is None and _is_abandoned(load_id, own)}
    if old:
        delete = f"DELETE FROM {states} WHERE pipeline_name = %s AND _dlt_load_id IN {_marks(old)}"  # noqa: S608
        sql.execute_sql(delete, pipeline_name, *old)


def _is_abandoned(load_id: str, own: str) -> bool:
    try:
        return float(load_id) < float(own) - _ABANDONED_AFTER_S
    except ValueError:
        return False


def take_back_states(sql: Sql, pipeline_name: str, load_ids: Sequence[str]) -> None:
    """Remove the states that some loads brought."""
    if not load_ids:
        return
    states = sql.make_qualified_table_name("_dlt_pipeline_state")
    delete = f"DELETE FROM {states} WHERE pipeline_name = %s AND _dlt_load_id IN {_marks(load_ids)}"  # noqa: S608
    try:
        sql.execute_sql(delete, pipeline_name, *load_ids)
    except DestinationUndefinedEntity:
        return


def _marks(values: Collection[str]) -> str:
    return f"({', '.join(['%s'] * len(values))})"
