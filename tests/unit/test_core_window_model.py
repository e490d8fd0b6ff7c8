"""The judge against a simulated stream that keeps 100 events and tells the truth afterwards.

Events come late, in bursts of one millisecond or with a clock that runs ahead; polls come at any
time and fail. Only the model knows what was lost.
"""

from __future__ import annotations

import json
import random
from bisect import insort
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.core.completeness.coverage import proven_by
from pipedream_source.core.completeness.loss import NUMBERED, LossEstimate, estimate
from pipedream_source.core.completeness.proof import Evidence, Standing, prove
from pipedream_source.core.polls.fitting import fitted_limits, is_newest_first, reaches
from pipedream_source.core.polls.pace import Pace, measure, remember_pace
from pipedream_source.core.polls.window import Gap, Judgement, Verdict, Window, judge
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import (
    StreamState,
    Stretch,
    WindowShape,
    dump_state,
    load_state,
)

START = 1_700_000_000_000
LATE_MS = 60_000
RETAINED = 100


@dataclass
class Stream:
    """What the API holds: the last hundred, by id or by arrival."""

    by_id: bool
    now: int = START
    arrived: list[EventId] = field(default_factory=list)
    window: list[EventId] = field(default_factory=list)
    used: Counter[int] = field(default_factory=Counter)
    late: set[EventId] = field(default_factory=set)
    ahead: dict[EventId, int] = field(default_factory=dict)
    behind: dict[EventId, int] = field(default_factory=dict)

    def emit(self, ms: int, *, late: bool = False) -> None:
        place = EventId(ms, self.used[ms])
        self.used[ms] += 1
        self.arrived.append(place)
        if self.by_id:
            insort(self.window, place)
        else:
            self.window.append(place)
        if late:
            self.late.add(place)
        if ms > self.now + LATE_MS:
            self.ahead[place] = self.now
        elif ms < self.now - LATE_MS:
            self.behind[place] = self.now
        del self.window[:-RETAINED]


@dataclass
class Loader:
    """What we make of it, poll by poll, with a state that is stored in between."""

    state: StreamState = field(default_factory=StreamState)
    yielded: Counter[EventId] = field(default_factory=Counter)
    gaps: list[tuple[Gap, LossEstimate]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    counted: int = 0
    fitted: bool = False
    spared: int = 0
    before_first: frozenset[EventId] = frozenset()
    stretches: dict[tuple[int, EventId], dict[str, Any]] = field(default_factory=dict)
    gap_rows: list[dict[str, Any]] = field(default_factory=list)

    def poll(self, stream: Stream, shown: list[EventId], *, complete: bool, skew: int) -> Judgement:
        date = stream.now // 1000 * 1000
        whole, shown = shown, self.newest(stream, shown) if complete and self.fitted else shown
        window = Window(
            random.Random(len(shown)).sample(shown, len(shown)),
            polled_at_ms=date,
            now_ms=max(date, stream.now + skew),
            total_count=len(stream.window),
            complete=complete,
        )
        result = judge(self.state, window)
        self.yielded.update(result.fresh)
        pace = measure(sorted(shown))
        if result.gap:
            check_start(self.state.stretch, result.gap)
            self.gaps.append((result.gap, estimate(result.gap, sorted(shown), pace, self.state)))
        state = result.state
        if complete:
            self.verdicts.append(result.verdict)
            state = remember_pace(self.state, state, pace, arrived=len(result.fresh))
            state = replace(state, shape=self.shape(state, whole, len(shown), date, pace))
        state = replace(state, stretch=self.record(window, result))
        self.state = load_state(json.loads(json.dumps(dump_state(state))))
        return result

    def newest(self, stream: Stream, whole: list[EventId]) -> list[EventId]:
        """Return the last few events if they do, as a walk with fitted limits would."""
        state = self.state
        for limit in fitted_limits(state, stream.now):
            page = whole[::-1][:limit]
            if reaches(page, state.last_loaded_id, state.late_from_ms):
                return page
        return whole

    def shape(
        self, state: StreamState, whole: list[EventId], rows: int, date: int, pace: Pace
    ) -> WindowShape | None:
        known = self.state.shape
        if not state.is_settled:
            return None
        if rows < len(whole) and known:
            self.spared += 1
            return replace(known, newer=known.newer + 1)
        ordered = is_newest_first(whole[::-1])
        return WindowShape("", len(whole), pace.span_ms, pace.full_in_ms, ordered, date)

    def record(self, window: Window, result: Judgement) -> Stretch | None:
        """Keep what the tables would: a row for each stretch, written anew, and each gap."""
        stretch, last = proven_by(self.state, window, result), result.state.last_loaded_id
        if stretch and stretch is not self.state.stretch:
            self.stretches[stretch.opened_at_ms, stretch.from_id] = {
                "from_id": str(stretch.from_id),
                "begins": stretch.begins.value,
                "opened_at": time_of(stretch.opened_at_ms),
                "covered_from": time_of(stretch.from_id.ms) if stretch.from_id.ms else None,
                "covered_until": time_of(stretch.proven_at_ms),
                "until_id": str(last) if last else None,
                "polls": stretch.polls,
                "longest_pause_s": 0.0,
                "events": 0,
            }
        if gap := result.gap:
            self.gap_rows.append(
                {
                    "verdict": gap.verdict.value,
                    "after_id": str(gap.after),
                    "before_id": str(gap.before) if gap.before else None,
                    "gap_start": time_of(gap.start_ms),
                    "gap_end": time_of(gap.end_ms),
                    "detected_at": time_of(window.polled_at_ms),
                    **dict.fromkeys(["lost_min", "lost_likely", "lost_max"], 0),
                }
            )
        return stretch


def time_of(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def check_start(proven: Stretch | None, gap: Gap) -> None:
    """What a poll proved stays proven, but for its late stretch and where ids run behind it."""
    if proven is None or (gap.before is not None and gap.before.ms < proven.proven_at_ms):
        return
    assert gap.start_ms >= proven.proven_at_ms - LATE_MS


def check_certificate(lost: set[EventId], late: set[EventId], loader: Loader) -> None:
    """What is called complete lacks nothing; what came late may be missing from its last minute."""
    proven = prove(Evidence([*loader.stretches.values()], loader.gap_rows))
    assert proven
    for segment in proven:
        assert segment.start is None or segment.start <= segment.end
        if segment.standing is Standing.COMPLETE:
            start, end = segment.start or time_of(0), segment.end
            inside = {place for place in lost if start < time_of(place.ms) < end}
            assert inside <= late
            assert all(end < time_of(place.ms + LATE_MS) for place in inside)


def covered(place: EventId, gaps: list[tuple[Gap, LossEstimate]], slack_ms: int) -> bool:
    """Tell whether a lost event lies in a reported gap; late ones may stand a minute below it."""
    return any(
        gap.start_ms - slack_ms <= place.ms <= gap.end_ms
        or gap.after < place < (gap.before or gap.after)
        for gap, _ in gaps
    )


counts = st.sampled_from([0, 1, 2, 9, 40, 59, 98, 99, 100, 101, 130, 250])
steps = st.one_of(
    st.tuples(st.just("spread"), counts, st.integers(0, 400_000)),
    st.tuples(st.just("burst"), counts, st.integers(0, 3000)),
    st.tuples(st.just("stuck"), counts, st.just(0)),
    st.tuples(st.just("late"), st.integers(1, 3), st.integers(1, LATE_MS - 1000)),
    st.tuples(st.just("poll"), st.just(0), st.integers(0, 120_000)),
    st.tuples(st.just("poll"), st.just(0), st.integers(0, 120_000)),
    st.tuples(st.just("fail"), st.integers(0, 100), st.integers(0, 5000)),
)
ahead = st.tuples(st.just("ahead"), st.integers(1, 2), st.sampled_from([10**8, 10**9]))


def play(stream: Stream, loader: Loader, plan: list[tuple[str, int, int]], skew: int = 0) -> None:
    """Run a plan that ends with a poll, and check each completed one."""
    strays = 0
    for kind, count, value in [*plan, ("poll", 0, 1000)]:
        if kind == "spread":
            for _ in range(count):
                stream.now += value // count
                stream.emit(stream.now)
        elif kind == "burst":
            stream.now += value
            for _ in range(count):
                stream.emit(stream.now)
        elif kind == "stuck" and stream.arrived:
            # The server's clock went back: ids go on in the last millisecond.
            last = max(stream.arrived).ms
            if last > stream.now + LATE_MS:
                # Nothing is ever shown beside a whole window that is ahead of time.
                count = max(min(count, RETAINED // 2 - strays), 0)
                strays += count
            for _ in range(count):
                stream.emit(last)
        elif kind == "late":
            stream.now += LATE_MS
            for _ in range(count):
                stream.emit(stream.now - value, late=True)
        elif kind == "ahead":
            for n in range(count):
                stream.emit(stream.now + value + n)
            strays += count
        # A poll sees whole milliseconds only.
        stream.now += 1
        if kind == "fail":
            newest = sorted(stream.window)[::-1][:count]
            loader.poll(stream, newest, complete=False, skew=skew)
        elif kind == "poll":
            stream.now += value
            result = loader.poll(stream, stream.window, complete=True, skew=skew)
            check_poll(stream, loader, result, strays)


def check_poll(stream: Stream, loader: Loader, result: Judgement, strays: int) -> None:
    arrived = len(stream.arrived) - loader.counted
    if len(loader.verdicts) == 1:
        loader.before_first = frozenset(stream.arrived)
    loader.counted = len(stream.arrived)
    if Verdict.REGRESSED not in loader.verdicts:
        assert set(loader.yielded.values()) <= {1}
    assert set(stream.window) <= set(loader.yielded)
    assert result.verdict in ("first", "contiguous", "overrun", "regressed")
    # A stray id that raised the cursor and left by arrival looks like a stream made anew.
    if arrived < RETAINED - strays and not (strays and result.verdict is Verdict.REGRESSED):
        assert result.gap is None
    # Retention by id drops a late row below the window at once: nothing shows that it was.
    hidden = stream.late if stream.by_id else set()
    lost = set(stream.arrived) - set(loader.yielded) - loader.before_first - hidden
    # One whose clock ran ahead was lost when it came, not when its id says.
    lost = {EventId(stream.ahead.get(place, place.ms), place.seq) for place in lost}
    outside = {place for place in lost if not covered(place, loader.gaps, 0)}
    assert outside <= stream.late
    assert [place for place in outside if not covered(place, loader.gaps, LATE_MS)] == []
    if not strays:
        # One whose clock stood still came after polls that its id is older than.
        came = {EventId(stream.behind.get(place, place.ms), place.seq) for place in lost}
        check_certificate(came, stream.late, loader)


def check_least(stream: Stream, loader: Loader) -> None:
    """Compare the least of each estimate with the truth."""
    for gap, loss in loader.gaps:
        lost = set(stream.arrived) - set(loader.yielded)
        inside = [i for i in lost if gap.after < i and (gap.before is None or i < gap.before)]
        assert loss.least <= len(inside)
        if loss.method == NUMBERED and not stream.late:
            assert loss.least == loss.likely == loss.most == len(inside)


@given(
    st.booleans(),
    st.lists(steps, max_size=14),
    st.sampled_from([-7_200_000, 0, 7_200_000]),
    st.booleans(),
)
def test_nothing_is_missed_outside_the_gaps(
    by_id: bool, plan: list[tuple[str, int, int]], skew: int, fitted: bool
) -> None:
    stream, loader = Stream(by_id), Loader(fitted=fitted)
    play(stream, loader, plan, skew)
    check_least(stream, loader)
    assert Verdict.REGRESSED not in loader.verdicts


@given(st.booleans(), st.lists(steps | ahead, max_size=14), st.booleans())
def test_clocks_that_run_ahead_hide_nothing(
    by_id: bool, plan: list[tuple[str, int, int]], fitted: bool
) -> None:
    stream, loader = Stream(by_id), Loader(fitted=fitted)
    play(stream, loader, plan)


@given(
    st.booleans(),
    st.integers(20, 60_000),
    st.lists(st.integers(1, 900), min_size=2, max_size=8),
    st.integers(0, 2**32),
)
def test_the_range_holds_the_truth_for_a_steady_stream(
    jitter: bool, step_ms: int, arrivals: list[int], seed: int
) -> None:
    rng, stream, loader = random.Random(seed), Stream(by_id=True), Loader()
    stream.now = START
    for count in arrivals:
        for _ in range(count):
            stream.now += step_ms + (rng.randint(-step_ms // 10, step_ms // 10) if jitter else 0)
            stream.emit(stream.now)
        loader.poll(stream, stream.window, complete=True, skew=0)
    for gap, loss in loader.gaps:
        assert gap.before is not None
        truth = sum(gap.after < place < gap.before for place in stream.arrived)
        assert loss.likely is not None
        assert loss.most is not None
        assert loss.least <= loss.likely <= loss.most
        assert loss.least <= truth <= loss.most
    for gap, loss in loader.gaps[:1]:
        # Later ones stand on a history that an overrun has already thinned.
        truth = sum(gap.after < place < (gap.before or gap.after) for place in stream.arrived)
        assert abs((loss.likely or 0) - truth) <= 0.3 * truth + 3


@given(st.lists(st.integers(1, 320), min_size=1, max_size=6), st.booleans())
def test_a_clock_that_stands_still_leaves_losses_that_are_counted(
    arrivals: list[int], fitted: bool
) -> None:
    stream, loader = Stream(by_id=True), Loader(fitted=fitted)
    play(stream, loader, [("burst", 1, 0)])
    for count in arrivals:
        play(stream, loader, [("stuck", count, 0)])
    check_least(stream, loader)
    truths = [count - RETAINED for count in arrivals if count >= RETAINED]
    assert [(loss.method, loss.least) for _, loss in loader.gaps] == [(NUMBERED, t) for t in truths]


def test_the_model_loses_events_and_notices() -> None:
    stream, loader = Stream(by_id=True), Loader()
    play(stream, loader, [("poll", 0, 0), ("spread", 250, 60_000)])
    assert len(stream.arrived) - len(loader.yielded) == 150
    assert loader.verdicts == [Verdict.FIRST, Verdict.OVERRUN]


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize("by_id", [False, True])
def test_a_long_life(by_id: bool, fitted: bool) -> None:
    rng = random.Random(11)
    stream, loader = Stream(by_id), Loader(fitted=fitted)
    for _ in range(20):
        kinds = rng.choices(["spread", "burst", "late", "fail", "poll"], [4, 2, 1, 1, 4], k=12)
        plan = [(k, rng.choice([1, 5, 30, 99, 120]), rng.randint(1, 50_000)) for k in kinds]
        play(stream, loader, [(k, min(n, 3) if k == "late" else n, v) for k, n, v in plan])
    check_least(stream, loader)
    assert loader.gaps
    assert {Verdict.CONTIGUOUS, Verdict.OVERRUN} <= set(loader.verdicts)
    assert bool(loader.spared) is fitted
