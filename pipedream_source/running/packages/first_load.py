"""Rows of a package that appends, made for a new database that was none any more when it loaded.

A first load into a DuckDB file that does not exist appends, as there is nothing to merge with. If
it is killed, and somebody else makes the file before its package is loaded (a run by hand, a
backup), its rows may stand there already. So such packages are noted until that has been seen to:
they merge where rows are found, and what came between is removed when they are loaded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dlt
from dlt.common.schema import Schema
from dlt.common.storages.file_storage import FileStorage
from dlt.common.storages.load_package import PackageStorage
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from pipedream_source.resources.arrow.items import merge_strategy
from pipedream_source.resources.schema.tables import EVENT_TABLES, INSERT_ONLY, SIDE_TABLES, Table
from pipedream_source.running.packages.damaged_files import stored_schema
from pipedream_source.running.packages.undo import can_delete_rows

_LOAD_ID = re.compile(r"\d+(\.\d+)?").fullmatch


def note_first_load(pipeline: dlt.Pipeline, note: Path) -> None:
    """Add the pending packages to the note, if there is one: any of them may append."""
    if note.exists():
        for load_id in pipeline.list_normalized_load_packages():
            note_package(note, load_id)


def note_package(note: Path, load_id: str) -> None:
    """Add a package to the note; one that was made is readable by its owner only."""
    note.touch(mode=0o600)
    noted = _noted(note)
    if load_id not in noted:
        note.write_text(" ".join([*noted, load_id]), encoding="utf-8")


def _noted(note: Path) -> list[str]:
    """Return the ids in the note; a power cut may have left anything in it."""
    return [word for word in note.read_text(errors="replace").split() if _LOAD_ID(word)]


def merge_late(pipeline: dlt.Pipeline, note: Path) -> None:
    """Let noted packages add to tables that others filled what is missing there, and no more.

    Rows that are removed only afterwards stand there twice if the load is killed in between.

    Args:
        pipeline: what its killed loads copied is taken back, so that all rows are of others.
        note: see `note_first_load`.
    """
    pending = pipeline.list_normalized_load_packages() if note.exists() else []
    late = [load_id for load_id in pending if load_id in _noted(note)]
    if not late or not can_delete_rows(pipeline):
        return
    with pipeline.sql_client() as sql:
        filled = [table for table in (*EVENT_TABLES, *SIDE_TABLES) if _has_rows(sql, table)]
    supported = pipeline.destination_client().capabilities.supported_merge_strategies
    for load_id in late if filled else ():
        package = Path(pipeline.get_load_package_info(load_id).package_path)
        schema = stored_schema(package)
        appended = [table for table in filled if _is_appended(schema, table)]
        for table in appended:
            _set_to_merge(schema, table, supported)
        if appended:
            text = json.dumps(schema.to_dict())
            FileStorage.save_atomic(str(package), PackageStorage.SCHEMA_FILE_NAME, text)


def _has_rows(sql: SqlClientBase[object], table: Table) -> bool:
    name = sql.make_qualified_table_name(table.name)
    try:
        return bool(sql.execute_sql(f"SELECT 1 FROM {name} LIMIT 1"))  # noqa: S608
    except DatabaseUndefinedRelation:
        return False


def _is_appended(schema: Schema, table: Table) -> bool:
    return schema.tables.get(table.name, {}).get("write_disposition") == "append"


def _set_to_merge(schema: Schema, table: Table, supported: Sequence[str] | None) -> None:
    known: dict[str, Any] = dict(schema.tables[table.name])
    known["write_disposition"] = "merge"
    known["x-merge-strategy"] = merge_strategy(INSERT_ONLY, supported)
    schema.tables[table.name] = known  # type: ignore[assignment]


def settle_first_load(pipeline: dlt.Pipeline, note: Path) -> None:
    """Remove the rows of noted packages whose key another load brought too, then the note."""
    if not note.exists():
        return
    load_ids = _noted(note)
    if load_ids and can_delete_rows(pipeline):
        with pipeline.sql_client() as sql:
            for load_id in load_ids:
                if _is_alone(sql, load_id):
                    continue
                for table in (*EVENT_TABLES, *SIDE_TABLES):
                    _drop_doubled(sql, table, load_id)
    note.unlink()


def _is_alone(sql: SqlClientBase[object], load_id: str) -> bool:
    loads = sql.make_qualified_table_name("_dlt_loads")
    other = f"SELECT 1 FROM {loads} WHERE load_id <> %s LIMIT 1"  # noqa: S608
    try:
        return not sql.execute_sql(other, load_id)
    except DatabaseUndefinedRelation:
        # The database was deleted, and opening it made a new one.
        return True


def _drop_doubled(sql: SqlClientBase[object], table: Table, load_id: str) -> None:
    # Names are those of our own tables; the load id is bound.
    name, key = sql.make_qualified_table_name(table.name), ", ".join(table.key)
    others = f"SELECT {key} FROM {name} WHERE _dlt_load_id <> %s"  # noqa: S608
    try:
        sql.execute_sql(
            f"DELETE FROM {name} WHERE _dlt_load_id = %s AND ({key}) IN ({others})",  # noqa: S608
            load_id,
            load_id,
        )
    except DatabaseUndefinedRelation:
        return
