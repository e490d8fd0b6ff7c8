"""The estimate is a range, and its inputs suffice to compute it again."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipedream_source.core.event_id import EventId
from pipedream_source.core.loss import METHOD, UNBOUNDED, LossEstimate, estimate
from pipedream_source.core.pace import HOUR_MS, Pace, measure
from pipedream_source.core.stream_state import StreamState
from pipedream_source.core.window import Gap, Verdict

NOW = 1_700_000_000_000


def gap(
    after: tuple[int, int], before: tuple[int, int] | None, verdict: Verdict = Verdict.OVERRUN
) -> Gap:
    start, end = EventId(*after), EventId(*before) if before else None
    return Gap(verdict, start, end, start.ms, end.ms if end else start.ms + HOUR_MS)


def least(found: Gap, state: StreamState | None = None) -> int:
    pace = Pace(0, None, None, None)
    return estimate(found, [], pace, state or StreamState()).least


@pytest.mark.parametrize(
    ("after", "before", "count"),
    [
        ((NOW, 0), (NOW + 5, 0), 0),
        ((NOW, 7), (NOW + 5, 0), 0),
        ((NOW, 7), (NOW + 5, 3), 3),
        ((NOW, 7), (NOW, 8), 0),
        ((NOW, 7), (NOW, 12), 4),
        ((NOW, 0), None, 0),
    ],
)
def test_the_least_is_what_the_sequence_proves(
    after: tuple[int, int], before: tuple[int, int] | None, count: int
) -> None:
    assert least(gap(after, before)) == count


def test_what_a_failed_walk_showed_is_not_lost() -> None:
    shown = frozenset(EventId(NOW + 5, n) for n in (0, 2, 9))
    assert least(gap((NOW, 0), (NOW + 5, 4)), StreamState(remembered=shown)) == 2


def test_what_may_still_be_shown_is_not_lost() -> None:
    assert least(gap((NOW, 0), (NOW + 5, 4), Verdict.UNKNOWN)) == 0
    assert least(gap((NOW, 9), (NOW - 5, 4), Verdict.REGRESSED)) == 0


@pytest.mark.parametrize("verdict", [Verdict.PURGED, Verdict.REGRESSED, Verdict.UNKNOWN])
def test_only_an_overrun_has_an_upper_bound(verdict: Verdict) -> None:
    ids = [EventId(NOW + n, 0) for n in range(50)]
    found = estimate(gap((NOW - 9, 0), (NOW, 0), verdict), ids, measure(ids), StreamState())
    assert (found.likely, found.most, found.method) == (None, None, UNBOUNDED)


def test_a_steady_pace_gives_the_number_that_fits_the_gap() -> None:
    ids = [EventId(NOW + n * 1000, 0) for n in range(100)]
    found = estimate(gap((NOW - 500_000, 0), (NOW, 0)), ids, measure(ids), StreamState())
    assert (found.least, found.likely, found.method) == (0, 500, METHOD)
    assert found.most is not None
    assert 500 < found.most < 600


def test_without_any_pace_a_few_may_be_missing() -> None:
    ids = [EventId(NOW, n) for n in range(100)]
    found = estimate(gap((NOW - 5, 0), (NOW, 0)), ids, measure(ids), StreamState())
    assert (found.least, found.likely, found.most) == (0, 0, 3)


def recompute(inputs: dict[str, float]) -> tuple[int, int]:
    """Compute likely and most as an analyst would, from the stored inputs."""
    hours = inputs["gap_ms"] / 3_600_000
    window, history = inputs["window_per_hour"], inputs["history_per_hour"]
    if window and history:
        middle = math.sqrt(window) * math.sqrt(history) * hours
    else:
        middle = (window or history or 0) * hours
    peak = max(inputs["window_peak_per_hour"] or 0, inputs["history_peak_per_hour"] or 0)
    return round(middle), math.ceil(max(peak * hours, middle + 3 * math.sqrt(middle) + 3))


@settings(deadline=None)
@given(
    st.integers(1, 10**9),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=100),
    st.none() | st.floats(0.1, 1e6),
    st.none() | st.floats(0.1, 1e6),
    st.integers(0, 50),
)
def test_the_inputs_suffice(
    gap_ms: int, steps: list[int], mean: float | None, peak: float | None, seq: int
) -> None:
    places = [EventId(NOW, seq)]
    for step in steps:
        places.append(EventId(places[-1].ms + step, 0))
    state = StreamState(events_per_hour=mean, peak_per_hour=peak)
    found = estimate(gap((NOW - gap_ms, 0), (NOW, seq)), places, measure(places), state)
    inputs = json.loads(json.dumps(found.inputs))
    likely, most = recompute(inputs)
    assert found.likely == pytest.approx(max(likely, found.least), abs=1)
    assert found.most == pytest.approx(max(most, found.likely or 0), abs=1)
    assert found.least <= (found.likely or 0) <= (found.most or 0)
    assert inputs["before_id"] == f"{NOW}-{seq}"
    assert inputs["window_size"] == len(places)


def test_an_empty_window_has_inputs_too() -> None:
    found = estimate(
        gap((NOW, 0), None, Verdict.PURGED), [], measure([]), replace(StreamState(), failures=1)
    )
    assert isinstance(found, LossEstimate)
    assert (found.inputs["before_id"], found.inputs["newest_id"]) == (None, None)
    assert found.inputs["gap_ms"] == HOUR_MS
