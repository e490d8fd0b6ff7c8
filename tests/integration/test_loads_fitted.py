"""A stream is asked for as few rows as can prove overlap; in doubt, for the whole window."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.contract import HOUR, Contract, Stream, Warehouse

MINUTE = 60_000
START = int(time.time() * 1000) - 8 * HOUR


@pytest.fixture
def stream(contract: Contract, warehouse: Warehouse) -> Stream:
    """A source that was loaded twice: a hundred events, two minutes apart."""
    made = contract.stream("dc_slow")
    made.emit_many(100, START, 2 * MINUTE)
    assert warehouse.load().exit_code == 0
    assert limits(contract) == [100]
    assert warehouse.load().exit_code == 0
    few, whole = limits(contract)
    assert (few < 10, whole) == (True, 100), "the window has to begin with the few rows, once"
    return made


def limits(contract: Contract) -> list[int]:
    """Return the limits of the requests for events since it was last asked."""
    asked = [int(q["limit"]) for path, q in contract.journal if path.endswith("/event_summaries")]
    contract.journal.clear()
    return asked


def after(minutes: float) -> int:
    """Ms of a time so long after the last event of the first load."""
    return START + 198 * MINUTE + int(minutes * MINUTE)


def test_a_quiet_stream_is_asked_for_few_rows_each_time(
    contract: Contract, warehouse: Warehouse, stream: Stream
) -> None:
    for _ in range(3):
        warehouse.load()
        (asked,) = limits(contract)
        assert asked < 10
    assert warehouse.rows("SELECT events_new FROM load_runs ORDER BY finished_at") == [
        *((100,), (0,), (0,), (0,), (0,))
    ]
    assert warehouse.one("SELECT count(*) FROM _dlt_loads") == (1,)
    assert warehouse.status("dc_slow", "verdict, window_size, window_seconds, fill") == (
        *("contiguous", 100, 99 * 120.0, 0.0),
    )


def test_a_few_new_events_need_no_whole_window(
    contract: Contract, warehouse: Warehouse, stream: Stream
) -> None:
    for n, minutes in enumerate((5, 8, 10)):
        stream.emit(f"{after(minutes)}-0")
        warehouse.load()
        assert max(limits(contract)) < 50, n
    assert warehouse.events() == contract.emitted()
    assert warehouse.status("dc_slow", "verdict, window_size, fill") == ("contiguous", 100, 0.01)
    assert warehouse.rows("SELECT events, polls FROM stream_coverage") == [(103, 5)]


def test_an_overrun_is_noticed(contract: Contract, warehouse: Warehouse, stream: Stream) -> None:
    stream.emit_many(150, after(1), 1000)
    warehouse.load()
    assert limits(contract)[-1] == 100
    assert warehouse.rows("SELECT verdict, lost_min <= 50, lost_max >= 50 FROM event_gaps") == [
        ("overrun", True, True)
    ]


def late_by_arrival(stream: Stream) -> None:
    stream.emit(f"{after(5)}-0")
    stream.emit(f"{after(4.5)}-0")


def late_by_id(stream: Stream) -> None:
    stream.emit(f"{after(-0.5)}-0")
    stream.shown.sort(key=lambda event: event.id)


def ahead(stream: Stream) -> None:
    stream.emit(f"{int(time.time() * 1000) + 48 * HOUR}-0")
    stream.emit(f"{after(5)}-0")


def of_one_moment(stream: Stream) -> None:
    for seq in (9, 10, 11):
        stream.emit(f"{after(5)}-{seq}")


def without_an_id(stream: Stream) -> None:
    stream.emit("x")
    stream.emit(f"{after(5)}-0")


@pytest.mark.parametrize(
    "happens", [late_by_arrival, late_by_id, ahead, of_one_moment, without_an_id]
)
def test_what_is_out_of_the_ordinary_is_found(
    contract: Contract, warehouse: Warehouse, stream: Stream, happens: Callable[[Stream], None]
) -> None:
    for _ in range(2):
        happens(stream)
        happens = lambda _: None  # noqa: E731
        warehouse.load()
    readable = {key: event for key, event in contract.emitted().items() if key[2] != "x"}
    assert warehouse.events() == readable
    assert warehouse.one("SELECT count(*) FROM event_gaps") == (0,)
    bad = len(contract.emitted()) - len(readable)
    assert warehouse.one("SELECT count(*) FROM quarantine") == (bad,)


@pytest.mark.parametrize(
    "manners",
    [
        {"order": "oldest"},
        {"order": "shuffled"},
        {"most": 1},
        {"most": 7, "after": "inclusive"},
        {"cursor": "missing"},
        {"total": 3},
        {"total": -1},
    ],
    ids=str,
)
def test_other_manners_lose_nothing(
    contract: Contract, warehouse: Warehouse, stream: Stream, manners: dict[str, Any]
) -> None:
    for minutes in (5, 30):
        contract.stream("dc_slow", **manners)
        stream.emit_many(4, after(minutes), 2 * MINUTE)
        warehouse.load()
    if not {"most", "cursor"} & manners.keys():
        assert warehouse.events() == contract.emitted()
        assert warehouse.one("SELECT count(*) FROM event_gaps") == (0,)
    missing = contract.emitted().keys() - warehouse.events().keys()
    assert not missing or warehouse.one("SELECT count(*) FROM event_gaps") > (0,)


@pytest.mark.parametrize("limit", ["oldest", "ignored"])
def test_another_meaning_of_limit_hides_nothing(
    contract: Contract, warehouse: Warehouse, limit: str
) -> None:
    made = contract.stream("dc_slow", limit=limit)
    made.emit_many(100, START, 2 * MINUTE)
    warehouse.load()
    # The oldest four of the window are then H and three below it, the oldest twenty fifteen more.
    for minutes, count in ((1, 97), (99, 85)):
        made.emit_many(count, after(minutes), MINUTE)
        assert warehouse.load().exit_code == 0
        assert warehouse.events() == contract.emitted()
    assert warehouse.one("SELECT count(*) FROM event_gaps") == (0,)


def test_where_a_limit_changes_nothing_one_request_does(
    contract: Contract, warehouse: Warehouse
) -> None:
    made = contract.stream("dc_slow", limit="ignored")
    made.emit_many(100, START, 2 * MINUTE)
    for _ in range(3):
        warehouse.load()
        assert len(limits(contract)) == 1


def test_full_window_asks_for_all(contract: Contract, warehouse: Warehouse, stream: Stream) -> None:
    warehouse.load(full_window=True)
    assert limits(contract) == [100]
