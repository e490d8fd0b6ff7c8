"""Reads a file with harlequin: its adapter's catalog and its queries."""

from functools import cache

from answers import DATASET, PATH, SQL, tell
from harlequin_duckdb import DuckDbAdapter


@cache
def connection():
    found = DuckDbAdapter((PATH,), read_only=True).connect()
    found.execute(SQL.zone)
    return found


def rows(query):
    return [tuple(row.values()) for row in connection().execute(query).fetchall().to_pylist()]


def listed():
    (database,) = connection().get_catalog().items
    (schema,) = [item for item in database.fetch_children() if item.label == DATASET]
    return [item.label for item in schema.fetch_children()]


tell(rows, listed=listed)
