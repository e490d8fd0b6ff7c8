"""What a power cut did to files: cut short, empty, full of zeros, or gone.

dlt writes its files without waiting for the disk, and reads damaged ones with whatever error their
format happens to raise. A file is whole if all of it can be read.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipedream_source.running.packages.package_folders import pending_packages

if TYPE_CHECKING:
    from dlt.common.schema import Schema

# What dlt cannot do without in its working folder, and in a package beside the rows.
_OF_FOLDER = ("state.json", "schemas/*.json", "normalize/.version", "load/.version")
_OF_PACKAGE = ("schema.json", "load_package_state.json", "schema_updates.json")
_ROWS = ("new_jobs/*.*", "started_jobs/*.*", "completed_jobs/*.*")
_CHUNK = 1 << 20


def damaged_files(folder: Path) -> list[Path]:
    """Return the files of a working folder that are damaged, or gone while others need them.

    Args:
        folder: dlt's working folder; one that is not there is not damaged.
    """
    pending = _needed(pending_packages(folder))
    state = folder / "state.json"
    missing = [state] if pending and not state.exists() else []
    found = [path for pattern in _OF_FOLDER for path in folder.glob(pattern)]
    for package in pending:
        found += [package / name for name in _OF_PACKAGE if (package / name).exists()]
        found += files_of_rows(package)
        missing += [] if (package / "schema.json").exists() else [package / "schema.json"]
    return missing + [path for path in found if not is_whole(path)]


def _needed(packages: list[Path]) -> list[Path]:
    """Leave out what dlt was about to remove: extracted packages that are normalized by now."""
    normalized = {path.name for path in packages if path.parent.name == "normalized"}
    return [p for p in packages if p.parent.name == "normalized" or p.name not in normalized]


def stored_schema(package: Path) -> Schema:
    """Return the schema of a package."""
    from dlt.common.schema import Schema

    return Schema.from_dict(json.loads((package / "schema.json").read_bytes()))


def schema_version(package: Path) -> tuple[str, int]:
    """Return the name and the version of a package's schema; dlt takes long to validate a whole."""
    stored = json.loads((package / "schema.json").read_bytes())
    return stored["name"], stored["version"]


def files_of_rows(package: Path) -> list[Path]:
    """Return the files of a package that hold rows; statements are written anew."""
    return [path for place in _ROWS for path in package.glob(place) if path.suffix in _READERS]


def is_whole(path: Path) -> bool:
    """Tell whether all of a file can be read."""
    try:
        if not path.stat().st_size:
            return False
        _READERS.get(path.suffix, _read_text)(path)
    except (ValueError, OSError, EOFError, LookupError, RuntimeError, zlib.error):
        # What json, gzip and pyarrow raise for damage.
        return False
    return True


def _read_json(path: Path) -> None:
    if not isinstance(json.loads(path.read_bytes()), dict | list):
        raise ValueError("neither an object nor a list")


def _read_zipped(path: Path) -> None:
    with gzip.open(path) as file:
        while file.read(_CHUNK):
            pass


def _read_parquet(path: Path) -> None:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path, page_checksum_verification=True) as file:
        for batch in file.iter_batches():
            batch.validate(full=True)


def _read_text(path: Path) -> None:
    if "\0" in path.read_text(encoding="utf-8"):
        raise ValueError("zeros")


_READERS: dict[str, Callable[[Path], None]] = {
    ".json": _read_json,
    ".gz": _read_zipped,
    ".parquet": _read_parquet,
    ".insert_values": _read_text,
    ".typed-jsonl": _read_text,
    ".jsonl": _read_text,
}
