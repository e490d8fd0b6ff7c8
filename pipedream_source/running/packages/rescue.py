"""Rescue what a damaged working folder holds: packages may be the only copy of their events.

dlt cannot open a folder with a damaged file, and wipes one whose state is gone, whatever is pending
in it. So a damaged folder is moved aside, a new one gets the destination's cursors, and packages
are brought back as far as their rows can be read. When rows are lost, the cursors of their package
and of those after it are left out too: so the windows are read again from where the destination
stands, and what the API no longer shows is found as a gap.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path

import pendulum
from dlt.common.storages.load_package import PackageStorage, default_load_package_state
from dlt.common.versioned_state import json_encode_state

from pipedream_source.resources.schema.tables import EVENT_TABLES, SIDE_TABLES
from pipedream_source.running.destination.target import Target
from pipedream_source.running.packages.damaged_files import (
    damaged_files,
    files_of_rows,
    is_whole,
)
from pipedream_source.running.packages.first_load import note_package
from pipedream_source.running.packages.package_folders import pending_packages

#: Folders moved aside: those whose packages are still to be brought back, and the others.
_ASIDE, _DONE = "rescue", "damaged"
_LEFT_OUT = "left-out"
_STATE_TABLE = "_dlt_pipeline_state"
_SCHEMA = PackageStorage.SCHEMA_FILE_NAME
#: Folders that dlt makes with its working folder, and not later.
_FOLDERS = ("normalize/extracted", "load/new", "load/normalized", "load/loaded")
#: Tables that can be appended to, as rows that are doubled then are found by their key.
_SETTLED = {table.name for table in (*EVENT_TABLES, *SIDE_TABLES)}


def set_aside_damage(target: Target) -> None:
    """Move the target's working folder out of the way if dlt could not open it.

    Args:
        target: the caller holds its lock.
    """
    if damaged_files(target.working_dir):
        _move(target.working_dir, target.folder / _ASIDE / str(time.time_ns()))


def bring_back(target: Target) -> list[str]:
    """Move the packages of folders that were set aside into the new one.

    Args:
        target: its working folder is new, with the destination's state. A rescue that was killed
            is completed.

    Returns:
        What to tell the user: which files were damaged, what became of them.
    """
    notes = []
    for aside in sorted((target.folder / _ASIDE).glob("*")):
        damaged = [str(path.relative_to(aside)) for path in damaged_files(aside)]
        for name in _FOLDERS:
            (target.working_dir / name).mkdir(parents=True, exist_ok=True)
        _bring_back(aside, target)
        kept = target.folder / _DONE / aside.name
        notes.append(_told(damaged, kept, is_lossy=(aside / _LEFT_OUT).exists()))
        _move(aside, kept)
    return notes


def _told(damaged: list[str], kept: Path, *, is_lossy: bool) -> str:
    names = f"{', '.join(damaged[:3])}{' and others' if len(damaged) > 3 else ''}"
    return (
        f"The working folder was damaged, as by a power cut ({names or 'it was being rescued'}): "
        f"it is kept as {kept}, and the cursors are those of the destination. "
        + (
            "Rows that were polled and not loaded could not be read: windows are read again, "
            "and what they no longer show is in event_gaps."
            if is_lossy
            else "Everything that was pending was read and is loaded."
        )
    )


def _bring_back(aside: Path, target: Target) -> None:
    packages = pending_packages(aside)
    schema = _newest_schema([*aside.glob("schemas/*.json"), *(p / _SCHEMA for p in packages)])
    # One that was killed while it was moved on stands there twice.
    by_id = {package.name: package for package in sorted(packages, key=_count_damaged)[::-1]}
    for load_id in sorted(by_id):
        package, left_out = by_id[load_id], aside / _LEFT_OUT / load_id
        if schema is None:
            _move(package, left_out)
            continue
        damaged = [file for file in files_of_rows(package) if not is_whole(file)]
        if not is_whole(package / _SCHEMA):
            # By another schema rows may be appended that were to be merged.
            damaged += [file for file in files_of_rows(package) if not _can_be_settled(file)]
            note_package(target.first_load, load_id)
        if damaged or left_out.parent.exists():
            _leave_out([*damaged, *package.glob(f"*_jobs/{_STATE_TABLE}.*")], left_out)
        _complete(package, schema)
        _move(package, target.working_dir / package.relative_to(aside))


def _count_damaged(package: Path) -> int:
    return sum(not is_whole(file) for file in files_of_rows(package))


def _newest_schema(paths: Iterable[Path]) -> bytes | None:
    """Return the content of the newest of these schemas that can be read."""
    contents = [path.read_bytes() for path in paths if is_whole(path)]
    return max(contents, key=lambda content: int(json.loads(content)["version"]), default=None)


def _can_be_settled(file: Path) -> bool:
    return file.name.split(".")[0] in _SETTLED


def _leave_out(files: Iterable[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        if file.exists():
            file.rename(folder / file.name)


def _complete(package: Path, schema: bytes) -> None:
    """Write anew what dlt needs of a package beside its rows."""
    if not is_whole(package / _SCHEMA):
        (package / _SCHEMA).write_bytes(schema)
    updates = package / PackageStorage.SCHEMA_UPDATES_FILE_NAME
    if updates.exists() and not is_whole(updates):
        updates.write_text("{}", encoding="utf-8")
    path = package / PackageStorage.LOAD_PACKAGE_STATE_FILE_NAME
    if not is_whole(path):
        state = default_load_package_state()
        state["created_at"] = pendulum.from_timestamp(float(package.name))
        path.write_text(json_encode_state(state), encoding="utf-8")


def _move(path: Path, to: Path) -> None:
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.rename(to)
