"""A server's clock that is set back: ids pile up on one millisecond and tell no pace."""

import json
from dataclasses import dataclass, field

import pytest

from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.streams.stream_state import StreamState, dump_state, load_state
from pipedream_source.resources.polls.outcome import Outcome
from pipedream_source.resources.polls.polling import known_by
from tests.unit.test_unchanged_window import NOW, judged, page_of, poll_of

MINUTE = 60_000
STEP = 6_000  # ten events a minute: 540 s for ten times nine of them
EVERY = 270_000


@dataclass
class Server:
    """A stream whose ids are made as Redis makes them, and polls of it.

    Attributes:
        now: the true time, Unix ms.
        behind: how much the clock that makes the ids was set back, ms.
        date_behind: the same of the clock that makes the answers' dates.
        is_indexed: events tell when they were indexed, by the clock that makes the ids.
    """

    now: int = NOW
    behind: int = 0
    date_behind: int = 0
    is_indexed: bool = True
    ids: list[EventId] = field(default_factory=list)
    indexed: dict[str, int] = field(default_factory=dict)
    state: StreamState = field(default_factory=StreamState)
    polls: list[tuple[float, Outcome]] = field(default_factory=list)

    def run(self, ms: int) -> None:
        """Let time pass and events come."""
        for _ in range(ms // STEP):
            self.now += STEP
            clock, last = self.now - self.behind, self.ids[-1] if self.ids else EventId(0, 0)
            made = EventId(clock, 0) if clock > last.ms else EventId(last.ms, last.seq + 1)
            self.ids.append(made)
            self.indexed[str(made)] = clock

    def poll(self) -> Outcome:
        """Poll; remember what wait is advised, seconds."""
        at_ms = (self.now - self.date_behind) // 1000 * 1000
        body = json.loads(page_of([*reversed(self.ids[-100:])]))
        for row in body["data"] if self.is_indexed else ():
            row["indexed_at_ms"] = self.indexed.get(row["id"])
        known = known_by(self.state, at_ms)
        outcome = judged(poll_of(json.dumps(body).encode(), at_ms, known), self.state)
        self.state = load_state(json.loads(json.dumps(dump_state(outcome.state))))
        wait_s = outcome.status["next_poll_at"].timestamp() - at_ms / 1000
        self.polls.append((wait_s, outcome))
        return outcome

    def watch(self, times: int) -> list[float]:
        """Poll at the usual distance; return the waits that were advised."""
        for _ in range(times):
            self.run(EVERY)
            self.poll()
        return [wait_s for wait_s, _ in self.polls[-times:]]


@pytest.mark.parametrize("back_ms", [2 * MINUTE, 4 * MINUTE, 10 * MINUTE, 60 * MINUTE])
@pytest.mark.parametrize("is_indexed", [True, False])
@pytest.mark.parametrize("is_one_clock", [True, False])
def test_polls_go_on_at_the_pace_of_the_stream(
    back_ms: int, is_indexed: bool, is_one_clock: bool
) -> None:
    if not is_indexed and back_ms < EVERY:
        pytest.skip("nothing tells it from a burst of one moment")
    server = Server(is_indexed=is_indexed)
    usual = server.watch(20)[-1]
    assert usual == pytest.approx(EVERY / 1000, rel=0.02)
    assert server.state.peak_per_hour == pytest.approx(600, rel=0.02)
    # Set back between two polls, so that no poll shows where the pile begins.
    server.run(100_000)
    server.behind, server.date_behind = back_ms, back_ms if is_one_clock else 0
    waits = server.watch(30)
    # By ids alone, where dates go on, the first poll sees a burst; the next one that it is none.
    assert min(waits[0 if is_one_clock or is_indexed else 1 :]) >= usual / 2
    assert max(waits) <= usual * 2
    assert server.state.events_per_hour == pytest.approx(600, rel=0.1)
    assert server.state.peak_per_hour == pytest.approx(600, rel=0.2)
    assert server.state.stalled == frozenset()
    assert not any(outcome.gaps for _, outcome in server.polls)


def loss_after(back_ms: int, date_back_ms: int) -> tuple[int, int, int]:
    """Lose 200 events an hour and a half after a clock was set back; return what is told."""
    server = Server()
    server.watch(20)
    server.behind, server.date_behind = back_ms, date_back_ms
    server.watch(20)
    server.run(300 * STEP)
    (gap,) = server.poll().gaps
    return gap["lost_min"], gap["lost_likely"], gap["lost_max"]


def test_a_later_loss_is_told_as_if_the_clock_had_never_been_set_back() -> None:
    straight, back = loss_after(0, 0), 4 * MINUTE
    assert straight == (0, 201, 247)
    least, likely, most = loss_after(back, back)
    assert least == 0
    assert likely == pytest.approx(201, abs=3)
    assert most == pytest.approx(247, abs=10)
    # Ids that run behind the dates from now on say less of when they came.
    least, likely, most = loss_after(back, 0)
    assert least == 0
    assert 150 <= likely <= 200 <= most <= 260


def test_a_burst_that_a_poll_cuts_in_two_is_a_burst() -> None:
    server = Server()
    server.watch(20)
    moment = server.now
    server.ids += [EventId(moment, seq) for seq in range(1, 30)]
    server.poll()
    server.ids += [EventId(moment, seq) for seq in range(30, 50)]
    server.now += 1000
    server.poll()
    assert server.state.stalled == frozenset()
    assert server.state.peak_per_hour == pytest.approx(9 * 3600, rel=0.01)


def test_a_stream_first_seen_while_its_clock_stands_still_has_no_pace_yet() -> None:
    server = Server(ids=[EventId(NOW + 5 * MINUTE, seq) for seq in range(50)])
    assert server.poll().status["window_seconds"] == 0
    assert server.state.stalled == {NOW + 5 * MINUTE}
    assert server.state.peak_per_hour is None
    server.behind = server.date_behind = 0
    # The first two polls tell how many came in between.
    assert server.watch(2)[-1] == pytest.approx(EVERY / 1000, rel=0.2)
