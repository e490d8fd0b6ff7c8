"""Databases made out of the demo's."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from notebooks.reading.tables import EXPECTED

EVENTS = 1_000_000
ERRORS = 50_000


@contextmanager
def writing(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(file)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET schema = 'pipedream'")
        yield connection


def rows(file: Path, query: str, parameters: Sequence[object] = ()) -> list[tuple]:
    """Ask a file as anybody would, without anything of the notebooks."""
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET schema = 'pipedream'")
        return connection.execute(query, parameters).fetchall()


def with_payloads(file: Path, table: str, payloads: Sequence[str | None]) -> Path:
    """Make a database whose only events have these payloads, a second apart; their seq counts."""
    with duckdb.connect(str(file)) as connection:
        connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA pipedream; USE pipedream")
        connection.execute("CREATE TABLE stream_status (last_polled_at TIMESTAMPTZ)")
        for name, columns in EXPECTED.items():
            connection.execute(f"CREATE TABLE {name} ({columns})")
        connection.executemany(
            f"INSERT INTO {table} (emitter_id, channel, id, emitted_at, event_seq, event) "
            "VALUES ('dc_1', '', ?, make_timestamptz(?), ?, ?)",
            [(f"{n}000-{n}", n * 1_000_000, n, payload) for n, payload in enumerate(payloads)],
        )
    return file


def without_rows(demo: Path, file: Path) -> Path:
    """Copy a database; all its tables exist and none has a row."""
    shutil.copyfile(demo, file)
    with writing(file) as connection:
        query = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'pipedream'"
        for (table,) in connection.execute(query).fetchall():
            connection.execute(f'DELETE FROM "{table}"')
    return file


def with_a_million(demo: Path, file: Path) -> Path:
    """Copy a database and let its events repeat themselves into the past, a million in all."""
    shutil.copyfile(demo, file)
    with writing(file) as connection:
        emits = "SELECT count(*) FROM workflow_emits"
        (emitted,) = connection.execute(emits).fetchall()[0]
        _repeat(connection, "source_event_summaries", EVENTS - ERRORS - emitted)
        _repeat(connection, "workflow_errors", ERRORS)
    return file


def _repeat(connection: duckdb.DuckDBPyConnection, table: str, wanted: int) -> None:
    """Fill a table up with copies of its small events, each a day or more older."""
    small = f"{table} WHERE strlen(event::VARCHAR) < 1000"
    (have, copied) = connection.execute(
        f"SELECT (SELECT count(*) FROM {table}), count(*) FROM {small}"
    ).fetchall()[0]
    more = wanted - have
    connection.execute(f"""
        INSERT INTO {table}
        WITH first AS (SELECT *, row_number() OVER () - 1 AS n FROM {small})
        SELECT first.* EXCLUDE (n) REPLACE (
            emitted_at - to_days(back::INTEGER) AS emitted_at,
            epoch_ms(emitted_at - to_days(back::INTEGER)) || '-' || n AS id,
            _dlt_id || ':' || back AS _dlt_id)
        FROM range(1, {more} // {copied} + 2) AS days(back), first
        WHERE (back - 1) * {copied} + n < {more}""")
