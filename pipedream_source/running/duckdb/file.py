"""What a DuckDB file is like from outside: whether it changed, is locked, or is damaged.

DuckDB's exception classes are coarse: an `IOException` is a lock, a full disk or a damaged block.
So the class is looked at first, and then how its message begins. DuckDB puts its own words there;
paths, names and values only follow, and are never looked at.
"""

from __future__ import annotations

import re
from pathlib import Path

# Changes that are committed and not in the file yet, also while and after a checkpoint.
_LOGS = (".wal", ".wal.checkpoint", ".wal.recovery")
_LOCKED = "IO Error: Could not set lock on file "
_DAMAGED = (
    r"((IO|Serialization|INTERNAL|FATAL) Error: )?"
    r"(Corrupt database file|Corrupt WAL file|Failure while replaying WAL file)\b"
)
_CUT_SHORT = r'IO Error: Could not read enough bytes from file "{}(\.wal[.a-z]*)?"'
# Classes for damage; each other class tells of a statement or of values, and may begin with them.
_KINDS = ("Error", "IOException", "SerializationException", "InternalException", "FatalException")
#: What to do about a damaged file.
DAMAGE_ADVICE = (
    "Put a backup in its place, or move it away (with the .wal file beside it) for a new one: the "
    "next load reads again what the API still shows."
)


def fingerprint_of(database: Path) -> str | None:
    """Return what changes whenever anybody writes to a database; None if it does not exist.

    A process that is killed leaves what it committed in the write-ahead log beside the file.
    """
    place = database.resolve()
    if not place.exists():
        return None
    return " ".join(_stamp(path) for path in (place, *logs_of(place)))


def logs_of(database: Path) -> list[Path]:
    """Return the files beside a database that hold changes which are not in it yet."""
    place = database.resolve()
    logs = (place.with_name(place.name + ending) for ending in _LOGS)
    return [path for path in logs if path.exists()]


def _stamp(path: Path) -> str:
    found = path.stat()
    return f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns}"


def is_locked(error: BaseException) -> bool:
    """Tell whether DuckDB says that another process has a file open."""
    import duckdb

    return isinstance(error, duckdb.IOException) and str(error).startswith(_LOCKED)


def is_damaged(error: BaseException, database: Path) -> bool:
    """Tell whether DuckDB says that a database, or the log beside it, is damaged.

    Args:
        error: of DuckDB or of anything else.
        database: the file; DuckDB may have read others, such as the Parquet files of a package.
    """
    import duckdb

    if type(error) not in {getattr(duckdb, name) for name in _KINDS}:
        return False
    cut_short = _CUT_SHORT.format(re.escape(str(database.resolve())))
    return bool(re.match(f"{_DAMAGED}|{cut_short}", str(error), re.IGNORECASE))
