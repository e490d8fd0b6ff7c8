"""The parts of views that several share, and where DuckDB and Postgres differ.

Everything else is written in what both understand: `->` and `->>` with a key, in parentheses.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from pipedream_source.resources.schema.table import Table

Tables = Mapping[str, Collection[str]]

_TYPES: Final = {
    "text": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE PRECISION",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMPTZ",
}
_AT: Final = r"\n[ \t]*at [^\r\n]*"
# The platform's own frames, in which live stacks begin and end, tell nothing of an error.
_PLATFORM: Final = (
    rf"{_AT}(node_modules/@lambda-v2|launch_worker\.js|node:[a-z]|[(]internal/)[^\r\n]*"
)
_LIBRARY: Final = rf"{_AT}(node_modules/|[(]<anonymous>|[(]native[)]|[(]index [0-9]+[)])[^\r\n]*"
_FRAME: Final = r"\n[ \t]*at ([^\r\n]*)"

# Numbers the versions of each source from the newest on.
SOURCE_AGE: Final = """\
row_number() OVER (
            PARTITION BY source.id
            ORDER BY CASE WHEN source._dlt_valid_to IS NULL THEN 0 ELSE 1 END,
                source._dlt_valid_from DESC
        ) AS age"""
# The newest version of each source, also of one that is gone, and workflows.
_NAMES: Final = f"""\
(
    SELECT versions.id, versions.name
    FROM (
        SELECT source.id, source.name, {SOURCE_AGE}
        FROM {{sources}} AS source
        WHERE source.name <> ''
    ) AS versions
    WHERE versions.age = 1
    UNION ALL
    SELECT workflow.id, workflow.name FROM {{workflows}} AS workflow WHERE workflow.name <> ''
)"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a database calls things.

    Attributes:
        json: its type of JSON columns.
        whole_text: the text of a whole JSON value in column `event`.
        first_match: the first group of a regular expression, for a text and a pattern.
    """

    json: str
    whole_text: str
    first_match: str

    def null(self, kind: str) -> str:
        """Return null as one of dlt's data types."""
        return f"CAST(NULL AS {_TYPES.get(kind, self.json)})"


DUCKDB: Final = Dialect("JSON", "event ->> '$'", "regexp_extract({}, '{}', 1)")
POSTGRES: Final = Dialect("JSONB", "event #>> '{}'", "substring({} from '{}')")


def snippets(dialect: Dialect) -> dict[str, str]:
    """Return what a view's text may name besides tables."""
    own, any_other = (
        _first_frame(dialect, *steps) for steps in ((_PLATFORM, _LIBRARY), (_PLATFORM,))
    )
    return {
        "whole_text": dialect.whole_text,
        "own_line": f"coalesce({own}, {any_other})",
    }


def _first_frame(dialect: Dialect, *left_out: str) -> str:
    text = "raised.stack"
    for pattern in left_out:
        text = f"regexp_replace({text}, '{pattern}', '', 'g')"
    return f"nullif({dialect.first_match.format(text, _FRAME)}, '')"


def relations(
    tables: Collection[Table], dialect: Dialect, dataset: str, existing: Tables
) -> dict[str, str]:
    """Return what views read tables from; `names` are the names of emitters by id.

    Args:
        tables: those that views read.
        dialect: of the database.
        dataset: its name, quoted, with a dot; empty where it is on the search path.
        existing: the columns of the tables that exist. What is missing reads as null, or as a
            table without rows.
    """
    found = {
        table.name: _relation(table, dialect, dataset, existing.get(table.name)) for table in tables
    }
    return {**found, "names": _NAMES.format(**found)}


def _relation(table: Table, dialect: Dialect, dataset: str, columns: Collection[str] | None) -> str:
    held = set(columns or ())
    if held.issuperset(table.stored):
        return f"{dataset}{table.name}"
    values = [
        name if name in held else f"{dialect.null(column.kind)} AS {name}"
        for name, column in table.stored.items()
    ]
    source = "WHERE 1 = 0" if columns is None else f"FROM {dataset}{table.name}"
    return f"(SELECT {', '.join(values)} {source})"
