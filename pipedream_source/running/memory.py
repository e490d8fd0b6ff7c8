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
from typing import Any

import dlt
import pyarrow as pa
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

from pipedream_source.running.errors import is_out_of_memory
from pipedream_source.settings import DUCKDB_MEMORY

_USERS_OWN = "destination.duckdb.credentials.global_config"


def bounded_duckdb(path: Path, spill: Path) -> Any:
    """Return what dlt makes a DuckDB destination of, with a limit of memory.

    Args:
        path: the database file.
        spill: the folder for what does not fit; made when it is needed, removed afterwards.

    Returns:
        Credentials; the bare path where the user's own configuration sets DuckDB's options.
    """
    shutil.rmtree(spill, ignore_errors=True)  # what a killed run left
    if dlt.config.get(_USERS_OWN) is not None:
        return str(path)
    options = {"memory_limit": DUCKDB_MEMORY, "temp_directory": str(spill)}
    return DuckDbCredentials(str(path), global_config=options)


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
