"""Detect what somebody removed from the destination since the last load; repair it and report it.

dlt takes tables that it once made for granted: without this a dropped one would come back with
what is new alone, in silence. The cursors are kept, as they tell what was seen; the windows of a
table that lost rows are read whole, and the destination's key sorts out what it still has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dlt
from dlt.common.schema import Schema
from dlt.destinations.job_client_impl import SqlJobClientBase

from pipedream_source.exceptions import ConfigurationError
from pipedream_source.resources.polls.polling import Stream
from pipedream_source.resources.schema.tables import COMPONENT_CODE, EVENT_TABLES
from pipedream_source.running.destination.errors import NO_SQL, is_passing
from pipedream_source.running.destination.target import Target
from pipedream_source.running.report import LoadReport
from pipedream_source.running.state.reread import add_to_reread
from pipedream_source.running.state.row_counts import (
    compare_rows,
    holds_load,
    noted_holdings,
)

_RESOURCE_OF = {COMPONENT_CODE.name: "components"}
_EVENTS = frozenset(table.name for table in EVENT_TABLES)


def mend_destination(pipeline: dlt.Pipeline, target: Target, report: LoadReport) -> set[str]:
    """Make again what is gone from the destination, and see to it that it is filled.

    Nothing is asked of a file that nobody wrote to. One that cannot be had now is left for the
    next run, one that was deleted or replaced to the cursors' own check.

    Args:
        pipeline: its working folder is held by this process's lock.
        target: where the rows go.
        report: is told what was taken out.

    Returns:
        The tables that were made again; see `yield_again`.

    Raises:
        ConfigurationError: a column without which rows cannot be told apart is gone.
    """
    before = noted_holdings(target)
    if before is None or not target.exists or target.is_untouched(before.load_id):
        return set()
    target.described.unlink(missing_ok=True)
    if pipeline.default_schema_name not in pipeline.schema_names:
        return set()
    try:
        with pipeline.sql_client() as sql:
            if not holds_load(sql, before.load_id):
                return set()
            gone, deleted = compare_rows(target, sql, before)
        with pipeline.destination_client() as client:
            if isinstance(client, SqlJobClientBase):
                made = _make_again(client, pipeline.default_schema, report)
                gone |= {table: before.rows[table] for table in made & set(before.rows)}
                harmed = made | set(gone) | deleted
            else:
                # It cannot merge: what it still has would double.
                made, harmed = set(), {t for t, count in gone.items() if count == before.rows[t]}
    except NO_SQL:
        return set()
    except Exception as error:  # a driver's own errors, too: dlt does not wrap a failed connect
        if not is_passing(error):
            raise
        return set()
    report.tell_gone(gone)
    report.notes += [
        f"The server tells of rows deleted from {table}: windows are read whole, and "
        "`pipedream-source prove` says whether rows are missing."
        for table in sorted(deleted & _EVENTS)
    ]
    streams = {s for table in sorted(harmed & _EVENTS) for s in _streams(pipeline, table)}
    add_to_reread(target, streams)
    return made


def yield_again(pipeline: dlt.Pipeline, tables: set[str]) -> None:
    """Let the resources of tables that are no events' yield all of their rows again.

    To be called when the cursors stand: those of another machine bring digests along.
    """
    names = {_RESOURCE_OF.get(table, table) for table in tables - _EVENTS}
    if not names & set(_resources(pipeline.state)):
        return
    with pipeline.managed_state() as state:
        for name in names:
            _resources(state).pop(name, None)


def _make_again(client: SqlJobClientBase, schema: Schema, report: LoadReport) -> set[str]:
    """Make the tables and columns that are gone; return those tables."""
    missing, notes = _missing(client, schema)
    if missing or notes:
        client.initialize_storage()
        client.update_stored_schema(force=True)
    report.notes += [f"The table {name} was gone: it is made again." for name in sorted(missing)]
    report.notes += notes
    return missing


def _missing(client: SqlJobClientBase, schema: Schema) -> tuple[set[str], list[str]]:
    """Return the tables that are gone, and what to tell of columns that are gone or changed."""
    missing, notes = set(), []
    for name, columns in client.get_storage_tables(list(schema.tables)):
        if not columns:
            missing.add(name)
            continue
        wanted = schema.get_table_columns(name)
        gone = {n: column for n, column in wanted.items() if n not in columns}
        _refuse_without_key(name, gone)
        notes += [
            f"The column {name}.{column} was gone: it is made again, empty for rows loaded before."
            for column in gone
        ]
        notes += _retyped(name, wanted, columns)
    return missing, notes


def _refuse_without_key(table: str, gone: Mapping[str, Any]) -> None:
    keys = sorted(name for name, column in gone.items() if not column.get("nullable", True))
    if keys:
        raise ConfigurationError(
            f"The table {table} lacks its column {', '.join(keys)}, without which its rows cannot "
            "be told apart. Restore a backup, or drop the table: the next load makes it again and "
            "reads what the API still has."
        )


def _retyped(table: str, wanted: Mapping[str, Any], columns: Mapping[str, Any]) -> list[str]:
    return [
        f"The column {table}.{name} is {columns[name].get('data_type')}, not "
        f"{column.get('data_type')} as it was made: rows that do not fit it cannot be loaded."
        for name, column in wanted.items()
        if name in columns and columns[name].get("data_type") != column.get("data_type")
    ]


def _streams(pipeline: dlt.Pipeline, table: str) -> set[Stream]:
    found = _resources(pipeline.state).get(table, {}).get("streams", {})
    return {Stream.from_key(key) for key in found}


def _resources(state: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = state.get("sources", {}).get("pipedream", {}).get("resources", {})
    return found
