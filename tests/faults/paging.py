"""Pages that lie of themselves: counts, cursors, sizes; a walk ends, and what it showed is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.faults.fault import Fault, Inject, Victim
from tests.integration.contract import Reply

MOST_REQUESTS = 12
_NEW = 33


def manners(**given: Any) -> Inject:
    """Emit thirty events more, and page in such a way."""

    def inject(victim: Victim) -> None:
        victim.emit_many(_NEW - 3)
        for name, value in given.items():
            setattr(victim.stream, name, value)

    return inject


def rewritten(change: Callable[[dict[str, Any]], None], **given: Any) -> Inject:
    """Answer with the true page, changed."""

    def inject(victim: Victim) -> None:
        manners(**given)(victim)
        stream, on_page = victim.stream, victim.stream.on_page

        def answer(query: dict[str, str]) -> Reply:
            stream.answers = stream.on_page = None
            page = json.loads(stream.page(query).body)
            stream.answers, stream.on_page = answer, on_page
            change(page)
            return Reply(json.dumps(page).encode())

        stream.answers = answer

    return inject


def info(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda page: page["page_info"].update(fields)


def at_most_twelve(world: Any, victim: Victim) -> None:
    assert len(victim.times) <= world.asked[victim.stream.emitter] + MOST_REQUESTS
    assert world.asked[victim.stream.emitter] <= victim.tried + MOST_REQUESTS


def whole(name: str, happens: str, inject: Inject) -> Fault:
    return Fault(name, happens, inject, check=at_most_twelve)


def cut(name: str, happens: str, inject: Inject, stored: int) -> Fault:
    """Describe a window of which the rest cannot be had: said, and read when it can."""
    return Fault(
        name,
        happens,
        inject,
        stored=stored,
        told="unknown",
        verdict="unknown",
        gaps=("unknown",),
        check=at_most_twelve,
        needs_before=True,
    )


def arriving(victim: Victim) -> None:
    """Let an event arrive before each further page, so that all rows move on."""
    victim.emit_many(20)
    stream, note = victim.stream, victim.stream.on_page
    stream.most = 10

    def arrive() -> None:
        if note:
            note()
        if 1 < len(victim.times) - victim.tried < MOST_REQUESTS:
            victim.emit(b'"while walking"')

    stream.on_page = arrive


TOTALS: tuple[object, ...] = (0, 1, 3, 1_000_000, -1, None, "9", 1.5, True, [], 10**30)

FAULTS = (
    *(
        whole(
            f"total{n}",
            f"`total_count: {json.dumps(total)[:20]}`",
            rewritten(info(total_count=total)),
        )
        for n, total in enumerate(TOTALS)
    ),
    *(
        whole(
            f"pagedTotal{n}",
            f"`total_count: {total}` on pages of 9",
            rewritten(info(total_count=total), most=9),
        )
        for n, total in enumerate((0, 3, 9, 1_000_000))
    ),
    whole("count", "a `count` that is wrong", rewritten(info(count=7, excluded_count=5))),
    whole("noCursor", "no cursor on a page of all", manners(cursor="missing")),
    whole("nullCursor", "a cursor of null on a page of all", manners(cursor="null")),
    whole("repeated", "the same cursor for ever, on a page of all", manners(cursor="repeated")),
    whole("circle", "cursors in a circle, on a page of all", manners(cursor="aba")),
    whole("inclusive", "`after` inclusive, pages of 9", manners(after="inclusive", most=9)),
    whole("ignored", "`after` ignored, a page of all", manners(after="ignored")),
    whole("newer", "`after` leads to newer rows, a page of all", manners(after="newer")),
    whole("small", "pages of 9", manners(most=9)),
    whole("smallOldest", "pages of 9, oldest first", manners(most=9, order="oldest")),
    whole("smallShuffled", "pages of 9 in any order", manners(most=9, order="shuffled")),
    *(
        whole(f"oddCursor{n}", f"a cursor that is {what}", rewritten(info(end_cursor=cursor)))
        for n, (what, cursor) in enumerate(
            {
                "a number": 17,
                "a list": ["1-0"],
                "empty": "",
                "a megabyte": "c" * 1_000_000,
                "half a surrogate pair": "\ud83d",
                "a line break": "x\r\nX-Evil: 1",
                "a path": "../../users/me?limit=0#",
                "terminal escapes": "\x1b[2J",
            }.items()
        )
    ),
    whole("arriving", "an event before each page", arriving),
    cut("stuckNull", "a cursor of null, pages of 9", manners(cursor="null", most=9), 9),
    cut("stuckMissing", "no cursor, pages of 9", manners(cursor="missing", most=9), 9),
    cut("stuckIgnored", "`after` ignored, pages of 9", manners(after="ignored", most=9), 9),
    cut("stuckNewer", "`after` leads to newer rows, pages of 9", manners(after="newer", most=9), 9),
    cut("endless", "pages of one row", manners(most=1), MOST_REQUESTS),
)
