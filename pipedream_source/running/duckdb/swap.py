"""Put a new DuckDB file in the place of another that nobody has open or wrote to."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipedream_source.exceptions import ConfigurationError, DestinationUnavailable
from pipedream_source.running.duckdb.file import fingerprint_of, logs_of
from pipedream_source.running.duckdb.whole_file import sync_folder


def swap_in(new: Path, database: Path, mark: str | None) -> None:
    """Let a new file take a database's place, with its owner and rights.

    Args:
        new: on the same disk; closed.
        database: no link.
        mark: the database's fingerprint when it was copied.

    Raises:
        DestinationUnavailable: somebody has opened the database, or wrote to it, since.
        ConfigurationError: this user cannot make a file of the same owner.
        OSError: the disk is full, or refuses.
    """
    with _locked(database, fcntl.LOCK_EX):
        if fingerprint_of(database) != mark or logs_of(database):
            raise DestinationUnavailable(
                f"{database} was written by another process meanwhile; nothing was changed. Try "
                "again when it is done."
            )
        _take_rights(new, database)
        _put(new, database)


def put_beside(new: Path, path: Path) -> None:
    """Give a new file its name; a file of that name must not be open for writing.

    Raises:
        DestinationUnavailable: somebody writes to it, or a log of changes lies beside it.
        OSError: the disk is full, or refuses.
    """
    if logs := logs_of(path):
        # DuckDB would take it for a log of the new file's.
        raise DestinationUnavailable(
            f"{logs[0]} lies beside {path}: somebody writes to it, or was killed. Open it once "
            "with DuckDB, or remove both."
        )
    if not path.exists():
        _put(new, path)
        return
    with _locked(path, fcntl.LOCK_SH):
        _put(new, path)


@contextmanager
def _locked(database: Path, kind: int) -> Iterator[None]:
    """Hold the lock that DuckDB takes on a file that it opens.

    It is held on the file that was replaced, too, until its name is on the disk: whoever opened
    that one in the last moment is refused.
    """
    handle = os.open(database, (os.O_RDWR if kind == fcntl.LOCK_EX else os.O_RDONLY) | os.O_CLOEXEC)
    try:
        fcntl.lockf(handle, kind | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise DestinationUnavailable(
            f"{database} is in use by another process; nothing was changed. Try again when it is "
            "done."
        ) from None
    finally:
        os.close(handle)


def _put(new: Path, path: Path) -> None:
    handle = os.open(new, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    new.replace(path)
    sync_folder(path.parent)


def _take_rights(new: Path, database: Path) -> None:
    """Give a new file the owner, the mode and the access list of another."""
    user, group = _owner_of(database)
    if _owner_of(new) != (user, group):
        try:
            os.chown(new, user, group)
        except OSError:
            raise ConfigurationError(
                f"{database} belongs to user {user} and group {group}, which this user cannot give "
                "to a new file: let its owner run this."
            ) from None
    for name in getattr(os, "listxattr", lambda _: ())(database):
        with suppress(OSError):
            os.setxattr(new, name, os.getxattr(database, name))
    new.chmod(database.stat().st_mode & 0o7777)


def _owner_of(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid
