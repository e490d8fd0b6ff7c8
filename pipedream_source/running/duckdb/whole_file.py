"""Files that are there whole or not at all, and readable by their owner only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: Path, *, part: Path | None = None) -> Iterator[BinaryIO]:
    """Write a file that gets its name, and takes another's place, when the block ended well.

    Args:
        path: the file.
        part: what it is called until then, in the same folder; what is left of a run that was
            killed is overwritten.

    Raises:
        OSError: it cannot be written; nothing of it is left.
    """
    part = part or path.with_name(f".{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, 0o600)
            yield file
            file.flush()
            os.fsync(handle)
        part.replace(path)
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Bring the new name to the disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
