"""Reads a file with polars, by way of DuckDB's Python client."""

from functools import cache

import duckdb
import polars
from answers import PATH, SQL, moment, tell


@cache
def connection():
    found = duckdb.connect(PATH, read_only=True)
    found.execute(SQL.zone).fetchall()
    return found


def rows(query):
    return polars.read_database(query, connection()).rows()


tell(rows, time_instead=lambda: moment(connection().sql(SQL.time).pl().item()))
