"""What the last load left in the destination: its id, and how many rows of what is kept for ever.

A later run compares: the file may have been replaced meanwhile, and rows or tables taken out.

A DuckDB file counts rows from its metadata, and is asked only when somebody else wrote to it. A
server reads whole tables for that, and some send a bill: there the rows are counted once a day, and
when Postgres's own statistics tell of deleted rows, or files of a load are gone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.impl.filesystem.sql_client import FilesystemSqlClient
from dlt.destinations.sql_client import SqlClientBase

from pipedream_source.resources.schema.tables import (
    EVENT_TABLES,
    LOAD_RUNS,
    QUARANTINE,
    STREAM_STATUS,
)
from pipedream_source.running.destination.target import Target

Sql = SqlClientBase[object]

_COUNT_EVERY_S = 86_400.0
# These count from metadata.
_COUNTS_AT_ONCE = ("duckdb", "motherduck", "ducklake")
_COMPARED = -1.0
# TRUNCATE changes the file's number, DELETE the counter; a table made again has others.
_POSTGRES_MARKS = (
    "SELECT c.relname, c.oid::text || ' ' || c.relfilenode, pg_stat_get_tuples_deleted(c.oid) "
    "FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
    "WHERE n.nspname = %s AND c.relkind = 'r'"
)
# Not the gaps: one that another machine's late package closes is removed.
_KEPT = (*EVENT_TABLES, QUARANTINE)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What stood in the destination at the end of a load.

    Attributes:
        load_id: the load.
        rows: rows by table, of the load that was counted last and of earlier ones; only of tables
            from which nothing is ever taken out.
        counted_id: that load; empty for `load_id`.
        counted_at: when it was counted, in seconds; `-1` when it was compared since.
        marks: what is known of each table without reading it: of Postgres which file it is and how
            many rows were deleted from it, of plain files how many there are.
    """

    load_id: str
    rows: Mapping[str, int] = field(default_factory=dict)
    counted_id: str = ""
    counted_at: float = 0.0
    marks: Mapping[str, tuple[str, int]] = field(default_factory=dict)


def noted_holdings(target: Target) -> Holdings | None:
    """Return what this folder's last load left; None before the first."""
    try:
        return msgspec.json.decode(target.holdings.read_bytes(), type=Holdings)
    except FileNotFoundError:
        return Holdings(noted) if (noted := target.noted_load_id) else None
    except (OSError, ValueError):
        return None


def note_holdings(target: Target, sql: Sql, load_id: str) -> None:
    """Note what the load that ends now leaves; count it where that is free, or due and compared."""
    before = noted_holdings(target)
    if before and before.counted_at > 0 and not _counts_at_once(target):
        noted = replace(before, load_id=load_id, counted_id=before.counted_id or before.load_id)
    else:
        # Marks come first: what is deleted meanwhile is noticed by the next load.
        marks = _marks(sql, load_id)
        noted = Holdings(load_id, _count(sql, load_id), load_id, time.time(), marks)
    _write(target, noted)


def compare_rows(target: Target, sql: Sql, before: Holdings) -> tuple[dict[str, int], set[str]]:
    """Compare the tables with what was noted, if rows may have been taken out.

    Args:
        target: where the note is.
        sql: at the destination.
        before: the note.

    Returns:
        How many rows are gone, by table; and tables of which younger rows were deleted, too.
    """
    deleted = set()
    if not _counts_at_once(target):
        marks = _marks(sql, before.counted_id)
        changed = {t for t, mark in before.marks.items() if marks.get(t) != mark}
        is_fresh = 0 <= time.time() - before.counted_at < _COUNT_EVERY_S
        if is_fresh and not changed:
            return {}, set()
        deleted = {t for t in changed if t in marks and marks[t][1] > before.marks[t][1]}
    gone = rows_gone(sql, before)
    _write(target, replace(before, counted_at=_COMPARED))
    return gone, deleted - set(gone)


def rows_gone(sql: Sql, before: Holdings) -> dict[str, int]:
    """Count the rows that stood there and do not any more, by table."""
    now = _count(sql, before.counted_id or before.load_id)
    gone = {table: count - now.get(table, 0) for table, count in before.rows.items()}
    return {table: count for table, count in gone.items() if count > 0}


def _counts_at_once(target: Target) -> bool:
    return target.destination in _COUNTS_AT_ONCE


def _write(target: Target, noted: Holdings) -> None:
    target.holdings.write_bytes(msgspec.json.encode(noted))


def _marks(sql: Sql, until: str) -> dict[str, tuple[str, int]]:
    """Return what is known of the tables without reading them; nothing of most servers.

    Args:
        sql: at the destination.
        until: the load up to which files count.
    """
    if isinstance(sql, FilesystemSqlClient):
        return {table.name: (_count_files(sql, table.name, until), 0) for table in _KEPT}
    if not type(sql).__module__.startswith("dlt.destinations.impl.postgres."):
        return {}
    try:
        found = sql.execute_sql(_POSTGRES_MARKS, sql.dataset_name) or ()
    except DatabaseException:
        return {}
    kept = {table.name for table in _KEPT}
    return {name: (str(file), int(deleted)) for name, file, deleted in found if name in kept}


def _count_files(sql: FilesystemSqlClient, table: str, until: str) -> str:
    try:
        files = sql.remote_client.list_table_files(table)
    except (DestinationUndefinedEntity, FileNotFoundError):
        return "0"
    # By dlt's layout a name begins with the id of the load, which has one dot.
    names = (path.rpartition("/")[2].split(".") for path in files)
    return str(sum(".".join(parts[:2]) <= until for parts in names))


def holds_load(sql: Sql, load_id: str) -> bool:
    """Tell whether the destination holds a load, whoever emptied dlt's own table of loads."""
    places = [("_dlt_loads", "load_id")]
    places += [(table.name, "_dlt_load_id") for table in (LOAD_RUNS, STREAM_STATUS)]
    return any(_has(sql, table, column, load_id) for table, column in places)


def _has(sql: Sql, table: str, column: str, load_id: str) -> bool:
    # Names are our own; the load id is bound.
    name = sql.make_qualified_table_name(table)
    try:
        found = sql.execute_sql(f"SELECT 1 FROM {name} WHERE {column} = %s LIMIT 1", load_id)  # noqa: S608
    except DestinationUndefinedEntity:
        return False
    return bool(found)


def _count(sql: Sql, load_id: str) -> dict[str, int]:
    """Count the rows of loads up to this one: another machine may be loading meanwhile."""
    rows = {}
    for table in _KEPT:
        name = sql.make_qualified_table_name(table.name)
        query = f"SELECT count(*) FROM {name} WHERE _dlt_load_id <= %s"  # noqa: S608
        try:
            found = sql.execute_sql(query, load_id) or [(0,)]
        except DestinationUndefinedEntity:
            continue
        except DatabaseException:
            # The table is not as we made it; what is wrong with it is told elsewhere.
            continue
        rows[table.name] = int(found[0][0])
    return rows
