"""The model keeps what the sandbox keeps, and its promise can be broken."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from pipedream_source.sandbox import Sandbox
from tests.simulator.model import Place, Stream
from tests.simulator.promise import (
    Gap,
    Ranges,
    Tables,
    check_complete,
    check_new_gaps,
    check_rows,
)

KEY = ("dc_a", "")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.mark.parametrize("retention", ["by_id", "by_arrival"])
@pytest.mark.parametrize("is_restored", [False, True])
def test_it_keeps_what_the_sandbox_keeps(
    sandbox: Sandbox, retention: str, is_restored: bool
) -> None:
    rng = random.Random(5)
    (emitter,) = sandbox.add_emitters(1, retention=retention)
    stream = Stream(emitter, "", by_arrival=retention == "by_arrival")
    for number in range(40):
        sandbox.advance(60)
        for event_id in sandbox.emit(emitter, count=rng.choice([1, 9, 70]), spread_s=50):
            stream.emit(event_id, "")
        late = f"{Place.of(event_id).ms - rng.randint(1, 900_000)}-{number}"
        sandbox.emit(emitter, id=late)
        stream.emit(late, "", is_late=True)
        if number % 7 == 3:
            start, end = (stream.kept[n].place for n in (2, 30))
            sandbox.delete(emitter, start_id=f"{start[0]}-{start[1]}", end_id=f"{end[0]}-{end[1]}")
            stream.delete(start, end)
        if is_restored and number % 9 == 0:
            sandbox.restore(sandbox.dump())
        shown = next(e for e in sandbox.state()["emitters"] if e["id"] == emitter)["channels"][""]
        assert shown["retained"] == len(stream.kept)
        assert (shown["oldest_id"], shown["newest_id"]) == (stream.kept[0].id, stream.kept[-1].id)


@pytest.fixture
def stream() -> Stream:
    """A poll that saw one event, 150 more, and a poll that saw the last hundred of them."""
    made = Stream(*KEY)
    made.emit("0-0", "0")
    made.polled(made.look(), is_loaded=True)
    for ms in range(1, 151):
        made.emit(f"{ms}-0", str(ms))
    made.polled(made.look(), is_loaded=True)
    return made


def tables(stream: Stream, *, without: int = -1, gaps: tuple[Gap, ...] = ()) -> Tables:
    """Return what a faithful loader makes of it."""
    loaded = {e: event.payload for e, event in stream.events.items() if e in stream.safe}
    loaded.pop(f"{without}-0", None)
    return Tables({KEY: dict(loaded)}, Counter((*KEY, e) for e in loaded), list(gaps))


def gap(after: int, before: int, least: int = 0) -> Gap:
    return Gap(*KEY, "overrun", Place(after, 0), Place(before, 0), after, before, least, 50, 60)


def test_a_gap_that_holds_what_is_missing_keeps_the_promise(stream: Stream) -> None:
    held = tables(stream, gaps=(gap(0, 51),))
    check_rows({KEY: stream}, held)
    check_complete({KEY: stream}, held)


def test_a_loss_that_nobody_tells_breaks_it(stream: Stream) -> None:
    for gaps in ((), (gap(0, 40),), (gap(20, 51),)):
        with pytest.raises(AssertionError, match="lost and not told"):
            check_complete({KEY: stream}, tables(stream, gaps=gaps))


def test_a_row_that_a_poll_saw_and_that_is_gone_breaks_it(stream: Stream) -> None:
    with pytest.raises(AssertionError, match="seen and lost"):
        check_complete({KEY: stream}, tables(stream, without=120, gaps=(gap(0, 130),)))


def test_a_row_that_stands_there_twice_breaks_it(stream: Stream) -> None:
    doubled = tables(stream)
    doubled.times[(*KEY, "120-0")] += 1
    with pytest.raises(AssertionError, match="doubled"):
        check_rows({KEY: stream}, doubled)


def test_a_row_that_is_not_as_it_was_emitted_breaks_it(stream: Stream) -> None:
    for event_id, payload in (("120-0", " 120"), ("999-0", "999")):
        changed = tables(stream)
        changed.events[KEY][event_id] = payload
        with pytest.raises(AssertionError, match=r"is not 120|never emitted"):
            check_rows({KEY: stream}, changed)


def test_a_gap_without_a_cause_breaks_it(stream: Stream) -> None:
    since = {KEY: stream.last}
    for ms in range(151, 250):
        stream.emit(f"{ms}-0", "")
    with pytest.raises(AssertionError, match="only 99 events came"):
        check_new_gaps({KEY: stream}, tables(stream, gaps=(gap(150, 151),)), [], since, Ranges())
    stream.emit("250-0", "")
    check_new_gaps({KEY: stream}, tables(stream, gaps=(gap(150, 151),)), [], since, Ranges())


def test_a_gap_that_claims_too_much_breaks_it(stream: Stream) -> None:
    for least, is_true in ((50, True), (51, False)):
        told, ranges = tables(stream, gaps=(gap(0, 51, least),)), Ranges()
        if is_true:
            check_new_gaps({KEY: stream}, told, [], {KEY: None}, ranges)
            assert ranges.held == 1
        else:
            with pytest.raises(AssertionError, match="no more than 50 were lost"):
                check_new_gaps({KEY: stream}, told, [], {KEY: None}, ranges)
