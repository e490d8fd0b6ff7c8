"""Four loads with news between them bring every event once, whatever rows and cursors do."""

import time
from collections.abc import Callable

import pytest

from tests.integration.contract import HOUR, Contract, Stream, Warehouse

NOW = int(time.time() * 1000)
FAST, HOURS_AGO, DAYS_AGO = NOW - HOUR // 2, NOW - 5 * HOUR, NOW - 70 * HOUR
MANNERS: dict[str, dict] = {
    "dc_plain": {},
    "dc_oldest": {"order": "oldest"},
    "dc_shuffled": {"order": "shuffled"},
    "dc_inclusive": {"after": "inclusive", "most": 20},
    "dc_ignored": {"after": "ignored"},
    "dc_newer": {"after": "newer"},
    "dc_small": {"most": 20},
    "dc_smallold": {"most": 20, "order": "oldest"},
    "dc_one": {"most": 9, "order": "shuffled"},
    "dc_nocursor": {"cursor": "missing"},
    "dc_null": {"cursor": "null"},
    "dc_repeated": {"cursor": "repeated"},
    "dc_aba": {"cursor": "aba"},
    "dc_liesmore": {"total": 1_000_000},
    "dc_liesless": {"total": 3, "most": 20},
    "dc_liesnone": {"total": 0, "most": 20},
    "dc_silent": {"total": -1, "most": 20},
}


@pytest.fixture
def workspace(contract: Contract) -> Contract:
    """Streams with every manner, their clocks far apart, and ids that text order gets wrong."""
    for name, manners in MANNERS.items():
        contract.stream(name, **manners)
    contract.stream("dc_hours")
    contract.stream("dc_days")
    for channel in ("", "extra"):
        contract.stream("dc_twin", channel)
        contract.stream("p_flow", channel)
    contract.subscribe("dc_twin", "extra")
    contract.subscribe("p_flow")
    contract.stream("p_flow", "$errors")
    return contract


def emit_round(workspace: Contract, number: int) -> None:
    """Let every stream emit: 99 in all between two loads at most, so that nothing is lost."""
    for stream in workspace.streams.values():
        start = {"dc_hours": HOURS_AGO, "dc_days": DAYS_AGO}.get(stream.emitter, FAST)
        start += number * 100_000
        if stream.emitter == "dc_days" and number == 2:
            continue
        stream.emit_many(30 + 20 * number, start, 700)
        last = start + 90_000
        for seq in (0, 1, 9, 10, 11, 100)[number % 2 :]:
            stream.emit(f"{last}-{seq}", b'{"seq": %d, "in": [%d]}' % (seq, number))


def by_loop(warehouse: Warehouse) -> None:
    report = warehouse.load()
    assert report.exit_code == 0, report.as_dict()


def by_run(warehouse: Warehouse) -> None:
    warehouse.pipeline().run(warehouse.source())


def by_resources(warehouse: Warehouse) -> None:
    events = ("source_event_summaries", "workflow_emits", "workflow_errors")
    source = warehouse.source().with_resources(*events)
    warehouse.pipeline().run(source)


@pytest.mark.parametrize(
    "load", [by_loop, pytest.param(by_run, marks=pytest.mark.chaos), by_resources]
)
def test_four_loads_bring_every_event_once(
    workspace: Contract, warehouse: Warehouse, load: Callable[[Warehouse], None]
) -> None:
    for number in range(4):
        emit_round(workspace, number)
        load(warehouse)
        assert warehouse.events() == workspace.emitted(), f"load {number}"
    flow = workspace.streams["p_flow", ""], workspace.streams["p_flow", "$errors"]
    for table, stream in zip(("workflow_emits", "workflow_errors"), flow, strict=True):
        assert set(warehouse.events(table)) == {
            ("p_flow", stream.channel, row.id) for row in stream.emitted
        }
    told = warehouse.rows("SELECT emitter_id, verdict FROM event_gaps")
    assert told == []
    verdicts = dict(warehouse.rows("SELECT emitter_id, verdict FROM stream_status"))
    assert set(verdicts.values()) == {"contiguous"}


def test_add_limit_cuts_a_load_short_and_loses_nothing(
    workspace: Contract, warehouse: Warehouse
) -> None:
    pipeline = warehouse.pipeline()
    emit_round(workspace, 0)
    for limit in (1, 4, 5, 6):
        pipeline.run(warehouse.source().add_limit(limit))
        known = warehouse.events() if limit > 4 else {}
        assert known.items() <= workspace.emitted().items()
    emit_round(workspace, 1)
    pipeline.run(warehouse.source().add_limit(1))
    pipeline.run(warehouse.source())
    assert warehouse.events() == workspace.emitted()
    assert warehouse.rows("SELECT * FROM event_gaps") == []


@pytest.fixture
def odd_walks(contract: Contract) -> Contract:
    """A window that never ends, one that grows while it is read, and one that cannot be read."""
    endless = contract.stream("dc_endless", most=1)
    endless.emit_many(KEPT_ROWS, FAST)
    growing = contract.stream("dc_growing", most=10)
    growing.emit_many(40, FAST)
    growing.on_page = lambda: grow(growing)
    contract.stream("dc_stuck", most=20, after="ignored").emit_many(60, FAST)
    return contract


KEPT_ROWS = 100


def grow(stream: Stream) -> None:
    last = int(stream.emitted[-1].id.split("-")[0])
    stream.emit(f"{last + 500}-0", b'"while walking"')
    stream.emit(f"{last + 500}-1", b'"while walking"')


def test_no_walk_is_endless_and_none_misses_what_arrives_meanwhile(
    odd_walks: Contract, warehouse: Warehouse
) -> None:
    for _ in range(2):
        asked = {key: stream.requests for key, stream in odd_walks.streams.items()}
        assert warehouse.load().exit_code == 0
        for key, stream in odd_walks.streams.items():
            assert stream.requests - asked[key] <= 12, key
    odd_walks.streams["dc_growing", ""].on_page = None
    warehouse.load()
    found = warehouse.events()
    mine = {k: v for k, v in odd_walks.emitted().items() if k[0] == "dc_growing"}
    assert {k: v for k, v in found.items() if k[0] == "dc_growing"} == mine
    assert sum(key[0] == "dc_endless" for key in found) == 12
    assert warehouse.status("dc_growing") == ("contiguous",)
    # Twenty of sixty rows can be had. When none of them is known the rest may be lost.
    odd_walks.streams["dc_stuck", ""].emit_many(30, FAST + HOUR // 4)
    warehouse.load()
    assert warehouse.status("dc_stuck", "verdict, last_id") == ("unknown", f"{FAST + 59_000}-0")
    assert [gap[0] for gap in warehouse.gaps("dc_stuck")] == ["unknown"]
