"""The gap rule where walks fail, rows come late or clocks run ahead."""

import pytest

from pipedream_source.core.polls.window import Judgement, Verdict, judge
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import StreamState
from tests.unit.windows import FAR, HOUR, MINUTE, NOW, ids, poll, seen, window


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


@pytest.mark.parametrize("ahead_ms", [2_000, 90_000, 5 * MINUTE])
@pytest.mark.parametrize(
    ("count", "verdict"),
    [
        (0, "contiguous"),
        (1, "contiguous"),
        (98, "contiguous"),
        (99, "contiguous"),
        (100, "overrun"),
    ],
)
def test_rare_events_of_a_clock_that_runs_ahead_tell_of_no_loss(
    ahead_ms: int, count: int, verdict: str
) -> None:
    old = ids(range(100), step_ms=10 * MINUTE)
    at = old[-1].ms - ahead_ms
    state = poll(StreamState(), old, at=at).state
    new = [EventId(old[-1].ms + 1000 + n, 0) for n in range(count)]
    result = poll(state, [*old, *new][-100:], at=at + 30_000)
    assert (result.verdict, list(result.fresh)) == (verdict, new)


def test_one_old_id_among_ids_ahead_of_time_hides_no_overrun() -> None:
    old = EventId(NOW - 30 * 24 * HOUR, 0)
    state = poll(StreamState(), [old, *ids(range(1, 100))], at=NOW - 1000).state
    result = poll(state, [old, *ids(range(200, 299))], at=NOW + 200_000)
    assert result.verdict is Verdict.OVERRUN


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
    assert (result.gap.start_ms, result.gap.end_ms) == (NOW - MINUTE, NOW + 200_000)


def period(result: Judgement) -> tuple[int, int]:
    """When a gap begins and ends, ms after NOW."""
    assert result.gap is not None
    return result.gap.start_ms - NOW, result.gap.end_ms - NOW


DAY = 24 * HOUR


def idle(days: int) -> StreamState:
    """Polled every three hours since an event came that stays the last one."""
    state = seen(range(50), at=NOW + HOUR)
    for at in range(NOW + 4 * HOUR, NOW + days * DAY, 3 * HOUR):
        result = poll(state, ids(range(50)), at=at)
        assert result.verdict is Verdict.CONTIGUOUS
        state = result.state
    return state


def test_what_polls_of_an_idle_stream_proved_stays_proven() -> None:
    state = idle(4)
    last_poll = NOW + 94 * HOUR
    assert state.polled_at_ms == last_poll
    burst = ids(range(250, 350), start=last_poll + HOUR)
    late_stretch = (94 * HOUR - MINUTE, 95 * HOUR + 250_000)
    assert period(poll(state, burst, at=last_poll + 2 * HOUR)) == late_stretch
    few = poll(state, burst[:40], at=last_poll + 2 * HOUR)
    assert (few.verdict, period(few)) == (Verdict.PURGED, late_stretch)
    emptied = poll(state, [], at=last_poll + 2 * HOUR)
    assert period(emptied) == (94 * HOUR - MINUTE, 96 * HOUR)
    contradiction = poll(state, burst[:40], at=last_poll + 2 * HOUR, total_count=90)
    assert (contradiction.verdict, period(contradiction)) == (Verdict.UNKNOWN, late_stretch)
    restored = poll(state, ids(range(20)), at=last_poll + 2 * HOUR)
    assert restored.verdict is Verdict.REGRESSED
    assert period(restored) == (94 * HOUR - MINUTE, 96 * HOUR)


def test_an_event_within_the_late_stretch_is_where_the_gap_starts() -> None:
    state = poll(idle(2), ids(range(50, 60), start=NOW + 46 * HOUR), at=NOW + 46 * HOUR + MINUTE)
    last = ids([59], start=NOW + 46 * HOUR)[0]
    result = poll(state.state, ids(range(200), start=NOW + 48 * HOUR), at=NOW + 49 * HOUR)
    assert period(result) == (last.ms - NOW, 48 * HOUR)


def test_a_poll_that_contradicts_itself_proves_nothing_of_the_time_before_it() -> None:
    state = idle(2)
    last_poll = state.polled_at_ms or 0
    doubtful = poll(state, [], at=last_poll + HOUR, total_count=5).state
    assert doubtful.polled_at_ms == last_poll + HOUR
    result = poll(doubtful, ids(range(100), start=last_poll + 2 * HOUR), at=last_poll + 3 * HOUR)
    assert period(result)[0] == last_poll - MINUTE - NOW


def test_ids_that_run_behind_the_polls_leave_all_since_the_last_event_open() -> None:
    state = idle(2)
    before = ids(range(200, 300), start=NOW + 40 * HOUR)
    result = poll(state, before, at=NOW + 60 * HOUR)
    assert result.verdict is Verdict.OVERRUN
    assert period(result) == (49_000, 40 * HOUR + 200_000)
