"""Split a page of event summaries into rows without touching their payloads.

The fast path hands each payload on as the bytes it came in. It takes only pages in which nothing
is odd; any other goes to `salvage`, where a bad row costs only itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Raw

from pipedream_source.api import salvage
from pipedream_source.api.protocol import Answer, PageInfo, page_info, protocol_error
from pipedream_source.api.rows import BadRow, EventRow, read_metadata
from pipedream_source.core.event_id import EventId

_ABSENT: Final = Raw(b"")
_BOM = b"\xef\xbb\xbf"


class _WireRow(msgspec.Struct):
    id: str
    indexed_at_ms: int | None = None
    event: Raw = _ABSENT
    metadata: Raw = _ABSENT


class _WirePage(msgspec.Struct):
    data: list[_WireRow]
    page_info: Raw = _ABSENT


_decode_page = msgspec.json.Decoder(_WirePage).decode


@dataclass(frozen=True, slots=True)
class EventPage:
    """One page of a stream's window, payloads as they came.

    Attributes:
        rows: the rows whose id could be read.
        bad: what has to go to quarantine: rows without a readable id, repaired originals.
        info: what the page says of itself.
        nbytes: size of the body.
    """

    rows: list[EventRow]
    bad: list[BadRow]
    info: PageInfo
    nbytes: int


def read_event_page(answer: Answer, path: str) -> EventPage:
    """Read an answer as a page of event summaries.

    Raises:
        ProtocolError: it is not the documented envelope: no JSON, no `data`, or not a list.
    """
    body = answer.body.removeprefix(_BOM)
    page = _read_fast(body)
    if page is not None:
        return page
    try:
        rows, bad, info = salvage.read_page(body)
    except salvage.Malformed as error:
        raise protocol_error(answer, path, str(error)) from None
    return EventPage(rows, bad, page_info(info), len(body))


def _read_fast(body: bytes) -> EventPage | None:
    """Read a page in which every row is as documented; None sends it to the slow path."""
    try:
        if not body.isascii():
            body.decode()
        wire = _decode_page(body)
        info = msgspec.json.decode(wire.page_info) if wire.page_info else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    rows = []
    for row in wire.data:
        place = EventId.parse(row.id)
        # Metadata inside the event is rare enough to leave to the slow path.
        if place is None or not row.metadata:
            return None
        name, emit_id = read_metadata(row.metadata)
        event = row.event or None
        rows.append(EventRow(place, row.indexed_at_ms, event, row.metadata, name, emit_id))
    return EventPage(rows, [], page_info(info), len(body))
