"""Reads a file with DuckDB's Python client; before 2.0 it needs pytz for times."""

import sys

import duckdb
from answers import PATH, SQL, moment, tell, value

PYTZ = "pytz"


def rows(query):
    with duckdb.connect(PATH, read_only=True) as connection:
        connection.execute(SQL.zone).fetchall()
        return connection.execute(query).fetchall()


def time():
    """Read a time as where pytz is not installed."""
    sys.modules[PYTZ] = None
    try:
        return time_instead()
    finally:
        del sys.modules[PYTZ]


def time_instead():
    return moment(value(rows, SQL.time))


tell(rows, time=time, time_instead=time_instead)
