"""Ids as Redis streams make them: counted within a millisecond, given again after a failover."""

import time

import pytest

from pipedream_source.resources.session.tally import describe_gap
from tests.integration.contract import HOUR, Contract, Stream, Warehouse

MINUTE = 60_000
START = int(time.time() * 1000) - 8 * HOUR
QUARANTINE = "SELECT id, reason, raw FROM quarantine ORDER BY raw"


def emit_at_once(stream: Stream, numbers: range, ms: int = START, of: str = "first") -> None:
    """Emit events of one millisecond, with these sequence numbers."""
    for seq in numbers:
        stream.emit(f"{ms}-{seq}", b'{"of":"%s","n":%d}' % (of.encode(), seq))


def lose_newest(stream: Stream, count: int) -> None:
    """Let the API forget its newest events, as a server that had not copied them."""
    stream.shown = stream.shown[:-count]


@pytest.mark.parametrize(("loaded", "came", "lost"), [(4, 296, 196), (50, 250, 150)])
def test_a_loss_within_a_millisecond_is_told_exactly(
    contract: Contract, warehouse: Warehouse, loaded: int, came: int, lost: int
) -> None:
    stream = contract.stream("dc_a")
    emit_at_once(stream, range(loaded))
    warehouse.load()
    emit_at_once(stream, range(loaded, loaded + came))
    report = warehouse.load(fail_on_loss=True)
    assert report.exit_code == 4
    assert f": {lost} events lost" in describe_gap(report.tally.gaps[0])
    ends = (f"{START}-{loaded - 1}", f"{START}-{loaded + came - 100}")
    assert warehouse.gaps("dc_a") == [("overrun", *ends, lost, lost, lost)]
    assert warehouse.one("SELECT method FROM event_gaps") == ("seq-1",)


@pytest.mark.parametrize("is_seen_empty", [True, False])
def test_a_window_that_begins_amid_a_millisecond_was_purged(
    contract: Contract, warehouse: Warehouse, is_seen_empty: bool
) -> None:
    """240 at once, of which somebody deleted all but 50 before any poll."""
    stream = contract.stream("dc_a")
    if is_seen_empty:
        assert warehouse.load(fail_on_loss=True).exit_code == 0
    emit_at_once(stream, range(240))
    stream.shown = stream.shown[-50:]
    assert warehouse.load(fail_on_loss=True).exit_code == 4
    assert warehouse.gaps("dc_a") == [("purged", "0-0", f"{START}-190", 190, None, None)]
    assert warehouse.load(fail_on_loss=True).exit_code == 0
    begins = warehouse.rows("SELECT begins, from_id, events FROM stream_coverage ORDER BY 3")
    assert begins[-1] == ("gap", f"{START}-190", 50)
    assert len(begins) == 1 + is_seen_empty


def test_numbers_that_contradict_themselves_prove_no_loss(
    contract: Contract, warehouse: Warehouse
) -> None:
    """A server that numbers events throughout, not within a millisecond."""
    stream = contract.stream("dc_a")
    for n in range(20):
        stream.emit(f"{START + n * 1000}-{1000 + n}")
    assert warehouse.load(fail_on_loss=True).exit_code == 0
    for n in range(20, 140):
        stream.emit(f"{START + n * 1000}-{1000 + n}")
    warehouse.load()
    ((verdict, *_, least, _, most),) = warehouse.gaps("dc_a")
    assert (verdict, least) == ("overrun", 0)
    assert most >= 20


def test_a_promise_of_more_rows_hides_no_overrun(contract: Contract, warehouse: Warehouse) -> None:
    """`total_count` says 1,000, and the page behind the hundredth row is empty."""
    stream = contract.stream("dc_a", total=1000)
    stream.emit_many(100, START, 1000)
    warehouse.load()
    stream.emit_many(150, START + MINUTE * 10, 1000)
    warehouse.load()
    ((verdict, _, before, least, likely, most),) = warehouse.gaps("dc_a")
    assert (verdict, before) == ("overrun", f"{START + MINUTE * 10 + 50_000}-0")
    assert least <= 50 <= most
    assert least <= likely <= most
    assert warehouse.status("dc_a") == ("overrun",)


def test_a_promise_of_more_rows_is_a_doubt_where_the_end_is_not_seen(
    contract: Contract, warehouse: Warehouse
) -> None:
    stream = contract.stream("dc_a", total=1000, after="ignored")
    stream.emit_many(100, START, 1000)
    warehouse.load()
    stream.emit_many(150, START + MINUTE * 10, 1000)
    warehouse.load()
    assert [gap[0] for gap in warehouse.gaps("dc_a")] == ["unknown"]


@pytest.mark.parametrize("seq", [10**18, 2**63 - 1, 2**63, 2**64 - 1, 10**20 - 1])
def test_numbers_of_19_and_20_digits_are_stored(
    contract: Contract, warehouse: Warehouse, seq: int
) -> None:
    """A column of integers has 63 bits: it holds its greatest number in place of a greater one."""
    stream = contract.stream("dc_a")
    stream.emit(f"{START + 1}-{seq - 1}")
    assert warehouse.load(fail_on_loss=True).exit_code == 0
    stream.emit(f"{START + 1}-{seq}")
    assert warehouse.load(fail_on_loss=True).exit_code == 0
    assert warehouse.events() == contract.emitted()
    assert warehouse.one("SELECT count(*) FROM quarantine") == (0,)
    (stored,) = warehouse.one(
        "SELECT event_seq FROM source_event_summaries WHERE id LIKE ?", f"%-{seq}"
    )
    assert stored == min(seq, 2**63 - 1)
    assert warehouse.status("dc_a", "last_id") == (f"{START + 1}-{seq}",)


def test_an_id_that_is_given_again_costs_no_event(contract: Contract, warehouse: Warehouse) -> None:
    """Five events; the API forgets two of them, and gives their ids to two others."""
    stream = contract.stream("dc_a")
    emit_at_once(stream, range(5))
    warehouse.load()
    first = warehouse.events()
    lose_newest(stream, 2)
    emit_at_once(stream, range(3, 6), of="second")
    report = warehouse.load()
    assert report.exit_code == 0
    (warning,) = report.tally.warnings
    assert "dc_a: 2 ids came again with another event" in warning
    assert f"{START}-3, {START}-4" in warning
    assert "quarantine" in warning
    stored = warehouse.events()
    assert stored.items() >= first.items()
    assert stored["dc_a", "", f"{START}-5"] == b'{"of":"second","n":5}'
    again = warehouse.rows(QUARANTINE)
    assert [row[0] for row in again] == [f"{START}-3", f"{START}-4"]
    for n, (_, reason, raw) in enumerate(again, start=3):
        assert reason == "the id came again with another event; the first stays stored"
        assert f'"event":{{"of":"second","n":{n}}}' in raw
    # It is told once.
    report = warehouse.load()
    assert report.tally.warnings == []
    assert warehouse.rows(QUARANTINE) == again


def test_a_window_that_went_back_hides_no_event_under_a_known_id(
    contract: Contract, warehouse: Warehouse
) -> None:
    stream = contract.stream("dc_a")
    emit_at_once(stream, range(5))
    warehouse.load()
    lose_newest(stream, 3)
    emit_at_once(stream, range(2, 4), of="second")
    report = warehouse.load(fail_on_loss=True)
    assert report.exit_code == 4
    assert [gap[0] for gap in warehouse.gaps("dc_a")] == ["regressed"]
    assert [row[0] for row in warehouse.rows(QUARANTINE)] == [f"{START}-2", f"{START}-3"]
    assert "2 ids came again with another event" in report.tally.warnings[0]


def test_a_poll_of_a_few_rows_notices_it_too(contract: Contract, warehouse: Warehouse) -> None:
    """The newest event is another one; nothing else is new."""
    stream = contract.stream("dc_a")
    stream.emit_many(100, START, 2 * MINUTE)
    for _ in range(3):
        warehouse.load()
    contract.journal.clear()
    newest = stream.shown[-1].id
    lose_newest(stream, 1)
    stream.emit(newest, b'{"of":"second"}')
    report = warehouse.load()
    limits = [int(q["limit"]) for path, q in contract.journal if path.endswith("event_summaries")]
    assert max(limits) < 100
    assert "1 id came again" in report.tally.warnings[0]
    assert [row[0] for row in warehouse.rows(QUARANTINE)] == [newest]
    assert warehouse.load().tally.warnings == []


def test_an_event_that_did_not_change_is_no_other(contract: Contract, warehouse: Warehouse) -> None:
    """Half a surrogate pair is repaired in the same way each time."""
    stream = contract.stream("dc_a")
    stream.emit(f"{START}-0", rb'"\ud83d"')
    for n in range(1, 4):
        stream.emit(f"{START}-{n}", rb'"\ud83d"')
        assert not any("again" in warning for warning in warehouse.load().tally.warnings)
    assert warehouse.one("SELECT count(*) FROM source_event_summaries") == (4,)
