"""What a fault is: how it is injected, and all that has to come of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

from tests.integration.contract import Contract, Reply, Stream, make

# Ids are of the last hour, as ids ahead of the clock are a fault of their own.
START = int(time.time() * 1000) - 3_600_000
STEP_MS = 1000
QUIET_MS = 120_000
Key = tuple[str, str]


class Victim:
    """A stream that something happens to, and what has to stand in the table because of it.

    Attributes:
        contract, stream: the server, and the stream there.
        expected: payload by (channel, id), in the order of emission.
        times: when each request for it came, by the monotonic clock.
        tried: requests for a few rows that prove too little, before a walk of many new ones.
        others: further streams of this fault, by emitter id and channel.
    """

    def __init__(self, contract: Contract, name: str) -> None:
        self.contract = contract
        self.stream: Stream = contract.stream(f"dc_{name}")
        self.expected: dict[Key, bytes | None] = {}
        self.times: list[float] = []
        self.at = START
        self.step_ms = STEP_MS
        self.tried = 0
        self.stream.on_page = lambda: self.times.append(time.monotonic())

    def next_id(self) -> str:
        self.at += self.step_ms
        return f"{self.at}-0"

    def emit(
        self,
        event: bytes | None = b'{"n":1}',
        *,
        event_id: str = "",
        stored: bytes | None = None,
        channel: str = "",
        **parts,
    ) -> None:
        """Emit an event; `stored` is what the table holds where that is not what was sent."""
        event_id = event_id or self.next_id()
        self.stream.emit(event_id, event, **parts)
        self.expected[channel, event_id] = event if stored is None else stored

    def emit_many(self, count: int) -> None:
        for n in range(count):
            self.emit(b'{"n": %d}' % n)

    def emit_history(self, *, is_quiet: bool) -> None:
        """Emit what is loaded before anything goes wrong.

        Few events within seconds are read whole again. Many far apart let the next poll ask for a
        few rows first (`core/polls/fitting.py`), so that the fault meets that request.
        """
        self.step_ms, self.tried = (QUIET_MS, 2) if is_quiet else (STEP_MS, 0)
        self.emit_many(24 if is_quiet else 5)
        self.step_ms = STEP_MS

    def show(self, raw: bytes, stored: bytes | None = None) -> None:
        """Show a row as it stands here; `{id}` in it becomes an id that is then expected."""
        event_id = self.next_id()
        row = make(event_id)
        self.stream.add(type(row)(event_id, None, raw.replace(b"{id}", event_id.encode())))
        if b"{id}" in raw:
            self.expected["", event_id] = stored

    def answer(self, *replies: Reply, then: Reply | None = None) -> None:
        """Answer with these first, then for ever with `then`, or as if nothing had been."""
        left = list(replies)
        self.stream.answers = lambda _: left.pop(0) if left else then

    def heal(self) -> None:
        self.stream.answers = None
        self.stream.order, self.stream.after, self.stream.cursor = "newest", "exclusive", "last"
        self.stream.most, self.stream.total = 100, None


Inject = Callable[[Victim], None]
Check = Callable[..., None]


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong with one stream, and what has to come of it.

    Attributes:
        name: of the test; letters and digits, as the stream's id is made of it.
        happens: what is injected, in words.
        inject: does so, after the stream has emitted three events more.
        exit_code: of the load, were this the only fault.
        told: what the user has to be told, in part; empty where nothing is to be told.
        stored: how many of this round's events stand in the table, the newest; None for all.
        verdict: in `stream_status`.
        aside: part of the reason of each row in `quarantine`.
        gaps: verdicts of the stream's rows in `event_gaps`.
        asked: requests for the window; None where that does not matter.
        check: what else has to be so; it gets the world and the victim.
        needs_before: it is none in the first load of a stream.
        is_long: too costly for every day.
    """

    name: str
    happens: str
    inject: Inject
    _: KW_ONLY
    exit_code: int = 0
    told: str = ""
    stored: int | None = None
    verdict: str = "contiguous"
    aside: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    asked: int | None = None
    check: Check | None = None
    needs_before: bool = False
    is_long: bool = False
