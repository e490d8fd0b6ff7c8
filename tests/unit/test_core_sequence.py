"""The numbers within a millisecond prove a loss, bound it, or prove nothing more."""

from dataclasses import replace

import pytest

from pipedream_source.core.completeness.coverage import proven_by
from pipedream_source.core.completeness.loss import NUMBERED, UNBOUNDED, LossEstimate, estimate
from pipedream_source.core.polls.pace import measure
from pipedream_source.core.polls.window import Gap, Judgement, Verdict, judge
from pipedream_source.core.streams.event_id import ORIGIN, EventId
from pipedream_source.core.streams.sequence import are_misnumbered, count_missing
from pipedream_source.core.streams.stream_state import Begin, StreamState, dump_state, load_state
from tests.unit.windows import HOUR, MINUTE, NOW, ids, poll, seen, window


def at_once(first: int, last: int, ms: int = NOW) -> list[EventId]:
    """Give the ids of events that came in one millisecond, both ends included."""
    return [EventId(ms, seq) for seq in range(first, last + 1)]


def loss(state: StreamState, result: Judgement, shown: list[EventId]) -> LossEstimate:
    assert result.gap is not None
    return estimate(result.gap, shown, measure(shown), state)


@pytest.mark.parametrize(
    ("after", "before", "count"),
    [
        ((NOW, 0), (NOW + 5, 0), 0),
        ((NOW, 7), (NOW + 5, 0), 0),
        ((NOW, 7), (NOW + 5, 3), 3),
        ((NOW, 7), (NOW, 8), 0),
        ((NOW, 7), (NOW, 12), 4),
        ((0, 0), (NOW, 190), 190),
    ],
)
def test_a_number_counts_what_came_before_it(
    after: tuple[int, int], before: tuple[int, int], count: int
) -> None:
    assert count_missing(EventId(*after), EventId(*before), ()) == count


def test_what_a_failed_walk_showed_is_not_missing() -> None:
    shown = frozenset(EventId(NOW + 5, n) for n in (0, 2, 9))
    assert count_missing(EventId(NOW, 0), EventId(NOW + 5, 4), shown) == 2


@pytest.mark.parametrize(
    ("shown", "holes"),
    [
        ([], False),
        (ids(range(5)), False),
        (at_once(190, 239), False),
        ([*at_once(190, 191), *at_once(0, 3, NOW + 1)], False),
        ([*at_once(0, 1), *at_once(3, 4)], True),
        ([*at_once(0, 1), *at_once(1, 4, NOW + 1)], True),
        ([EventId(NOW, 2**64 - 1)], True),
    ],
)
def test_numbers_that_are_no_count_are_seen(shown: list[EventId], holes: bool) -> None:
    assert are_misnumbered(shown) is holes


@pytest.mark.parametrize(("loaded", "came", "lost"), [(4, 296, 196), (50, 250, 150), (1, 100, 0)])
def test_two_ids_of_one_millisecond_tell_the_loss_exactly(
    loaded: int, came: int, lost: int
) -> None:
    """A pace has no part in it, however fast or slow the stream was before."""
    state = replace(poll(StreamState(), at_once(0, loaded - 1)).state, events_per_hour=40_000.0)
    shown = at_once(loaded + came - 100, loaded + came - 1)
    result = poll(state, shown)
    assert result.verdict is Verdict.OVERRUN
    found = loss(state, result, shown)
    assert (found.least, found.likely, found.most) == (lost, lost, lost)
    assert found.method == NUMBERED


def test_deleted_events_of_one_millisecond_are_counted_too() -> None:
    state = poll(StreamState(), at_once(0, 3)).state
    shown = at_once(60, 69)
    result = poll(state, shown)
    assert result.verdict is Verdict.PURGED
    found = loss(state, result, shown)
    assert (found.least, found.likely, found.most) == (56, 56, 56)


def test_what_is_in_quarantine_may_be_some_of_them() -> None:
    state = poll(StreamState(), at_once(0, 3)).state
    result = poll(state, at_once(60, 69), quarantined=6)
    assert result.gap is not None
    assert (result.gap.missing, result.gap.at_most) == (50, 56)


def test_a_stream_seen_empty_that_lacks_its_first_events_was_purged() -> None:
    """Of 240 at once the last 50 are shown: 190 were deleted before anybody saw them."""
    state = poll(StreamState(), [], at=NOW - HOUR).state
    shown = at_once(190, 239)
    result = poll(state, shown)
    assert (result.verdict, list(result.fresh)) == (Verdict.PURGED, shown)
    found = loss(state, result, shown)
    assert (found.least, found.likely, found.method) == (190, None, UNBOUNDED)
    assert result.gap is not None
    assert (result.gap.start_ms, result.gap.end_ms) == (NOW - HOUR - MINUTE, NOW)
    stretch = proven_by(state, window(shown), result)
    assert stretch is not None
    assert (stretch.begins, stretch.from_id) == (Begin.GAP, shown[0])


def test_a_first_window_that_lacks_its_first_events_was_purged() -> None:
    shown = at_once(10, 59)
    result = poll(StreamState(), shown)
    assert (result.verdict, list(result.fresh)) == (Verdict.PURGED, shown)
    assert result.gap == Gap(Verdict.PURGED, ORIGIN, shown[0], NOW, NOW, missing=10)
    stretch = proven_by(StreamState(), window(shown), result)
    assert stretch is not None
    assert (stretch.begins, stretch.from_id) == (Begin.GAP, shown[0])
    again = poll(result.state, shown)
    assert (again.verdict, again.gap, again.fresh) == (Verdict.CONTIGUOUS, None, ())


def test_a_first_window_that_is_full_promises_nothing_of_before() -> None:
    result = poll(StreamState(), at_once(190, 289))
    assert (result.verdict, result.gap) == (Verdict.FIRST, None)


@pytest.mark.parametrize("ms", [NOW, NOW + 5])
def test_a_stream_emptied_by_us_may_go_on_amid_a_millisecond(ms: int) -> None:
    state = poll(poll(StreamState(), at_once(0, 9)).state, []).state
    whole = at_once(10 if ms == NOW else 0, 20, ms)
    assert poll(state, whole).verdict is Verdict.CONTIGUOUS
    result = poll(state, whole[3:])
    assert result.verdict is Verdict.PURGED
    assert result.gap is not None
    assert result.gap.missing == 3


def test_quarantined_rows_may_be_the_first_ones() -> None:
    assert poll(StreamState(), at_once(3, 9), quarantined=3).verdict is Verdict.FIRST
    assert poll(StreamState(), at_once(3, 9), quarantined=2).verdict is Verdict.PURGED


def misnumbered(shown: list[EventId]) -> StreamState:
    state = poll(StreamState(), shown).state
    packed = dump_state(state)
    assert packed["z"] == "!"
    assert load_state(packed) == state
    return state


def test_numbers_that_do_not_count_from_0_prove_nothing_from_then_on() -> None:
    odd = [EventId(NOW - HOUR + n, 7 * n) for n in range(5)]
    state = misnumbered(odd)
    shown = at_once(190, 289)
    result = poll(state, shown)
    assert result.verdict is Verdict.OVERRUN
    found = loss(state, result, shown)
    assert found.least == 0
    assert found.method != NUMBERED
    emptied = poll(state, []).state
    assert poll(emptied, at_once(190, 200)).verdict is Verdict.CONTIGUOUS


def test_a_first_window_may_be_numbered_otherwise() -> None:
    odd = [EventId(NOW + n, 100 + 7 * n) for n in range(5)]
    assert poll(StreamState(), odd).verdict is Verdict.FIRST


def test_an_id_that_shows_up_after_a_greater_one_ends_the_proof_too() -> None:
    state = seen(range(50))
    late = EventId(ids([48])[0].ms, 1)
    state = poll(state, [*ids(range(50)), late]).state
    assert state.is_misnumbered
    newest = ids([49])[0].ms
    result = poll(state, at_once(300, 399, newest))
    assert result.gap is not None
    assert (result.gap.missing, result.gap.at_most) == (0, None)


def test_rows_that_are_missing_from_the_answer_are_no_holes() -> None:
    shown = [*at_once(0, 3), *at_once(5, 9)]
    assert not poll(StreamState(), shown, quarantined=1).state.is_misnumbered
    assert not poll(StreamState(), shown, complete=False).state.is_misnumbered


def test_an_ordinary_state_says_nothing_of_numbers() -> None:
    assert "z" not in dump_state(seen(range(100)))


@pytest.mark.parametrize("is_shown", [False, True])
def test_the_end_of_a_full_window_tells_more_than_a_count(is_shown: bool) -> None:
    state, shown = seen(range(100)), ids(range(200, 300))
    result = judge(state, window(shown, total_count=1000, is_end_shown=is_shown))
    assert result.verdict is (Verdict.OVERRUN if is_shown else Verdict.UNKNOWN)
    if is_shown:
        found = loss(state, result, shown)
        assert found.most is not None
        assert found.least <= 100 <= found.most
        assert result.state.last_loaded_id == shown[-1]


def test_a_window_with_room_does_not_contradict_a_count_by_its_end() -> None:
    shown = ids(range(200, 250))
    result = judge(seen(range(100)), window(shown, total_count=1000, is_end_shown=True))
    assert result.verdict is Verdict.UNKNOWN


def test_rows_of_other_channels_are_counted_but_prove_nothing() -> None:
    shown = ids(range(200, 300))
    result = judge(seen(range(100)), window(shown, total_count=130, others=30))
    assert result.verdict is Verdict.OVERRUN
    assert judge(StreamState(), window([], total_count=3, others=3)).verdict is Verdict.FIRST


def test_an_answer_of_several_channels_that_lacks_rows_proves_nothing() -> None:
    """Of 150 rows 100 can be read: those of this channel overlap, and may lack some between."""
    state = seen(range(100))
    few = [*ids([98, 99]), *ids(range(140, 150))]
    result = judge(state, window(few, total_count=150, others=88))
    assert (result.verdict, result.gap) == (Verdict.UNKNOWN, None)
    assert list(result.fresh) == few[2:]
    assert result.state.last_loaded_id == state.last_loaded_id
    assert proven_by(state, window(few, total_count=150, others=88), result) is state.stretch
    assert judge(result.state, window(ids(range(140, 240)))).verdict is Verdict.OVERRUN
