"""Compact a DuckDB file at the end of a load when much of it is free.

DuckDB merges the row groups that loads append to, each merge into new blocks. Later loads write
into the blocks that become free; only those at the end of the file are given back to the disk.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from pipedream_source.exceptions import DestinationUnavailable, PipedreamError
from pipedream_source.settings import (
    AUTO_COMPACT_FREE_BYTES,
    AUTO_COMPACT_FREE_SHARE,
    AUTO_COMPACT_MOST_BYTES,
    STORAGE_VERSION,
)

if TYPE_CHECKING:
    from pipedream_source.running.context import Run

_LOG = logging.getLogger("pipedream_source")
#: How many bytes of the file hold nothing.
FREE_BYTES = (
    "SELECT free_blocks * block_size AS free FROM pragma_database_size() "
    "WHERE database_name = current_database()"
)


def compact_if_free(run: Run) -> None:
    """Compact the database of a run that loaded, if a quarter of it and 4 MB are free.

    The copy keeps the file's storage version. It is left out, for a later load, while another
    process has the database open. Nothing here makes a run fail: the rows are loaded.

    Args:
        run: its target is locked by the caller; its report is told.
    """
    target, report = run.target, run.report
    wanted = run.options.compact and report.loaded and target.is_duckdb and target.exists
    if not wanted or run.interrupt.number:
        return
    database = target.database.resolve()
    size = database.stat().st_size
    # A small file is not opened for this, and a large one takes minutes to copy.
    if not AUTO_COMPACT_FREE_BYTES <= size <= AUTO_COMPACT_MOST_BYTES:
        return
    try:
        if not is_worth_compacting(free_bytes(database), size):
            return
        report.compacted = _compact(run, database)
    except DestinationUnavailable as error:
        _LOG.debug("not compacted: %s", error)
    except PipedreamError as error:
        report.notes.append(run.said(f"The rows are loaded, but: {error}"))


def is_worth_compacting(free: int, size: int) -> bool:
    """Tell whether so many free bytes of a file's size are worth a copy of the rest."""
    return free >= max(AUTO_COMPACT_FREE_BYTES, AUTO_COMPACT_FREE_SHARE * size)


def room_advice(free: int, size: int) -> str | None:
    """Say that `compact` makes a file of this size smaller; None where little of it is free."""
    if not is_worth_compacting(free, size):
        return None
    return f"{free / 1e6:,.0f} of {size / 1e6:,.0f} MB are free: `pipedream-source compact`."


def free_bytes(database: Path) -> int:
    """Return how many bytes of a DuckDB file hold nothing.

    Raises:
        DestinationUnavailable: another process writes to it.
    """
    import duckdb

    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            ((free,),) = connection.execute(FREE_BYTES).fetchall()
    except duckdb.Error as error:
        raise DestinationUnavailable(f"{database} cannot be opened: {error}") from None
    return int(free)


def _compact(run: Run, database: Path) -> tuple[int, int]:
    from pipedream_source.running.duckdb.storage import storage_version_of
    from pipedream_source.running.maintenance.compact import Compaction, compact_held

    def tell(*_: object) -> None:
        if run.interrupt.number:
            raise DestinationUnavailable("a signal came")

    version = storage_version_of(database) or STORAGE_VERSION
    done = compact_held(run.target, Compaction(version, tell=tell))
    return done.bytes_before, done.bytes_after
