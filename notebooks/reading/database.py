"""A DuckDB file with loaded events: opened read-only for one query and closed again at once.

DuckDB lets no writer in while another process reads the file, so a notebook that held it open would
stop every load. A writer keeps readers out in turn: a query waits for it a moment.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from pipedream_source import view_query

from .tables import EXPECTED, MARTS
from .views import SHARED, VIEWS

VARIABLE = "PIPEDREAM_DATABASE"
#: A table that every load makes, and only a load of ours.
MARK = "stream_status"
#: Where `dbt build` puts its marts, unless told otherwise, and one that is always among them.
MARTS_SCHEMA = "analytics"
MARTS_MARK = "fct_events"

_PATIENCE_S = 10.0
_PAUSE_S = 0.2
# How DuckDB's message begins for a file that a writer holds; the path only follows.
_LOCKED = "IO Error: Could not set lock on file "
_HOW = (
    f"Type the path of a file that `pipedream-source load` made, or set `{VARIABLE}` to it. "
    "None yet? `make demo` makes `pipedream_demo.duckdb` in seconds, without an account."
)


class NotReadable(Exception):
    """A database cannot be read; the message says why and what to do."""


class Busy(NotReadable):
    """A writer holds the database."""


@dataclass(frozen=True, slots=True)
class Database:
    """A file, and where in it the tables are.

    Attributes:
        path: the DuckDB file.
        dataset: the schema with what was loaded.
        marts: the schema with dbt's marts; None where there are none.
        columns: those of each table of both, without their schema.
    """

    path: Path
    dataset: str
    marts: str | None = None
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)

    @classmethod
    def find(cls, path: str | Path, *, patience_s: float = _PATIENCE_S) -> Database:
        """Look into a file for what a load left there.

        Args:
            path: a DuckDB file; `~` is the home folder.
            patience_s: how long to wait for a writer.

        Raises:
            NotReadable: there is no such file, it is no database of ours, or a writer holds it.
        """
        file = Path(path).expanduser()
        with _connected(file, patience_s) as connection:
            schemas = _schemas(connection)
        datasets = sorted(name for name, tables in schemas.items() if MARK in tables)
        if not datasets:
            raise NotReadable(f"`{file}` holds no dataset with loaded streams. {_HOW}")
        dataset = "pipedream" if "pipedream" in datasets else datasets[0]
        marts = sorted(name for name, tables in schemas.items() if MARTS_MARK in tables)
        built = MARTS_SCHEMA if MARTS_SCHEMA in marts else next(iter(marts), None)
        return cls(file, dataset, built, {**(schemas[built] if built else {}), **schemas[dataset]})

    @contextmanager
    def reading(self, *, patience_s: float = _PATIENCE_S) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the file while the block runs: keep it short, as no load can write meanwhile."""
        with _connected(self.path, patience_s) as connection:
            schemas = [self.dataset, *([self.marts] if self.marts else [])]
            path = ",".join('"' + name.replace('"', '""') + '"' for name in schemas)
            connection.execute("SET search_path = '" + path.replace("'", "''") + "'")
            for table, columns in {**EXPECTED, **MARTS}.items():
                if table not in self.columns:
                    connection.execute(f"CREATE TEMP TABLE {table} ({columns})")
            shared = {name: view_query(name, self.columns) for name in SHARED}
            for view, query in {**shared, **VIEWS}.items():
                connection.execute(f"CREATE TEMP VIEW {view} AS {query}")
            yield connection

    def frame(
        self, query: str, parameters: Sequence[object] | Mapping[str, object] = (), **frames: Any
    ) -> pd.DataFrame:
        """Run a query and return its rows; times are UTC.

        Args:
            query: over the tables, and the views of `views.py`, by their bare names.
            parameters: for its `?` or `$name`.
            frames: pandas frames that the query may name like tables.
        """
        with self.reading() as connection:
            for name, frame in frames.items():
                connection.register(name, frame)
            return connection.execute(query, parameters).df()

    def value(self, query: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> Any:
        """Run a query and return the first cell; None without a row."""
        with self.reading() as connection:
            row = connection.execute(query, parameters).fetchone()
        return row[0] if row else None

    def as_of(self) -> datetime | None:
        """Return the time of the newest data: the last poll, by the API's clock.

        What is "new" or "today" counts from it and not from this machine's clock: nothing is known
        of what came later.
        """
        newest: datetime | None = self.value(f"SELECT max(last_polled_at) FROM {MARK}")  # noqa: S608
        return newest


def candidates(folder: Path | None = None) -> list[Path]:
    """Return the databases of ours to choose from, the default first.

    Args:
        folder: where to look; by default the current one, then the one above the notebooks.
    """
    here = [folder] if folder else [Path.cwd(), Path(__file__).resolve().parents[2]]
    named = [Path(os.environ[VARIABLE])] if os.environ.get(VARIABLE) else []
    files = {file.resolve(): file for place in reversed(here) for file in place.glob("*.duckdb")}
    newest = sorted(files.values(), key=lambda file: file.stat().st_mtime, reverse=True)
    ours = [_shortest(file) for file in newest if _is_ours(file)]
    return list(dict.fromkeys([*named, *ours]))


def choose(typed: str, picked: str | None) -> Database:
    """Return the database that was asked for: the typed path goes before the picked one.

    Raises:
        NotReadable: none was named, or it cannot be read.
    """
    wanted = typed.strip() or picked
    if not wanted:
        raise NotReadable(f"There is no database of ours in `{Path.cwd()}`. {_HOW}")
    return Database.find(wanted)


def _shortest(file: Path) -> Path:
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file


def _is_ours(file: Path) -> bool:
    try:
        Database.find(file, patience_s=0)
    except Busy:
        return True  # may well be the wanted one
    except NotReadable:
        return False
    return True


def _schemas(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, frozenset[str]]]:
    """Return the columns of each table of each schema."""
    query = (
        "SELECT schema_name, table_name, list(column_name) FROM duckdb_columns() "
        "WHERE database_name = current_database() GROUP BY schema_name, table_name"
    )
    found: dict[str, dict[str, frozenset[str]]] = {}
    for schema, table, columns in connection.execute(query).fetchall():
        found.setdefault(schema, {})[table] = frozenset(columns)
    return found


@contextmanager
def _connected(path: Path, patience_s: float) -> Iterator[duckdb.DuckDBPyConnection]:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise NotReadable(f"`{path}` {what}. {_HOW}")
    connection = _opened(path, time.monotonic() + patience_s)
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


def _opened(path: Path, until: float) -> duckdb.DuckDBPyConnection:
    while True:
        try:
            return duckdb.connect(str(path), read_only=True)
        except duckdb.Error as error:
            why = str(error).splitlines()[0]
            if not (isinstance(error, duckdb.IOException) and why.startswith(_LOCKED)):
                raise NotReadable(f"`{path}` cannot be read: {why}. {_HOW}") from None
            if time.monotonic() >= until:
                raise Busy(
                    f"`{path}` is being written by another process: run this again in a moment. "
                    f"({why})"
                ) from None
        time.sleep(_PAUSE_S)
