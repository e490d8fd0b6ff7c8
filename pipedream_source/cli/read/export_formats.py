"""Tables as files: which rows and columns, and how each form writes them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from pipedream_source.cli.output.json_text import sound_line
from pipedream_source.cli.read.database import Opened
from pipedream_source.core.text.redaction import printable
from pipedream_source.core.text.sql_text import quoted
from pipedream_source.exceptions import ConfigurationError, PipedreamError

if TYPE_CHECKING:
    import pyarrow as pa

Tell = Callable[[int], None]

# What --since compares with: the first of these that a table has.
_TIMES = (
    *("emitted_at", "gap_end", "detected_at", "finished_at", "snapshot_at", "last_polled_at"),
    *("covered_until", "last_seen_at", "updated_at"),
)
# Of other types no two programs agree on a form: they become texts.
_SCALAR = re.compile(
    r"U?(TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|DOUBLE|FLOAT|BOOLEAN|VARCHAR|DATE|TIME(STAMP.*)?"
    r"|DECIMAL\(.*\)"
).fullmatch
_COLUMNS = (
    "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = ? AND table_name = ? "
    "AND database_name = current_database() ORDER BY column_index"
)
_TABLES = (
    "SELECT table_schema, table_name FROM information_schema.tables "
    "WHERE table_catalog = current_database()"
)


class To(StrEnum):
    """The form of a file."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"


class Wanted(NamedTuple):
    """A table that exists, and its columns with their types."""

    schema: str
    name: str
    columns: dict[str, str]

    @classmethod
    def of(cls, opened: Opened, dataset: str, given_name: str) -> Wanted:
        """Find a table by the name that was given, in the dataset or another schema.

        Raises:
            ConfigurationError: there is none; the message lists those that there are.
        """
        found = opened.connection.execute(_TABLES).fetchall()
        by_name = {f"{schema}.{name}": (schema, name) for schema, name in found}
        by_name |= {name: (schema, name) for schema, name in found if schema == dataset}
        if given_name not in by_name:
            names = ", ".join(repr(n) for n in sorted(opened.tables) if not n.startswith("_"))
            raise ConfigurationError(
                f"There is no table {printable(given_name)!r}. In {dataset} there are: {names}"
            )
        schema, name = by_name[given_name]
        columns = opened.connection.execute(_COLUMNS, [schema, name]).fetchall()
        return cls(schema, name, dict(columns))

    def where(self, start: datetime | None, emitters: Sequence[str]) -> tuple[str, list[Any]]:
        """Return the condition for the rows that are asked for, and its parameters."""
        conditions, values = ["true"], list[Any](emitters)
        if emitters:
            self._require("emitter_id" in self.columns, "--emitter")
            conditions.append(f"emitter_id IN ({', '.join('?' * len(emitters))})")
        if start is not None:
            time = next((name for name in _TIMES if name in self.columns), None)
            self._require(time is not None, "--since")
            conditions.append(f"{time} >= ?")
            values.append(start)
        return " AND ".join(conditions), values

    def _require(self, possible: bool, flag: str) -> None:
        if not possible:
            raise ConfigurationError(f"{flag}: {printable(self.name)} has no such column")

    def as_columns(self) -> str:
        """Return what to select so that whatever Arrow writes to a file is a number or a text."""
        return ", ".join(
            quoted(name) if _SCALAR(kind) else f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}"
            for name, kind in self.columns.items()
        )

    def as_line(self) -> str:
        """Return the expression for a row as a line of JSON."""
        fields = (_field(name, kind) for name, kind in self.columns.items())
        # A payload is copied once by this, and with each `||` by a chain of them.
        return "concat('{', " + ", ',', ".join(fields) + ", '}')"


def _field(name: str, kind: str) -> str:
    value = quoted(name)
    if kind == "JSON":
        value = f"translate(CAST({value} AS VARCHAR), chr(10) || chr(13), '  ')"
    elif kind == "TIMESTAMP WITH TIME ZONE":
        value = f"to_json(strftime({value} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ'))"
    elif kind.startswith("DECIMAL"):
        # As JSON, DuckDB would leave out the zeros at its end.
        value = f"CAST({value} AS VARCHAR)"
    elif kind in ("DOUBLE", "FLOAT"):
        # JSON has no form for these.
        text = f"to_json(CAST({value} AS VARCHAR))"
        value = f"CASE WHEN isfinite({value}) THEN to_json({value}) ELSE {text} END"
    else:
        value = f"to_json({value})"
    return f"to_json({_literal(name)}) || ':', coalesce(CAST({value} AS VARCHAR), 'null')"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class Rows:
    """The rows that are asked for, on their way to a file."""

    def __init__(
        self, opened: Opened, wanted: Wanted, condition: str, values: Sequence[Any]
    ) -> None:
        self._connection = opened.connection
        self._wanted = wanted
        self._from = f"FROM {quoted(wanted.schema)}.{quoted(wanted.name)} WHERE {condition}"
        self._values = values

    def count(self) -> int:
        """Return how many there are."""
        query = f"SELECT count(*) {self._from}"
        return int(self._connection.execute(query, self._values).fetchall()[0][0])

    def write(self, to: To, path: Path | None, tell: Tell) -> int:
        """Write all rows; return how many."""
        from pipedream_source.running.duckdb.memory_limit import within_memory

        if path is None:
            # What went out cannot be taken back, so there is no second try without a limit.
            return self._write(to, _stdout(), tell)
        return within_memory(self._connection, lambda: self._write_file(to, path, tell))

    def _write_file(self, to: To, path: Path, tell: Tell) -> int:
        from pipedream_source.running.duckdb.whole_file import written_whole

        try:
            # A link stays, and leads to what is replaced.
            with written_whole(path.resolve()) as file:
                return self._write(to, file, tell)
        except OSError as error:
            raise PipedreamError(
                f"{printable(str(path), 500)} cannot be written ({error.strerror}): nothing of it "
                "is left."
            ) from None

    def _write(self, to: To, file: BinaryIO, tell: Tell) -> int:
        from pipedream_source.running.maintenance.parquet_file import batches_of, write_parquet

        wanted = self._wanted.as_columns()
        if to is To.JSONL:
            wanted = f"{self._wanted.as_line()} AS line"
        query = f"SELECT {wanted} {self._from}"
        write = {To.PARQUET: write_parquet, To.CSV: _write_csv, To.JSONL: _write_lines}[to]
        with batches_of(self._connection, query, self._values) as batches:
            return write(batches, file, tell)


def _write_csv(batches: pa.RecordBatchReader, file: BinaryIO, tell: Tell) -> int:
    from pyarrow import csv

    count = 0
    with csv.CSVWriter(file, batches.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            count += batch.num_rows
            tell(count)
    return count


def _write_lines(batches: pa.RecordBatchReader, file: BinaryIO, tell: Tell) -> int:
    count = 0
    for batch in batches:
        lines = map(sound_line, batch.column(0).to_pylist())
        file.write("\n".join([*lines, ""]).encode())
        count += batch.num_rows
        tell(count)
    return count


class _Harmless:
    """A terminal, on which nothing acts that a row holds."""

    closed = False

    def write(self, data: bytes) -> int:
        text = bytes(data).decode("utf-8", "replace")
        sys.stdout.write(printable(text, len(text)))
        return len(data)

    def flush(self) -> None:
        sys.stdout.flush()


def _stdout() -> BinaryIO:
    return cast(BinaryIO, _Harmless()) if sys.stdout.isatty() else sys.stdout.buffer
