"""Event rows as Arrow tables, payload text passed on as it came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from pipedream_source.api.pages.event_rows import EventRow
from pipedream_source.resources.arrow.arrow_columns import (
    TIME,
    integers,
    joined,
    repeated,
    strings,
    texts,
)
from pipedream_source.resources.arrow.items import destination_limits, schema_of
from pipedream_source.resources.schema.tables import Table
from pipedream_source.settings import BYTES_PER_BATCH, BYTES_PER_TABLE, WINDOWS_PER_BATCH

# Beyond this a time no longer fits microseconds in 64 bits.
_MAX_MS = 10**15 - 1
# A column of integers has 63 bits, a sequence number 64: a greater one is stored as the greatest.
_MAX_SEQ = 2**63 - 1


@dataclass(slots=True)
class Batch:
    """Rows of some streams of one table, gathered until they are worth handing on.

    Attributes:
        table: the table they belong to.
        emitters, channels, rows: parallel lists, one entry a row; the channel is the one asked for.
        windows: windows gathered so far, those without rows included.
        nbytes: bytes of text held, about.
    """

    table: Table
    emitters: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    rows: list[EventRow] = field(default_factory=list)
    windows: int = 0
    nbytes: int = 0

    def add(self, emitter_id: str, channel: str, rows: Sequence[EventRow], nbytes: int) -> None:
        """Add one window's new rows, about `nbytes` of text, read on this channel."""
        self.windows += 1
        self.rows.extend(rows)
        self.emitters.extend([emitter_id] * len(rows))
        self.channels.extend([channel] * len(rows))
        self.nbytes += nbytes

    @property
    def is_full(self) -> bool:
        """Whether it should be handed on: bound by windows, and by bytes for large payloads."""
        return self.windows >= WINDOWS_PER_BATCH or self.nbytes >= BYTES_PER_BATCH

    def to_arrow(self, load_id: str) -> list[pa.Table]:
        """Return the rows as Arrow tables, each small enough for DuckDB to read it as a whole."""
        if not self.rows:
            return []
        if self.nbytes > BYTES_PER_TABLE and len(self.rows) > 1:
            return [part for half in self._halves() for part in half.to_arrow(load_id)]
        return [_table(self, load_id)]

    def _halves(self) -> tuple[Batch, Batch]:
        middle = len(self.rows) // 2
        parts = []
        for cut in (slice(None, middle), slice(middle, None)):
            part = Batch(self.table, self.emitters[cut], self.channels[cut], self.rows[cut])
            part.nbytes = self.nbytes // 2
            parts.append(part)
        return parts[0], parts[1]


def _table(batch: Batch, load_id: str) -> pa.Table:
    rows, count = batch.rows, len(batch.rows)
    places, names = [row.place for row in rows], [row.names() for row in rows]
    channels = [
        asked if name is None else name
        for asked, (name, _) in zip(batch.channels, names, strict=True)
    ]
    key = (strings(batch.emitters), strings(channels), strings(list(map(str, places))))
    columns = {
        **dict(zip(batch.table.key, key, strict=True)),
        "emitted_at": _times([place.ms for place in places]),
        "event_seq": integers([min(place.seq, _MAX_SEQ) for place in places]),
        "indexed_at": _times([row.indexed_at_ms for row in rows]),
        "event": texts([row.event for row in rows]),
        "event_state": _states(rows),
        "metadata": texts([row.metadata for row in rows]),
        "emit_id": strings([emit_id for _, emit_id in names]),
        "origin": repeated("poll", count),
        "_dlt_load_id": repeated(load_id, count),
        # Unique by nature, so that normalize need not rewrite the file to add one.
        "_dlt_id": joined(*key),
    }
    return pa.table(columns, schema=schema_of(batch.table))


def _states(rows: Sequence[EventRow]) -> pa.Array:
    if all(row.event is not None and not row.repaired for row in rows):
        return repeated("full", len(rows))
    return strings([row.state for row in rows])


def _times(values: Sequence[int | None]) -> pa.Array:
    """Build a column of times from Unix milliseconds; null where the destination has no such."""
    limits = destination_limits()
    last = limits.last_ms if limits else _MAX_MS
    # Most columns hold no other: the least and the greatest are found without a step for each.
    if None in values or min(values) < -_MAX_MS or max(values) > last:  # type: ignore[type-var, operator]
        values = [None if v is None or not -_MAX_MS <= v <= last else v for v in values]
    return integers(values, TIME, scale=1000)
