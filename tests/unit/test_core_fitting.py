"""How few rows are asked for, and when they are believed."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipedream_source.core.polls.fitting import fitted_limits, is_newest_first, reaches
from pipedream_source.core.polls.window import Verdict, Window, judge
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import StreamState, WindowShape

NOW = 1_764_000_000_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 24 * 3_600_000


def ids_of(*minutes: float) -> list[EventId]:
    """Ids so many minutes before NOW."""
    return [EventId(NOW - int(m * MINUTE), 0) for m in minutes]


def state_of(ids: list[EventId], **more: object) -> StreamState:
    """The state after a whole window of these ids was read at NOW."""
    state = judge(StreamState(), Window(ids, NOW, NOW)).state
    shape = WindowShape("d", len(ids), HOUR, None, newest_first=True, read_at_ms=NOW)
    return replace(state, shape=shape, **more)  # type: ignore[arg-type]


QUIET = state_of(ids_of(*range(5, 205, 2)))


def test_a_quiet_stream_is_asked_for_two_rows() -> None:
    assert fitted_limits(QUIET, NOW) == (2, 10)


def test_the_stretch_of_late_rows_has_to_fit_in() -> None:
    dense = state_of(ids_of(5, 5.1, 5.2, 5.3, *range(7, 90)))
    assert fitted_limits(dense, NOW) == (5, 25)
    crowded = state_of([EventId(NOW - HOUR, seq) for seq in range(60)])
    assert fitted_limits(crowded, NOW) == ()


def test_what_is_expected_has_to_fit_in_twice() -> None:
    busy = replace(QUIET, events_per_hour=10.0)
    assert fitted_limits(busy, NOW + HOUR // 2) == (13,)
    assert fitted_limits(busy, NOW + 2 * HOUR) == (43,)
    assert fitted_limits(busy, NOW + 5 * HOUR) == ()
    assert fitted_limits(busy, NOW + 1000) == (2, 10)


def test_a_limit_is_at_most_half_of_the_window() -> None:
    few = state_of(ids_of(5, 8, 10, 20))
    assert fitted_limits(few, NOW) == (2,)
    assert fitted_limits(state_of(ids_of(5, 8, 10)), NOW) == ()


@pytest.mark.parametrize(
    "state",
    [
        StreamState(),
        replace(QUIET, shape=None),
        replace(QUIET, shape=WindowShape("d", 100, HOUR, None)),
        replace(QUIET, shape=WindowShape("d", 100, HOUR, None, True, NOW, newer=51)),
        replace(QUIET, shape=WindowShape("d", 100, HOUR, None, True, NOW - DAY)),
        replace(QUIET, shape=WindowShape("d", 100, HOUR, None, True, NOW + DAY)),
        replace(QUIET, recorded=frozenset({"unknown"})),
        replace(QUIET, remembered=frozenset(ids_of(1)), unproven=frozenset(ids_of(1))),
        replace(QUIET, remembered=frozenset(ids_of(-20, 5))),
        replace(QUIET, polled_at_ms=NOW - HOUR),
    ],
    ids=[
        "never polled",
        "not in one page",
        "in another order",
        "much is new",
        "a day old",
        "of another clock",
        "a gap to be closed",
        "a failed walk",
        "an id ahead of time",
        "the last id ahead of time",
    ],
)
def test_in_doubt_the_window_is_read_whole(state: StreamState) -> None:
    assert fitted_limits(state, NOW) == ()


def test_rows_have_to_reach_below_what_may_come_late() -> None:
    last, floor = ids_of(5)[0], QUIET.late_from_ms
    assert reaches(ids_of(5, 7), last, floor)
    assert reaches(ids_of(1, 5, 5.5, 7), last, floor)
    assert not reaches(ids_of(5, 5.5), last, floor)
    assert not reaches(ids_of(1, 2), last, floor)
    assert not reaches(ids_of(7, 8), last, floor)
    assert not reaches(ids_of(7, 5, 8), last, floor)
    assert not reaches(ids_of(5, 5, 7), last, floor)
    assert not reaches([], last, floor)
    assert not reaches(ids_of(5, 7), None, floor)


times = st.lists(st.integers(0, 4 * HOUR), min_size=4, max_size=130)


@given(times, times, st.booleans(), st.integers(0, HOUR))
def test_they_are_judged_as_the_whole_window_would_be(
    old: list[int], new: list[int], is_arrival: bool, pause: int
) -> None:
    def window(arrived: list[EventId]) -> list[EventId]:
        return (arrived if is_arrival else sorted(arrived))[-100:][::-1]

    before = list(dict.fromkeys(EventId(NOW - t, 0) for t in old))
    came = [EventId(NOW + pause - t % (pause + MINUTE), 1 + n) for n, t in enumerate(new[4:])]
    first, later = window(before), window([*before, *came])
    assume(is_newest_first(first))
    state, at = state_of(first), NOW + pause
    whole = judge(state, Window(later, at, at))
    for limit in fitted_limits(state, at):
        page = later[:limit]
        if reaches(page, state.last_loaded_id, state.late_from_ms):
            part = judge(state, Window(page, at, at))
            assert (part.fresh, part.gap, part.state) == (whole.fresh, whole.gap, whole.state)
            assert part.verdict is whole.verdict is Verdict.CONTIGUOUS


@given(st.integers(1, 100), st.integers(0, 100))
def test_an_api_that_limits_to_the_oldest_is_seen_through(count: int, more: int) -> None:
    state = state_of(ids_of(*range(5, 5 + count)))
    more = min(more, 100 - count)
    window = ids_of(*(n / 100 for n in range(more)), *range(5, 5 + count))
    for limit in fitted_limits(state, NOW):
        assert not reaches(window[-limit:], state.last_loaded_id, state.late_from_ms)
