"""Walks end, and keep every distinct row, whatever the cursors do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from pipedream_source.api.pages.event_page import EventPage, read_event_page
from pipedream_source.api.pages.walk import Known, WindowWalk, walk_list
from pipedream_source.api.protocol import Answer, PageInfo, Request
from pipedream_source.exceptions import ConnectionFailed, ProtocolError
from pipedream_source.settings import MAX_PAGES_PER_WINDOW

Serve = Callable[[str | None, int], dict[str, Any]]
FIRST = Request("/sources/dc_1/event_summaries", {"limit": "100", "expand": "event"})


def event(number: int, payload: object = None, channel: str | None = None) -> dict[str, Any]:
    metadata = {"name": channel} if channel is not None else {}
    return {
        "id": f"{number}-0",
        "event": payload if payload is not None else number,
        "metadata": metadata,
    }


def shown(
    rows: Iterable[dict[str, Any]], cursor: object = None, total: object = None
) -> dict[str, Any]:
    info = {"end_cursor": cursor, "total_count": total}
    return {"data": list(rows), "page_info": {k: v for k, v in info.items() if v is not None}}


class Server:
    """Answers with what a function of the cursor and the request's number gives."""

    def __init__(self, serve: Serve) -> None:
        self.serve = serve
        self.requests: list[Request] = []

    def body(self, request: Request) -> bytes:
        self.requests.append(request)
        return json.dumps(self.serve(request.params.get("after"), len(self.requests))).encode()

    def events(self, request: Request) -> tuple[Answer, EventPage]:
        answer = Answer(200, {"date": "x"}, self.body(request))
        return answer, read_event_page(answer, request.path)

    def objects(self, request: Request) -> tuple[list[dict[str, Any]], PageInfo]:
        body = json.loads(self.body(request))
        info = body.get("page_info", {})
        return body["data"], PageInfo(info.get("total_count"), info.get("end_cursor"))


def walk(serve: Serve, *, trust: bool = False, channel: str = "") -> tuple[WindowWalk, Server]:
    server, found = Server(serve), WindowWalk(channel)
    found.run(server.events, FIRST, Known(trust))
    return found, server


def numbers(found: WindowWalk) -> list[int]:
    return [row.place.ms for row in found.rows]


def pages_of(size: int, *, inclusive: bool = False, last_cursor: bool = True) -> Serve:
    """Serve 100 events newest first in pages; the cursor is the last row's id."""
    everything = list(range(100, 0, -1))

    def serve(after: str | None, _: int) -> dict[str, Any]:
        start = 0
        if after is not None:
            start = everything.index(int(after.split("-")[0])) + (0 if inclusive else 1)
        part = everything[start : start + size]
        more = start + size < len(everything) or last_cursor
        cursor = f"{part[-1]}-0" if part and more else None
        return shown([event(n) for n in part], cursor, 100)

    return serve


@pytest.mark.parametrize("size", [10, 33, 50, 99, 100])
@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("last_cursor", [False, True])
def test_a_window_is_read_whole(size: int, inclusive: bool, last_cursor: bool) -> None:
    if inclusive and size == 10:
        size = 12  # eleven pages of nine new rows each would not do within the cap
    found, server = walk(pages_of(size, inclusive=inclusive, last_cursor=last_cursor))
    assert sorted(numbers(found)) == list(range(1, 101))
    assert len(server.requests) <= MAX_PAGES_PER_WINDOW
    assert found.total_count == 100


def test_a_full_window_takes_one_request() -> None:
    _, server = walk(pages_of(100))
    assert [dict(request.params) for request in server.requests] == [dict(FIRST.params)]


def test_the_cursor_goes_along_with_the_other_parameters() -> None:
    _, server = walk(pages_of(50))
    assert dict(server.requests[1].params) == {**FIRST.params, "after": "51-0"}


@pytest.mark.parametrize("cursor", [None, "", 5, ["x"], {"a": 1}])
def test_without_a_cursor_a_full_page_is_the_last(cursor: object) -> None:
    found, server = walk(lambda *_: shown([event(n) for n in range(1, 101)], cursor, 500))
    assert (len(found.rows), len(server.requests)) == (100, 1)


def test_a_page_without_page_info() -> None:
    found, server = walk(lambda *_: {"data": [event(1)]})
    assert (numbers(found), found.total_count, len(server.requests)) == ([1], None, 1)


def test_a_repeated_cursor_ends() -> None:
    found, server = walk(lambda _, n: shown([event(n)], "same", 9))
    assert (numbers(found), len(server.requests)) == ([1, 2], 2)


def test_a_circle_of_cursors_ends() -> None:
    found, server = walk(lambda _, n: shown([event(n)], "AB"[n % 2], 99))
    assert (numbers(found), len(server.requests)) == ([1, 2, 3], 3)


def test_an_ignored_cursor_ends() -> None:
    found, server = walk(lambda _, n: shown([event(i) for i in range(1, 51)], f"c{n}", 80))
    assert (len(found.rows), len(server.requests)) == (50, 2)


def test_a_thousand_pages_end_at_twelve() -> None:
    found, server = walk(lambda _, n: shown([event(n * 10 + i) for i in range(3)], f"c{n}", 3000))
    assert len(server.requests) == MAX_PAGES_PER_WINDOW == 12
    assert len(found.rows) == 36


@pytest.mark.parametrize("total", [None, 0, 1, 7, 10**9, -1, "x"])
def test_a_wrong_total_count_loses_no_row(total: object) -> None:
    rows = [[event(3), event(2)], [event(1)], []]
    found, _ = walk(lambda _, n: shown(rows[n - 1], f"c{n}", total))
    assert numbers(found) == [3, 2, 1]
    assert found.total_count == (total if isinstance(total, int) and total >= 0 else None)


def test_growth_while_walking_changes_no_total() -> None:
    rows = [[event(3)], [event(4), event(2)], [event(1)], []]
    found, _ = walk(lambda _, n: shown(rows[n - 1], f"c{n}", 2 + n))
    assert sorted(numbers(found)) == [1, 2, 3, 4]
    assert found.total_count == 3


def test_short_pages_are_trusted_only_when_told() -> None:
    serve: Serve = lambda _, n: shown([event(1)] if n == 1 else [], "c", 1)  # noqa: E731
    careful, asked = walk(serve)
    assert (len(asked.requests), careful.short_page_ends) == (2, True)
    _, trusting = walk(serve, trust=True)
    assert len(trusting.requests) == 1


def test_a_trusted_page_that_says_there_is_more_is_not_the_last() -> None:
    rows = [[event(2)], [event(1)], []]
    found, _ = walk(lambda _, n: shown(rows[n - 1], f"c{n}", 2), trust=True)
    assert numbers(found) == [2, 1]


def test_an_id_that_comes_twice_is_one_row() -> None:
    rows = [[event(2), event(2), event(1)], [event(1), event(0)], []]
    found, _ = walk(lambda _, n: shown(rows[n - 1], f"c{n}"))
    assert (numbers(found), found.bad) == ([2, 1, 0], [])


@pytest.mark.parametrize("split", [False, True], ids=["in-a-page", "across-pages"])
def test_another_body_under_the_same_id_is_reported(split: bool) -> None:
    one, other = event(2, {"v": 1}), event(2, {"v": 2})
    rows = [[one], [other, other], []] if split else [[one, other, other], []]
    found, _ = walk(lambda _, n: shown(rows[n - 1], f"c{n}"))
    assert [json.loads(bytes(row.event or b"")) for row in found.rows] == [{"v": 1}]
    assert [(json.loads(bad.raw)["event"], str(bad.place)) for bad in found.bad] == [
        ({"v": 2}, "2-0")
    ]
    assert found.unplaced == 0


def test_the_same_id_in_another_channel_is_another_row() -> None:
    rows = [event(2, 1, "a"), event(2, 2, "b"), event(2, 2)]
    found, _ = walk(lambda *_: shown(rows), channel="b")
    assert [row.channel("b") for row in found.rows] == ["a", "b"]


def test_rows_without_an_id_count_once() -> None:
    bad = {"id": "nonsense"}
    found, server = walk(lambda _, n: shown([bad, bad, event(1)], f"c{n}", 100))
    assert (found.unplaced, len(found.bad), numbers(found), len(server.requests)) == (1, 1, [1], 2)


def test_a_full_window_with_bad_rows_takes_one_request() -> None:
    rows = [event(n) for n in range(1, 99)] + [{"id": "x"}, {"id": "y"}]
    _, server = walk(lambda *_: shown(rows, "c", 100))
    assert len(server.requests) == 1


def test_a_walk_that_fails_keeps_what_it_read() -> None:
    def serve(_: str | None, number: int) -> dict[str, Any]:
        if number == 3:
            raise ConnectionFailed("reset", path="/x")
        return shown([event(number)], f"c{number}", 9)

    server, found = Server(serve), WindowWalk()
    with pytest.raises(ConnectionFailed):
        found.run(server.events, FIRST)
    assert numbers(found) == [1, 2]
    assert found.first is not None
    assert (found.first.headers, found.first.body) == ({"date": "x"}, b"")


def test_an_empty_window_takes_one_request() -> None:
    found, server = walk(lambda *_: shown([], "c", 5))
    assert (found.rows, found.total_count, len(server.requests)) == ([], 5, 1)


LIST = Request("/users/me/sources")


def listed(serve: Serve) -> tuple[list[Any], Server]:
    server = Server(serve)
    return [item.get("id") for item in walk_list(server.objects, LIST)], server


def item(number: int) -> dict[str, Any]:
    return {"id": f"dc_{number}"}


def test_a_list_is_read_to_its_end() -> None:
    rows = [[item(1), item(2)], [item(2), item(3)], [item(4)], []]
    found, server = listed(lambda _, n: shown(rows[n - 1], f"c{n}", 2))
    assert found == ["dc_1", "dc_2", "dc_3", "dc_4"]
    assert [r.params.get("after") for r in server.requests] == [None, "c1", "c2", "c3"]
    assert {r.params["limit"] for r in server.requests} == {"100"}


@pytest.mark.parametrize(
    ("serve", "requests"),
    [
        (lambda _, n: {"data": [item(n)]}, 1),
        (lambda _, n: shown([item(n)], "same"), 2),
        (lambda _, n: shown([item(n)], "AB"[n % 2]), 3),
        (lambda _, n: shown([item(1)], f"c{n}"), 2),
        (lambda _, n: shown([], f"c{n}", 0), 1),
    ],
    ids=["no-page-info", "repeated", "circle", "ignored", "empty"],
)
def test_a_list_ends(serve: Serve, requests: int) -> None:
    found, server = listed(serve)
    assert len(server.requests) == requests
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    "serve",
    [
        lambda *_: shown([item(1)], None, 9),
        lambda *_: shown([], None, 9),
        lambda _, n: shown([item(1), item(2)], f"c{n}", 9),
        lambda _, n: shown([item(n)] if n < 3 else [], f"c{n}", 4 - n),
    ],
    ids=["no-cursor", "empty", "after-ignored", "deleted-meanwhile"],
)
def test_a_list_that_ends_early_is_no_whole_list(
    serve: Serve, request: pytest.FixtureRequest
) -> None:
    walk = walk_list(Server(serve).objects, LIST)
    if request.node.callspec.id == "deleted-meanwhile":
        assert len(list(walk)) == 2
        return
    with pytest.raises(ProtocolError, match=r"announces 9 objects and ends after [012]"):
        list(walk)


def test_objects_without_an_id_are_all_kept() -> None:
    found, _ = listed(lambda *_: {"data": [{"a": 1}, {"a": 1}, {"id": 5}]})
    assert found == [None, None, 5]


def test_a_list_that_fails_halfway_is_no_list() -> None:
    def serve(_: str | None, number: int) -> dict[str, Any]:
        if number == 2:
            raise ConnectionFailed("reset", path="/x")
        return shown([item(number)], "c1")

    found = walk_list(Server(serve).objects, LIST)
    assert next(found) == item(1)
    with pytest.raises(ConnectionFailed):
        next(found)
