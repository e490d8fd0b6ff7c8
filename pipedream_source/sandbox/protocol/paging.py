"""Pages of windows and lists: `limit`, `after`, `before` and the cursors, as the switches say.

Both kinds of page follow one rule: rows have an order in which they are shown, `after` begins
behind the row it names, `before` ends in front of it, and `page_info` names the first and the
last row. They differ in what a cursor is: a raw event id, or a row's id in base64url.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from zlib import crc32

from pipedream_source.sandbox.protocol.errors import InvalidParameter
from pipedream_source.sandbox.protocol.ids import EventId, from_cursor, parse_event_id, to_cursor
from pipedream_source.sandbox.protocol.rows import Row
from pipedream_source.sandbox.protocol.switches import Switches

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
Item = TypeVar("Item")
Side = Callable[[list[Any], Any], int]


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some rows in the order shown, and what `page_info` says of them."""

    rows: list[Item]
    info: dict[str, Any]

    @property
    def info_json(self) -> bytes:
        """The `page_info` object."""
        return json.dumps(self.info, separators=(",", ":")).encode()


def read_limit(params: Mapping[str, str], switches: Switches) -> int:
    """Return the page size asked for; refuse what is not a number from 1 on."""
    text = params.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise InvalidParameter(f"limit must be an integer between 1 and {MAX_LIMIT}")
    if int(text) > MAX_LIMIT and switches.limit_over_100 == "reject":
        raise InvalidParameter(f"limit must be at most {MAX_LIMIT}")
    return min(int(text), MAX_LIMIT)


def page_of_window(kept: list[Row], params: Mapping[str, str], switches: Switches) -> Page[Row]:
    """Cut a page out of a window, given oldest first."""
    place_of = _PLACES[switches.order]
    rows = kept[::-1] if switches.order == "newest" else kept
    if switches.order == "shuffled":
        rows = sorted(kept, key=lambda row: crc32(row.id.encode()))

    def find(cursor: str, side: Side) -> int:
        for index, row in enumerate(rows):
            if row.id == cursor:
                return index + (side is bisect_right)
        place = place_of(cursor, parse_event_id(cursor))
        if place is None:
            raise InvalidParameter(f"invalid cursor {cursor[:80]!r}")
        return side([place_of(row.id, row.key) for row in rows], place)

    return _cut(rows, params, switches, find, lambda row: row.id)


def page_of_list(
    rows: list[dict[str, Any]],
    params: Mapping[str, str],
    switches: Switches,
    *,
    place_of: Callable[[str], int],
) -> Page[dict[str, Any]]:
    """Cut a page out of a list of objects, given and shown in the order of their places."""
    ids = [row["id"] for row in rows]

    def find(cursor: str, side: Side) -> int:
        row_id = from_cursor(cursor)
        refused = row_id not in ids and switches.unknown_cursor == "refused"
        if row_id is None or refused:
            raise InvalidParameter(f"invalid cursor {cursor[:80]!r}")
        return side([place_of(other) for other in ids], place_of(row_id))

    return _cut(rows, params, switches, find, lambda row: to_cursor(row["id"]))


# What rises from row to row in each order; it also places the cursors of rows that are gone.
_PLACES: dict[str, Callable[[str, EventId | None], Any]] = {
    "newest": lambda _, key: key and (-key.ms, -key.seq),
    "oldest": lambda _, key: key,
    "shuffled": lambda row_id, _: crc32(row_id.encode()),
}


def _cut(
    rows: list[Item],
    params: Mapping[str, str],
    switches: Switches,
    find: Callable[[str, Side], int],
    cursor_of: Callable[[Item], str],
) -> Page[Item]:
    limit = read_limit(params, switches)
    first, stop = 0, len(rows)
    if "after" in params and switches.after != "ignored":
        inclusive = switches.after == "inclusive"
        first = find(params["after"], bisect_left if inclusive else bisect_right)
    if "before" in params:
        stop = find(params["before"], bisect_left)
        first = max(first, stop - limit)
    shown = rows[first : min(stop, first + limit)]
    info: dict[str, Any] = {"total_count": len(rows), "count": len(shown)}
    if switches.excluded_count == "present":
        info["excluded_count"] = 0
    ends = (cursor_of(shown[0]), cursor_of(shown[-1])) if shown else None
    is_last = first + len(shown) >= len(rows)
    return Page(shown, info | _cursors(ends, is_last, switches))


def _cursors(ends: tuple[str, str] | None, is_last: bool, switches: Switches) -> dict[str, Any]:
    if ends is None:
        absent = switches.empty_cursors == "absent"
        return {} if absent else {"start_cursor": None, "end_cursor": None}
    if is_last and switches.end_cursor != "set":
        only_start: dict[str, Any] = {"start_cursor": ends[0]}
        return only_start if switches.end_cursor == "absent" else {**only_start, "end_cursor": None}
    return {"start_cursor": ends[0], "end_cursor": ends[1]}
