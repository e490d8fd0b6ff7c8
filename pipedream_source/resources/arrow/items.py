"""Rows as dlt takes them: Arrow tables that know where they belong and how they are written."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import dlt
import pyarrow as pa
from dlt.common.configuration.container import Container
from dlt.common.destination.capabilities import DestinationCapabilitiesContext

from pipedream_source.core.text.redaction import printable
from pipedream_source.resources.arrow.arrow_columns import BUILDERS, TIME, repeated, strings
from pipedream_source.resources.arrow.limits import Limits, limits_of
from pipedream_source.resources.schema.tables import Table, row_id

_LOG = logging.getLogger("pipedream_source")
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
    if limits := destination_limits():
        rows = [_storable(table, row, limits) for row in rows]
    columns = {
        name: BUILDERS[kind]([row.get(name) for row in rows])
        for name, kind in table.columns.items()
    }
    columns["_dlt_load_id"] = repeated(load_id, len(rows))
    columns["_dlt_id"] = strings([row_id(table, row, load_id) for row in rows])
    return pa.table(columns, schema=schema_of(table))


def destination_limits() -> Limits | None:
    """Return what the destination that is extracted for cannot store; None for nothing."""
    caps = Container().get(DestinationCapabilitiesContext)
    return limits_of(caps.sqlglot_dialect) if caps else None


def _storable(table: Table, row: Mapping[str, Any], limits: Limits) -> Mapping[str, Any]:
    """Return a row that the destination can store; what is replaced is told."""
    fitted = dict(row)
    for name, kind in table.columns.items():
        if isinstance(value := row.get(name), str) and kind in ("text", "json"):
            fitted[name] = limits.text(value) if kind == "text" else _json(value, limits)
    if fitted != row:
        _LOG.warning(
            "%s: a row holds what %s cannot store, such as U+0000; it was replaced: %s",
            table.name,
            limits.name,
            ", ".join(printable(str(fitted.get(name)), 60) for name in table.key),
        )
    return fitted


def _json(value: str, limits: Limits) -> str | None:
    fitted = limits.json(value.encode())
    return None if fitted is None else fitted.decode()


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
    caps = Container().get(DestinationCapabilitiesContext)
    strategy = merge_strategy(table.merge, caps.supported_merge_strategies if caps else None)
    return {"disposition": "merge", "strategy": strategy}


def merge_strategy(wanted: str, supported: Sequence[str] | None) -> str:
    """Fall back to delete-insert where the destination cannot do better."""
    return wanted if not supported or wanted in supported else "delete-insert"
