"""Bound the tables that get a row with each run: `load_runs`, and dlt's `_dlt_loads`.

A run every minute writes half a million rows a year, whether there was news or not.
"""

from __future__ import annotations

import logging

from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase

from pipedream_source.resources.schema.tables import LOAD_RUNS
from pipedream_source.running.destination.target import Target
from pipedream_source.settings import MOST_RUNS

_LOG = logging.getLogger("pipedream_source")
_STATES = "_dlt_pipeline_state"


def forget_old_runs(target: Target, sql: SqlClientBase[object]) -> None:
    """Keep the newest 100,000 rows of both tables in a DuckDB file.

    They are counted from metadata there. A server would read the tables whole, so there they grow.
    What cannot be removed now is left for the next load.

    Args:
        target: the file; the caller holds its lock.
        sql: at the file.
    """
    if not target.is_duckdb:
        return
    try:
        _keep_newest(sql, LOAD_RUNS.name, "finished_at")
        # dlt finds a stored state by its load, also that of another pipeline of the dataset.
        states = sql.make_qualified_table_name(_STATES)
        but = f"load_id NOT IN (SELECT _dlt_load_id FROM {states})"  # noqa: S608
        _keep_newest(sql, "_dlt_loads", "load_id", but)
    except DatabaseException as error:
        _LOG.debug("Old runs stay in the destination: %s", error)


def _keep_newest(
    sql: SqlClientBase[object], table: str, column: str, condition: str = "true"
) -> None:
    name = sql.make_qualified_table_name(table)
    ((count,),) = sql.execute_sql(f"SELECT count(*) FROM {name}") or [(0,)]  # noqa: S608
    if int(str(count)) > MOST_RUNS:
        last = f"SELECT {column} FROM {name} ORDER BY {column} DESC LIMIT 1 OFFSET {MOST_RUNS - 1}"  # noqa: S608
        sql.execute_sql(f"DELETE FROM {name} WHERE {column} < ({last}) AND {condition}")  # noqa: S608
