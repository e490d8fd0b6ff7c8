"""What a view is, and the parts of its definition that several share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from pipedream_source.resources.schema.table import Columns, text
from pipedream_source.resources.schema.tables import (
    EVENT_GAPS,
    EVENT_TABLES,
    SOURCES,
    STREAM_COVERAGE,
    STREAM_STATUS,
    USERS,
    WORKFLOWS,
    WORKSPACES,
)
from pipedream_source.resources.schema.view_sql import DUCKDB, Dialect, relations, snippets

#: Stands in the comment of each view that we made, and of no other.
MADE_BY: Final = "Made by pipedream-source"
READ: Final = (
    *EVENT_TABLES,
    *(EVENT_GAPS, SOURCES, STREAM_COVERAGE, STREAM_STATUS, USERS, WORKFLOWS, WORKSPACES),
)
EMITTER: Final = {
    "emitter_id": STREAM_STATUS.fields["emitter_id"],
    "emitter_name": text("Its newest name; null when unknown."),
}
CHANNEL: Final = {"channel": STREAM_STATUS.fields["channel"]}


@dataclass(frozen=True)
class View:
    """A view of the dataset.

    Attributes:
        name: its name in the dataset.
        about: what a row is, in a sentence.
        fields: its columns, in order.
        sql: its query, in which braces enclose tables and what databases write differently.
    """

    name: str
    about: str
    fields: Columns
    sql: str

    def query(
        self,
        tables: Mapping[str, Collection[str]] | None = None,
        *,
        dataset: str = "",
        dialect: Dialect = DUCKDB,
    ) -> str:
        """Return its SELECT.

        Args:
            tables: the columns of the tables that exist; by default all are there.
            dataset: the schema, quoted, with a dot; by default it is on the search path.
            dialect: of the database.
        """
        if tables is None:
            tables = {table.name: table.stored for table in READ}
        return self.sql.format(**relations(READ, dialect, dataset, tables), **snippets(dialect))


def epoch(moment: str) -> str:
    """Return a time as Unix seconds."""
    return f"CAST(extract(epoch FROM {moment}) AS DOUBLE PRECISION)"


def time_of(event_id: str) -> str:
    """Return the time of an event id, which may have more digits than a time."""
    ms = f"CAST(split_part({event_id}, '-', 1) AS BIGINT)"
    return f"to_timestamp(least({ms}, 253402300799999) / 1000.0)"
