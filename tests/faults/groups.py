"""All faults of single streams, by what breaks; each group can share one server and three loads."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults import envelope, events, ids, paging, rates, redirects, slow, statuses, wire
from tests.faults.fault import Fault


@dataclass(frozen=True)
class Group:
    """Faults of one kind.

    Attributes:
        title: for people.
        faults: each with a name of its own.
        flags: of the command, where the usual waits are too long for a test.
    """

    title: str
    faults: tuple[Fault, ...]
    flags: tuple[str, ...] = ()


GROUPS = {
    "wire": Group("The connection breaks", wire.FAULTS),
    "slow": Group("The answer does not end", slow.FAULTS, ("--request-timeout", slow.TIMEOUT_S)),
    "statuses": Group("The API refuses or fails", statuses.FAULTS),
    "rates": Group("The API asks to wait", rates.FAULTS, ("--retry-budget", rates.BUDGET_S)),
    "redirects": Group("The API points elsewhere", redirects.FAULTS),
    "envelope": Group("The answer is no page of events", envelope.FAULTS),
    "events": Group("An event is odd", events.FAULTS),
    "ids": Group("An id is odd", ids.FAULTS),
    "paging": Group("Pages lie", paging.FAULTS),
}
