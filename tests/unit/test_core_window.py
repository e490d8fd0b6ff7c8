"""The gap rule, line by line."""

import json
import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipedream_source.core.event_id import ORIGIN, EventId
from pipedream_source.core.stream_state import StreamState, dump_state, load_state
from pipedream_source.core.window import Judgement, Verdict, Window, judge

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
    return judge(state, window(places, **more))  # type: ignore[arg-type]


def seen(numbers: Iterable[int], **more: object) -> StreamState:
    """Give the state after a first poll that showed these."""
    return poll(StreamState(), ids(numbers), **more).state


def test_the_first_window_is_first_and_all_of_it_is_new() -> None:
    result = poll(StreamState(), ids(range(100)))
    assert (result.verdict, result.gap) == (Verdict.FIRST, None)
    assert list(result.fresh) == ids(range(100))
    assert result.state.last_loaded_id == ids([99])[0]


def test_a_first_empty_window_is_first() -> None:
    result = poll(StreamState(), [])
    assert (result.verdict, result.gap, result.fresh) == (Verdict.FIRST, None, ())
    assert result.state.was_empty


def test_an_unchanged_window_brings_nothing() -> None:
    result = poll(seen(range(100)), ids(range(100)))
    assert (result.verdict, result.gap, result.fresh) == (Verdict.CONTIGUOUS, None, ())


def test_ninety_nine_new_events_are_no_gap() -> None:
    result = poll(seen(range(100)), ids(range(99, 199)))
    assert (result.verdict, result.gap) == (Verdict.CONTIGUOUS, None)
    assert list(result.fresh) == ids(range(100, 199))


def test_a_hundred_new_events_may_have_been_more() -> None:
    result = poll(seen(range(100)), ids(range(100, 200)))
    assert result.verdict is Verdict.OVERRUN
    assert result.gap is not None
    assert (result.gap.after, result.gap.before) == tuple(ids([99, 100]))
    assert (result.gap.start_ms, result.gap.end_ms) == (NOW + 99_000, NOW + 100_000)
    assert list(result.fresh) == ids(range(100, 200))


def test_after_an_overrun_the_next_poll_is_contiguous() -> None:
    state = poll(seen(range(100)), ids(range(150, 250))).state
    result = poll(state, ids(range(160, 260)))
    assert (result.verdict, result.gap) == (Verdict.CONTIGUOUS, None)


def test_each_overrun_is_told() -> None:
    state, gaps = seen(range(100)), []
    for first in (200, 400, 600):
        result = poll(state, ids(range(first, first + 100)))
        gaps.append(result.gap)
        state = result.state
    assert [(g.after, g.before) for g in gaps if g] == [
        tuple(ids(pair)) for pair in ((99, 200), (299, 400), (499, 600))
    ]


def test_quarantined_rows_count_for_fullness() -> None:
    short = poll(seen(range(5)), ids(range(10, 108)), quarantined=1)
    full = poll(seen(range(5)), ids(range(10, 108)), quarantined=2)
    assert (short.verdict, full.verdict) == (Verdict.PURGED, Verdict.OVERRUN)


def test_a_window_without_overlap_that_is_not_full_was_purged() -> None:
    result = poll(seen(range(100)), ids(range(200, 299)))
    assert result.verdict is Verdict.PURGED
    assert result.gap is not None
    assert (result.gap.after, result.gap.before) == tuple(ids([99, 200]))
    assert result.state.last_loaded_id == ids([298])[0]
    assert list(result.fresh) == ids(range(200, 299))


def test_deleting_the_oldest_is_no_gap() -> None:
    result = poll(seen(range(100)), ids(range(50, 120)))
    assert (result.verdict, result.gap) == (Verdict.CONTIGUOUS, None)


def test_a_window_below_the_cursor_regressed() -> None:
    result = poll(seen(range(1000, 1100)), ids(range(10)))
    assert result.verdict is Verdict.REGRESSED
    assert list(result.fresh) == ids(range(10))
    assert result.state.last_loaded_id == ids([9])[0]
    assert result.gap is not None
    assert (result.gap.after, result.gap.before) == tuple(ids([1099, 0]))
    assert poll(result.state, ids(range(12))).verdict is Verdict.CONTIGUOUS


def test_a_regressed_window_is_told_once() -> None:
    state = seen(range(1000, 1100))
    first = poll(state, ids(range(10)))
    second = poll(first.state, ids(range(10)))
    assert first.gap is not None
    assert (second.verdict, second.gap, second.fresh) == (Verdict.CONTIGUOUS, None, ())


@pytest.mark.parametrize("shown", [0, 50, 100])
def test_rows_that_total_count_promises_make_it_unknown(shown: int) -> None:
    state = seen(range(100))
    result = poll(state, ids(range(200, 200 + shown)), total_count=shown + 1)
    assert result.verdict is Verdict.UNKNOWN
    assert result.gap is not None
    assert result.gap.after == ids([99])[0]
    assert result.state.last_loaded_id == state.last_loaded_id
    assert list(result.fresh) == ids(range(200, 200 + shown))


def test_total_count_contradicts_nothing_where_the_window_overlaps() -> None:
    result = poll(seen(range(100)), ids(range(50, 150)), total_count=1_000_000)
    assert (result.verdict, result.gap) == (Verdict.CONTIGUOUS, None)


@pytest.mark.parametrize("total", [None, 0, 50, 100])
def test_a_total_count_that_explains_nothing_more_leaves_an_overrun(total: int | None) -> None:
    assert poll(seen([1]), ids(range(200, 300)), total_count=total).verdict is Verdict.OVERRUN


def test_a_server_that_always_promises_more_hides_no_gap() -> None:
    state, told = seen(range(100), total_count=1000), []
    for first in (200, 400, 600):
        result = poll(state, ids(range(first, first + 100)), total_count=1000)
        told.append(result.gap and (result.gap.after, result.gap.before))
        state = result.state
    assert told == [tuple(ids(p)) for p in ((99, 200), (299, 400), (499, 600))]


def test_a_window_that_comes_back_after_a_doubt_is_judged_by_the_cursor() -> None:
    state = poll(seen(range(100)), [], total_count=3).state
    assert poll(state, ids(range(50, 150))).verdict is Verdict.CONTIGUOUS
    assert poll(state, ids(range(150, 250))).verdict is Verdict.OVERRUN


def test_an_empty_window_after_events_was_purged_and_is_told_once() -> None:
    first = poll(seen(range(5)), [], at=NOW + HOUR)
    assert first.verdict is Verdict.PURGED
    assert first.gap is not None
    assert (first.gap.before, first.gap.end_ms) == (None, NOW + HOUR)
    state = first.state
    for _ in range(3):
        again = poll(state, [], at=NOW + 2 * HOUR)
        assert again.gap is None
        state = again.state
    back = poll(state, ids([8000, 8001]))
    assert (back.verdict, back.gap) == (Verdict.CONTIGUOUS, None)
    assert list(back.fresh) == ids([8000, 8001])
    assert poll(back.state, [], at=NOW + 5 * HOUR).gap is not None


def test_a_promise_of_rows_that_never_come_is_told_once() -> None:
    first = poll(seen(range(5)), [], total_count=7)
    second = poll(first.state, [], total_count=7)
    assert first.gap is not None
    assert (second.verdict, second.gap) == (Verdict.UNKNOWN, None)


def test_a_first_page_that_is_empty_but_promises_rows_is_unknown() -> None:
    result = poll(StreamState(), [], total_count=3)
    assert result.verdict is Verdict.UNKNOWN
    assert poll(result.state, ids(range(3))).verdict is Verdict.FIRST


@pytest.mark.parametrize(("count", "verdict"), [(99, "contiguous"), (100, "overrun")])
def test_a_stream_seen_empty_may_be_overrun_by_its_first_events(count: int, verdict: str) -> None:
    state = poll(StreamState(), [], at=NOW).state
    result = poll(state, ids(range(5, 5 + count)))
    assert result.verdict == verdict
    assert list(result.fresh) == ids(range(5, 5 + count))
    if result.gap:
        assert (result.gap.after, result.gap.before) == (ORIGIN, ids([5])[0])
        assert (result.gap.start_ms, result.gap.end_ms) == (NOW, NOW + 5_000)


def test_a_stream_emptied_and_overrun_lost_what_came_since() -> None:
    state = poll(seen(range(5)), [], at=NOW + HOUR).state
    result = poll(state, ids(range(5000, 5100)))
    assert result.verdict is Verdict.OVERRUN
    assert result.gap is not None
    assert (result.gap.start_ms, result.gap.end_ms) == (NOW + HOUR, NOW + 5_000_000)


def test_an_empty_stream_stays_known_as_empty_through_a_doubt() -> None:
    state = poll(StreamState(), [], at=NOW).state
    state = poll(state, [], at=NOW + 1, total_count=4).state
    assert poll(state, ids(range(5, 105))).verdict is Verdict.OVERRUN
    assert poll(state, ids(range(5, 10))).gap is None


def test_a_window_of_unreadable_rows_only() -> None:
    few = poll(seen(range(5)), [], quarantined=3)
    assert few.verdict is Verdict.PURGED
    assert poll(few.state, [], quarantined=3).gap is None
    full = poll(seen(range(5)), [], quarantined=100)
    assert full.verdict is Verdict.OVERRUN
    assert poll(full.state, [], quarantined=100).gap is None
    assert poll(full.state, ids(range(500, 600))).gap is not None


def test_a_failed_walk_keeps_its_rows_and_claims_no_gap() -> None:
    state = seen(range(100))
    result = poll(state, ids(range(300, 350)), complete=False)
    assert (result.verdict, result.gap) == (Verdict.UNKNOWN, None)
    assert list(result.fresh) == ids(range(300, 350))
    assert result.state.last_loaded_id == state.last_loaded_id
    assert result.state.polled_at_ms == state.polled_at_ms


def test_rows_of_a_failed_walk_are_not_yielded_again() -> None:
    state = poll(seen(range(100)), ids(range(120, 160)), complete=False).state
    state = poll(state, ids(range(120, 170)), complete=False).state
    result = poll(state, ids(range(75, 175)))
    assert list(result.fresh) == ids([*range(100, 120), *range(170, 175)])
    assert result.verdict is Verdict.CONTIGUOUS


def test_a_failed_walk_hides_no_overrun() -> None:
    state = poll(seen(range(100)), ids(range(300, 400)), complete=False).state
    result = poll(state, ids(range(300, 400)))
    assert result.verdict is Verdict.OVERRUN
    assert result.gap is not None
    assert (result.gap.after, result.gap.before) == tuple(ids([99, 300]))
    assert result.fresh == ()


def test_a_failed_first_walk_makes_no_gap() -> None:
    state = poll(StreamState(), ids(range(50, 100)), complete=False).state
    result = poll(state, ids(range(100)))
    assert (result.verdict, result.gap) == (Verdict.FIRST, None)
    assert list(result.fresh) == ids(range(50))


def test_a_failed_walk_between_two_doubts_hides_no_overrun() -> None:
    state = poll(seen(range(100)), ids(range(300, 400)), complete=False).state
    state = poll(state, [], total_count=4).state
    assert poll(state, ids(range(300, 400))).gap is not None


@pytest.mark.parametrize("late_s", [1, 30, 60])
def test_a_row_that_comes_late_is_new(late_s: int) -> None:
    shown = ids(n for n in range(0, 200, 2))
    state = poll(StreamState(), shown).state
    late = EventId(shown[-1].ms - late_s * 1000, 7)
    result = poll(state, [*shown[1:], late])
    assert (result.verdict, result.fresh) == (Verdict.CONTIGUOUS, (late,))
    assert poll(result.state, [*shown[1:], late]).fresh == ()


def test_a_row_older_than_the_late_stretch_is_left_to_a_full_window() -> None:
    shown = ids(range(0, 200, 2))
    state = poll(StreamState(), shown).state
    late = EventId(shown[-1].ms - 60_001, 0)
    assert poll(state, [*shown, late]).fresh == ()
    assert late in judge(state, window([*shown, late]), full_window=True).fresh


def test_a_late_row_below_the_cursor_hides_no_overrun() -> None:
    late = EventId(ids([95])[0].ms, 5)
    result = poll(seen(range(100)), [late, *ids(range(300, 399))])
    assert result.verdict is Verdict.OVERRUN
    assert result.gap is not None
    assert (result.gap.after, result.gap.before) == tuple(ids([99, 300]))
    assert late in result.fresh


def test_a_late_row_at_the_bottom_makes_no_overrun() -> None:
    late = EventId(ids([50])[0].ms - 1, 5)
    result = poll(seen(range(100)), [late, *ids(range(51, 150))])
    assert (result.verdict, result.gap) == (Verdict.CONTIGUOUS, None)


def test_a_full_window_asked_for_yields_every_row() -> None:
    result = judge(seen(range(100)), window(ids(range(100))), full_window=True)
    assert list(result.fresh) == ids(range(100))
    assert result.verdict is Verdict.CONTIGUOUS


FAR = EventId(NOW + 30 * 24 * HOUR, 0)


def test_an_id_ahead_of_time_is_stored_once_and_moves_no_cursor() -> None:
    state = seen(range(10))
    result = poll(state, [*ids(range(10)), FAR], at=NOW + HOUR)
    assert (result.verdict, result.fresh) == (Verdict.CONTIGUOUS, (FAR,))
    assert result.state.last_loaded_id == ids([9])[0]
    again = poll(result.state, [*ids(range(12)), FAR], at=NOW + HOUR)
    assert list(again.fresh) == ids([10, 11])


def test_five_minutes_ahead_is_within_the_tolerance() -> None:
    at = NOW + HOUR
    near, far = EventId(at + 5 * MINUTE, 0), EventId(at + 5 * MINUTE + 1, 0)
    assert poll(StreamState(), [near], at=at).state.last_loaded_id == near
    assert poll(StreamState(), [far], at=at).state.last_loaded_id is None


@pytest.mark.parametrize("ahead_ms", [2 * MINUTE, 5 * MINUTE, 6 * MINUTE])
def test_events_behind_a_clock_that_ran_ahead_are_still_new(ahead_ms: int) -> None:
    ahead = EventId(NOW + ahead_ms, 0)
    state = poll(StreamState(), [EventId(NOW - 1, 0), ahead], at=NOW).state
    shown, told = [EventId(NOW - 1, 0), ahead], list[EventId]()
    for minute in range(1, 10):
        new = EventId(NOW + minute * MINUTE - 500, minute)
        shown.append(new)
        result = poll(state, shown, at=NOW + minute * MINUTE)
        told += result.fresh
        assert result.gap is None
        state = result.state
    assert told == [i for i in shown if i.seq]


@pytest.mark.parametrize("ahead_ms", [3 * MINUTE, 10 * MINUTE, 30 * 24 * HOUR])
def test_an_id_ahead_of_time_hides_no_overrun(ahead_ms: int) -> None:
    ahead = EventId(NOW + 100_000 + ahead_ms, 0)
    state = poll(StreamState(), [*ids(range(50)), ahead], at=NOW + 100_000).state
    result = poll(state, [*ids(range(101, 200)), ahead], at=NOW + 200_000)
    assert result.verdict is Verdict.OVERRUN
    assert result.gap is not None
    assert (result.gap.after, result.gap.before) == tuple(ids([49, 101]))


@pytest.mark.parametrize("cursor", [False, True], ids=["never-on-time", "on-time-before"])
def test_an_emitter_whose_clock_runs_ahead_is_judged_like_any_other(cursor: bool) -> None:
    at = NOW - 10 * MINUTE - 1
    state = StreamState()
    if cursor:
        state = poll(state, ids(range(3), start=NOW - HOUR), at=NOW - HOUR + 5000).state
        state = poll(state, ids([0, 1, 2], start=NOW - HOUR) + ids(range(97)), at=at).state
    else:
        state = poll(state, ids(range(97)), at=at).state
    assert poll(state, ids(range(50, 150)), at=at + 50_000).gap is None
    told = []
    for first in (300, 500, 700):
        at += 200_000
        result = poll(state, ids(range(first, first + 100)), at=at)
        told.append(result.gap and (result.gap.verdict, result.gap.after, result.gap.before))
        state = result.state
        overlap = poll(state, ids(range(first + 1, first + 101)), at=at + 1000)
        assert list(overlap.fresh) == ids([first + 100])
        assert overlap.gap is None
    pairs = [(96, 300), (399, 500), (599, 700)]
    assert told == [(Verdict.OVERRUN, *ids(pair)) for pair in pairs]


def test_a_first_event_ahead_of_time_purges_nothing() -> None:
    state = poll(StreamState(), [FAR], at=NOW).state
    result = poll(state, [*ids([1, 2]), FAR], at=NOW + 9000)
    assert (result.verdict, result.gap) == (Verdict.CONTIGUOUS, None)
    assert list(result.fresh) == ids([1, 2])


def test_a_gap_after_only_ids_ahead_of_time_begins_at_the_poll() -> None:
    state = poll(StreamState(), [FAR], at=NOW).state
    result = poll(state, [*ids(range(200, 299)), FAR], at=NOW + HOUR)
    assert result.verdict is Verdict.OVERRUN
    assert result.gap is not None
    assert (result.gap.start_ms, result.gap.end_ms) == (NOW, NOW + 200_000)


STATES = [
    StreamState(),
    seen(range(100)),
    seen([5]),
    poll(StreamState(), []).state,
    poll(seen(range(100)), ids(range(120, 160)), complete=False).state,
    poll(seen(range(100)), [*ids(range(100)), FAR]).state,
    poll(StreamState(), [FAR], at=NOW).state,
]
WINDOWS = [
    window(ids(range(100))),
    window(ids(range(99, 199))),
    window(ids(range(150, 250))),
    window(ids(range(150, 200)), total_count=70),
    window(ids([3])),
    window([*ids(range(400, 499)), FAR]),
    window([], total_count=2),
    window([], quarantined=100),
    window(ids(range(300)), complete=False),
]


@pytest.mark.parametrize("state", STATES, ids=range(len(STATES)))
@pytest.mark.parametrize("shown", WINDOWS, ids=range(len(WINDOWS)))
def test_the_order_of_rows_makes_no_difference(state: StreamState, shown: Window) -> None:
    mixed = list(shown.ids)
    random.Random(4).shuffle(mixed)
    backwards = replace(shown, ids=list(shown.ids)[::-1])
    result = judge(state, shown)
    assert judge(state, replace(shown, ids=mixed)) == judge(state, backwards) == result
    assert list(result.fresh) == sorted(set(result.fresh))


@pytest.mark.parametrize("state", STATES, ids=range(len(STATES)))
@pytest.mark.parametrize("shown", WINDOWS, ids=range(len(WINDOWS)))
def test_a_stored_state_judges_as_the_one_in_memory(state: StreamState, shown: Window) -> None:
    stored = load_state(json.loads(json.dumps(dump_state(state))))
    assert judge(stored, shown) == judge(state, shown)
    after = judge(state, shown).state
    assert load_state(dump_state(after)) == after


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sets(st.integers(-400, 400), max_size=120),
            st.booleans(),
            st.sampled_from([None, 0, 3, 100, 1000]),
            st.integers(0, 2),
        ),
        max_size=6,
    )
)
def test_no_sequence_of_windows_upsets_the_judge(polls: list[tuple]) -> None:
    state, at = StreamState(), NOW
    for numbers, complete, total, bad in polls:
        shown = Window(ids(numbers), at, at, bad, total, complete)
        result = judge(state, shown)
        assert set(result.fresh) <= set(shown.ids)
        assert set(result.fresh).isdisjoint(state.remembered)
        assert result.state.unproven <= result.state.remembered
        if result.gap:
            assert result.gap.start_ms <= result.gap.end_ms
            assert complete
        state, at = load_state(dump_state(result.state)), at + 90_000
