"""Where load packages wait in dlt's working folder: what is pending, without importing dlt."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

# The later stage first.
_PENDING = ("load/normalized", "normalize/extracted")
_HALF_NORMALIZED = "load/new"


def pending_packages(folder: Path) -> list[Path]:
    """Return the folders of the packages that are to be loaded, oldest first.

    Args:
        folder: dlt's working folder.
    """
    found = (path for place in _PENDING for path in (folder / place).glob("*") if path.is_dir())
    return sorted(found, key=lambda path: path.name)


def holds_packages(folder: Path) -> bool:
    """Tell whether a working folder holds any package that is not loaded, even a broken one."""
    return any(any((folder / place).glob("*")) for place in (*_PENDING, _HALF_NORMALIZED))


def pending_since(folder: Path) -> list[datetime]:
    """Return when each pending package was polled, oldest first.

    Args:
        folder: that holds the working folders.
    """
    found = [package for working in folder.glob("*") for package in pending_packages(working)]
    # A package is named by the second in which it was begun.
    names = (p.name for p in found if p.name.replace(".", "", 1).isdecimal())
    return sorted(datetime.fromtimestamp(float(name), UTC) for name in names)
