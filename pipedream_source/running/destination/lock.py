"""One run at a time for each destination and dataset.

dlt takes no lock: two runs of one pipeline end in a FileNotFoundError, or worse. The lock is the
kernel's, on an open file, so that a run killed outright blocks nobody.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipedream_source.exceptions import Busy, ConfigurationError


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold the lock while the block runs.

    Args:
        path: the lock file; created with its folder, readable by its owner only.

    Raises:
        Busy: another process holds it.
        ConfigurationError: the folder or the file cannot be written, or others could write there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check_private(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"The working folder {path.parent} cannot be written ({error.strerror}): it holds what "
            "was polled until it is loaded. Choose another database path or --pipelines-dir."
        ) from None
    try:
        _acquire(handle, path)
        yield
    finally:
        os.close(handle)


def _check_private(folder: Path) -> None:
    """Refuse a folder that another user made or may write to: dlt unpickles what it finds there.

    Raises:
        ConfigurationError: says whose it is, and what to do.
    """
    found, user = folder.stat(), os.geteuid()
    if found.st_mode & stat.S_IWOTH:
        raise ConfigurationError(
            f"Everyone may write to the working folder {folder}, and dlt would run what they put "
            f"there: look into it, then `chmod 700 {folder}`."
        )
    if user and found.st_uid not in (user, 0):
        raise ConfigurationError(
            f"The working folder {folder} belongs to another user (uid {found.st_uid}): choose "
            "another database path or --pipelines-dir."
        )


def _acquire(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(handle, 32, 0).decode(errors="replace").strip()
        raise Busy(
            f"Another run (process {owner or 'unknown'}) is loading to this destination and "
            f"dataset; it holds {path}."
        ) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
