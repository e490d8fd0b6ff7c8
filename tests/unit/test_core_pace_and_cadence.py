"""How fast a stream fills, and when to poll it again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.core.polls.cadence import fill_of, headroom, is_slow, next_poll_s
from pipedream_source.core.polls.pace import HOUR_MS, Pace, measure, remember_pace
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import StreamState, dump_state, load_state
from pipedream_source.settings import MAX_POLL_S, MIN_POLL_S

NOW = 1_700_000_000_000


def steady(count: int, step_ms: int) -> list[EventId]:
    return [EventId(NOW + n * step_ms, 0) for n in range(count)]


def filling_in(seconds: float) -> Pace:
    return Pace(1, 1.0, 1.0, seconds * 1000)


@pytest.mark.parametrize("ids", [[], steady(1, 5), steady(9, 0)])
def test_without_a_span_there_is_no_pace(ids: list[EventId]) -> None:
    assert measure(ids) == Pace(0, None, None, None)


def test_a_steady_window() -> None:
    assert measure(steady(100, 1000)) == Pace(99_000, 3600.0, 3600.0, 90_000.0)


def test_a_part_of_a_window_is_scaled_to_a_hundred() -> None:
    # Two events a minute apart: a hundred in a hundred minutes, or fifty such pairs.
    assert measure(steady(2, 60_000)) == Pace(60_000, 60.0, 60.0, 50 * 60_000)


def test_a_burst_sets_the_peak_and_the_time_to_fill() -> None:
    burst = [EventId(NOW + HOUR_MS + n * 200, 0) for n in range(10)]
    pace = measure([*steady(50, 60_000), *burst])
    assert pace.peak_per_hour == 9 / 1800 * HOUR_MS
    assert pace.full_in_ms == 10 * 1800
    assert pace.events_per_hour == pytest.approx(59, rel=0.01)


def test_a_burst_in_one_millisecond_is_no_division_by_zero() -> None:
    ids = [*steady(3, 1000), *(EventId(NOW + 9000, n) for n in range(20))]
    assert measure(ids).full_in_ms == 10


def test_ten_events_of_one_moment_are_no_pace_to_be_kept_up() -> None:
    ids = [*steady(50, 60_000), *(EventId(NOW + HOUR_MS, n) for n in range(10))]
    assert measure(ids).peak_per_hour == 9 * HOUR_MS / 1000


@given(st.lists(st.integers(0, 10**10), min_size=2, max_size=120, unique=True))
def test_a_pace_is_consistent(times: list[int]) -> None:
    pace = measure([EventId(ms, 0) for ms in sorted(times)])
    assert pace.span_ms == max(times) - min(times)
    assert pace.events_per_hour is not None
    assert pace.peak_per_hour is not None
    assert pace.full_in_ms is not None
    assert 0 < pace.events_per_hour <= pace.peak_per_hour
    assert 0 < pace.full_in_ms <= 100 * pace.span_ms / (len(times) - 1) * 1.0001


NO_PACE = Pace(0, None, None, None)


def test_history_begins_with_a_window_and_the_silence_after_it() -> None:
    pace = measure(steady(100, 36_000))
    last = EventId(NOW, 0)
    first = remember_pace(StreamState(), StreamState(last, polled_at_ms=NOW), pace, arrived=100)
    assert (first.events_per_hour, first.history_ms) == (100.0, 99 * 36_000)
    later = StreamState(last, polled_at_ms=NOW + 99 * 36_000)
    first = remember_pace(StreamState(), later, pace, arrived=100)
    assert (first.events_per_hour, first.history_ms) == (50.0, 2 * 99 * 36_000)
    assert first.peak_per_hour == 100.0


def test_polls_that_found_nothing_are_history() -> None:
    state = StreamState()
    for n in range(21):
        after = replace(state, polled_at_ms=NOW + n * HOUR_MS // 4, was_empty=True)
        state = load_state(dump_state(remember_pace(state, after, NO_PACE, arrived=0)))
    assert (state.events_per_hour, state.history_ms) == (0.0, 5 * HOUR_MS)
    after = replace(state, polled_at_ms=NOW + 6 * HOUR_MS, was_empty=False)
    assert remember_pace(state, after, NO_PACE, arrived=30).events_per_hour == 5.0


def test_a_single_event_and_the_silence_after_it_are_history() -> None:
    last = StreamState(EventId(NOW, 0), polled_at_ms=NOW + HOUR_MS)
    state = remember_pace(StreamState(), last, NO_PACE, arrived=1)
    assert (state.events_per_hour, state.history_ms) == (0.0, HOUR_MS)


def test_each_stretch_of_history_weighs_as_much_as_it_is_long() -> None:
    before = StreamState(polled_at_ms=NOW, events_per_hour=100.0, history_ms=HOUR_MS)
    after = StreamState(polled_at_ms=NOW + 3 * HOUR_MS)
    later = remember_pace(before, after, NO_PACE, arrived=20)
    assert (later.events_per_hour, later.history_ms) == (30.0, 4 * HOUR_MS)
    after = StreamState(polled_at_ms=NOW + 51 * HOUR_MS)
    later = remember_pace(later, after, NO_PACE, arrived=24)
    assert later.events_per_hour == pytest.approx(144 / 52, rel=1e-5)
    assert later.history_ms == 24 * HOUR_MS


def test_small_steps_are_not_rounded_away() -> None:
    state = StreamState(polled_at_ms=NOW, events_per_hour=1.2, peak_per_hour=5_000.0)
    for n in range(1, 1_001):
        after = StreamState(polled_at_ms=NOW + n * 10_000)
        state = remember_pace(state, after, NO_PACE, arrived=0)
    assert state.events_per_hour == pytest.approx(1.2 * (8640 / 8641) ** 1000, rel=0.002)
    assert state.peak_per_hour == pytest.approx(5_000 * 0.5 ** (1e7 / 7 / 24 / HOUR_MS), rel=0.002)


def test_a_peak_of_the_past_halves_in_a_week() -> None:
    before = StreamState(polled_at_ms=NOW, events_per_hour=1.0, peak_per_hour=800.0)
    after = StreamState(polled_at_ms=NOW + 14 * 24 * HOUR_MS)
    assert remember_pace(before, after, NO_PACE, arrived=0).peak_per_hour == 200.0
    faster = Pace(1, 1.0, 300.0, 1.0)
    assert remember_pace(before, after, faster, arrived=1).peak_per_hour == 300.0
    assert remember_pace(before, after, faster, arrived=0).peak_per_hour == 200.0
    assert remember_pace(StreamState(), after, faster, arrived=0).peak_per_hour == 300.0


@pytest.mark.parametrize("moved_ms", [0, -HOUR_MS])
def test_a_clock_that_stands_still_or_goes_back_changes_no_history(moved_ms: int) -> None:
    before = StreamState(polled_at_ms=NOW, events_per_hour=5.0, peak_per_hour=7.0, history_ms=9)
    after = StreamState(polled_at_ms=NOW + moved_ms)
    later = remember_pace(before, after, NO_PACE, arrived=99)
    assert (later.events_per_hour, later.peak_per_hour, later.history_ms) == (5.0, 7.0, 9)


@pytest.mark.parametrize(
    ("full_s", "fill", "slow", "wait_s"),
    [
        (100, 0.3, 0, 50),
        (100, 0.5, 0, 50),
        (100, 0.51, 0, 25),
        (100, 1.0, 0, 25),
        (100, 0.05, 1, 50),
        (100, 0.05, 2, 50),
        (100, 0.05, 3, 75),
        (100, 0.0, 9, 75),
        (0.001, 1.0, 0, MIN_POLL_S),
        (0.001, 0.0, 9, 3.0),
        (10**9, 0.3, 0, MAX_POLL_S),
        (10**9, 0.0, 3, MAX_POLL_S),
        (10**9, 1.0, 0, MAX_POLL_S / 2),
    ],
)
def test_the_next_poll(full_s: float, fill: float, slow: int, wait_s: float) -> None:
    assert next_poll_s(filling_in(full_s), fill=fill, slow_polls=slow) == pytest.approx(wait_s)


def test_a_stream_without_a_pace_waits_as_long_as_asked() -> None:
    pace = Pace(0, None, None, None)
    assert next_poll_s(pace, fill=0, slow_polls=0) == 60.0
    assert next_poll_s(pace, fill=1, slow_polls=5, quiet_poll_s=7.5) == 7.5


@given(st.floats(0, 1e12), st.floats(0, 1), st.integers(0, 9))
def test_no_wait_is_out_of_bounds(full_s: float, fill: float, slow: int) -> None:
    assert MIN_POLL_S <= next_poll_s(filling_in(full_s), fill=fill, slow_polls=slow) <= MAX_POLL_S


@given(st.integers(1, 5000), st.integers(2, 100))
def test_a_steady_stream_is_polled_before_its_window_turns_over(step_ms: int, size: int) -> None:
    pace = measure(steady(size, step_ms))
    wait_ms = next_poll_s(pace, fill=0.3, slow_polls=0) * 1000
    assert wait_ms <= 100 * step_ms or wait_ms == MIN_POLL_S * 1000


def test_fill() -> None:
    assert (fill_of(0, 0), fill_of(5, 10), fill_of(12, 10)) == (0.0, 0.5, 1.0)
    assert (is_slow(0.0999), is_slow(0.1)) == (True, False)


def test_headroom_is_the_windows_time_over_the_polls() -> None:
    pace = measure(steady(100, 1000))
    assert headroom(pace, 100, 49_500) == 2.0
    assert headroom(pace, 50, 99_000) == 2.0
    assert headroom(pace, 100, None) is headroom(pace, 100, 0) is headroom(pace, 100, -5) is None
    assert headroom(Pace(0, None, None, None), 100, 1000) is headroom(pace, 1, 1000) is None
