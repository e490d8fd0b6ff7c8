"""What the last load left in the destination: its id, and how many rows of what is kept for ever.

A later run compares: the file may have been replaced meanwhile, and rows or tables taken out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from dlt.common.destination.exceptions import DestinationUndefinedEntity, SqlClientNotAvailable
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase

from pipedream_source.resources.tables import (
    EVENT_TABLES,
    LOAD_RUNS,
    QUARANTINE,
    STREAM_STATUS,
)
from pipedream_source.running.target import Target

Sql = SqlClientBase[object]

#: What dlt raises for a destination that has no SQL; the last two where a library changed.
NO_SQL = (SqlClientNotAvailable, NotImplementedError, AttributeError, TypeError)
# Not the gaps: one that another machine's late package closes is removed.
_KEPT = (*EVENT_TABLES, QUARANTINE)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What stood in the destination at the end of a load.

    Attributes:
        load_id: the load.
        rows: rows of it and of earlier loads, by table; only of tables from which nothing is ever
            taken out.
    """

    load_id: str
    rows: Mapping[str, int] = field(default_factory=dict)


def noted_holdings(target: Target) -> Holdings | None:
    """Return what this folder's last load left; None before the first."""
    try:
        return msgspec.json.decode(target.holdings.read_bytes(), type=Holdings)
    except FileNotFoundError:
        return Holdings(noted) if (noted := target.noted_load_id) else None
    except (OSError, ValueError):
        return None


def note_holdings(target: Target, sql: Sql, load_id: str) -> None:
    """Note what the load that ends now leaves."""
    target.holdings.write_bytes(msgspec.json.encode(_count(sql, load_id)))


def rows_gone(sql: Sql, before: Holdings) -> dict[str, int]:
    """Count the rows that stood there and do not any more, by table."""
    now = _count(sql, before.load_id).rows
    gone = {table: count - now.get(table, 0) for table, count in before.rows.items()}
    return {table: count for table, count in gone.items() if count > 0}


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


def _count(sql: Sql, load_id: str) -> Holdings:
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
    return Holdings(load_id, rows)
