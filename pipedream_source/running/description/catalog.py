"""What the catalog of a database says of a dataset: tables, views, columns and their comments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from pipedream_source.resources.schema.view_sql import DUCKDB, POSTGRES, Dialect


class Catalog(NamedTuple):
    """How a database is asked.

    Attributes:
        dialect: of its SQL.
        relations: asks for name, comment, whether it is a view, and number of columns of each
            table and view of a schema.
        columns: asks for table or view, column and comment of a schema.
        settings: a statement for each transaction that writes, and one that ends what it sets.
    """

    dialect: Dialect
    relations: str
    columns: str
    settings: tuple[str, str]


class Relation(NamedTuple):
    """A table or a view."""

    name: str
    comment: str
    is_view: bool
    width: int


#: By dlt's type of destination.
CATALOGS: Final[Mapping[str, Catalog]] = {
    "dlt.destinations.duckdb": Catalog(
        DUCKDB,
        "SELECT name, comment, is_view, width FROM ("
        "SELECT schema_name, database_name, table_name AS name, comment, false AS is_view, "
        "column_count AS width FROM duckdb_tables() UNION ALL "
        "SELECT schema_name, database_name, view_name, comment, true, column_count "
        "FROM duckdb_views()) WHERE schema_name = %s AND database_name = current_database()",
        "SELECT table_name, column_name, comment FROM duckdb_columns() "
        "WHERE schema_name = %s AND database_name = current_database()",
        # A sixth of the work: hundreds of statements with nothing to plan.
        ("PRAGMA disable_optimizer", "PRAGMA enable_optimizer"),
    ),
    "dlt.destinations.postgres": Catalog(
        POSTGRES,
        "SELECT c.relname, obj_description(c.oid, 'pg_class'), c.relkind NOT IN ('r', 'p'), "
        "c.relnatts FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
        "SELECT c.relname, a.attname, col_description(c.oid, a.attnum) FROM pg_class AS c "
        "JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
        "WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
        ("SET LOCAL lock_timeout = '2s'", ""),
    ),
}
