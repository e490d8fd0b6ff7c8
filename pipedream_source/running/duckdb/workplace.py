"""A private folder beside a file, in which the file that is to take its place is made.

It has a fixed name, so that what a killed process left there is found and removed. It is locked
while somebody works in it, as two processes may want to make the same file.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipedream_source.exceptions import Busy, ConfigurationError


@contextmanager
def workplace_beside(path: Path, purpose: str) -> Iterator[Path]:
    """Yield an empty folder on the disk of a file; it is removed when the block ends.

    Args:
        path: the file; it need not exist.
        purpose: what the folder's name ends with.

    Raises:
        Busy: another process works there.
        ConfigurationError: the folder cannot be made, or is another user's.
    """
    folder = path.with_name(f".{path.name}.{purpose}")
    try:
        handle = _held(folder)
    except OSError as error:
        raise ConfigurationError(
            f"The folder {folder.parent} cannot be written ({error.strerror}): {purpose} needs "
            "room there"
        ) from None
    try:
        _empty(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _held(folder: Path) -> int:
    """Make and lock the folder; whoever held it before may have removed it meanwhile."""
    while True:
        with suppress(FileNotFoundError):
            folder.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                _lock(handle, folder)
                if folder.stat().st_ino == os.fstat(handle).st_ino:
                    return handle
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    owner = os.fstat(handle).st_uid
    if owner != os.geteuid():
        raise ConfigurationError(
            f"The folder {folder} belongs to another user (uid {owner}): remove it"
        )
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Busy(f"Another process is at work in {folder}: try again when it is done.") from None


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
