"""Take back what a killed load did to a destination, before its package is loaded from the start.

A copy may be committed without a note, and would be copied twice. Rows are found by the id of the
load, in tables and in open table formats; plain files bear it in their name.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import Any

import dlt
from dlt.common.destination.client import JobClientBase
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.destinations.sql_client import SqlClientBase

_LOAD_ID = re.compile(r"\d+(\.\d+)?").fullmatch
_OPEN_FORMATS = ("delta", "iceberg")


def can_delete_rows(pipeline: dlt.Pipeline) -> bool:
    """Tell whether a destination has SQL that changes rows; plain files have some that reads."""
    return issubclass(pipeline.destination.client_class, SqlJobClientBase)


def take_back(client: JobClientBase, tables: Iterable[str], load_id: str) -> None:
    """Delete what a load has written so far.

    Args:
        client: of the destination, with the package's schema; open.
        tables: those that the package has rows of.
        load_id: the package's.
    """
    if isinstance(client, SqlJobClientBase):
        _delete_rows(client, tables, load_id)
    elif isinstance(client, FilesystemClient) and _LOAD_ID(load_id):
        for table in tables:
            _delete_from_files(client, table, load_id)


def _delete_rows(client: SqlJobClientBase, tables: Iterable[str], load_id: str) -> None:
    staged = getattr(client, "should_load_data_to_staging_dataset", lambda _: False)
    for table in tables:
        if not staged(table):
            _delete_package(client.sql_client, table, load_id, "_dlt_load_id")
    # The load is recorded when all is done, by a row without a key.
    _delete_package(client.sql_client, "_dlt_loads", load_id, "load_id")


def _delete_package(sql: SqlClientBase[Any], table: str, load_id: str, column: str) -> None:
    # Table names are dlt's own, normalized and quoted by its client; the load id is bound.
    name = sql.make_qualified_table_name(table)
    try:
        sql.execute_sql(f"DELETE FROM {name} WHERE {column} = %s", load_id)  # noqa: S608
    except DatabaseUndefinedRelation:
        return


def _delete_from_files(client: FilesystemClient, table: str, load_id: str) -> None:
    """Delete a load's files, which a layout by date would else write under another name."""
    form = client.prepare_load_table(table).get("table_format")
    try:
        if form in _OPEN_FORMATS:
            # Delta Lake and Iceberg take the same text for a filter.
            client.load_open_table(form, table).delete(f"_dlt_load_id = '{load_id}'")
            return
        for path in client.list_table_files(table):
            if load_id in posixpath.basename(path):
                client.fs_client.rm_file(path)
    except DestinationUndefinedEntity:
        return
