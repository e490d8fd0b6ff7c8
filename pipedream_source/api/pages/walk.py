"""Walk windows and lists to their end, whatever the cursors do.

`end_cursor` may be set on the last page, repeated, missing on a full page, or lead in a circle;
`after` may be inclusive or ignored. So a walk goes on as long as a page brings something new,
and no further than a cap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Final

from pipedream_source.api.pages.event_page import EventPage
from pipedream_source.api.pages.event_rows import BadRow, EventRow, read_names
from pipedream_source.api.protocol import Answer, PageInfo, Request
from pipedream_source.core.polls.fitting import is_newest_first, reaches
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.exceptions import ProtocolError
from pipedream_source.settings import (
    MAX_PAGES_PER_LIST,
    MAX_PAGES_PER_WINDOW,
    PAGE_LIMIT,
    WINDOW_SIZE,
)


@dataclass(frozen=True, slots=True)
class Known:
    """What earlier walks of a stream taught.

    Attributes:
        short_page_ends: a page below the limit that says it is all was seen to be the last.
        digest: of the page that was the whole window last time; empty for none.
        last_id: the last id loaded, which a window reaches unless something was lost.
        late_from_ms: where the stretch of late rows begins, Unix ms.
        limits: how few rows may do, see `core/polls/fitting.py`; none if the window is read whole.
        limits_to_newest: a limit was seen to leave the newest rows.
    """

    short_page_ends: bool = False
    digest: str = ""
    last_id: EventId | None = None
    late_from_ms: int = 0
    limits: tuple[int, ...] = field(default=(), compare=False)
    limits_to_newest: bool = False


UNKNOWN: Final = Known()

_TWICE: Final = "the same id came twice in one walk with another event; the first was stored"

FetchEvents = Callable[[Request], tuple[Answer, EventPage]]
FetchObjects = Callable[[Request], tuple[list[dict[str, Any]], PageInfo]]


class WindowWalk:
    """One walk of a stream's window: the distinct rows of all its pages.

    Args:
        channel: the channel asked for; rows that name none are of it.

    Attributes:
        rows: one row for each (channel, id), in the order of arrival.
        bad: what has to go to quarantine, each once.
        places: the ids of the rows.
        has_contexts: some row may hold the context of an error.
        digest: of the page, if one page is the whole window; else empty.
        is_unchanged: the page is the known one; its rows were not read.
        is_partial: only the newest rows were asked for, and they show all that is new.
        total_count: what the first page said; later pages may have grown.
        nbytes: size of all bodies.
        first: the first page's answer without its body, for its `Date`; None before it.
        short_page_ends: a page below the limit that claimed to be all was indeed the last.
        limits_to_newest: a few rows were asked for, and the whole window began with them.
        is_mixed: some row is of another channel than the one asked for.
        others: rows of other channels, when this is the part of one channel.
        is_end_shown: a page asked for behind the last row brought nothing but that row.
    """

    def __init__(self, channel: str = "") -> None:
        """Start with nothing read."""
        self._channel = channel
        self.rows: list[EventRow] = []
        self.bad: list[BadRow] = []
        self.total_count: int | None = None
        self.nbytes = 0
        self.first: Answer | None = None
        self.short_page_ends = False
        self.limits_to_newest = False
        self.places: set[EventId] = set()
        self.has_contexts = False
        self.digest = ""
        self.is_unchanged = False
        self.is_partial = False
        self.is_mixed = False
        self.others = 0
        self.is_end_shown = False
        self._seen_bad: set[bytes] = set()

    def run(self, fetch: FetchEvents, request: Request, known: Known = UNKNOWN) -> None:
        """Ask for as few rows as may do, else for pages until the window is read.

        Args:
            fetch: sends a request and reads its answer as a page.
            request: the window's first request.
            known: what earlier walks of this stream taught. `fetch` returns a first page of the
                known digest without its rows; the window is then the same as the last.

        Raises:
            PipedreamError: a page could not be had; the rows read before it stay in `rows`.
        """
        for limit in known.limits:
            fitted = Request(request.path, {**request.params, "limit": str(limit)})
            answer, page = fetch(fitted)
            if page.digest == known.digest or len(page.rows) > limit:
                # A limit changes nothing here: this is the window's first page.
                self._run_whole(fetch, request, known, (answer, page))
                return
            shows_news = self._shows_all_news(page, known)
            if shows_news and known.limits_to_newest:
                self.is_partial = True
                self._begin(answer, page)
                self._add(page)
                return
            self.nbytes += page.nbytes
            if shows_news:
                self._run_whole(fetch, request, known)
                self.limits_to_newest = self._begins_with(page, known)
                return
        self._run_whole(fetch, request, known)

    def _shows_all_news(self, page: EventPage, known: Known) -> bool:
        """Tell whether a few rows do; a row of another channel is left to the whole window."""
        if page.bad or not page.rows or names_another(page.rows, self._channel):
            return False
        return reaches([row.place for row in page.rows], known.last_id, known.late_from_ms)

    def _begins_with(self, few: EventPage, known: Known) -> bool:
        """Tell whether the window, now read whole, begins with the few rows that came before."""
        places = [row.place for row in few.rows]
        if self.is_unchanged:
            return places[0] == known.last_id
        return places == [row.place for row in self.rows[: len(places)]]

    def _run_whole(
        self,
        fetch: FetchEvents,
        request: Request,
        known: Known,
        first: tuple[Answer, EventPage] | None = None,
    ) -> None:
        cursors: set[str] = set()
        for number in range(MAX_PAGES_PER_WINDOW):
            answer, page = first if first and not number else fetch(request)
            if number == 0:
                self.digest = page.digest
                self.is_unchanged = page.digest == known.digest
                self._begin(answer, page)
            new = self._add(page)
            claims_all = self._claims_all(page)
            if number == 0:
                whole = claims_all or new >= WINDOW_SIZE
            if number and not new:
                self.short_page_ends = True
                self.is_end_shown = _ends_at(page, request.params["after"])
            if number and (new or not whole):
                self.digest = ""
            if not new or self._is_whole(claims_all, known):
                return
            cursor = page.info.end_cursor
            if cursor is None or cursor in cursors:
                if not whole:
                    self.digest = ""
                return
            cursors.add(cursor)
            request = Request(request.path, {**request.params, "after": cursor})

    def _begin(self, answer: Answer, page: EventPage) -> None:
        self.total_count = page.info.total_count
        self.first = Answer(answer.status, answer.headers, b"")

    @property
    def newest_first(self) -> bool:
        """Whether all rows can be read, are of one channel and came in that order."""
        return not (self.bad or self.others) and is_newest_first([row.place for row in self.rows])

    def _claims_all(self, page: EventPage) -> bool:
        return page.info.total_count == len(self.rows) + len(self._seen_bad)

    def _is_whole(self, claims_all: bool, known: Known) -> bool:
        """Tell whether nothing can follow: by contract a window holds no more than 100 events."""
        # In an answer that holds several channels, each may have so many.
        full = len(self.rows) + len(self._seen_bad) >= WINDOW_SIZE and not self.is_mixed
        return claims_all and (full or (known.short_page_ends and self._reaches(known.last_id)))

    def _reaches(self, last_id: EventId | None) -> bool:
        """Tell whether the rows reach down to what is loaded: a short page may be a part."""
        return last_id is None or any(row.place <= last_id for row in self._own_rows())

    def _own_rows(self) -> Iterator[EventRow]:
        return (row for row in self.rows if row.channel(self._channel) == self._channel)

    def part(self, channel: str, rows: list[EventRow], *, is_alone: bool) -> WindowWalk:
        """Return what this walk brought of one channel.

        Args:
            channel: whose rows they are.
            rows: these rows.
            is_alone: nothing but this part is judged by this walk, so that the window may be known
                by its page when it comes again.
        """
        part = copy(self)
        part.rows, part.places = rows, {row.place for row in rows}
        part.others = len(self.rows) - len(rows)
        part.digest = self.digest if is_alone else ""
        if channel != self._channel:
            # What is in quarantine is told of once; as it may be of any channel, it counts for all.
            part._channel, part.bad = channel, []
        return part

    def _add(self, page: EventPage) -> int:
        """Take the rows not seen in this walk; return how many there were."""
        before = len(self.rows) + len(self._seen_bad)
        self.nbytes += page.nbytes
        self.has_contexts = self.has_contexts or page.has_contexts
        self.is_mixed = self.is_mixed or names_another(page.rows, self._channel)
        places = {row.place for row in page.rows}
        if len(places) == len(page.rows) and places.isdisjoint(self.places):
            self.rows.extend(page.rows)
        else:
            self._add_distinct(page.rows)
        self.places |= places
        for bad in page.bad:
            self._add_bad(bad)
        return len(self.rows) + len(self._seen_bad) - before

    def _add_distinct(self, rows: list[EventRow]) -> None:
        """Add rows of which some share an id: of one channel they are the same event."""
        known = {(row.channel(self._channel), row.place): row for row in self.rows}
        for row in rows:
            first = known.setdefault((row.channel(self._channel), row.place), row)
            if first is row:
                self.rows.append(row)
            elif not _same_text(first, row):
                self._add_bad(BadRow.under_a_taken_id(row, _TWICE))

    def _add_bad(self, bad: BadRow) -> None:
        """Keep a bad row once; only rows without a place of their own count for the window."""
        if bad.raw in self._seen_bad:
            return
        if bad.place is None:
            self._seen_bad.add(bad.raw)
        elif any(bad.raw == other.raw for other in self.bad):
            return
        self.bad.append(bad)

    @property
    def unplaced(self) -> int:
        """Rows of the window whose id cannot be read."""
        return len(self._seen_bad)


def _ends_at(page: EventPage, cursor: str) -> bool:
    """Tell whether a page asked for behind a row shows that nothing follows it."""
    return not page.bad and all(str(row.place) == cursor for row in page.rows)


def names_another(rows: Sequence[EventRow], channel: str) -> bool:
    """Tell whether some row names another channel than the one asked for."""
    read_names(rows)
    return any(row.channel(channel) != channel for row in rows)


def _same_text(one: EventRow, other: EventRow) -> bool:
    return bytes(one.event or b"") == bytes(other.event or b"")


def walk_list(fetch: FetchObjects, request: Request) -> Iterator[dict[str, Any]]:
    """Yield the objects of a list, each id once, page by page.

    `total_count` ends no walk: in the documentation's own sample it is the count of a page. But a
    walk that ends before it is not whole: what is missing must not look as if it were gone. A list
    without `page_info`, such as the subscriptions, is one page.

    Raises:
        PipedreamError: a page could not be had or is not a list, or the list ended early; it is
            then incomplete.
    """
    request = Request(request.path, {"limit": str(PAGE_LIMIT), **request.params}, request.method)
    seen: set[str] = set()
    cursors: set[str | None] = {None}
    read, announced = 0, math.inf
    for _ in range(MAX_PAGES_PER_LIST):
        objects, info = fetch(request)
        new = [item for item in objects if _is_new(item, seen)]
        yield from new
        read += len(new)
        # The least that any page said: objects may be deleted meanwhile.
        announced = min(announced, (info.total_count or 0) - info.excluded_count)
        if not new or info.end_cursor in cursors:
            if read < announced:
                raise _ended_early(request.path, read, announced)
            return
        cursors.add(info.end_cursor)
        request = Request(request.path, {**request.params, "after": info.end_cursor or ""})
    raise ProtocolError(
        f"{request.path}: the list does not end within {MAX_PAGES_PER_LIST} pages",
        path=request.path,
    )


def _ended_early(path: str, read: int, announced: float) -> ProtocolError:
    return ProtocolError(
        f"{path}: the list announces {announced:.0f} objects and ends after {read}", path=path
    )


def walk_events(fetch: FetchObjects, request: Request) -> Iterator[dict[str, Any]]:
    """Yield the rows of a window as they were sent, each once in its channel, page by page.

    The walk goes no further than a window can reach: while events arrive, a server that ignores
    `after` has something new on each page.

    Raises:
        PipedreamError: a page could not be had or is not a list.
    """
    seen: set[str] = set()
    cursors: set[str | None] = {None}
    pages = 2 * WINDOW_SIZE // int(request.params["limit"]) + MAX_PAGES_PER_WINDOW
    for _ in range(pages):
        rows, info = fetch(request)
        new = [row for row in rows if _is_new(row, seen, f"{channel_of(row)} ")]
        yield from new
        if not new or info.end_cursor in cursors:
            return
        cursors.add(info.end_cursor)
        request = Request(request.path, {**request.params, "after": info.end_cursor or ""})


def channel_of(row: dict[str, Any]) -> str | None:
    """Return the channel that a row names; None when it names none."""
    metadata = row.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else None


def _is_new(item: dict[str, Any], seen: set[str], scope: str = "") -> bool:
    """Note an object's id; one without an id cannot be told from another and is always new."""
    key = item.get("id")
    if not isinstance(key, str):
        return True
    key = scope + key
    if key in seen:
        return False
    seen.add(key)
    return True
