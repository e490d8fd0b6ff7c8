"""One load at a time into a dataset of a Postgres server, as a DuckDB file's own lock has it.

A merge adds the rows that are not there yet. Of two merges at the same moment both find that an
event is not, and it stands there twice. The lock is no table's and belongs to a transaction, so it
ends with its connection, behind a pooler too. Other servers are not locked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dlt
from dlt.destinations.exceptions import DatabaseException

from pipedream_source.exceptions import DestinationUnavailable

_POSTGRES = "dlt.destinations.postgres"
_LOCK_NOT_AVAILABLE = "55P03"
# The lock is waited for in one statement, and stands idle while its load is at work: a server may
# end either, and the lock with it. One of them is not known before Postgres 17.
_NO_LIMITS = (
    "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN "
    "('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')"
)
# Working folders of this process that hold their dataset: a turn within a turn is the same one.
_at_work: set[str] = set()


@contextmanager
def turn(pipeline: dlt.Pipeline, wait_s: float) -> Iterator[None]:
    """Keep other loads from the dataset while the block runs.

    Args:
        pipeline: loads in this block.
        wait_s: seconds to wait for another load to end.

    Raises:
        DestinationUnavailable: another load is at work for longer.
    """
    destination, folder = pipeline.destination, pipeline.working_dir
    if not destination or destination.destination_type != _POSTGRES or folder in _at_work:
        yield
        return
    with pipeline.sql_client() as sql:
        sql.native_connection.autocommit = False
        try:
            sql.execute_sql(_NO_LIMITS)
            # A limit of zero would be none.
            limit = f"{max(1, int(wait_s * 1000))}ms"
            sql.execute_sql("SELECT set_config('lock_timeout', %s, true)", limit)
            key = f"pipedream_source {sql.dataset_name}"
            sql.execute_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", key)
        except DatabaseException as error:
            if getattr(error.dbapi_exception, "pgcode", None) != _LOCK_NOT_AVAILABLE:
                raise
            raise DestinationUnavailable(
                f"Another load is at work on dataset {sql.dataset_name!r}. What was polled is kept "
                f"in {folder} for the next run."
            ) from None
        _at_work.add(folder)
        try:
            yield
        finally:
            _at_work.discard(folder)
