"""Which polls open a stretch that is proven complete, which extend it, and which prove nothing."""

from dataclasses import replace

import pytest

from pipedream_source.core.completeness.coverage import continued, proven_by
from pipedream_source.core.polls.window import Verdict, Window, judge
from pipedream_source.core.streams.event_id import ORIGIN, EventId
from pipedream_source.core.streams.stream_state import Begin, StreamState, Stretch
from tests.unit.windows import HOUR, NOW, ids

AT = NOW + 10 * HOUR


def after(
    state: StreamState, numbers: range, at: int = AT, since_ms: int | None = None, **more: object
) -> StreamState:
    """Poll a window and return the state with the stretch that it leaves."""
    window = Window(ids(numbers), at, at, **more)  # type: ignore[arg-type]
    judged = judge(state, window)
    found = proven_by(state, window, judged, since_ms=since_ms)
    return StreamState(
        last_loaded_id=judged.state.last_loaded_id,
        remembered=judged.state.remembered,
        unproven=judged.state.unproven,
        polled_at_ms=judged.state.polled_at_ms,
        was_empty=judged.state.was_empty,
        recorded=judged.state.recorded,
        stretch=found,
    )


def test_a_first_window_that_is_not_full_reaches_back_to_the_beginning() -> None:
    assert after(StreamState(), range(99)).stretch == Stretch(Begin.ORIGIN, ORIGIN, AT, AT)
    assert after(StreamState(), range(0)).stretch == Stretch(Begin.ORIGIN, ORIGIN, AT, AT)


@pytest.mark.parametrize(("numbers", "more"), [(range(100), {}), (range(80), {"quarantined": 20})])
def test_a_first_window_that_is_full_reaches_back_to_its_oldest_event(
    numbers: range, more: dict[str, int]
) -> None:
    found = after(StreamState(), numbers, **more).stretch
    assert found == Stretch(Begin.WINDOW, EventId(NOW, 0), AT, AT)


def test_more_events_than_were_shown_hide_the_beginning() -> None:
    found = after(StreamState(), range(50), total_count=51).stretch
    assert found is not None
    assert found.begins is Begin.WINDOW


def test_each_poll_that_overlaps_extends_it() -> None:
    state = after(StreamState(), range(99))
    state = after(state, range(50, 150), AT + 5000)
    state = after(state, range(60, 160), AT + 7000)
    assert state.stretch == Stretch(Begin.ORIGIN, ORIGIN, AT, AT + 7000, 3, 5000)


def test_a_clock_set_back_takes_nothing_away() -> None:
    state = after(after(StreamState(), range(99)), range(99), AT - HOUR)
    assert state.stretch == Stretch(Begin.ORIGIN, ORIGIN, AT, AT, 2, 0)


def test_a_gap_begins_a_new_one() -> None:
    state = after(after(StreamState(), range(99)), range(500, 600), AT + 1000)
    begin = ids([500])[0]
    assert state.stretch == Stretch(Begin.GAP, begin, AT + 1000, AT + 1000)


def test_an_emptied_or_restored_stream_begins_anew_with_the_poll() -> None:
    state = after(StreamState(), range(50, 99))
    expected = Stretch(Begin.GAP, EventId(AT + 1000, 0), AT + 1000, AT + 1000)
    assert after(state, range(0), AT + 1000).stretch == expected
    assert after(state, range(20), AT + 1000).stretch == expected


def test_what_was_told_before_begins_no_other() -> None:
    """Rows whose ids cannot be read are neither an overlap nor news, poll after poll."""
    state = after(StreamState(), range(50))
    told = after(state, range(0), AT + 1000, quarantined=3)
    assert told.stretch is not None
    again = after(told, range(0), AT + 2000, quarantined=3)
    assert again.stretch is told.stretch


@pytest.mark.parametrize("more", [{"complete": False}, {"total_count": 900}])
def test_a_walk_that_failed_or_contradicts_itself_proves_nothing(more: dict[str, int]) -> None:
    state = after(StreamState(), range(50))
    assert after(state, range(300, 350), AT + 1000, **more).stretch is state.stretch
    assert after(StreamState(), range(0), AT, **more).stretch is None


def test_an_overlap_with_a_contradiction_alone_proves_nothing_before_it() -> None:
    """H is 49; ids 50 to 79 were never shown, whoever says that 90 rows are all there are."""
    state = after(StreamState(), range(50))
    doubted = after(state, range(80, 95), AT + 1000, total_count=90)
    assert doubted.stretch is state.stretch
    again = after(doubted, range(80, 99), AT + 2000)
    expected = Stretch(Begin.GAP, ids([80])[0], AT + 1000, AT + 2000)
    assert again.stretch == expected
    assert after(again, range(80, 120), AT + 3000).stretch == replace(
        expected, proven_at_ms=AT + 3000, polls=2, longest_pause_ms=1000
    )
    # A window that reaches down to what was loaded settles it.
    assert after(doubted, range(40, 99), AT + 2000).stretch == Stretch(
        Begin.ORIGIN, ORIGIN, AT, AT + 2000, 2, 2000
    )


def test_rows_that_were_left_out_begin_a_new_one() -> None:
    since = ids([70])[0].ms
    first = after(StreamState(), range(99), since_ms=since)
    assert first.stretch == Stretch(Begin.SINCE, EventId(since, 0), AT, AT)
    # Nothing older is new now: it goes on.
    assert after(first, range(120), AT + 1, since_ms=since).stretch == Stretch(
        Begin.SINCE, EventId(since, 0), AT, AT + 1, 2, 1
    )
    later = ids([110])[0].ms
    cut = after(first, range(60, 120), AT + 1, since_ms=later)
    assert cut.stretch == Stretch(Begin.SINCE, EventId(later, 0), AT + 1, AT + 1)


def test_a_state_of_an_older_version_begins_at_what_it_knows() -> None:
    known = StreamState(last_loaded_id=EventId(NOW, 3), polled_at_ms=AT)
    assert continued(known, AT + 1) == Stretch(Begin.WINDOW, EventId(NOW, 3), AT + 1, AT + 1)
    empty = StreamState(was_empty=True, polled_at_ms=AT)
    assert continued(empty, AT + 1) == Stretch(Begin.WINDOW, EventId(AT, 0), AT + 1, AT + 1)


def test_the_verdicts_are_all_thought_of() -> None:
    assert {v.value for v in Verdict} == {
        *("first", "contiguous", "overrun", "purged", "regressed", "unknown"),
    }


def test_what_was_left_out_hides_no_contradiction() -> None:
    """The stretch that follows begins where asked, with the poll whose gap stands."""
    state = after(StreamState(), range(20), NOW + HOUR // 4)
    doubted = after(state, range(500, 530), NOW + HOUR // 2, total_count=100)
    assert doubted.stretch == state.stretch
    since = NOW + 535_000
    found = after(doubted, range(500, 540), NOW + HOUR, since_ms=since).stretch
    opened, proven = NOW + HOUR // 2, NOW + HOUR
    assert found == Stretch(Begin.SINCE, EventId(since, 0), opened, proven)
