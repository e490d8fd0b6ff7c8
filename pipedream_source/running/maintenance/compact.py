"""Copy a DuckDB file into one that is as small and as readable as a new one.

A file keeps the storage version that it was made with, and the space of whatever was in it once.
The copy is made beside it, compared with it row by row, and takes its place last of all: until
then the database is as it was, whatever happens.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipedream_source.core.text.redaction import printable
from pipedream_source.core.text.sql_text import literal, quoted
from pipedream_source.exceptions import ConfigurationError, PipedreamError
from pipedream_source.running.destination.target import Target
from pipedream_source.running.duckdb.copy import ORIGINAL, DatabaseCopy, Tell
from pipedream_source.running.duckdb.file import fingerprint_of, logs_of
from pipedream_source.running.duckdb.stale_staging import is_over, staging_datasets
from pipedream_source.running.duckdb.storage import (
    check_version,
    create_database,
    storage_version_of,
    write_settings,
)
from pipedream_source.running.duckdb.swap import put_beside, swap_in
from pipedream_source.running.duckdb.workplace import workplace_beside
from pipedream_source.settings import DUCKDB_MEMORY, STORAGE_VERSION

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PURPOSE = "compact"
# Rows of a row group, which is in memory until it is complete, and the limit for all that is. Half
# of DuckDB's own number is read as fast; payloads of kilobytes need fewer, or more memory.
_ATTEMPTS: Final[tuple[tuple[int, dict[str, str]], ...]] = (
    (61_440, {"memory_limit": DUCKDB_MEMORY}),
    (16_384, {"memory_limit": DUCKDB_MEMORY}),
    (16_384, {}),
)


@dataclass(frozen=True, slots=True)
class Compaction:
    """How to copy.

    Attributes:
        storage_version: of DuckDB's file format, such as `v1.2.0`.
        wait_s: seconds to wait for another process to close the database.
        tell: is told of the progress.
    """

    storage_version: str = STORAGE_VERSION
    wait_s: float = 0.0
    tell: Tell = lambda *_: None


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was copied.

    Attributes:
        file: the copy.
        bytes_before: size of the database, with its log.
        bytes_after: size of the copy.
        tables: how many tables are the same in both.
        rows: how many rows are.
        storage_version: the copy's.
        left_out: staging datasets that are not in the copy.
        kept: staging datasets that are, as a load that used them has not ended.
    """

    file: Path
    bytes_before: int
    bytes_after: int
    tables: int
    rows: int
    storage_version: str | None
    left_out: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def compact_database(target: Target, how: Compaction) -> Compacted:
    """Let a compact copy take the place of a database.

    Raises:
        Busy: a load is at work.
        ConfigurationError: the place cannot be used.
        DestinationUnavailable: another process has the database open.
        PipedreamError: it cannot be copied as a whole; it is as it was.
    """
    target.check()
    target.require_file()
    with target.locked():
        return compact_held(target, how)


def compact_held(target: Target, how: Compaction) -> Compacted:
    """Do what `compact_database` does, for a caller that holds the target's lock."""
    database = target.database.resolve()
    is_as_left = target.is_untouched(target.noted_load_id)
    with workplace_beside(database, _PURPOSE) as folder, _told(database):
        copying = _Copying(target, database, folder, how, writes=True)
        done, mark = copying.run(database)
        swap_in(copying.file, database, mark)
    if is_as_left:
        # What changed is ours: the next load need not look for what somebody did.
        target.remember(target.noted_load_id)
    return done


def copy_compact(target: Target, path: Path, how: Compaction) -> Compacted:
    """Write a compact copy of a database to another file; loads take turns with it.

    Args:
        target: the database; it is not changed.
        path: the copy; a file that is there is replaced.
        how: how to copy.

    Raises:
        Busy: another process is writing that copy.
        ConfigurationError: a file cannot be used.
        DestinationUnavailable: another process writes to the database, or to the copy.
        PipedreamError: it cannot be copied as a whole; nothing was written.
    """
    target.require_file()
    database, path = target.database.resolve(), path.resolve()
    if path == database:
        raise ConfigurationError("--to names the database itself: leave it away to compact it")
    with workplace_beside(path, _PURPOSE) as folder, _told(database):
        copying = _Copying(target, database, folder, how, writes=False)
        done, _ = copying.run(path)
        copying.file.chmod(0o600)
        put_beside(copying.file, path)
    return done


@contextmanager
def _told(database: Path) -> Iterator[None]:
    """Say what DuckDB or the disk refused; nothing has taken the database's place then."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        why = printable(" ".join(str(error).split()), 500)
        if isinstance(error, duckdb.InvalidInputException):
            why += ". A newer --storage-version may hold it"
        raise PipedreamError(f"{database} cannot be copied: {why}. It is as it was.") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise PipedreamError(f"{database} cannot be copied: {why}. It is as it was.") from None


class _Copying:
    """One run: the copy in its folder, made and verified while the database is held."""

    def __init__(
        self, target: Target, database: Path, folder: Path, how: Compaction, *, writes: bool
    ) -> None:
        self._target, self._database, self._how, self._writes = target, database, how, writes
        self._folder = folder
        # DuckDB names a database after its file, and definitions may name it so.
        self.file = folder / database.name

    def run(self, place: Path) -> tuple[Compacted, str | None]:
        """Return what is in the copy, and the fingerprint of the database that it is of."""
        import duckdb

        check_version(self._how.storage_version)
        for row_group, limit in _ATTEMPTS:
            try:
                return self._attempt(place, row_group, limit)
            except (duckdb.OutOfMemoryException, duckdb.IOException, duckdb.FatalException):
                # A checkpoint that lacks memory is told as a failed write, and ends the connection.
                if not limit:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _attempt(
        self, place: Path, row_group: int, limit: dict[str, str]
    ) -> tuple[Compacted, str | None]:
        before = sum(p.stat().st_size for p in (self._database, *logs_of(self._database)))
        for path in (self.file, *logs_of(self.file)):
            path.unlink(missing_ok=True)
        with self._original(limit) as connection:
            mark = fingerprint_of(self._database)
            dataset = self._target.dataset
            found = staging_datasets(connection, ORIGINAL, dataset)
            over = [name for name in found if is_over(connection, ORIGINAL, dataset, name)]
            tables, rows = self._copied(connection, over, row_group)
        done = Compacted(
            file=place,
            bytes_before=before,
            bytes_after=self.file.stat().st_size,
            tables=tables,
            rows=rows,
            storage_version=storage_version_of(self.file),
            left_out=tuple(over),
            kept=tuple(name for name in found if name not in over),
        )
        return done, mark

    @contextmanager
    def _original(self, limit: dict[str, str]) -> Iterator[DuckDBPyConnection]:
        """Open the database; nobody else can open one that is to be replaced."""
        import duckdb

        from pipedream_source.running.destination.retry import RetryLimit, retry

        mode = "READ_WRITE" if self._writes else "READ_ONLY"
        settings = write_settings(self._how.storage_version)
        spill = {"temp_directory": str(self._folder / "spill")}
        with duckdb.connect(config={**settings, **spill, **limit}) as connection:
            retry(
                lambda: _attach(connection, self._database, ORIGINAL, mode),
                RetryLimit(self._how.wait_s),
                otherwise="Nothing was changed.",
            )
            self._require_dataset(connection)
            self._require_room(connection)
            if self._writes:
                connection.execute(f"CHECKPOINT {quoted(ORIGINAL)}")
            yield connection

    def _require_dataset(self, connection: DuckDBPyConnection) -> None:
        query = "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? LIMIT 1"
        if not connection.execute(query, [ORIGINAL, self._target.dataset]).fetchall():
            raise ConfigurationError(
                f"{printable(str(self._database), 500)} holds no dataset "
                f"{printable(self._target.dataset)!r}: check --dataset"
            )

    def _require_room(self, connection: DuckDBPyConnection) -> None:
        """Refuse a disk that cannot hold what the database holds now."""
        query = (
            "SELECT used_blocks * block_size FROM pragma_database_size() WHERE database_name = ?"
        )
        ((needed,),) = connection.execute(query, [ORIGINAL]).fetchall()
        free = shutil.disk_usage(self._folder).free
        if free < needed:
            raise PipedreamError(
                f"{self._folder.parent} has {free / 1e6:,.1f} MB of room, and the copy of "
                f"{self._database} may need {needed / 1e6:,.1f} MB: make room. It is as it was."
            )

    def _copied(
        self, connection: DuckDBPyConnection, left_out: list[str], row_group: int
    ) -> tuple[int, int]:
        """Make the copy, and read it back from the disk."""
        create_database(self.file, self._how.storage_version)
        copy = DatabaseCopy(connection, _name_of(self.file), left_out, self._how.tell)
        mode = f"READ_WRITE, ROW_GROUP_SIZE {row_group}"
        _attach(connection, self.file, copy.name, mode)
        copy.fill()
        connection.execute(f"DETACH {quoted(copy.name)}")
        _attach(connection, self.file, copy.name, "READ_ONLY")
        found = copy.verify()
        connection.execute(f"DETACH {quoted(copy.name)}")
        return found


def _attach(connection: DuckDBPyConnection, path: Path, name: str, mode: str) -> None:
    connection.execute(f"ATTACH {literal(str(path))} AS {quoted(name)} ({mode})")


def _name_of(path: Path) -> str:
    """Return what DuckDB calls a database that it opens."""
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        return str(connection.execute("SELECT current_database()").fetchall()[0][0])
