"""What is remembered of a stream between two polls, and its compact form.

The state travels in dlt's pipeline state, thousands of streams in one JSON document, so each
stream is one short dict: defaults are left out, and remembered ids are stored as distances from
the last loaded id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from operator import attrgetter
from typing import Any, TypeVar

from pipedream_source.core.streams.absence import Absence, pack, unpack
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.repeats import pack_digests, unpack_digests
from pipedream_source.settings import LATE_STRETCH_MS, MAX_ID_MS_DIGITS, MAX_ID_SEQ_DIGITS

Number = TypeVar("Number", int, float)

_STRETCH_WORDS = 7
_TOO_LATE_MS, _TOO_HIGH_SEQ = 10**MAX_ID_MS_DIGITS, 10**MAX_ID_SEQ_DIGITS
#: Older history than a day's does not weigh in a stream's pace.
FULL_HISTORY_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class WindowShape:
    """What a window looked like when it was last read whole.

    Attributes:
        digest: of the page that held all of it, by which it is known when it comes again byte for
            byte; empty once newer rows were read by themselves.
        size: its rows.
        span_ms, full_in_ms: its pace, see `Pace`.
        newest_first: its rows stood in that order.
        read_at_ms: when, Unix ms by the API's clock.
        newer: rows that came since.
    """

    digest: str
    size: int
    span_ms: int
    full_in_ms: float | None
    newest_first: bool = False
    read_at_ms: int = 0
    newer: int = 0


_SHAPE_VALUES = attrgetter(*(one.name for one in fields(WindowShape)))


class Begin(StrEnum):
    """Where a stretch that is proven complete begins, and why not earlier."""

    ORIGIN = "origin"  # with the stream: the first window was not full
    WINDOW = "window"  # with the first window, which was full: what came before was never seen
    GAP = "gap"  # after a gap
    SINCE = "since"  # older events were left out, as asked for


_BEGINS = frozenset(Begin)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a stream that polls prove complete.

    Attributes:
        begins: why it begins where it does.
        from_id: everything from this id on; the origin for everything there ever was.
        opened_at_ms, proven_at_ms: the first and the last poll that prove it, Unix ms by the
            API's clock.
        polls: how many prove it.
        longest_pause_ms: between two of them.
        events: how many events they brought, from `from_id` to the last loaded id.
    """

    begins: Begin
    from_id: EventId
    opened_at_ms: int
    proven_at_ms: int
    polls: int = 1
    longest_pause_ms: int = 0
    events: int = 0


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream's cursor and the little history that judging the next window needs.

    Attributes:
        last_loaded_id: H, the largest id loaded that is not ahead of time; None before the first.
        remembered: ids already yielded that H alone does not cover: those of the late stretch
            below H, and any above it.
        unproven: those of them that only failed walks showed. They are not yielded again, but
            what came between H and them may have been lost, so they prove no overlap.
        polled_at_ms: the last completed poll, Unix ms by the API's clock; None before it.
        was_empty: that poll found an empty window.
        recorded: verdicts whose gap row was yielded at this H, so that each is told once.
        events_per_hour: smoothed pace; 0 for a stream that polls found silent, None before them.
        history_ms: how much time that pace was smoothed over, a day at most.
        stalled: milliseconds whose ids do not tell when their events came: the server's clock was
            set back, and ids go on counting within the last one.
        peak_per_hour: highest pace over ten events so far; it halves in a week.
        short_page_ends: a page below the limit was seen to be the last one.
        limits_to_newest: a limit was seen to leave the newest rows.
        failures: failed polls in a row.
        slow_polls: polls in a row with under a tenth of the window new.
        shape: the last whole window's, when it came in one page.
        stretch: what is proven complete up to now; None before the first completed poll.
        absence: polls in a row to which the API answered that there is no such emitter.
        is_misnumbered: a window once showed that ids do not rise, or do not count from 0.
        digests: of the events of remembered ids, see `core/streams/repeats.py`.
        is_beside: nothing names it; it is judged by what the answer for another channel shows.
    """

    last_loaded_id: EventId | None = None
    remembered: frozenset[EventId] = field(default_factory=frozenset)
    unproven: frozenset[EventId] = field(default_factory=frozenset)
    polled_at_ms: int | None = None
    was_empty: bool = False
    recorded: frozenset[str] = field(default_factory=frozenset)
    events_per_hour: float | None = None
    history_ms: int = FULL_HISTORY_MS
    peak_per_hour: float | None = None
    stalled: frozenset[int] = field(default_factory=frozenset)
    short_page_ends: bool = False
    limits_to_newest: bool = False
    failures: int = 0
    slow_polls: int = 0
    shape: WindowShape | None = None
    stretch: Stretch | None = None
    absence: Absence | None = None
    is_misnumbered: bool = False
    digests: Mapping[EventId, int] = field(default_factory=dict)
    is_beside: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether the same window again would change nothing: no id waits for its verdict."""
        last = self.last_loaded_id
        if self.unproven or self.recorded:
            return False
        if last is None:
            return self.was_empty and not self.remembered
        return max(self.remembered, default=last) <= last

    @property
    def proven(self) -> frozenset[EventId]:
        """The ids in which a later window can overlap with what is known."""
        known = self.remembered - self.unproven
        return known | {self.last_loaded_id} if self.last_loaded_id else known

    @property
    def late_from_ms(self) -> int:
        """Where the late stretch begins: 60 s before H, or before the poll if H is ahead of it."""
        if self.last_loaded_id is None:
            return 0
        times = [self.last_loaded_id.ms, self.polled_at_ms]
        return min(t for t in times if t is not None) - LATE_STRETCH_MS


def dump_state(state: StreamState) -> dict[str, Any]:
    """Turn a state into a JSON-ready dict without its defaults."""
    anchor = state.last_loaded_id
    packed: dict[str, Any] = {
        "h": str(anchor) if anchor else None,
        "r": _pack_ids(state.remembered - state.unproven, anchor.ms if anchor else 0),
        "u": _pack_ids(state.unproven, anchor.ms if anchor else 0),
        "p": state.polled_at_ms,
        "e": state.was_empty,
        "g": " ".join(sorted(state.recorded)),
        "k": state.peak_per_hour,
        "y": " ".join(map(str, sorted(state.stalled))),
        "s": state.short_page_ends,
        "n": state.limits_to_newest,
        "f": state.failures,
        "q": state.slow_polls,
        "w": _pack_shape(state.shape),
        "c": _pack_stretch(state.stretch),
        "x": pack(state.absence),
        "b": state.is_beside,
        "z": "!" * state.is_misnumbered + pack_digests(state.digests, state.remembered),
    }
    # A silent stream's pace is 0, which is no default.
    pace = {
        "v": state.events_per_hour,
        "t": state.history_ms if state.history_ms < FULL_HISTORY_MS else None,
    }
    known = {key: value for key, value in pace.items() if value is not None}
    return {key: value for key, value in packed.items() if value} | known


def load_state(packed: dict[str, Any] | None) -> StreamState:
    """Read what `dump_state` wrote; None or an empty dict is a stream never polled.

    Raises:
        ValueError: the text is not a state, e.g. after the file was edited.
    """
    if not packed:
        return StreamState()
    try:
        return _unpack(packed)
    except (AttributeError, TypeError, OverflowError) as error:
        raise ValueError(f"the stored state cannot be read: {error}") from None


def _unpack(packed: dict[str, Any]) -> StreamState:
    anchor = _require_id(packed["h"]) if packed.get("h") else None
    anchor_ms = anchor.ms if anchor else 0
    unproven = _unpack_ids(packed.get("u", ""), anchor_ms)
    remembered = _unpack_ids(packed.get("r", ""), anchor_ms) | unproven
    told = packed.get("z", "")
    return StreamState(
        last_loaded_id=anchor,
        remembered=remembered,
        unproven=unproven,
        polled_at_ms=_optional(int, packed.get("p")),
        was_empty=bool(packed.get("e")),
        recorded=frozenset(packed.get("g", "").split()),
        events_per_hour=_optional(float, packed.get("v")),
        history_ms=min(max(int(packed.get("t", FULL_HISTORY_MS)), 0), FULL_HISTORY_MS),
        peak_per_hour=_optional(float, packed.get("k")),
        stalled=frozenset(map(int, packed.get("y", "").split())),
        short_page_ends=bool(packed.get("s")),
        limits_to_newest=bool(packed.get("n")),
        failures=int(packed.get("f", 0)),
        slow_polls=int(packed.get("q", 0)),
        shape=_unpack_shape(packed.get("w")),
        stretch=_unpack_stretch(packed.get("c", "")),
        absence=unpack(packed.get("x", "")),
        is_misnumbered=told.startswith("!"),
        digests=unpack_digests(told.removeprefix("!"), remembered),
        is_beside=bool(packed.get("b")),
    )


def _pack_shape(shape: WindowShape | None) -> list[Any] | None:
    # `dataclasses.astuple` copies each value deeply, at ten times the cost.
    return [*_SHAPE_VALUES(shape)] if shape else None


def _unpack_shape(packed: list[Any] | None) -> WindowShape | None:
    if not packed:
        return None
    # Version 0.1 kept the first four only.
    digest, size, span_ms, full_in_ms, *more = packed
    pace = int(span_ms), _optional(float, full_in_ms)
    return WindowShape(str(digest), int(size), *pace, bool(more and more[0]), *map(int, more[1:]))


def _pack_stretch(stretch: Stretch | None) -> str:
    if stretch is None:
        return ""
    times = f"{stretch.opened_at_ms} {stretch.proven_at_ms - stretch.opened_at_ms}"
    counts = f"{stretch.polls} {stretch.longest_pause_ms} {stretch.events}"
    return f"{stretch.begins} {stretch.from_id} {times} {counts}"


def _unpack_stretch(text: str) -> Stretch | None:
    if not text:
        return None
    words = text.split()
    if len(words) != _STRETCH_WORDS or words[0] not in _BEGINS:
        raise ValueError(f"{text!r} in the stored state is not a stretch")
    begins, from_id, *numbers = words
    opened, lasted, *counts = map(int, numbers)
    return Stretch(Begin(begins), _require_id(from_id), opened, opened + lasted, *counts)


def _optional(kind: Callable[[Any], Number], value: Any) -> Number | None:
    return None if value is None else kind(value)


def _require_id(text: str) -> EventId:
    found = EventId.parse(text)
    if found is None:
        raise ValueError(f"{text!r} in the stored state is not an event id (<ms>-<seq>)")
    return found


def _pack_ids(ids: frozenset[EventId], anchor_ms: int) -> str:
    return " ".join(
        f"{anchor_ms - i.ms}.{i.seq}" if i.seq else str(anchor_ms - i.ms) for i in sorted(ids)
    )


def _unpack_ids(text: str, anchor_ms: int) -> frozenset[EventId]:
    ids = []
    for word in text.split():
        distance, _, seq = word.partition(".")
        found = EventId(anchor_ms - int(distance), int(seq or 0))
        if not (0 <= found.ms < _TOO_LATE_MS and 0 <= found.seq < _TOO_HIGH_SEQ):
            raise ValueError(f"{found} in the stored state is not an event id (<ms>-<seq>)")
        ids.append(found)
    return frozenset(ids)
