"""Drop old payloads that an archive was proven to hold; rows, counts, gaps and coverage stay.

A row keeps its key, so no load brings its payload back, and every proof stays what it was. What
is to go is written to Parquet, read back from there and compared; only rows whose key and payload
were found again are emptied, all of them in one transaction. Whoever ends this in between has the
payloads still in the database, or in the archive, or in both.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import ConfigurationError, DestinationUnavailable, PipedreamError
from pipedream_source.resources.schema.tables import EVENT_TABLES
from pipedream_source.running.destination.target import Target
from pipedream_source.running.duckdb.file import is_locked
from pipedream_source.running.duckdb.memory_limit import within_memory
from pipedream_source.running.duckdb.storage import set_for_writing
from pipedream_source.running.duckdb.whole_file import written_whole

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: What `event_state` says of a row whose payload is in an archive only.
PRUNED = "pruned"
_OLD = "event IS NOT NULL AND emitted_at < ?"
_TEXT = "CAST(event AS VARCHAR)"
_KEY = "emitter_id, channel, id"
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class OldPayloads:
    """The payloads of one table that are older than a time.

    Attributes:
        table: its name.
        rows: how many; 0 for none.
        nbytes: how long they are together.
        file: the archive that holds them; None before.
    """

    table: str
    rows: int
    nbytes: int
    file: Path | None = None


def old_payloads(
    connection: DuckDBPyConnection, dataset: str, cutoff: datetime
) -> list[OldPayloads]:
    """Count what `prune_payloads` would take, by table."""
    tables = "SELECT table_name FROM duckdb_tables() WHERE schema_name = ?"
    there = {name for (name,) in connection.execute(tables, [dataset]).fetchall()}
    found = []
    for table in EVENT_TABLES:
        if table.name in there:
            query = (
                f"SELECT count(*), coalesce(sum(strlen({_TEXT})), 0) "  # noqa: S608 - our names
                f"FROM {dataset}.{table.name} WHERE {_OLD}"
            )
            rows, nbytes = connection.execute(query, [cutoff]).fetchall()[0]
            found.append(OldPayloads(table.name, int(rows), int(nbytes)))
    return found


def prune_payloads(
    target: Target, cutoff: datetime, archive: Path, tell: Tell = lambda *_: None
) -> list[OldPayloads]:
    """Archive the payloads that are older than a time, prove it, and drop them from the database.

    Args:
        target: a DuckDB file; no load can run meanwhile.
        cutoff: events emitted before it, aware of its time zone.
        archive: the folder for the archive's files, one a table; made if it is not there.
        tell: gets what is being done, how many rows of it are done, and how many there are.

    Returns:
        What was dropped, by table, with the files that hold it.

    Raises:
        Busy: a load is at work.
        ConfigurationError: the place or the archive's folder cannot be used.
        DestinationUnavailable: another process has the database open.
        PipedreamError: the archive does not hold what it should; nothing was dropped.
    """
    target.check()
    with target.locked():
        is_as_left = target.is_untouched(target.noted_load_id)
        with _writable(target) as connection:
            pruning = _Pruning(connection, target, cutoff, archive, tell)
            done = within_memory(connection, pruning.run)
        if is_as_left:
            # What changed is ours: the next load need not look for what somebody did.
            target.remember(target.noted_load_id)
    return done


@contextmanager
def _writable(target: Target) -> Iterator[DuckDBPyConnection]:
    import duckdb

    target.require_file()
    spill = str(target.spill)  # the next load removes what a killed run left there
    try:
        connection = duckdb.connect(str(target.database), config={"temp_directory": spill})
    except duckdb.Error as error:
        why = printable(str(error).splitlines()[0], 300)
        if is_locked(error):
            raise DestinationUnavailable(
                f"{target.database} is in use by another process; nothing was changed. ({why})"
            ) from None
        raise ConfigurationError(f"{target.database} cannot be opened: {why}") from None
    try:
        connection.execute("SET TimeZone = 'UTC'")
        set_for_writing(connection)
        yield connection
    except duckdb.Error as error:
        # Such as no memory or no disk left: a transaction that is not committed never was.
        why = printable(" ".join(str(error).split()), 300)
        raise PipedreamError(f"{target.database}: {why}. Nothing was dropped.") from None
    finally:
        connection.close()


class _Pruning:
    """One run: what is archived and proven, table by table, then dropped at once.

    All of it in one transaction, in which a row's `rowid` is its name.
    """

    def __init__(
        self,
        connection: DuckDBPyConnection,
        target: Target,
        cutoff: datetime,
        archive: Path,
        tell: Tell,
    ) -> None:
        self._connection = connection
        self._target = target
        self._cutoff = cutoff
        self._archive = archive
        self._tell = tell
        self._started = datetime.now(UTC)
        self._files: list[Path] = []

    def run(self) -> list[OldPayloads]:
        """Archive, prove and drop; return what was dropped."""
        import duckdb

        self._connection.begin()
        try:
            found = old_payloads(self._connection, self._target.dataset, self._cutoff)
            done = [self.archived(old) for old in found if old.rows]
            self.drop(done)
        except duckdb.OutOfMemoryException:
            self._connection.rollback()
            for path in self._files:
                _remove(path)
            raise
        return done

    def archived(self, old: OldPayloads) -> OldPayloads:
        """Write a table's old payloads to the archive, and prove that they are there."""
        path = self._free_path(old.table)
        self._files.append(path)
        try:
            self._write(old, path)
            self._verify(old, path)
        except OSError as error:
            _remove(path)
            raise PipedreamError(
                f"The archive {path} cannot be written or read ({error.strerror or error}): "
                "nothing was dropped."
            ) from None
        return OldPayloads(old.table, old.rows, old.nbytes, path)

    def _free_path(self, table: str) -> Path:
        try:
            self._archive.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigurationError(
                f"--archive {printable(str(self._archive), 500)} cannot be used "
                f"({error.strerror}): name a folder"
            ) from None
        # Another database may be pruned to this folder at the same moment.
        stem = f"{table}-{self._started:%Y%m%dT%H%M%S}-{self._place}"
        path, again = self._archive / f"{stem}.parquet", count(2)
        while path.exists():
            path = self._archive / f"{stem}-{next(again)}.parquet"
        return path

    def _write(self, old: OldPayloads, path: Path) -> None:
        from pipedream_source.running.maintenance.parquet_file import batches_of, write_parquet

        query = (
            f"SELECT * REPLACE ({_TEXT} AS event, CAST(metadata AS VARCHAR) AS metadata), "  # noqa: S608
            f"sha256({_TEXT}) AS event_sha256 FROM {self._name(old)} WHERE {_OLD}"
        )
        read = batches_of(self._connection, query, [self._cutoff])
        with read as rows, written_whole(path, part=self._part(old.table)) as file:
            written = write_parquet(rows, file, lambda n: self._tell("Archiving", n, old.rows))
        self._require(written, old, path)

    def _part(self, table: str) -> Path:
        """Return a name that no other database's run uses, and the next one's of this does."""
        return self._archive / f".{self._place}-{table}.part"

    @property
    def _place(self) -> str:
        """What tells this database from others, on this machine and on those that share a disk."""
        place = f"{platform.node()}\0{self._target.database.resolve()}\0{self._target.dataset}"
        return hashlib.sha256(place.encode()).hexdigest()[:12]

    def _verify(self, old: OldPayloads, path: Path) -> None:
        """Note the keys and digests that the archive gives back; all of them must be there."""
        from pipedream_source.running.maintenance.parquet_file import read_parquet

        columns = ["emitter_id", "channel", "id", "event", "event_sha256"]
        with read_parquet(path, columns, lambda n: self._tell("Verifying", n, old.rows)) as rows:
            self._connection.register("archived", rows)
            self._connection.execute(
                f"CREATE OR REPLACE TEMP TABLE given_back AS SELECT DISTINCT {_KEY}, "  # noqa: S608
                "sha256(event) AS digest FROM archived WHERE event_sha256 = sha256(event)"
            )
            self._connection.unregister("archived")
        # Digests are made before the join, which must not have payloads to hold.
        (proven,) = self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE proven_{old.table} AS SELECT row FROM ("  # noqa: S608
            f"SELECT rowid AS row, {_KEY}, sha256({_TEXT}) AS digest FROM {self._name(old)} "
            f"WHERE {_OLD}) SEMI JOIN given_back USING ({_KEY}, digest)",
            [self._cutoff],
        ).fetchall()[0]
        self._require(proven, old, path)

    def _require(self, proven: int, old: OldPayloads, path: Path) -> None:
        if proven != old.rows:
            _remove(path)
            raise PipedreamError(
                f"The archive {path} does not hold all {old.rows:,} payloads of {old.table} as the "
                "database has them: nothing was dropped. Look at the disk, then try again."
            )

    def drop(self, archived: list[OldPayloads]) -> None:
        """Empty exactly what was proven."""
        for old in archived:
            statement = (
                f"UPDATE {self._name(old)} SET event = NULL, event_state = '{PRUNED}' "  # noqa: S608
                f"WHERE {_OLD} AND rowid IN (SELECT row FROM proven_{old.table})"
            )
            emptied = self._connection.execute(statement, [self._cutoff]).fetchall()[0][0]
            if emptied != old.rows:
                self._connection.rollback()
                raise PipedreamError(
                    f"{emptied:,} rows of {old.table} would have been emptied instead of "
                    f"{old.rows:,}: nothing was dropped."
                )
        self._connection.commit()

    def _name(self, old: OldPayloads) -> str:
        return f"{self._target.dataset}.{old.table}"


def _remove(path: Path) -> None:
    """Remove a file that proves nothing; where that is forbidden, none was written."""
    with suppress(OSError):
        path.unlink()
