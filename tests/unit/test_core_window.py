"""The gap rule, line by line."""

import pytest

from pipedream_source.core.polls.window import Verdict
from pipedream_source.core.streams.event_id import ORIGIN, EventId
from pipedream_source.core.streams.stream_state import StreamState
from tests.unit.windows import HOUR, MINUTE, NOW, ids, poll, seen


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
        assert (result.gap.start_ms, result.gap.end_ms) == (NOW - MINUTE, NOW + 5_000)


def test_a_stream_emptied_and_overrun_lost_what_came_since() -> None:
    state = poll(seen(range(5)), [], at=NOW + HOUR).state
    result = poll(state, ids(range(5000, 5100)))
    assert result.verdict is Verdict.OVERRUN
    assert result.gap is not None
    assert (result.gap.start_ms, result.gap.end_ms) == (NOW + 59 * MINUTE, NOW + 5_000_000)


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


@pytest.mark.parametrize("old", [EventId(0, 0), EventId(NOW - 120_000, 0), EventId(NOW - HOUR, 5)])
def test_a_row_with_a_wrong_time_hides_no_loss(old: EventId) -> None:
    """It stays at the lower end of a full window, however much is thrown away above it."""
    result = poll(seen(range(50)), [old, *ids(range(300, 399))])
    assert result.verdict is Verdict.OVERRUN
    assert result.gap is not None
    assert (result.gap.after, result.gap.before) == (ids([49])[0], ids([300])[0])
    # A window that still shows what was seen overlaps, with such a row or without.
    assert poll(seen(range(50)), [old, *ids(range(49, 148))]).verdict is Verdict.CONTIGUOUS
