"""The estimate is a range, and its inputs suffice to compute it again."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.core.completeness.loss import (
    METHOD,
    NUMBERED,
    UNBOUNDED,
    LossEstimate,
    estimate,
    likely_and_most,
)
from pipedream_source.core.polls.pace import HOUR_MS, Pace, measure
from pipedream_source.core.polls.window import Gap, Verdict, Window, judge
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import StreamState

NOW = 1_700_000_000_000


def gap(
    after: tuple[int, int], before: tuple[int, int] | None, verdict: Verdict = Verdict.OVERRUN
) -> Gap:
    start, end = EventId(*after), EventId(*before) if before else None
    return Gap(verdict, start, end, start.ms, end.ms if end else start.ms + HOUR_MS)


def test_what_the_numbers_tell_needs_no_pace() -> None:
    found = replace(gap((NOW, 3), (NOW, 200)), missing=196, at_most=196)
    loss = estimate(found, [], Pace(0, None, None, None), StreamState(events_per_hour=9.0))
    assert (loss.least, loss.likely, loss.most, loss.method) == (196, 196, 196, NUMBERED)


@pytest.mark.parametrize("verdict", [Verdict.PURGED, Verdict.REGRESSED, Verdict.UNKNOWN])
def test_only_an_overrun_has_an_upper_bound(verdict: Verdict) -> None:
    ids = [EventId(NOW + n, 0) for n in range(50)]
    found = estimate(gap((NOW - 9, 0), (NOW, 0), verdict), ids, measure(ids), StreamState())
    assert (found.likely, found.most, found.method) == (None, None, UNBOUNDED)


@pytest.mark.parametrize("history", [None, 3600.0])
def test_a_steady_pace_gives_the_number_that_fits_the_gap(history: float | None) -> None:
    ids = [EventId(NOW + n * 1000, 0) for n in range(100)]
    state = StreamState(events_per_hour=history)
    found = estimate(gap((NOW - 500_000, 0), (NOW, 0)), ids, measure(ids), state)
    assert (found.least, found.likely, found.method) == (0, 500, METHOD)
    assert found.most is not None
    assert 500 < found.most < 600


def test_the_longer_the_gap_the_more_the_history_tells() -> None:
    ids = [EventId(NOW + n * 1000, 0) for n in range(100)]
    state = StreamState(events_per_hour=36.0)
    paces = []
    for seconds in (1, 100, 10_000, 1_000_000):
        found = estimate(gap((NOW - seconds * 1000, 0), (NOW, 0)), ids, measure(ids), state)
        paces.append((found.likely or 0) * 3600 / seconds)
    assert paces == sorted(paces, reverse=True)
    assert paces[0] == 3600
    assert 36 < paces[-1] < 50


def test_what_is_lost_came_after_the_last_poll() -> None:
    ids = [EventId(NOW + n * 1000, 0) for n in range(100)]
    found = gap((NOW - 9 * HOUR_MS, 0), (NOW, 0))
    opened = {
        polled_at_ms: estimate(found, ids, measure(ids), StreamState(polled_at_ms=polled_at_ms))
        for polled_at_ms in (None, NOW - 500_000, NOW - 10 * HOUR_MS, NOW + 1)
    }
    assert [loss.inputs["open_ms"] for loss in opened.values()] == [
        *(9 * HOUR_MS, 500_000, 9 * HOUR_MS, 9 * HOUR_MS)
    ]
    loss = opened[NOW - 500_000]
    # After such a silence it is a burst: two and a half windows.
    assert loss.likely == 253
    # A minute more, for what became visible late.
    assert 560 < (loss.most or 0) < 700


def test_a_burst_at_the_end_of_a_long_gap_does_not_stand_for_all_of_it() -> None:
    ids = [EventId(NOW + n * 100, 0) for n in range(100)]
    state = StreamState(events_per_hour=10.0, peak_per_hour=20.0)
    found = estimate(gap((NOW - 240 * HOUR_MS, 0), (NOW, 0)), ids, measure(ids), state)
    assert 2_400 <= (found.likely or 0) < 3_600
    assert found.most is not None
    assert found.most < 25_000


def burst_after_days(open_ms: int, took_ms: int) -> int:
    """The likely loss of a burst that broke a silence of four days."""
    ids = [EventId(NOW + n * took_ms // 100, 0) for n in range(100)]
    silent = StreamState(polled_at_ms=NOW - open_ms, events_per_hour=0.0)
    found = estimate(gap((NOW - 96 * HOUR_MS, 0), (NOW, 0)), ids, measure(ids), silent)
    assert found.likely is not None
    return found.likely


@pytest.mark.parametrize(
    ("open_ms", "took_ms", "likely"),
    [
        # Three hours at fifty events a minute would be 9,000.
        (3 * HOUR_MS, 2 * 60_000, 250),
        (4 * 60_000, 2 * 60_000, 198),
        (1 * 60_000, 2 * 60_000, 50),
        (3 * HOUR_MS, 100, 250),
    ],
)
def test_a_burst_after_a_silence_is_neither_the_usual_nor_all_the_time(
    open_ms: int, took_ms: int, likely: int
) -> None:
    assert burst_after_days(open_ms, took_ms) == pytest.approx(likely, rel=0.02)


def test_a_burst_of_one_moment_is_told_by_its_numbers() -> None:
    ids = [EventId(NOW, seq) for seq in range(140, 240)]
    silent = StreamState(polled_at_ms=NOW - 3 * HOUR_MS, events_per_hour=0.0)
    hole = replace(gap((NOW - 96 * HOUR_MS, 0), (NOW, 140)), missing=140)
    found = estimate(hole, ids, measure(ids), silent)
    assert (found.least, found.likely) == (140, 140)


def test_ids_older_than_an_empty_poll_do_not_tell_how_long_the_gap_was() -> None:
    """260 events of five minutes became visible after a poll that had found the stream empty."""
    minute = HOUR_MS // 60
    empty = judge(StreamState(), Window([], NOW, NOW)).state
    step = 5 * minute // 260
    came = [EventId(NOW - 5 * minute + step * n, 0) for n in range(260)]
    at = NOW + 15 * minute
    result = judge(empty, Window(came[-100:], at, at))
    assert result.gap
    loss = estimate(result.gap, came[-100:], measure(came[-100:]), empty)
    assert (result.gap.verdict, loss.inputs["open_ms"]) == (Verdict.OVERRUN, 15 * minute)
    assert loss.least <= 160 <= (loss.most or 0)


def test_a_window_that_tells_no_pace_may_follow_another() -> None:
    ids = [EventId(NOW, n) for n in range(100)]
    found = estimate(gap((NOW - 5, 0), (NOW, 0)), ids, measure(ids), StreamState())
    assert (found.least, found.likely, found.most) == (0, 100, 133)


def documented() -> tuple[dict[str, Any], Callable[[dict[str, Any]], tuple[int, int]]]:
    """Take the example and the way to compute it from the documentation."""
    text = (Path(__file__).parents[2] / "docs/estimate.md").read_text("utf-8")
    example, code = (
        re.search(rf"```{name}\n(.+?)```", text, re.DOTALL) for name in ("json", "python")
    )
    assert example
    assert code
    names: dict[str, Any] = {}
    exec(code[1], names)
    return json.loads(example[1]), names["recompute"]


EXAMPLE, recompute = documented()


def test_the_documented_example() -> None:
    assert recompute(EXAMPLE) == likely_and_most(EXAMPLE) == (671, 2687)


@given(
    st.integers(1, 10**9),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=100),
    st.none() | st.floats(0.1, 1e6),
    st.none() | st.floats(0.1, 1e6),
    st.integers(0, 50),
    st.integers(0, 10**9),
)
def test_the_inputs_suffice(
    gap_ms: int, steps: list[int], mean: float | None, peak: float | None, seq: int, since_ms: int
) -> None:
    places = [EventId(NOW, seq)]
    for step in steps:
        places.append(EventId(places[-1].ms + step, 0))
    state = StreamState(
        events_per_hour=mean, peak_per_hour=peak, polled_at_ms=NOW - gap_ms + since_ms
    )
    open_gap = replace(gap((NOW - gap_ms, 0), (NOW, seq)), missing=seq)
    found = estimate(open_gap, places, measure(places), state)
    inputs = json.loads(json.dumps(found.inputs))
    likely, most = recompute(inputs)
    assert likely_and_most(inputs) == (found.likely, found.most)
    assert found.likely == pytest.approx(likely, abs=1)
    assert found.most == pytest.approx(most, abs=1)
    assert found.least <= (found.likely or 0) <= (found.most or 0)
    assert inputs["before_id"] == f"{NOW}-{seq}"
    assert inputs["window_size"] == len(places)
    assert [*inputs] == [*EXAMPLE]


def test_an_empty_window_has_inputs_too() -> None:
    found = estimate(
        gap((NOW, 0), None, Verdict.PURGED), [], measure([]), replace(StreamState(), failures=1)
    )
    assert isinstance(found, LossEstimate)
    assert (found.inputs["before_id"], found.inputs["newest_id"]) == (None, None)
    assert found.inputs["gap_ms"] == HOUR_MS


def burst(ms: int, first: int, last: int) -> list[EventId]:
    return [EventId(ms, seq) for seq in range(first, last + 1)]


@pytest.mark.parametrize(
    ("before", "ids", "truth"),
    [
        # 5 events, then 120 in one millisecond, then 120 in another: 20 + 120 are lost.
        (burst(NOW, 0, 4), burst(NOW + 120_000, 20, 119), 140),
        # One event, then 100 an hour later, then 100 another hour later.
        (burst(NOW, 0, 0), burst(NOW + 2 * HOUR_MS, 0, 99), 100),
        # 250 within the first millisecond of the gap, 150 in the last.
        (burst(NOW, 0, 0), burst(NOW + HOUR_MS, 50, 149), 300),
    ],
)
def test_bursts_of_one_millisecond_leave_a_range_that_holds_the_truth(
    before: list[EventId], ids: list[EventId], truth: int
) -> None:
    state = judge(StreamState(), Window(before, polled_at_ms=NOW, now_ms=NOW)).state
    later = ids[-1].ms
    found = judge(state, Window(ids, polled_at_ms=later, now_ms=later))
    assert found.gap is not None
    loss = estimate(found.gap, ids, measure(ids), state)
    assert loss.likely is not None
    assert loss.most is not None
    assert loss.least <= truth <= loss.most
    assert loss.least < loss.most
    assert loss.likely <= 3 * truth
