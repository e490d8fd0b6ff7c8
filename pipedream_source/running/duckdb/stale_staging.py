"""Staging datasets in a DuckDB file that nobody needs any more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipedream_source.core.text.sql_text import quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# dlt's name, and that of a working folder that shares the dataset with others; see `staging`.
_ENDING = re.compile(r"_staging(_\d{8}_[0-9a-f]{8})?").fullmatch
_OBJECTS = (
    "SELECT table_name FROM duckdb_tables() WHERE database_name = $1 AND schema_name = $2",
    "SELECT view_name FROM duckdb_views() WHERE database_name = $1 AND schema_name = $2",
    "SELECT sequence_name FROM duckdb_sequences() WHERE database_name = $1 AND schema_name = $2",
    "SELECT function_name FROM duckdb_functions() WHERE database_name = $1 AND schema_name = $2",
    "SELECT type_name FROM duckdb_types() WHERE database_name = $1 AND schema_name = $2",
)


def staging_datasets(connection: DuckDBPyConnection, database: str, dataset: str) -> list[str]:
    """Return the names of a dataset's staging datasets."""
    query = "SELECT schema_name FROM duckdb_schemas() WHERE database_name = ? ORDER BY ALL"
    names = [name for (name,) in connection.execute(query, [database]).fetchall()]
    return [n for n in names if n.startswith(dataset) and _ENDING(n.removeprefix(dataset))]


def is_over(connection: DuckDBPyConnection, database: str, dataset: str, staging: str) -> bool:
    """Tell whether each load that left rows in a staging dataset has ended.

    One that was killed may have copied rows there that it has not merged, and never copies again.
    What dlt did not make there is somebody's own, and is not over.

    Args:
        connection: the database is attached to it.
        database: its name.
        dataset: the dataset that is loaded into.
        staging: the staging dataset.
    """
    import duckdb

    tables, *others = (_names(connection, query, database, staging) for query in _OBJECTS)
    known = _names(connection, _OBJECTS[0], database, dataset)
    if any(others) or not tables <= known or "_dlt_loads" not in known:
        return False
    loads = quoted(database, dataset, "_dlt_loads")
    for table in tables:
        if table.startswith("_dlt_"):
            continue
        query = (
            f"SELECT 1 FROM {quoted(database, staging, table)} WHERE _dlt_load_id IS NULL OR "  # noqa: S608
            f"_dlt_load_id NOT IN (SELECT load_id FROM {loads} WHERE status = 0) LIMIT 1"
        )
        try:
            if connection.execute(query).fetchall():
                return False
        except duckdb.BinderException:  # no such column, so dlt did not make the table
            return False
    return True


def _names(connection: DuckDBPyConnection, query: str, *place: str) -> set[str]:
    return {name for (name,) in connection.execute(query, place).fetchall()}
