"""DuckDB files as this project makes them: which clients open them, and how they are compressed.

A file that DuckDB 2.0 makes by itself is refused by every DuckDB before 2.0, and stores payloads as
DICT_FSST, at four to seven times the size of ZSTD. A file keeps the storage version that it was
made with, so new files are made here, before dlt opens them.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.settings import BLOCK_BYTES, STORAGE_VERSION, ZSTD_MIN_STRING_LENGTH

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# By the number of the format, which stands in the headers of a file.
_VERSIONS: Final = {
    **dict.fromkeys((1, 2, 3), "v1.0.0"),
    4: "v1.2.0",
    5: "v1.3.0",
    6: "v1.4.0",
    7: "v1.5.0",
    69: "v2.0.0",
}
_NAMES: Final = tuple(dict.fromkeys(_VERSIONS.values()))
# A file begins with a main header and two database headers, of which the one written later counts.
_MAGIC_AT, _MAGIC = 8, b"DUCK"
_HEADERS_AT, _HEADER_BYTES = (4096, 8192), 4096
# A checksum, the iteration, where three things are, two sizes, and the version's number.
_HEADER: Final = struct.Struct("<8Q")
# Such as `v1.2.0+`.
_VERSION = (
    "SELECT tags['storage_version'] FROM duckdb_databases() "
    "WHERE database_name = current_database()"
)


def storage_version_of(path: Path) -> str | None:
    """Return the storage version of a DuckDB file, such as `v1.2.0`, from its header.

    This process must not have it open for writing: it would lose DuckDB's lock on it.

    Args:
        path: any file; the oldest version is called `v1.0.0`.

    Returns:
        None if it cannot be read, is no DuckDB file, or has a version that is not known here.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEADERS_AT[-1] + _HEADER_BYTES)
    except OSError:
        return None
    if head[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] != _MAGIC or len(head) < _HEADERS_AT[-1] + 64:
        return None
    headers = [_HEADER.unpack_from(head, at) for at in _HEADERS_AT]
    latest = max(headers, key=lambda header: header[1])
    return _VERSIONS.get(latest[-1])


def known_versions() -> tuple[str, ...]:
    """Return the storage versions that the installed DuckDB can write, the oldest first."""
    return tuple(name for name in _NAMES if _is_known(name))


def _is_known(version: str) -> bool:
    import duckdb

    try:
        duckdb.connect(config={"storage_compatibility_version": version}).close()
    except duckdb.Error:
        return False
    return True


def check_version(version: str) -> None:
    """Refuse a storage version that the installed DuckDB cannot write.

    Raises:
        ConfigurationError: names those that it can.
    """
    if version not in _NAMES or not _is_known(version):
        raise _unknown(version)


def _unknown(version: str) -> ConfigurationError:
    import duckdb

    return ConfigurationError(
        f"DuckDB {duckdb.__version__} cannot write the storage version {printable(version, 60)!r}: "
        f"choose one of {', '.join(known_versions())}"
    )


def create_database(path: Path, version: str = STORAGE_VERSION) -> bool:
    """Make an empty DuckDB file, unless there is a file already.

    It gets its name when it is complete, and its mode from the umask, as from DuckDB itself.

    Args:
        path: in a folder that exists.
        version: oldest DuckDB that is to open it, such as `v1.2.0`.

    Returns:
        Whether it was made.

    Raises:
        ConfigurationError: the installed DuckDB cannot write that version.
        OSError, duckdb.Error: the file cannot be written; nothing of it is left.
    """
    path = path.resolve()
    if path.exists():
        return False
    import duckdb

    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        duckdb.connect(str(part), config=_options(version)).close()
        return _named(part, path)
    except duckdb.InvalidInputException:
        raise _unknown(version) from None
    finally:
        part.unlink(missing_ok=True)


def _options(version: str) -> dict[str, str | bool | int | float | list[str]]:
    return {"storage_compatibility_version": version, "default_block_size": BLOCK_BYTES}


def _named(part: Path, path: Path) -> bool:
    """Give a complete file its name; False if somebody made another one meanwhile."""
    with suppress(OSError):
        try:
            path.hardlink_to(part)
        except FileExistsError:
            return False
        return True
    # A file system without hard links.
    if path.exists():
        return False
    part.rename(path)
    return True


def write_settings(version: str | None) -> dict[str, str | int]:
    """Return what each connection that writes to a file must set, for ZSTD where it serves.

    They live in the connection, not in the file, and count when DuckDB writes row groups.

    Args:
        version: the storage version of the file; None if it is not known.
    """
    # By default ZSTD is for texts of 4,096 bytes or more in the mean, and one text of 16 KB or
    # more leaves a row group without it uncompressed.
    settings: dict[str, str | int] = {"zstd_min_string_length": ZSTD_MIN_STRING_LENGTH}
    if version in ("v1.3.0", "v1.4.0", "v1.5.0", "v2.0.0"):
        # DICT_FSST, which these have, would be taken for payloads.
        settings["force_compression"] = "zstd"
    return settings


def advice_on(path: Path) -> str | None:
    """Say why to `compact` a file, by its storage version; None where there is no reason."""
    version = storage_version_of(path)
    if version == "v1.0.0":
        why = "It is stored without ZSTD, which takes payloads to a fifth of their size"
    elif version == "v2.0.0":
        why = "No DuckDB before 2.0 opens it"
    else:
        return None
    return f"{why}: `pipedream-source compact` makes it {STORAGE_VERSION}."


def set_for_writing(connection: DuckDBPyConnection) -> None:
    """Apply the write settings of its file to a connection that writes.

    Not by `duckdb.connect(config=…)`, which fails while this process has the file open otherwise.
    And it is DuckDB that is asked for the version: to read the header would take DuckDB's lock on
    the file away, which a process loses when it closes the file, whichever way it opened it.
    """
    ((version,),) = connection.execute(_VERSION).fetchall()
    for name, value in write_settings(str(version).rstrip("+")).items():
        connection.execute(f"SET GLOBAL {name} = '{value}'")
