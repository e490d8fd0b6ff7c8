"""What goes wrong with a whole run rather than with one stream."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from tests.faults.fault import Victim
from tests.faults.world import Load, Site

NOTHING, NO_EVENTS, SOME, ALL = "nothing", "no events", "some", "all"


@dataclass
class Given:
    """With what the command is started: flags and environment."""

    flags: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)


class Scene(Site):
    """A server with some streams, none of which is broken by itself."""

    def __init__(self, folder: Path, streams: int) -> None:
        super().__init__(folder, "--only", "events")
        self.victims = [Victim(self.contract, f"{n:02}") for n in range(streams)]

    def emit(self) -> None:
        for victim in self.victims:
            victim.emit_many(3)

    def due(self) -> dict[tuple[str, str, str], bytes | None]:
        return {
            (v.stream.emitter, *key): payload
            for v in self.victims
            for key, payload in v.expected.items()
        }

    def heal(self) -> None:
        for victim in self.victims:
            victim.heal()
        self.contract.broken.clear()
        self.contract.key_works = lambda _: True


Break = Callable[[Scene, Given], AbstractContextManager[None] | None]
Examine = Callable[[Scene, Load], None]


@dataclass(frozen=True)
class RunFault:
    """One thing that goes wrong with a run, and what has to come of it.

    Attributes:
        name: of the test.
        happens: what is injected, in words.
        inject: does so; what it returns is left again before the next load.
        exit_code: of the run.
        told: what stderr has to say, in part.
        leaves: `nothing` at all, a database with `no events`, with `some` or with `all`.
        streams: how many there are.
        requests: with the right key, if that matters.
        check: what else has to be so.
        needs_before: a healthy load comes first.
        is_long: too costly for every day.
    """

    name: str
    happens: str
    inject: Break
    _: KW_ONLY
    exit_code: int = 0
    told: str = ""
    leaves: str = NOTHING
    streams: int = 4
    requests: int | None = None
    check: Examine | None = None
    needs_before: bool = False
    is_long: bool = False
