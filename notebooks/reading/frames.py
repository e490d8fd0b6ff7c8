"""Tables to pandas and back."""

from __future__ import annotations

from typing import Final

import duckdb
import pandas as pd

from .database import Database

EXAMPLE: Final = """\
hours = database.frame("SELECT emitter_id, hour(emitted_at) AS hour, … FROM …")
teams = pd.read_csv("teams.csv")
database.frame("SELECT team, count(*) … FROM teams JOIN … GROUP BY team", teams=teams)"""

# So many times 2,048 rows.
_CHUNKS = 5


def tables(database: Database) -> pd.DataFrame:
    """Return the tables of the dataset, then of the marts, without dlt's own.

    Returns:
        Columns schema, table_name, rows, columns.
    """
    found = database.frame(
        "SELECT schema_name AS schema, table_name, column_count AS columns FROM duckdb_tables() "
        "WHERE database_name = current_database() AND schema_name IN ($dataset, $marts) "
        "AND table_name NOT LIKE '\\_dlt%' ESCAPE '\\' "
        "ORDER BY schema_name <> $dataset, table_name",
        {"dataset": database.dataset, "marts": database.marts or database.dataset},
    )
    counts = [
        database.value(f"SELECT count(*) FROM {_quoted(schema)}.{_quoted(table)}")  # noqa: S608
        for schema, table in zip(found["schema"], found["table_name"], strict=True)
    ]
    found.insert(2, "rows", pd.Series(counts, dtype="int64"))
    return found


def tried(database: Database, sql: str) -> tuple[pd.DataFrame | None, str]:
    """Return the first rows of somebody's query, or none and what stands against it."""
    try:
        with database.reading() as connection:
            cursor = connection.execute(sql)
            return cursor.fetch_df_chunk(_CHUNKS), ""
    except duckdb.Error as error:
        return None, str(error)


def connect_line(database: Database) -> str:
    """Return the line of Python that opens this database."""
    return f"duckdb.connect({str(database.path)!r}, read_only=True)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
