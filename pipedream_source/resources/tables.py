"""Every table's name, columns, key and disposition: the only place where they are written down."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import dlt
import pyarrow as pa
from dlt.common.configuration.container import Container
from dlt.common.destination.capabilities import DestinationCapabilitiesContext

from pipedream_source.resources.columns import BUILDERS, TIME, repeated, strings

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

INSERT_ONLY: Final = "insert-only"
UPSERT: Final = "upsert"
SCD2: Final = "scd2"


@dataclass(frozen=True)
class Table:
    """A table as it is created and written.

    Attributes:
        name: its name in the dataset.
        columns: dlt data type of each column, in order.
        key: columns that identify a row; never null.
        merge: merge strategy, or None for a table whose rows are appended or replaced.
        replace: each load that yields the table replaces it.
    """

    name: str
    columns: Mapping[str, str]
    key: Sequence[str] = ()
    merge: str | None = None
    replace: bool = False

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of its items, dlt's own columns included."""
        fields = [
            pa.field(name, _TYPES[kind], nullable=name not in self.key)
            for name, kind in self.columns.items()
        ]
        own = [pa.field("_dlt_load_id", pa.string()), pa.field("_dlt_id", pa.string())]
        return pa.schema(fields + own)

    def hints(self, *, new: bool = False) -> Any:
        """Return the hints that travel with the first item of this table.

        Args:
            new: the destination holds nothing yet, so there is nothing to merge with. Rows are
                unique within a package, and appending them costs half of merging.
        """
        columns = {
            name: {"name": name, "data_type": kind, "nullable": name not in self.key}
            for name, kind in self.columns.items()
        }
        return dlt.mark.make_hints(
            table_name=self.name,
            columns=columns,  # type: ignore[arg-type]
            primary_key=list(self.key) or None,
            write_disposition="append" if new and not self.replace else self._disposition(),
        )

    def item(self, data: pa.Table | list[dict[str, Any]], *, new: bool = False) -> Any:
        """Mark rows as this table's, whichever resource yields them; see `hints`."""
        return dlt.mark.with_hints(data, self.hints(new=new), create_table_variant=True)

    def empty(self) -> Any:
        """Return an item that creates the table without any row."""
        return self.item(self.to_arrow([], ""))

    def to_arrow(self, rows: Sequence[Mapping[str, Any]], load_id: str) -> pa.Table:
        """Return rows given as dicts as an Arrow table; for anything but events."""
        columns = {
            name: BUILDERS[kind]([row.get(name) for row in rows])
            for name, kind in self.columns.items()
        }
        columns["_dlt_load_id"] = repeated(load_id, len(rows))
        columns["_dlt_id"] = strings([row_id(self, row, load_id) for row in rows])
        return pa.table(columns, schema=self.schema)

    def rows(self, rows: Sequence[Mapping[str, Any]], load_id: str) -> Any:
        """Return an item of rows given as dicts."""
        return self.item(self.to_arrow(rows, load_id))

    def _disposition(self) -> Any:
        if self.replace:
            return "replace"
        if self.merge is None:
            return "append"
        return {"disposition": "merge", "strategy": _supported(self.merge)}


def row_id(table: Table, row: Mapping[str, Any], load_id: str) -> str:
    """Return a row's `_dlt_id`: its key in words, so that normalize need not make one up."""
    return ":".join(str(row[name]) for name in table.key) or load_id


def _supported(strategy: str) -> str:
    """Fall back to delete-insert where the destination cannot do better."""
    caps = Container().get(DestinationCapabilitiesContext)
    supported = caps.supported_merge_strategies if caps else None
    return strategy if not supported or strategy in supported else "delete-insert"


_EVENT_COLUMNS: Final = {
    "emitter_id": "text",
    "channel": "text",
    "id": "text",
    "emitted_at": "timestamp",
    "event_seq": "bigint",
    "indexed_at": "timestamp",
    "event": "json",
    "event_state": "text",
    "metadata": "json",
    "emit_id": "text",
    "origin": "text",
}
_EVENT_KEY: Final = ("emitter_id", "channel", "id")

SOURCE_EVENT_SUMMARIES = Table("source_event_summaries", _EVENT_COLUMNS, _EVENT_KEY, INSERT_ONLY)
WORKFLOW_EMITS = Table("workflow_emits", _EVENT_COLUMNS, _EVENT_KEY, INSERT_ONLY)
WORKFLOW_ERRORS = Table("workflow_errors", _EVENT_COLUMNS, _EVENT_KEY, INSERT_ONLY)
EVENT_TABLES: Final = (SOURCE_EVENT_SUMMARIES, WORKFLOW_EMITS, WORKFLOW_ERRORS)

EVENT_GAPS = Table(
    "event_gaps",
    {
        "emitter_id": "text",
        "channel": "text",
        "verdict": "text",
        "after_id": "text",
        "before_id": "text",
        "gap_start": "timestamp",
        "gap_end": "timestamp",
        "lost_min": "bigint",
        "lost_likely": "bigint",
        "lost_max": "bigint",
        "method": "text",
        "inputs": "json",
        "detected_at": "timestamp",
    },
    ("emitter_id", "channel", "after_id", "verdict"),
    INSERT_ONLY,
)

STREAM_STATUS = Table(
    "stream_status",
    {
        "emitter_id": "text",
        "channel": "text",
        "last_id": "text",
        "last_polled_at": "timestamp",
        "verdict": "text",
        "window_size": "bigint",
        "window_seconds": "double",
        "fill": "double",
        "headroom": "double",
        "events_per_hour": "double",
        "next_poll_at": "timestamp",
        "failures": "bigint",
        "last_error": "text",
    },
    ("emitter_id", "channel"),
    UPSERT,
)

QUARANTINE = Table(
    "quarantine",
    {
        "row_hash": "text",
        "emitter_id": "text",
        "channel": "text",
        "id": "text",
        "reason": "text",
        "raw": "text",
        "raw_encoding": "text",
        "truncated": "bool",
        "detected_at": "timestamp",
    },
    ("row_hash",),
    INSERT_ONLY,
)

#: Tables that every event resource writes beside its own.
SIDE_TABLES: Final = (EVENT_GAPS, STREAM_STATUS, QUARANTINE)

SOURCES = Table(
    "sources",
    {
        "id": "text",
        "component_id": "text",
        "user_id": "text",
        "name": "text",
        "name_slug": "text",
        "active": "bool",
        "configured_props": "json",
        "created_at": "timestamp",
        "updated_at": "timestamp",
        "listed_in": "json",
        "extra": "json",
    },
    ("id",),
    SCD2,
)

SUBSCRIPTIONS = Table(
    "subscriptions",
    {
        "id": "text",
        "emitter_id": "text",
        "emitter_kind": "text",
        "listener_id": "text",
        "listener_kind": "text",
        "event_name": "text",
        "listed_in": "json",
        "extra": "json",
    },
    ("id",),
    replace=True,
)

WORKFLOWS = Table(
    "workflows",
    {
        "id": "text",
        "name": "text",
        "discovered_by": "json",
        "reachable": "bool",
        "first_seen_at": "timestamp",
        "last_seen_at": "timestamp",
    },
    ("id",),
    UPSERT,
)

LOAD_RUNS = Table(
    "load_runs",
    {
        "run_id": "text",
        "started_at": "timestamp",
        "finished_at": "timestamp",
        "streams_polled": "bigint",
        "streams_failed": "bigint",
        "streams_skipped": "bigint",
        "events_new": "bigint",
        "gaps": "bigint",
        "lost_min": "bigint",
        "lost_likely": "bigint",
        "lost_max": "bigint",
        "requests": "bigint",
        "bytes": "bigint",
        "retries": "bigint",
        "version": "text",
    },
)
