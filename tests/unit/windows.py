"""Windows, polls and states for the tests of the gap rule."""

from collections.abc import Iterable
from dataclasses import replace

from pipedream_source.core.completeness.coverage import proven_by
from pipedream_source.core.polls.window import Judgement, Window, judge
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import StreamState

NOW = 1_700_000_000_000


MINUTE = 60_000


HOUR = 60 * MINUTE


def ids(numbers: Iterable[int], step_ms: int = 1000, start: int = NOW) -> list[EventId]:
    """Give one id for each number, `step_ms` apart."""
    return [EventId(start + n * step_ms, 0) for n in numbers]


def window(places: Iterable[EventId], at: int | None = None, **more: object) -> Window:
    """Give a window polled an hour after its newest id, or at a time."""
    shown = list(places)
    newest = max((i.ms for i in shown), default=NOW)
    polled = at if at is not None else newest + 10 * MINUTE
    return Window(shown, polled, polled, **more)  # type: ignore[arg-type]


def poll(state: StreamState, places: Iterable[EventId], **more: object) -> Judgement:
    """Judge a poll and keep what it proves, as the loader does."""
    shown = window(places, **more)  # type: ignore[arg-type]
    result = judge(state, shown)
    return replace(result, state=replace(result.state, stretch=proven_by(state, shown, result)))


def seen(numbers: Iterable[int], **more: object) -> StreamState:
    """Give the state after a first poll that showed these."""
    return poll(StreamState(), ids(numbers), **more).state


FAR = EventId(NOW + 30 * 24 * HOUR, 0)
