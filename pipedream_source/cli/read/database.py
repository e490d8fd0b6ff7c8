"""Read what was loaded, without ever changing it.

A DuckDB file is opened read-only and directly, which takes no dlt; any other destination is read
through dlt's dataset access. The queries are plain enough for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipedream_source.cli.flags.times import within_calendar
from pipedream_source.cli.output.console import moment, plural
from pipedream_source.core.text.redaction import printable
from pipedream_source.core.text.sql_text import quoted
from pipedream_source.exceptions import ConfigurationError, DestinationUnavailable
from pipedream_source.running.packages.package_folders import pending_since

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipedream_source.running.destination.target import Target

Row = dict[str, Any]

# A query can reach nothing but the database that was opened.
_SEALED: dict[str, Any] = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "python_enable_replacements": "false",
}
_TIME = "TIMESTAMP WITH TIME ZONE"
_TABLES = (
    "SELECT table_name FROM information_schema.tables "
    "WHERE table_schema = ? AND table_catalog = current_database()"
)


class Opened(NamedTuple):
    """A DuckDB file that is open for reading, and the tables of the dataset in it."""

    connection: DuckDBPyConnection
    tables: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reader:
    """Answers queries on one dataset.

    Attributes:
        rows: runs a query over unqualified tables and returns its rows as dicts; a DuckDB file
            takes parameters too, in their order or as one dict by their names.
        tables: the tables that exist.
    """

    rows: Callable[..., list[Row]]
    tables: frozenset[str]

    def table(self, name: str) -> list[Row]:
        """Return a table's rows; none when it does not exist yet."""
        if name not in self.tables:
            return []
        return self.rows(f"SELECT * FROM {name}")  # noqa: S608 - the names are ours

    def names(self) -> dict[str, str]:
        """Return the names of sources and workflows by id; of one that is gone, the last one."""
        sources = self.table("sources")
        sources.sort(key=_age_of_version)
        return {row["id"]: row["name"] for row in sources + self.table("workflows") if row["name"]}


def _age_of_version(row: Row) -> tuple[bool, str]:
    """Sort the versions of an object by age, the one in force last.

    A destination that cannot merge keeps no times of versions, but adds each under its load.
    """
    begins = row.get("_dlt_valid_from") or row.get("_dlt_load_id") or ""
    return row.get("_dlt_valid_to") is None, str(begins)


@contextmanager
def open_reader(target: Target) -> Iterator[Reader]:
    """Open a place for reading while the block runs.

    Raises:
        ConfigurationError: it does not exist, cannot be read or holds no such dataset.
        DestinationUnavailable: a writer holds it.
    """
    if target.is_duckdb:
        left_over = partial(_left_over, target)
        with open_database(target.database, target.dataset, left_over) as reader:
            yield reader
        return
    with _dataset(target) as reader:
        _check(reader.tables, target.destination, target.dataset)
        yield reader


@contextmanager
def open_database(
    database: Path, dataset: str, left_over: Callable[[], str] = str
) -> Iterator[Reader]:
    """Open a dataset in a DuckDB file for reading while the block runs.

    Args:
        database: the file.
        dataset: the schema.
        left_over: returns what to add to the message for a file that does not exist.

    Raises:
        ConfigurationError: it does not exist, cannot be read or holds no such dataset.
        DestinationUnavailable: a writer holds it.
    """
    with _opened(database, dataset, left_over) as (connection, found):

        def rows(query: str, *parameters: object) -> list[Row]:
            is_named = len(parameters) == 1 and isinstance(parameters[0], dict)
            cursor = connection.execute(query, parameters[0] if is_named else parameters)
            columns = {name: str(kind) == _TIME for name, kind, *_ in cursor.description or ()}
            return _as_dicts(cursor.fetchall(), columns)

        _check(found, str(database), dataset)
        yield Reader(rows, found)


@contextmanager
def open_duckdb(target: Target, verb: str, *, sealed: bool = False) -> Iterator[Opened]:
    """Open a dataset in a DuckDB file for what takes more than rows, while the block runs.

    Args:
        target: where it is.
        verb: who asks, for messages.
        sealed: nothing but the database can be read: no files, no network, no extensions.

    Raises:
        ConfigurationError: it is no DuckDB file, or cannot be read or holds no such dataset.
        DestinationUnavailable: a writer holds it.
    """
    require_duckdb(target, verb)
    with _opened(target.database, target.dataset, partial(_left_over, target), sealed) as opened:
        if not opened.tables:
            raise _no_dataset(str(target.database), target.dataset)
        yield opened


def require_duckdb(target: Target, verb: str) -> None:
    """Refuse a destination that is no DuckDB file.

    Raises:
        ConfigurationError: says who refuses.
    """
    if not target.is_duckdb:
        raise ConfigurationError(
            f"`pipedream-source {verb}` works on DuckDB files only, not on "
            f"{printable(target.destination)!r}: use that database's own tools."
        )


@contextmanager
def _opened(
    database: Path, dataset: str, left_over: Callable[[], str], sealed: bool = False
) -> Iterator[Opened]:
    """Open a file with the dataset on the search path and times in UTC."""
    with _connection(database, left_over, _SEALED if sealed else {}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = frozenset(name for (name,) in connection.execute(_TABLES, [dataset]).fetchall())
        if found:
            connection.execute(f"SET schema = {quoted(dataset)}")
        if sealed:
            connection.execute("SET lock_configuration = true")
        yield Opened(connection, found)


def _check(tables: frozenset[str], name: str, dataset: str) -> None:
    if "stream_status" not in tables:
        raise _no_dataset(name, dataset, " with loaded streams")


def _no_dataset(name: str, dataset: str, with_what: str = "") -> ConfigurationError:
    return ConfigurationError(
        f"{printable(name, 500)} holds no dataset {printable(dataset)!r}{with_what}: check "
        "--dataset, or load first with `pipedream-source load`."
    )


@contextmanager
def _connection(
    path: Path, left_over: Callable[[], str], settings: dict[str, Any]
) -> Iterator[Any]:
    import duckdb

    from pipedream_source.running.duckdb.file import is_locked

    shown = printable(str(path), 500)
    if not path.is_file():
        what = "is a folder, not a database" if path.is_dir() else "does not exist"
        raise ConfigurationError(
            f"The database {shown} {what}: name another one with --database, or make it with "
            f"`pipedream-source load`.{left_over()}"
        )
    try:
        connection = duckdb.connect(str(path), read_only=True, config=settings)
    except duckdb.Error as error:
        why = printable(str(error).splitlines()[0], 300)
        if is_locked(error):
            raise DestinationUnavailable(
                f"{shown} is being written by another process; try again when it is done. ({why})"
            ) from None
        raise ConfigurationError(f"{shown} cannot be read: {why}") from None
    try:
        yield connection
    finally:
        connection.close()


def _left_over(target: Target) -> str:
    waiting = pending_since(Path(target.folder))
    return f" {said_pending(waiting)}" if waiting else ""


@contextmanager
def _dataset(target: Target) -> Iterator[Reader]:
    import dlt

    from pipedream_source.cli.flags.config import check_destination
    from pipedream_source.running.destination.errors import is_passing, reason_of

    check_destination(target.destination)
    try:
        dataset: Any = dlt.dataset(target.destination, target.dataset)
        known = frozenset(dataset.tables)
    except Exception as error:
        why = f"{target.destination} cannot be read: {printable(reason_of(error), 300)}"
        raise (DestinationUnavailable if is_passing(error) else ConfigurationError)(why) from None

    def rows(query: str) -> list[Row]:
        relation = dataset(query)
        schema = relation.columns_schema.items()
        columns = {name: column.get("data_type") == "timestamp" for name, column in schema}
        return _as_dicts(relation.fetchall(), columns)

    yield Reader(rows, known)


def _as_dicts(rows: Iterable[Sequence[Any]], columns: Mapping[str, bool]) -> list[Row]:
    """Return rows as dicts, by the names of their columns, with whether each holds times."""
    times = [name for name, is_time in columns.items() if is_time]
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    for row in found if times else ():
        row.update((name, within_calendar(row[name])) for name in times)
    return found


def said_pending(waiting: list[datetime]) -> str:
    """Say how much waits, and since when."""
    return (
        f"{plural(len(waiting), 'package')} polled and not loaded yet, the oldest at "
        f"{moment(waiting[0])} UTC: the next `pipedream-source load` brings them in."
    )
