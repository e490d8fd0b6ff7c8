"""The slow path: take a page apart that the fast decoder refuses, and save every good row.

JavaScript cuts strings inside an emoji and leaves half a surrogate pair; a payload may be nested
a hundred thousand levels deep, hold bytes that are not UTF-8, or an id that is none. A page is
split here by its brackets alone, so one such row costs only itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pipedream_source.api.json_text import (
    Malformed,
    is_json,
    items,
    members,
    repair_surrogates,
    skip_space,
    skip_value,
)
from pipedream_source.api.pages.event_rows import BadRow, EventRow
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.text.redaction import printable

__all__ = ["Malformed", "read_page"]

_INTEGER = re.compile(rb"-?[0-9]{1,18}").fullmatch


def read_page(body: bytes) -> tuple[list[EventRow], list[BadRow], Any]:
    """Split a page into good rows, bad rows and its `page_info`.

    Raises:
        Malformed: the body is not an object, its brackets do not match, or `data` is not a list.
    """
    parts = _envelope(body)
    if "data" not in parts:
        raise Malformed("there is no `data`")
    data = parts["data"]
    if not data.startswith(b"["):
        raise Malformed("`data` is not a list")
    rows: list[EventRow] = []
    bad: list[BadRow] = []
    for raw in items(data):
        row, complaint = _read_row(raw)
        if row is not None:
            rows.append(row)
        if complaint is not None:
            bad.append(complaint)
    return rows, bad, _loads(parts.get("page_info", b"null"))


def _envelope(body: bytes) -> dict[str, bytes]:
    start = skip_space(body, 0)
    if body[start : start + 1] != b"{":
        raise Malformed("the body is not a JSON object" if body.strip() else "the body is empty")
    end = skip_value(body, start)
    if skip_space(body, end) != len(body):
        raise Malformed("something follows the JSON object")
    return dict(_named_members(body[start:end]))


def _named_members(text: bytes) -> Iterator[tuple[str, bytes]]:
    for key, value in members(text):
        name = _loads(key)
        if isinstance(name, str):
            yield name, value


def _read_row(raw: bytes) -> tuple[EventRow | None, BadRow | None]:
    if not raw.startswith(b"{"):
        return None, BadRow("the row is not an object", raw)
    try:
        return _read_object(raw, dict(_named_members(raw)))
    except Malformed as error:
        return None, BadRow(f"the row cannot be taken apart: {error}", raw)


def _read_object(raw: bytes, parts: dict[str, bytes]) -> tuple[EventRow | None, BadRow | None]:
    id_value = _loads(parts.get("id", b"null"))
    id_text = id_value if isinstance(id_value, str) else None
    place = EventId.parse(id_text) if id_text is not None else None
    if place is None:
        shown = printable(id_text if id_text is not None else "no string", 60)
        return None, BadRow(f"the id ({shown}) is not <ms>-<seq>", raw, id_text=id_text)
    return _read_fields(raw, parts, place)


def _read_fields(
    raw: bytes, parts: dict[str, bytes], place: EventId
) -> tuple[EventRow | None, BadRow | None]:
    event, event_repaired = _storable(parts.get("event"))
    metadata, metadata_repaired = _storable(_metadata(parts))
    if not _is_storable(event) or not _is_storable(metadata):
        reason = "the event or its metadata is not valid UTF-8 JSON"
        return None, BadRow(reason, raw, id_text=str(place))
    repaired = event_repaired or metadata_repaired
    indexed = parts.get("indexed_at_ms", b"")
    indexed_ms = int(indexed) if _INTEGER(indexed) else None
    row = EventRow(place, indexed_ms, event, metadata, repaired)
    reason = "lone surrogates were replaced by U+FFFD in the stored row"
    return row, BadRow(reason, raw, place, str(place)) if repaired else None


def _metadata(parts: dict[str, bytes]) -> bytes | None:
    """Find the metadata: beside the event, or inside it as one official page shows."""
    if "metadata" in parts:
        return parts["metadata"]
    event = parts.get("event", b"")
    if not event.startswith(b"{"):
        return None
    inner = dict(_named_members(event)).get("metadata", b"")
    # A payload may have a `metadata` of its own; the API's names the emit.
    is_the_apis = inner.startswith(b"{") and b'"emit_id"' in inner and b'"emitter_id"' in inner
    return inner if is_the_apis else None


def _storable(text: bytes | None) -> tuple[bytes | None, bool]:
    if text is None:
        return None, False
    fixed = repair_surrogates(text)
    return fixed, fixed != text


def _is_storable(text: bytes | None) -> bool:
    return text is None or is_json(text)


def _loads(text: bytes) -> Any:
    """Parse a small value; None for what cannot be parsed."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
