"""The rows that a page of event summaries is split into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from pipedream_source.core.streams.event_id import EventId


class EventRow(msgspec.Struct, gc=False):
    """An event summary; payload and metadata are JSON text and never become objects.

    Attributes:
        place: its id.
        indexed_at_ms: as sent; None when absent or not an integer.
        event: the payload's JSON text; None when the row has no `event`.
        metadata: the metadata's JSON text; None when absent.
        repaired: something in the texts was replaced; the original is a BadRow.
        withheld: the payload was sent and cannot be stored; it is in the original alone.
        known_names: what `names` returns, once it was read.
    """

    place: EventId
    indexed_at_ms: int | None
    event: msgspec.Raw | bytes | None
    metadata: msgspec.Raw | bytes | None
    repaired: bool = False
    withheld: bool = False
    known_names: tuple[str | None, str | None] | None = None

    def names(self) -> tuple[str | None, str | None]:
        """Return `metadata.name`, the channel, and `metadata.emit_id`; None if not strings.

        Read when asked for: a window without news is never asked.
        """
        if self.known_names is None:
            self.known_names = read_metadata(self.metadata) if self.metadata else (None, None)
        return self.known_names

    @property
    def state(self) -> str:
        """What became of the payload, as in the column `event_state`."""
        if self.event is None and not self.withheld:
            return "missing"
        return "repaired" if self.repaired else "full"

    def channel(self, asked: str) -> str:
        """Return the row's own channel, else the one asked for."""
        name, _ = self.names()
        return asked if name is None else name


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be stored as it is.

    Attributes:
        reason: why, in words.
        raw: the row as it came.
        place: its id, when it has one: the row is then also stored, in a repaired form.
        id_text: the id as sent, when it is a string.
        is_taken: another event is stored under its id.
    """

    reason: str
    raw: bytes
    place: EventId | None = None
    id_text: str | None = None
    is_taken: bool = False

    @classmethod
    def under_a_taken_id(cls, row: EventRow, reason: str) -> BadRow:
        """Return a row that cannot be stored as another event has its id."""
        raw = b'{"id":"%s","event":%s,"metadata":%s}' % (
            str(row.place).encode(),
            bytes(row.event or b"null"),
            bytes(row.metadata or b"null"),
        )
        return cls(reason, raw, row.place, str(row.place), is_taken=True)


class _Metadata(msgspec.Struct, gc=False):
    name: str | None = None
    emit_id: str | None = None


_decode_metadata = msgspec.json.Decoder(_Metadata).decode
_decode_all_metadata = msgspec.json.Decoder(list[_Metadata]).decode


def read_names(rows: Sequence[EventRow]) -> None:
    """Read the names of rows at once: one by one takes three times as long.

    Where any metadata is absent or odd, each row's is read when it is asked for.
    """
    try:
        found = _decode_all_metadata(b"[%b]" % b",".join([row.metadata for row in rows]))  # type: ignore[misc]
    except (TypeError, msgspec.DecodeError, RecursionError):
        return
    for row, metadata in zip(rows, found, strict=True):
        row.known_names = metadata.name, metadata.emit_id


def read_metadata(text: msgspec.Raw | bytes) -> tuple[str | None, str | None]:
    """Return `name` and `emit_id` of a metadata object; None for what is not a string."""
    try:
        known = _decode_metadata(text)
    except (msgspec.DecodeError, RecursionError):
        return _read_metadata_slowly(text)
    return known.name, known.emit_id


def _read_metadata_slowly(text: msgspec.Raw | bytes) -> tuple[str | None, str | None]:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None, None
    if not isinstance(value, dict):
        return None, None
    name, emit_id = value.get("name"), value.get("emit_id")
    return name if isinstance(name, str) else None, emit_id if isinstance(emit_id, str) else None
