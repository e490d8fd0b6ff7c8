"""Event rows as Arrow tables, payload text passed on as it came.

Columns are built as buffers: the bytes of all payloads are joined once, and Arrow is told where
each begins. No payload becomes a Python object of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipedream_source.api.rows import EventRow
from pipedream_source.resources.tables import Table
from pipedream_source.settings import BYTES_PER_BATCH, WINDOWS_PER_BATCH

_TIME = pa.timestamp("us", tz="UTC")
# What fits a timestamp in microseconds; anything beyond is kept in `metadata` or the id alone.
_MAX_MS = 10**15 - 1
# Above this a column's offsets would no longer fit 32 bits.
_MAX_COLUMN_BYTES = 2**31 - 2


@dataclass(slots=True)
class Batch:
    """Rows of some streams of one table, gathered until they are worth handing on.

    Attributes:
        table: the table they belong to.
        emitters, channels, rows: parallel lists, one entry a row.
        windows: windows gathered so far, those without rows included.
        nbytes: bytes of payload held.
    """

    table: Table
    emitters: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    rows: list[EventRow] = field(default_factory=list)
    windows: int = 0
    nbytes: int = 0

    def add(self, emitter_id: str, channel: str, rows: Sequence[EventRow]) -> None:
        """Add one window's new rows; a row's own channel goes before the one asked for."""
        self.windows += 1
        self.rows.extend(rows)
        self.emitters.extend([emitter_id] * len(rows))
        self.channels.extend([channel if r.channel is None else r.channel for r in rows])
        self.nbytes += sum(_size(r.event) + _size(r.metadata) for r in rows)

    @property
    def is_full(self) -> bool:
        """Whether it should be handed on: bound by windows, and by bytes for large payloads."""
        return self.windows >= WINDOWS_PER_BATCH or self.nbytes >= BYTES_PER_BATCH

    def to_arrow(self, load_id: str) -> list[pa.Table]:
        """Return the rows as Arrow tables; one, unless payloads pass two gigabytes."""
        if not self.rows:
            return []
        if self.nbytes > _MAX_COLUMN_BYTES and len(self.rows) > 1:
            return [part for half in self._halves() for part in half.to_arrow(load_id)]
        return [_table(self, load_id)]

    def _halves(self) -> tuple[Batch, Batch]:
        middle = len(self.rows) // 2
        parts = []
        for cut in (slice(None, middle), slice(middle, None)):
            part = Batch(self.table, self.emitters[cut], self.channels[cut], self.rows[cut])
            part.nbytes = sum(_size(r.event) + _size(r.metadata) for r in part.rows)
            parts.append(part)
        return parts[0], parts[1]


def _size(text: object) -> int:
    return memoryview(text).nbytes if text is not None else 0  # type: ignore[arg-type]


def _table(batch: Batch, load_id: str) -> pa.Table:
    rows = batch.rows
    emitters = pa.array(batch.emitters, pa.string())
    channels = pa.array(batch.channels, pa.string())
    ids = pa.array([f"{r.place.ms}-{r.place.seq}" for r in rows], pa.string())
    columns = {
        "emitter_id": emitters,
        "channel": channels,
        "id": ids,
        "emitted_at": _times([r.place.ms for r in rows]),
        "event_seq": pa.array([r.place.seq for r in rows], pa.int64()),
        "indexed_at": _times([r.indexed_at_ms for r in rows]),
        "event": _texts([r.event for r in rows]),
        "event_state": pa.array([_state(r) for r in rows], pa.string()),
        "metadata": _texts([r.metadata for r in rows]),
        "emit_id": pa.array([r.emit_id for r in rows], pa.string()),
        "origin": pa.repeat(pa.scalar("poll"), len(rows)),
        "_dlt_load_id": pa.repeat(pa.scalar(load_id), len(rows)),
        # Unique by nature, so that normalize need not rewrite the file to add one.
        "_dlt_id": pc.binary_join_element_wise(emitters, channels, ids, ":"),
    }
    return pa.table(columns, schema=batch.table.schema)


def _state(row: EventRow) -> str:
    if row.event is None:
        return "missing"
    return "repaired" if row.repaired else "full"


def _times(values: Sequence[int | None]) -> pa.Array:
    known = [v if v is not None and -_MAX_MS <= v <= _MAX_MS else None for v in values]
    return pc.multiply(pa.array(known, pa.int64()), 1000).cast(_TIME)


def _texts(texts: Sequence[object]) -> pa.Array:
    """Build a string column from JSON texts; absent ones are null."""
    present = [text if text is not None else b"" for text in texts]
    sizes = np.fromiter((memoryview(text).nbytes for text in present), np.int64, len(present))  # type: ignore[arg-type]
    offsets = np.zeros(len(present) + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    joined = pa.py_buffer(b"".join(present))  # type: ignore[arg-type]
    mask = _validity(texts)
    return pa.StringArray.from_buffers(len(present), pa.py_buffer(offsets), joined, mask)


def _validity(texts: Sequence[object]) -> pa.Buffer | None:
    if None not in texts:
        return None
    bits = np.packbits([text is not None for text in texts], bitorder="little")
    return pa.py_buffer(bits)
