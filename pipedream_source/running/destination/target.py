"""Where the rows go, and the working folder that belongs to that place alone.

dlt's working folder holds the cursors. Were it shared between databases, a changed path or a
deleted file would keep the old cursors and skip, in silence, what the new database never got.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.running.destination.dlt_defaults import configure_dlt
from pipedream_source.running.destination.lock import hold_lock
from pipedream_source.running.duckdb.file import (
    DAMAGE_ADVICE,
    fingerprint_of,
    is_damaged,
    is_locked,
)
from pipedream_source.settings import DATABASE, DATASET, PIPELINE, STORAGE_VERSION

if TYPE_CHECKING:
    import dlt

_DATASET = re.compile(r"[a-z][a-z0-9_]{0,62}").fullmatch
_ELSEWHERE = re.compile(r":memory:|[a-z]{2,}:.*", re.IGNORECASE).fullmatch
_LEFT_AS = "left-as"
_MAGIC = b"DUCK"
_MAGIC_AT = 8
# dlt cannot write, or DuckDB not read, a package in a folder with one of these in its path.
_UNUSABLE = "'%\\"


# What tells one server's database from another's; never what lets a user in.
_LOCATION = ("host", "port", "database", "project_id")


@dataclass(frozen=True)
class Target:
    """A destination and a dataset in it.

    Attributes:
        destination: name of a dlt destination; `duckdb` by default.
        database: the DuckDB file; ignored for other destinations.
        dataset: name of the dataset (schema).
        pipelines_dir: folder for dlt's working folders; by default beside the database.
        storage_version: that a new DuckDB file gets; one that exists keeps its own.
    """

    destination: str = "duckdb"
    database: Path = Path(DATABASE)
    dataset: str = DATASET
    pipelines_dir: Path | None = None
    storage_version: str = STORAGE_VERSION

    @property
    def is_duckdb(self) -> bool:
        """Whether rows go to a local DuckDB file."""
        return self.destination == "duckdb"

    @property
    def exists(self) -> bool:
        """Whether there may be something to restore from: a file, or any server."""
        return not self.is_duckdb or _exists(self.database)

    @cached_property
    def folder(self) -> Path:
        """The folder that belongs to this database and dataset, for the lock and for dlt."""
        given = self.pipelines_dir or _from_environment()
        if given is None and self.is_duckdb and self.dataset == DATASET:
            return self.database.resolve().with_name(self.database.name + ".dlt")
        if self.is_duckdb:
            return self._folder_of(str(self.database.resolve()))
        location = _location_of(self.destination)
        return self._folder_of(f"{self.destination}\0{location}" if location else self.destination)

    def _folder_of(self, place: str) -> Path:
        name = hashlib.sha256(f"{place}\0{self.dataset}".encode()).hexdigest()[:12]
        here = self.database.resolve().parent if self.is_duckdb else _home()
        return (self.pipelines_dir or _from_environment() or here) / f"{PIPELINE}-{name}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the working folder while the block runs.

        Raises:
            Busy: another process works in it.
            ConfigurationError: it cannot be written, or others could write there.
        """
        self._take_over_folder()
        with hold_lock(self.folder / "lock"):
            yield

    def _take_over_folder(self) -> None:
        """Rename the folder of an older version, which was one for all servers of a kind."""
        older = self._folder_of(self.destination)
        if self.is_duckdb or self.folder.exists() or not older.is_dir():
            return
        with hold_lock(older / "lock"):
            older.rename(self.folder)

    @property
    def is_shared(self) -> bool:
        """Whether loads from another working folder may be at work at the same time."""
        return not self.is_duckdb or bool(self.pipelines_dir or _from_environment())

    @property
    def fingerprint(self) -> str | None:
        """What changes whenever anybody writes to the database file; None where there is none."""
        return fingerprint_of(self.database) if self.is_duckdb else None

    def remember(self, load_id: str) -> None:
        """Note that the database is as the run that ends now left it, with that load in it."""
        noted = f"{self.fingerprint or ''} {load_id}"
        (self.folder / _LEFT_AS).write_text(noted, encoding="utf-8")

    @property
    def noted_load_id(self) -> str:
        """The id of the load that `remember` noted last; empty before the first."""
        return self._left_as.rpartition(" ")[2]

    @property
    def _left_as(self) -> str:
        try:
            return (self.folder / _LEFT_AS).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""

    @property
    def _is_as_left(self) -> bool:
        return self._left_as.rpartition(" ")[0] == (self.fingerprint or "")

    @property
    def holdings(self) -> Path:
        """The note of what the last load left in the destination."""
        return self.folder / "holdings.json"

    @property
    def reread(self) -> Path:
        """The note of streams whose windows are to be read whole."""
        return self.folder / "reread.json"

    @property
    def followed(self) -> Path:
        """The note of what `--then` followed all news that were loaded so far with."""
        return self.folder / "followed"

    @property
    def described(self) -> Path:
        """The note of which descriptions and views the last load left in the database."""
        return self.folder / "described"

    @property
    def described_as(self) -> str:
        """What stands in that note; empty without one."""
        try:
            return self.described.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""

    @property
    def spill(self) -> Path:
        """Where DuckDB writes what its limit of memory does not hold."""
        return self.folder / "spill"

    def is_untouched(self, load_id: str) -> bool:
        """Tell whether the database needs not be asked.

        Args:
            load_id: the load that moved the local cursors last; nobody may have written to the
                database since it was loaded.
        """
        fingerprint = self.fingerprint
        return fingerprint is not None and self._left_as == f"{fingerprint} {load_id}"

    @property
    def first_load(self) -> Path:
        """The note of load packages that append, as they were made for a new database."""
        return self.folder / "first-load"

    def require_file(self) -> None:
        """Refuse a database that does not exist.

        Raises:
            ConfigurationError: says so.
        """
        if not self.exists:
            raise ConfigurationError(
                f"The database {printable(str(self.database), 500)} does not exist: name another "
                "one with --database"
            )

    def check(self) -> None:
        """Refuse a place that cannot take the rows; nothing is created or overwritten.

        Raises:
            ConfigurationError: says what is wrong with it, and what to do.
        """
        if not _DATASET(self.dataset):
            # dlt would change capitals, and two spellings would have two locks for one dataset.
            raise ConfigurationError(
                f"dataset {printable(self.dataset)!r} must consist of lower-case letters, digits "
                "and _, and begin with a letter"
            )
        if self.is_duckdb:
            _check_path(self.database)
        _check_folder(self.folder)
        if self.is_duckdb:
            _check_file(self.database, may_be_empty=self.folder.is_dir())
            # DuckDB names a catalog after the file, up to its first dot.
            if self.database.name.split(".")[0].casefold() == self.dataset:
                raise ConfigurationError(
                    f"The database file {self.database.name} and the dataset {self.dataset!r} have "
                    "the same name, which DuckDB cannot tell apart: rename one of them, e.g. "
                    f"--database {self.dataset}_events.duckdb"
                )
            if not self._is_as_left:
                _check_opens(self.database)

    def remove_stillborn(self) -> None:
        """Remove a file that a killed run created and never wrote to: DuckDB cannot open it."""
        if self.is_duckdb and self.database.is_file() and not self.database.stat().st_size:
            self.database.unlink()

    @property
    def working_dir(self) -> Path:
        """Where dlt keeps the pipeline's state and its packages."""
        return self.folder / PIPELINE

    def pipeline(self, progress: Any = None) -> dlt.Pipeline:
        """Return the dlt pipeline that loads to this place.

        Args:
            progress: a dlt collector; None for no progress.

        Raises:
            ConfigurationError: dlt does not know the destination.
        """
        import dlt
        from dlt.common.runtime.collector import NULL_COLLECTOR

        try:
            return dlt.pipeline(
                PIPELINE,
                pipelines_dir=str(self.folder),
                destination=self._factory(),
                dataset_name=self.dataset,
                progress=progress or NULL_COLLECTOR,
            )
        except (ImportError, ValueError) as error:
            raise ConfigurationError(
                f"destination {printable(self.destination)!r} cannot be used: {error}"
            ) from None

    def _factory(self) -> Any:
        from pipedream_source.running.destination.memory import bounded_duckdb

        if self.is_duckdb:
            return bounded_duckdb(self.database.resolve(), self.spill, self.storage_version)
        return self.destination


def _location_of(destination: str) -> str:
    """Say where a destination's server and database are, as dlt's configuration has it.

    Returns:
        A text without credentials; empty where nothing is configured that tells it.
    """
    configure_dlt()
    from dlt.common.destination import Destination

    try:
        factory: Any = Destination.from_reference(destination)
        config: Any = factory.configuration(factory.spec(), accept_partial=True)
    except Exception:  # whatever a destination's own code raises; opening it says what is wrong
        return ""
    found = [getattr(config, "bucket_url", None)]
    found += [getattr(config.credentials, name, None) for name in _LOCATION]
    return " ".join(str(part) for part in found) if any(found) else ""


def _from_environment() -> Path | None:
    folder = os.environ.get("DLT_DATA_DIR")
    return Path(folder) if folder else None


def _home() -> Path:
    return Path.home() / ".dlt" / "pipelines"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        # Such as a name that is too long.
        return False


def _check_path(path: Path) -> None:
    """Refuse a path that leads nowhere, such as a loop of links or a name that is too long."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        # Path.resolve tells of a circle up to Python 3.12 only.
        is_circle = error.errno == errno.ELOOP
        why = "its links lead in a circle" if is_circle else error.strerror
        raise ConfigurationError(
            f"The database {printable(str(path), 500)} cannot be reached ({why}): name another file"
        ) from None


def _check_folder(folder: Path) -> None:
    found = sorted(set(str(folder)) & set(_UNUSABLE))
    if found:
        raise ConfigurationError(
            f"The working folder {printable(str(folder), 500)} has {' and '.join(found)} in its "
            "path, which dlt cannot work with: choose another database path, or --pipelines-dir"
        )


def _check_opens(path: Path) -> None:
    """Refuse a file that DuckDB cannot open: damaged, or of a newer version; a lock passes."""
    import duckdb

    if not path.exists() or not path.stat().st_size:
        return
    try:
        duckdb.connect(str(path), read_only=True).close()
    except duckdb.ConnectionException:
        return  # this process has it open
    except duckdb.Error as error:
        if is_locked(error):
            return
        why = printable(" ".join(str(error).splitlines()[:2]), 300)
        told = f"cannot be opened; it is left as it is. {why}"
        if is_damaged(error, path):
            told = f"is damaged and cannot be opened: {why} It is left as it is. {DAMAGE_ADVICE}"
    else:
        return
    raise ConfigurationError(f"The database {printable(str(path), 500)} {told}")


def _check_file(path: Path, *, may_be_empty: bool) -> None:
    shown = printable(str(path), 500)
    if _ELSEWHERE(str(path)):
        raise ConfigurationError(
            f"The database {shown} is not a file on this machine: name a file, or another "
            "--destination such as motherduck"
        )
    folder = path.resolve().parent
    if path.is_dir():
        raise ConfigurationError(f"The database {shown} is a folder: name a file in it")
    if not folder.is_dir():
        raise ConfigurationError(f"The folder of the database {shown} does not exist: create it")
    if not path.exists():
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ConfigurationError(f"The folder of the database {shown} cannot be written")
        return
    if not path.is_file():
        raise ConfigurationError(f"The database {shown} is not a regular file: name another")
    if not os.access(path, os.R_OK | os.W_OK):
        raise ConfigurationError(f"The database {shown} cannot be read and written by this user")
    with path.open("rb") as file:
        head = file.read(_MAGIC_AT + len(_MAGIC))
    if not head and may_be_empty:
        return
    if head[_MAGIC_AT:] != _MAGIC:
        what = "is not a DuckDB database" if head else "is empty, which no DuckDB database is"
        raise ConfigurationError(f"{shown} {what}; it is left as it is. Name another file.")
