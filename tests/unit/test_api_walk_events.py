"""A window walked as objects: each row once, whatever cursors do, and never for ever."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.api.pages.walk import walk_events
from pipedream_source.api.protocol import PageInfo, Request
from pipedream_source.exceptions import ConnectionFailed

Page = tuple[list[dict[str, Any]], PageInfo]
FIRST = Request("/sources/dc_1/event_summaries", {"limit": "10", "expand": "event"})


def row(n: int, channel: str | None = "") -> dict[str, Any]:
    return {"id": f"{n}-0", "metadata": {"name": channel}}


class Window:
    """Serves rows, newest first, in pages."""

    def __init__(self, rows: list[dict[str, Any]], after: str = "exclusive") -> None:
        self.rows = rows
        self.after = after
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Page:
        self.asked.append(request)
        start, size = 0, int(request.params["limit"])
        if "after" in request.params and self.after != "ignored":
            ids = [item["id"] for item in self.rows]
            start = ids.index(request.params["after"]) + (self.after == "exclusive")
        page = self.rows[start : start + size]
        return page, PageInfo(len(self.rows), page[-1]["id"] if page else None)


@pytest.mark.parametrize("after", ["exclusive", "inclusive"])
@given(count=st.integers(min_value=0, max_value=100), size=st.integers(min_value=2, max_value=100))
def test_every_row_comes_once(after: str, count: int, size: int) -> None:
    window = Window([row(n) for n in range(count, 0, -1)], after)
    request = Request(FIRST.path, {**FIRST.params, "limit": str(size)})
    assert list(walk_events(window, request)) == window.rows


def test_a_page_of_one_reaches_the_end_too() -> None:
    window = Window([row(n) for n in range(100, 0, -1)])
    request = Request(FIRST.path, {**FIRST.params, "limit": "1"})
    assert list(walk_events(window, request)) == window.rows


def test_parameters_stay_while_pages_turn() -> None:
    window = Window([row(n) for n in range(15, 0, -1)])
    list(walk_events(window, FIRST))
    assert window.asked[1].params == {**FIRST.params, "after": "6-0"}
    assert {asked.params["expand"] for asked in window.asked} == {"event"}


def test_pages_are_asked_for_when_they_are_wanted() -> None:
    window = Window([row(n) for n in range(30, 0, -1)])
    walk = walk_events(window, FIRST)
    assert window.asked == []
    next(walk)
    assert len(window.asked) == 1


def test_an_ignored_cursor_ends_the_walk() -> None:
    window = Window([row(n) for n in range(30, 0, -1)], "ignored")
    assert len(list(walk_events(window, FIRST))) == 10
    assert len(window.asked) == 2


def test_events_that_keep_arriving_do_not_hold_it_for_ever() -> None:
    newest = 1000

    def serve(request: Request) -> Page:
        nonlocal newest
        newest += 10
        page = [row(n) for n in range(newest, newest - 10, -1)]
        return page, PageInfo(100, page[-1]["id"])

    assert len(list(walk_events(serve, FIRST))) == 10 * (2 * 10 + 12)


def test_the_same_id_in_two_channels_is_two_events() -> None:
    rows = [row(2, "a"), row(2, "b"), row(2, "a"), row(1, None), row(1, "")]
    found = list(walk_events(Window(rows, "ignored"), FIRST))
    assert found == [row(2, "a"), row(2, "b"), row(1, None), row(1, "")]


def test_a_row_without_an_id_is_kept() -> None:
    def serve(request: Request) -> Page:
        return [{"event": 1}, {"event": 1}, {"id": 7}], PageInfo(3)

    assert len(list(walk_events(serve, FIRST))) == 3


def test_a_walk_that_fails_says_so() -> None:
    window = Window([row(n) for n in range(30, 0, -1)])

    def serve(request: Request) -> Page:
        if len(window.asked) == 2:
            raise ConnectionFailed("gone")
        return window(request)

    walk = walk_events(serve, FIRST)
    with pytest.raises(ConnectionFailed):
        list(walk)
