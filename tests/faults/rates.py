"""429 with each form of Retry-After within the run's budget; beyond it see `runs.py`."""

from __future__ import annotations

import email.utils
import time
from typing import Any

from tests.faults.fault import Fault, Inject, Victim
from tests.integration.contract import Reply

BUDGET_S = "5"


def throttled(retry_after: str | None = None) -> Reply:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Reply(b'{"error":"Throttled"}', 429, headers)


def once(retry_after: str | None) -> Inject:
    return lambda victim: victim.answer(throttled(retry_after))


def in_a_second(victim: Victim) -> None:
    """Ask for a wait until a second from when the answer is sent, rounded up to a whole one."""
    left = [1]

    def answer(_: dict[str, str]) -> Reply | None:
        if not left:
            return None
        left.clear()
        return throttled(email.utils.formatdate(int(time.time()) + 2, usegmt=True))

    victim.stream.answers = answer


def waited(world: Any, victim: Victim, least_s: float = 1.0) -> None:
    """Check that this stream was not asked again too early, and that no other was meanwhile."""
    first, again = victim.times[:2]
    assert again - first >= least_s
    others = [t for v in (*world.victims.values(), *world.neighbours.values()) for t in v.times]
    early = [t - first for t in others if first < t < first + least_s]
    assert early == [], "one rate limit has to hold for all streams"


def obeyed(name: str, happens: str, inject: Inject, **more: Any) -> Fault:
    return Fault(name, happens, inject, asked=2, **more)


FAULTS = (
    obeyed("bare", "429 without Retry-After", once(None)),
    obeyed("zero", "429, Retry-After: 0", once("0")),
    obeyed("second", "429, Retry-After: 1", once("1"), check=waited),
    obeyed("date", "429, Retry-After: an HTTP date", in_a_second, check=waited),
    obeyed("past", "429, Retry-After: a date of 1999", once("Fri, 31 Dec 1999 23:59:59 GMT")),
    obeyed("negative", "429, Retry-After: -5", once("-5")),
    obeyed("garbage", "429, Retry-After: soon", once("soon")),
    obeyed("nothing", "429, Retry-After: empty", once("")),
    obeyed("fraction", "429, Retry-After: 0.2", once("0.2")),
    obeyed("exponent", "429, Retry-After: 1e9", once("1e9")),
    obeyed("infinite", "429, Retry-After: inf", once("inf")),
    obeyed("arabic", "429, Retry-After: a digit that is not ASCII", once("\u00b2")),
)
