"""Rows as dlt takes them: Arrow tables that know where they belong and how they are written."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import dlt
import pyarrow as pa
from dlt.common.configuration.container import Container
from dlt.common.destination.capabilities import DestinationCapabilitiesContext

from pipedream_source.resources.columns import BUILDERS, TIME, repeated, strings
from pipedream_source.resources.tables import Table, row_id

_TYPES: Final[Mapping[str, pa.DataType]] = {
    "text": pa.string(),
    "json": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": TIME,
}


def _is_news(record: logging.LogRecord) -> bool:
    """Tell dlt's warnings from the one that our JSON columns provoke with each batch.

    Arrow has no JSON type that dlt knows, so payloads travel as text under a `json` hint. dlt
    warns of the difference each time and then does what is wanted.
    """
    return "several column hints were different" not in record.msg


logging.getLogger("dlt").addFilter(_is_news)


def schema_of(table: Table) -> pa.Schema:
    """Return the Arrow schema of a table's items, dlt's own columns included."""
    fields = [
        pa.field(name, _TYPES[kind], nullable=name not in table.key)
        for name, kind in table.columns.items()
    ]
    own = [pa.field("_dlt_load_id", pa.string()), pa.field("_dlt_id", pa.string())]
    return pa.schema(fields + own)


def item_of(table: Table, data: pa.Table, *, new: bool = False) -> Any:
    """Mark rows as a table's, whichever resource yields them.

    Args:
        table: its hints travel with the item; dlt checks them at length, so let them travel once.
        data: the rows.
        new: the destination holds nothing yet, so there is nothing to merge with. Rows are
            unique within a package, and appending them costs half of merging.
    """
    return dlt.mark.with_hints(data, _hints(table, new), create_table_variant=True)


def items_of(table: Table, rows: Sequence[Mapping[str, Any]], load_id: str) -> Any:
    """Return an item of rows given as dicts; without any, it creates or empties the table."""
    return item_of(table, to_arrow(table, rows, load_id))


def create_once(table: Table) -> Iterator[Any]:
    """Create a table that has nothing to say yet, at the resource's first load only."""
    state = dlt.current.resource_state()
    if "digest" not in state:
        state["digest"] = ""
        yield items_of(table, [], "")


def to_arrow(table: Table, rows: Sequence[Mapping[str, Any]], load_id: str) -> pa.Table:
    """Return rows given as dicts as an Arrow table; for anything but events."""
    columns = {
        name: BUILDERS[kind]([row.get(name) for row in rows])
        for name, kind in table.columns.items()
    }
    columns["_dlt_load_id"] = repeated(load_id, len(rows))
    columns["_dlt_id"] = strings([row_id(table, row, load_id) for row in rows])
    return pa.table(columns, schema=schema_of(table))


def _hints(table: Table, new: bool) -> Any:
    columns = {
        name: {"name": name, "data_type": kind, "nullable": name not in table.key}
        for name, kind in table.columns.items()
    }
    return dlt.mark.make_hints(
        table_name=table.name,
        columns=columns,  # type: ignore[arg-type]
        primary_key=list(table.key) or None,
        write_disposition="append" if new and not table.replace else _disposition(table),
    )


def _disposition(table: Table) -> Any:
    if table.replace:
        return "replace"
    if table.merge is None:
        return "append"
    return {"disposition": "merge", "strategy": _supported(table.merge)}


def _supported(strategy: str) -> str:
    """Fall back to delete-insert where the destination cannot do better."""
    caps = Container().get(DestinationCapabilitiesContext)
    supported = caps.supported_merge_strategies if caps else None
    return strategy if not supported or strategy in supported else "delete-insert"
