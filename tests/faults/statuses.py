"""Statuses that refuse or fail, for a while and for ever."""

from __future__ import annotations

import json

from tests.faults.fault import Fault
from tests.faults.wire import TRIES, always, twice
from tests.integration.contract import Reply

PASSING = (408, 425, 500, 502, 503, 504)
GONE = (403, 404)
REFUSED = (400, 402, 405, 406, 409, 410, 418, 422, 451)
FAILING = (501, 505, 507, 599)
ODD = (304, 300, 700, 999)


def error(status: int, text: str = "no") -> Reply:
    return Reply(json.dumps({"error": text}).encode(), status)


def failed(name: str, happens: str, reply: Reply, asked: int) -> Fault:
    told = f"status {reply.status}"
    return Fault(
        name,
        happens,
        always(reply),
        exit_code=3,
        told=told,
        stored=0,
        verdict="unknown",
        asked=asked,
    )


FAULTS = (
    *(
        Fault(
            f"twice{status}",
            f"{status} twice, then an answer",
            twice(error(status)),
            asked=3,
        )
        for status in PASSING
    ),
    Fault(
        "burst",
        "500, 502, 503 and 504 in a row, then an answer",
        lambda victim: victim.answer(*map(error, (500, 502, 503, 504))),
        asked=TRIES,
    ),
    *(
        failed(f"always{status}", f"{status} for ever", error(status), TRIES)
        for status in (*PASSING, *FAILING)
    ),
    *(failed(f"gone{status}", f"{status}", error(status), 1) for status in GONE),
    *(failed(f"refused{status}", f"{status}", error(status), 1) for status in REFUSED),
    Fault(
        "escapes",
        "an error text that would write to the terminal",
        always(error(422, "\x1b[2J\x07\r\nall is well")),
        exit_code=3,
        told="all is well",
        stored=0,
        verdict="unknown",
        asked=1,
    ),
    Fault(
        "halfText",
        "an error text with half a surrogate pair",
        always(Reply(b'{"error":"so \\ud83d"}', 422)),
        exit_code=3,
        told="status 422",
        stored=0,
        verdict="unknown",
        asked=1,
    ),
    Fault(
        "longText",
        "an error text of 5 MB",
        always(error(400, "x" * 5_000_000)),
        exit_code=3,
        told="status 400",
        stored=0,
        verdict="unknown",
        asked=1,
    ),
    Fault(
        "deepText",
        "an error body 100,000 levels deep",
        always(Reply(b"[" * 100_000, 500)),
        exit_code=3,
        told="status 500",
        stored=0,
        verdict="unknown",
        asked=TRIES,
    ),
)
