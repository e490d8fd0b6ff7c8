"""Work on a DuckDB file within the limit of memory that loads have, too; imports no dlt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pipedream_source.settings import DUCKDB_MEMORY

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

T = TypeVar("T")


def within_memory(connection: DuckDBPyConnection, work: Callable[[], T]) -> T:
    """Do something within the limit; once more without one if it needs more.

    Args:
        connection: on which it is done.
        work: must take back what it did before it fails for want of memory.

    Returns:
        What the work returned.
    """
    import duckdb

    connection.execute(f"SET memory_limit = '{DUCKDB_MEMORY}'")
    try:
        return work()
    except duckdb.OutOfMemoryException:
        connection.execute("RESET memory_limit")
        return work()
