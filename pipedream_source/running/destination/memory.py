"""Keep the memory of a load within bounds: DuckDB's, and what polling leaves behind.

DuckDB takes what it can get, four fifths of the machine by default, and builds a whole row group
of 122,880 rows in memory; with a limit it writes what does not fit to a temporary folder, at no
more CPU time. What no limit of a few hundred megabytes can hold, such as an event of 100 MB, is
loaded without one.
"""

from __future__ import annotations

import ctypes
import shutil
from pathlib import Path

import dlt
import pyarrow as pa

from pipedream_source.running.destination.errors import is_out_of_memory
from pipedream_source.running.duckdb.dlt_destination import DuckDbFile
from pipedream_source.settings import DUCKDB_MEMORY


def bounded_duckdb(path: Path, spill: Path, storage_version: str) -> DuckDbFile:
    """Return a DuckDB destination with a limit of memory.

    Args:
        path: the database file.
        spill: the folder for what does not fit; made when it is needed, removed afterwards.
        storage_version: that a new file gets.
    """
    shutil.rmtree(spill, ignore_errors=True)  # what a killed run left
    options = {"memory_limit": DUCKDB_MEMORY, "temp_directory": str(spill)}
    return DuckDbFile(path, storage_version, options)


def lift_limit(pipeline: dlt.Pipeline, error: BaseException) -> bool:
    """Take the limit away if it is what an error comes from; tell whether it was."""
    if not is_out_of_memory(error):
        return False
    credentials = pipeline.destination.config_params.get("credentials")
    options = getattr(credentials, "global_config", None) or {}
    return options.pop("memory_limit", None) is not None


def release_unused() -> None:
    """Give memory that is not used any more back to the system, where that can be asked for."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)
