"""Copy a DuckDB database into another file, and prove that nothing of it was left behind.

DuckDB's `COPY FROM DATABASE` brings no triggers, and fails on rows with foreign keys. So it copies
the definitions alone; rows follow table by table, then triggers. What a user made in the file is
copied too, or nothing is: everything that DuckDB's catalog tells must be the same in both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

from pipedream_source.core.text.redaction import printable
from pipedream_source.core.text.sql_text import quoted
from pipedream_source.exceptions import PipedreamError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: The name of the database that is copied.
ORIGINAL = "pipedream_source original"
#: Gets what is being done with which table, how many rows are done, and how many there are.
Tell = Callable[[str, str, int, int], None]

_CATALOG = (
    *("schemas", "types", "sequences", "tables", "columns", "constraints", "indexes", "views"),
    *("functions", "triggers"),
)
_DIFFERS = "would not be the same in the copy, so there is none; the database is as it was"
# What differs between two databases of the same content.
_INCIDENTAL = {
    *("database_name", "oid", "estimated_size", "constraint_index", "is_bound", "column_count"),
}
# Files of different storage versions keep other brackets around the parts of a view's query.
_BARE = str.maketrans("", "", "() ")
_TABLES = (
    "SELECT schema_name, table_name, estimated_size FROM duckdb_tables() "
    "WHERE database_name = ? ORDER BY ALL"
)
# A column that is computed from others cannot be written. DuckDB 1 does not say which one is.
_COLUMNS = (
    "SELECT table_schema, table_name, column_name, is_generated = 'ALWAYS', "
    "column_default IS NOT NULL FROM information_schema.columns "
    "WHERE table_catalog = ? ORDER BY ordinal_position"
)
_REFERENCES = (
    "SELECT DISTINCT schema_name, table_name, referenced_table FROM duckdb_constraints() "
    "WHERE database_name = ? AND constraint_type = 'FOREIGN KEY'"
)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table, the columns that are written, and about how many rows it has."""

    schema: str
    name: str
    columns: str
    size: int

    def of(self, database: str) -> str:
        return quoted(database, self.schema, self.name)


@dataclass(frozen=True, slots=True)
class DatabaseCopy:
    """A database, attached as `ORIGINAL`, and its copy.

    Attributes:
        connection: both are attached to it.
        name: the copy's. Definitions may name the database that they stand in, so it is what
            DuckDB calls the original when it is opened alone.
        left_out: schemas of the original that are not copied.
        tell: is told of the progress.
    """

    connection: DuckDBPyConnection
    name: str
    left_out: Collection[str]
    tell: Tell

    def fill(self) -> None:
        """Copy everything into the copy, which is empty.

        Raises:
            duckdb.Error: something cannot be copied.
        """
        original, copy, execute = quoted(ORIGINAL), quoted(self.name), self.connection.execute
        execute(f"USE {copy}")
        execute(f"COPY FROM DATABASE {original} TO {copy} (SCHEMA)")
        for schema in self.left_out:
            execute(f"DROP SCHEMA {quoted(self.name, schema)} CASCADE")
        for table in self._tables("Copying"):
            execute(
                f"INSERT INTO {table.of(self.name)} ({table.columns}) "  # noqa: S608 - its names
                f"SELECT {table.columns} FROM {table.of(ORIGINAL)}"
            )
        for statement in self._triggers():
            execute(statement)
        execute(f"CHECKPOINT {copy}")
        execute("USE memory")

    def verify(self) -> tuple[int, int]:
        """Compare the copy with the original: definitions, rows by table, and their hashes.

        Returns:
            How many tables there are, and how many rows.

        Raises:
            PipedreamError: they differ.
        """
        there, copied = self._catalog(ORIGINAL), self._catalog(self.name)
        if there != copied:
            missing = [*(there - copied), *(copied - there)]
            kind, name, *_ = missing[0]
            raise PipedreamError(f"The definition of {printable(name, 300)} ({kind}) {_DIFFERS}")
        tables = rows = 0
        for table in self._tables("Verifying"):
            count, *hashes = self._hashes(table.of(ORIGINAL), table.columns)
            if self._hashes(table.of(self.name), table.columns) != (count, *hashes):
                name = printable(f"{table.schema}.{table.name}", 300)
                raise PipedreamError(f"The rows of {name} {_DIFFERS}")
            tables, rows = tables + 1, rows + count
        return tables, rows

    def _tables(self, step: str) -> Iterator[_Table]:
        """Yield the tables, those that others refer to first; tell of each."""
        found = {
            (schema, name.casefold()): (schema, name, size)
            for schema, name, size in self._rows(_TABLES, ORIGINAL)
            if schema not in self.left_out
        }
        order = TopologicalSorter[tuple[str, str]](dict.fromkeys(found, ()))
        for schema, name, referenced in self._rows(_REFERENCES, ORIGINAL):
            if schema not in self.left_out and name.casefold() != referenced.casefold():
                order.add((schema, name.casefold()), (schema, referenced.casefold()))
        columns = self._columns()
        total, done = sum(size for *_, size in found.values()), 0
        for key in order.static_order():
            schema, name, size = found[key]
            self.tell(step, f"{schema}.{name}", done, total)
            yield _Table(schema, name, ", ".join(columns[schema, name]), size)
            done += size

    def _columns(self) -> dict[tuple[str, str], list[str]]:
        """Return the columns that are written, by table."""
        found: dict[tuple[str, str], list[str]] = {}
        for schema, table, column, is_generated, has_default in self._rows(_COLUMNS, ORIGINAL):
            if is_generated is None and has_default:
                is_generated = self._is_computed(schema, table, column)
            if not is_generated:
                found.setdefault((schema, table), []).append(quoted(column))
        return found

    def _is_computed(self, schema: str, table: str, column: str) -> bool:
        """Tell a computed column from one with a default: DESCRIBE shows defaults alone."""
        name = quoted(ORIGINAL, schema, table)
        query = f'SELECT "default" IS NULL FROM (DESCRIBE {name}) WHERE column_name = ?'  # noqa: S608
        return bool(self._rows(query, column)[0][0])

    def _hashes(self, table: str, columns: str) -> tuple[int, ...]:
        """Return a table's number of rows, and what does not depend on their order."""
        (found,) = self._rows(
            f"SELECT count(*), bit_xor(h), sum(h) FROM (SELECT hash({columns}) AS h FROM {table})"  # noqa: S608
        )
        return found

    def _triggers(self) -> list[str]:
        """Return the statements that make the triggers."""
        found = self._defined("triggers", ORIGINAL)
        return [row["sql"] for row in found if row["schema_name"] not in self.left_out]

    def _catalog(self, database: str) -> Counter[tuple[str, ...]]:
        """Return everything that is defined: its kind, its name, and what is told of it."""
        return Counter(
            (kind, *_told(row))
            for kind in _CATALOG
            for row in self._defined(kind, database)
            if row["schema_name"] not in self.left_out
        )

    def _defined(self, kind: str, database: str) -> list[dict[str, Any]]:
        """Return what DuckDB tells of all definitions of a kind."""
        import duckdb

        query = f"SELECT * FROM duckdb_{kind}() WHERE database_name = ?"  # noqa: S608
        try:
            cursor = self.connection.execute(query, [database])
        except duckdb.CatalogException:
            if kind == "triggers":  # DuckDB 1 has none
                return []
            raise
        columns = [column[0] for column in cursor.description or ()]
        return [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]

    def _rows(self, query: str, *parameters: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, parameters).fetchall()


def _told(row: dict[str, Any]) -> Iterator[str]:
    """Yield a definition's name, and whatever else is told of it; not the numbers of objects."""
    names = (column for column in row if column.endswith("_name") and column != "database_name")
    yield ".".join(str(row[column]) for column in names if isinstance(row[column], str))
    for column, value in row.items():
        if column not in _INCIDENTAL and not column.endswith("_oid"):
            yield str(value).translate(_BARE)
