"""What holds of the gap rule whatever the state and the window."""

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.core.polls.window import Window, judge
from pipedream_source.core.streams.stream_state import StreamState, dump_state, load_state
from tests.unit.windows import FAR, NOW, ids, poll, seen, window

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
