"""A state survives its trip through JSON, and an edited one is refused with a ValueError."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import (
    FULL_HISTORY_MS,
    Begin,
    StreamState,
    Stretch,
    dump_state,
    load_state,
)

ids = st.builds(EventId, st.integers(0, 10**15 - 1), st.integers(0, 10**20 - 1))
near = st.builds(EventId, st.integers(1_700_000_000_000, 1_700_000_100_000), st.integers(0, 9))
paces = st.none() | st.just(0.0) | st.floats(0.001, 1e9)
stretches = st.builds(
    lambda begins, from_id, opened, lasted, *counts: Stretch(
        begins, from_id, opened, opened + lasted, *counts
    ),
    st.sampled_from(Begin),
    ids,
    *[st.integers(0, 10**13)] * 2,
    *[st.integers(0, 10**9)] * 3,
)


@st.composite
def states(draw: st.DrawFn) -> StreamState:
    remembered = draw(st.frozensets(ids | near, max_size=8))
    return StreamState(
        last_loaded_id=draw(st.none() | ids | near),
        remembered=remembered,
        unproven=frozenset(draw(st.sets(st.sampled_from(sorted(remembered)))))
        if remembered
        else remembered,
        polled_at_ms=draw(st.none() | st.integers(1, 10**15)),
        was_empty=draw(st.booleans()),
        recorded=draw(st.frozensets(st.sampled_from(["overrun", "purged", "unknown"]))),
        events_per_hour=draw(paces),
        peak_per_hour=draw(paces) or None,
        history_ms=draw(st.integers(0, FULL_HISTORY_MS)),
        stalled=draw(st.frozensets(st.integers(0, 10**15), max_size=3)),
        short_page_ends=draw(st.booleans()),
        limits_to_newest=draw(st.booleans()),
        failures=draw(st.integers(0, 9)),
        slow_polls=draw(st.integers(0, 9)),
        stretch=draw(st.none() | stretches),
    )


@given(states())
def test_a_state_survives_json(state: StreamState) -> None:
    packed = json.loads(json.dumps(dump_state(state)))
    assert load_state(packed) == state


def test_defaults_take_no_room() -> None:
    assert dump_state(StreamState()) == {}
    assert load_state({}) == load_state(None) == StreamState()


def test_a_state_that_does_not_tell_how_long_its_history_is_has_a_full_one() -> None:
    assert load_state({"h": "1-0", "v": 12.5}).history_ms == FULL_HISTORY_MS
    assert load_state({"h": "1-0", "v": 12.5, "t": -1}).history_ms == 0


def test_a_usual_state_is_short() -> None:
    last = EventId(1_700_000_000_000, 0)
    state = StreamState(last, frozenset({last}), polled_at_ms=last.ms, events_per_hour=12.5)
    assert len(json.dumps(dump_state(state))) < 80


@pytest.mark.parametrize(
    "packed",
    [
        {"h": "abc"},
        {"h": "1-01"},
        {"h": 5},
        {"h": ["1-0"]},
        {"h": "1-0", "r": "x"},
        {"h": "1-0", "r": "0.-3"},
        {"h": "1-0", "r": "5"},
        {"h": "1-0", "r": 7},
        {"h": "1-0", "r": None},
        {"h": "1-0", "u": "0.x"},
        {"h": "1-0", "p": "yesterday"},
        {"h": "1-0", "p": []},
        {"h": "1-0", "p": float("inf")},
        {"h": "1-0", "v": "fast"},
        {"h": "1-0", "k": {}},
        {"h": "1-0", "y": "now"},
        {"h": "1-0", "y": 5},
        {"h": "1-0", "t": "long"},
        {"h": "1-0", "f": "many"},
        {"h": "1-0", "f": None},
        {"h": "1-0", "q": []},
        {"h": "1-0", "g": 3},
        {"c": "x"},
        {"c": "origin 0-0 1 2 3 4"},
        {"c": "never 0-0 1 2 3 4 5"},
        {"c": "origin 00-0 1 2 3 4 5"},
        {"c": "origin 0-0 1 2 3 4 x"},
        {"c": 7},
        ["h"],
        "h",
        7,
    ],
    ids=repr,
)
def test_an_edited_state_is_refused(packed: Any) -> None:
    with pytest.raises(ValueError, match=r"state|invalid literal|could not convert"):
        load_state(packed)


@given(
    st.dictionaries(
        st.sampled_from("hrupegvktsfqwc"),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(max_size=6)
            | ids.map(str),
            lambda inner: (
                st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2)
            ),
            max_leaves=3,
        ),
    )
)
def test_any_json_gives_a_state_or_a_value_error(packed: dict[str, Any]) -> None:
    try:
        state = load_state(packed)
    except ValueError:
        return
    packed = dump_state(state)
    assert json.dumps(dump_state(load_state(packed))) == json.dumps(packed)
    assert state.unproven <= state.remembered
