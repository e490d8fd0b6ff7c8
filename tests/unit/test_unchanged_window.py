"""A window that comes again byte for byte is not read again, and judged as if it had been."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.api.pages.event_page import EventPage, read_event_page
from pipedream_source.api.pages.walk import UNKNOWN, Known, WindowWalk
from pipedream_source.api.protocol import Answer, Request
from pipedream_source.core.streams.stream_state import StreamState, dump_state, load_state
from pipedream_source.resources.polls.outcome import Outcome, assess
from pipedream_source.resources.polls.polling import Poll, Stream, known_by

NOW = 1_764_000_000_000
STREAM = Stream("dc_abc123", "")

ids = st.lists(
    st.tuples(st.integers(NOW - 10**7, NOW), st.integers(0, 12)), max_size=100, unique=True
)


def page_of(places: list[tuple[int, int]], total: int | None = None) -> bytes:
    rows = [
        {"id": f"{ms}-{seq}", "event": {"n": n}, "metadata": {"name": "", "emit_id": f"e{n}"}}
        for n, (ms, seq) in enumerate(places)
    ]
    info = {"total_count": len(rows) if total is None else total}
    return json.dumps({"page_info": info, "data": rows}).encode()


def cut(body: bytes, limit: int) -> bytes:
    page = json.loads(body)
    if len(page["data"]) <= limit:
        return body
    return json.dumps(page | {"data": page["data"][:limit]}).encode()


def poll_of(body: bytes, at_ms: int, known: Known = UNKNOWN) -> Poll:
    walk = WindowWalk("")

    def fetch(request: Request) -> tuple[Answer, EventPage]:
        answer = Answer(200, {}, cut(body, int(request.params.get("limit", "100"))))
        return answer, read_event_page(answer, request.path, known=known.digest)

    walk.run(fetch, Request("/sources/dc_abc123/event_summaries"), known)
    return Poll(STREAM, walk, polled_at_ms=at_ms, now_ms=at_ms)


def judged(poll: Poll, state: StreamState) -> Outcome:
    return assess(poll, state, full_window=False, since_ms=None, quiet_poll_s=60.0)


def after(body: bytes, *, times: int = 1) -> StreamState:
    """The state that some polls of the same window leave, as it comes back from dlt's state."""
    state = StreamState()
    for number in range(times):
        outcome = judged(poll_of(body, NOW + number * 60_000, Known(True)), state)
        state = load_state(json.loads(json.dumps(dump_state(outcome.state))))
    return state


@given(ids, st.integers(1, 10**8))
def test_it_is_judged_as_if_it_had_been_read(places: list[tuple[int, int]], later: int) -> None:
    body = page_of(places)
    state = after(body)
    known = known_by(state, NOW)
    skipped = poll_of(body, NOW + later, known)
    read = judged(poll_of(body, NOW + later, Known(True)), state)
    found = judged(skipped, state)
    assert skipped.walk.is_unchanged
    assert (found.status, found.rows, found.gaps) == (read.status, [], [])
    # A few rows were asked for before it.
    assert replace(found.state, limits_to_newest=False) == read.state


def test_a_short_window_without_cursors_is_known_again() -> None:
    body = page_of([(NOW, 0), (NOW - 1000, 0)])
    assert b"cursor" not in body
    first = judged(poll_of(body, NOW, Known()), StreamState())
    assert poll_of(body, NOW + 1000, known_by(first.state, NOW)).walk.is_unchanged


def test_one_changed_byte_is_read() -> None:
    state = after(page_of([(NOW, 0), (NOW - 1000, 0)]))
    known = known_by(state, NOW)
    poll = poll_of(page_of([(NOW, 1), (NOW - 1000, 0)]), NOW + 1000, known)
    assert not poll.walk.is_unchanged
    assert [row.place for row in judged(poll, state).rows] == [(NOW, 1)]


@pytest.mark.parametrize(
    "body",
    [
        page_of([], total=7),
        page_of([(NOW + 10**7, 0), (NOW, 0)]),
        page_of([(NOW, 0)], total=7),
    ],
    ids=["an empty page of seven", "an id ahead of time", "more than one page"],
)
def test_nothing_is_skipped_while_something_is_open(body: bytes) -> None:
    assert known_by(after(body), NOW).digest == ""


def test_a_told_gap_is_no_reason_to_skip() -> None:
    state = replace(after(page_of([(NOW, 0)])), recorded=frozenset({"unknown"}))
    assert not state.is_settled


def test_a_window_that_was_read_in_part_is_measured_again_after_half_of_it() -> None:
    places = [(NOW - n * 120_000, 0) for n in range(100)]
    state, at_ms = replace(after(page_of(places)), limits_to_newest=True), NOW
    span = 99 * 120.0
    for poll_number in range(1, 8):
        at_ms += 9 * 120_000
        places = [(at_ms - n * 120_000, 0) for n in range(9)] + places[:91]
        poll = poll_of(page_of(places), at_ms, known_by(state, at_ms))
        assert poll.walk.is_partial is (poll_number < 7)
        outcome = judged(poll, state)
        state = outcome.state
        assert [row.place for row in outcome.rows] == sorted(places[:9])
        assert outcome.status["window_size"] == 100
        assert outcome.status["window_seconds"] == span
        assert outcome.status["fill"] == 0.09
        assert state.shape is not None
        assert state.shape.newer == (9 * poll_number if poll_number < 7 else 0)
