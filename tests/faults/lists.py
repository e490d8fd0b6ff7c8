"""Lists that fail or lie: what they leave out is neither closed nor left unpolled."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

from tests.faults.redirects import moved
from tests.faults.statuses import error
from tests.integration.contract import Contract, Reply, source

SIZE = 21  # of the server's first page: 20
_PAGE = 20


class Listing:
    """One workspace's list of sources, each with a stream of its own."""

    def __init__(self, contract: Contract, name: str) -> None:
        self.contract, self.org = contract, f"o_{name}"
        self.path = f"/orgs/{self.org}/sources"
        self.key = f"{self.org}/sources"
        self.emitters = [f"dc_{name}{n:02}" for n in range(SIZE)]
        self.rows = contract.lists[self.path] = [source(emitter) for emitter in self.emitters]
        contract.orgs.append(self.org)
        contract.lists[f"/workspaces/{self.org}/subscriptions"] = []
        for emitter in self.emitters:
            contract.stream(emitter)
            # Listed here only, not among the user's own.
            contract.lists["/users/me/sources"].pop()

    def answer(self, number: int, reply: Reply) -> None:
        """Answer a page, counted from 0, with this."""
        self.contract.broken[self.path, number] = reply

    def page(self, number: int, rows: list[Any], **info: Any) -> None:
        """Answer a page with these rows, and what the page says of itself."""
        info = {"total_count": SIZE, "count": len(rows), "end_cursor": f"c{_PAGE}"} | info
        self.answer(number, Reply(json.dumps({"page_info": info, "data": rows}).encode()))


Lie = Callable[[Listing], None]


@dataclass(frozen=True)
class ListFault:
    """One thing that goes wrong with a list.

    Attributes:
        name: of the test; letters and digits.
        happens: what is injected, in words.
        inject: does so.
        told: what the user has to be told; empty if the list is whole all the same.
        is_long: left to the long run, where each list fails alone.
    """

    name: str
    happens: str
    inject: Lie
    _: KW_ONLY
    told: str = ""
    is_long: bool = False


def answering(number: int, reply: Reply) -> Lie:
    return lambda listing: listing.answer(number, reply)


def first_page(**info: Any) -> Lie:
    return lambda listing: listing.page(0, listing.rows[:_PAGE], **info)


def with_row(row: Any) -> Lie:
    """Put something strange behind the rows of the second page."""
    return lambda listing: listing.page(1, [*listing.rows[_PAGE:], row], end_cursor=None)


_NO_PAGE = "is not what the API documents"
_EARLY = "announces 21 objects and ends after"

LISTS = (
    *(
        ListFault(f"first{status}", f"{status}", answering(0, error(status)), told=f"{status}")
        for status in (403, 500)
    ),
    ListFault("second500", "500 halfway", answering(1, error(500)), told="status 500"),
    ListFault("second404", "404 halfway", answering(1, error(404)), told="status 404"),
    ListFault("html", "an HTML page halfway", answering(1, Reply(b"<html>")), told=_NO_PAGE),
    ListFault("object", "`{}` halfway", answering(1, Reply(b"{}")), told=_NO_PAGE),
    ListFault(
        "null", "`data: null`", answering(0, Reply(b'{"data":null}')), told=_NO_PAGE, is_long=True
    ),
    ListFault("none", "204 halfway", answering(1, Reply(status=204)), told=_NO_PAGE, is_long=True),
    ListFault(
        "error",
        "200 with an error",
        answering(0, Reply(b'{"error":"no"}')),
        told=_NO_PAGE,
        is_long=True,
    ),
    ListFault(
        "text",
        "a list of strings",
        lambda x: x.page(0, x.emitters[:20]),
        told=_NO_PAGE,
        is_long=True,
    ),
    ListFault("cut", "a page cut short", answering(1, Reply(b'{"da', cut=9)), told="no complete"),
    ListFault(
        "away",
        "a redirect",
        answering(1, moved("http://127.0.0.2:9/")),
        told="no other",
        is_long=True,
    ),
    ListFault("early", "an empty second page", lambda x: x.page(1, []), told=_EARLY),
    ListFault("noCursor", "no cursor on the first page", first_page(end_cursor=None), told=_EARLY),
    ListFault(
        "number", "a cursor that is a number", first_page(end_cursor=7), told=_EARLY, is_long=True
    ),
    ListFault("again", "the first page for ever", first_page(end_cursor="c0"), told=_EARLY),
    ListFault("path", "an id that is a path", with_row({"id": "../users/me"}), told="no usable id"),
    ListFault("noId", "an object without an id", with_row({"name": "x"}), told="no usable id"),
    ListFault(
        "sql", "an id of SQL", with_row({"id": "' or 1=1 --"}), told="no usable id", is_long=True
    ),
    ListFault("twice", "an object twice", lambda x: with_row(x.rows[-1])(x)),
    ListFault("fewer", "a `total_count` of 1", first_page(total_count=1)),
    ListFault("silent", "no `total_count`", first_page(total_count=None)),
)
