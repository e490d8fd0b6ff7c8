"""When an emitter that is not found any more has ended, and when it is asked again."""

import pytest

from pipedream_source.core.streams.absence import (
    Absence,
    answered,
    forgotten,
    one_more,
    pack,
    unpack,
)
from pipedream_source.core.streams.stream_state import StreamState, dump_state, load_state
from pipedream_source.settings import ENDED_AFTER_MS, ENDED_AFTER_POLLS, ENDED_ASKED_EVERY_MS

HOUR = 3_600_000


def polls(*hours: float, is_unlisted: bool = False) -> Absence | None:
    found = None
    for hour in hours:
        found = one_more(found, int(hour * HOUR), is_unlisted=is_unlisted)
    return found


@pytest.mark.parametrize(
    ("hours", "has_ended"),
    [
        ((0,), False),
        ((0, 24), False),
        ((0, 0.25, 0.5), False),
        ((0, 0.25, 0.5, 0.75, 1), True),
        ((0, 1, 2), True),
        # A clock that was set back shortens nothing, and makes nothing longer.
        ((5, 4, 3), False),
    ],
)
def test_several_polls_over_some_time(hours: tuple[float, ...], has_ended: bool) -> None:
    assert (ENDED_AFTER_POLLS, ENDED_AFTER_MS) == (3, HOUR)
    found = polls(*hours)
    assert found
    assert found.has_ended is has_ended
    assert found.polls == len(hours)


def test_what_no_list_names_has_ended_at_once() -> None:
    found = polls(7, is_unlisted=True)
    assert found == Absence(1, 7 * HOUR, 7 * HOUR, has_ended=True)


@pytest.mark.parametrize(
    ("gone_h", "pause_ms"),
    [(2, 2 * HOUR), (5, 5 * HOUR), (24, 24 * HOUR), (1000, ENDED_ASKED_EVERY_MS)],
)
def test_it_rests_as_long_as_it_has_been_gone_a_day_at_most(gone_h: int, pause_ms: int) -> None:
    found = polls(0, 1, gone_h)
    assert found
    last = gone_h * HOUR
    assert found.rests(last)
    assert found.rests(last + pause_ms - 1)
    assert not found.rests(last + pause_ms)
    # A clock that was set back by years must not put it off for as long.
    assert not found.rests(last - 1)
    counting = polls(0)
    assert counting
    assert not counting.rests(1)


def test_what_is_named_again_is_forgotten_no_longer() -> None:
    found = one_more(forgotten(None, 5), 9, is_unlisted=False)
    assert (found.has_ended, found.is_forgotten) == (True, False)


def test_what_a_user_forgot_was_gone_only_if_the_api_said_so() -> None:
    ended = polls(0, 1, 2)
    counting = polls(0)
    assert ended
    assert counting
    assert ended.was_gone
    assert forgotten(ended, 9).was_gone
    for before in (None, counting):
        assert not forgotten(before, 9).was_gone
    assert not counting.was_gone


def test_what_answers_and_cannot_be_judged_is_asked_again() -> None:
    ended = polls(1000, 1001, 1002)
    found = answered(ended)
    assert found
    assert found.was_gone
    assert not found.rests(1002 * HOUR)
    assert answered(polls(0)) is None


@pytest.mark.parametrize("absence", [None, polls(0), polls(0, 1, 2), forgotten(None, 9)])
def test_it_survives_in_the_state(absence: Absence | None) -> None:
    state = StreamState(absence=absence)
    assert load_state(dump_state(state)) == state
    assert unpack(pack(absence)) == absence
    assert ("x" in dump_state(state)) == (absence is not None)


@pytest.mark.parametrize("text", ["x 1 2 3", "e 1 2", "e a b c", "e 1 2 3 4"])
def test_what_is_no_absence_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"absence|invalid literal"):
        load_state({"x": text})
