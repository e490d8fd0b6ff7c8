"""All faults of single streams, by what breaks; groups of one world share their loads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tests.faults import envelope, events, ids, paging, rates, redirects, slow, statuses, wire
from tests.faults.fault import Fault


@dataclass(frozen=True)
class Group:
    """Faults of one kind.

    Attributes:
        title: for people.
        faults: named after the group, so that each name is used once.
        world: of the faults that may happen in the same load.
    """

    title: str
    faults: tuple[Fault, ...]
    world: str


def group(name: str, title: str, faults: Iterable[Fault], *, world: str) -> Group:
    named = (replace(f, name=f"{name}{f.name[0].upper()}{f.name[1:]}") for f in faults)
    return Group(title, tuple(named), world)


GROUPS = (
    group("wire", "The connection breaks", wire.FAULTS, world="network"),
    group("status", "The API refuses or fails", statuses.FAULTS, world="network"),
    group("redirect", "The API points elsewhere", redirects.FAULTS, world="network"),
    group("slow", "The answer does not end", slow.FAULTS, world="slow"),
    group("rate", "The API asks to wait", rates.FAULTS, world="waits"),
    group("envelope", "The answer is no page of events", envelope.FAULTS, world="pages"),
    group("paging", "Pages lie", paging.FAULTS, world="pages"),
    group("event", "An event is odd", events.FAULTS, world="rows"),
    group("id", "An id is odd", ids.FAULTS, world="rows"),
)

#: Flags of the command: where the usual waits are too long for a test, and where the order of the
#: requests matters, as twenty failures in a row end a run.
FLAGS: dict[str, tuple[str, ...]] = {
    "network": ("--max-workers", "1"),
    "slow": ("--request-timeout", slow.TIMEOUT_S),
    "waits": ("--max-workers", "1", "--retry-budget", rates.BUDGET_S),
    "pages": (),
    "rows": (),
}
