"""Each channel is judged by its own rows, also where one answer shows several channels."""

import time

import pytest

from pipedream_source import PipedreamClient
from pipedream_source.resources.session.arguments import open_session
from pipedream_source.running.survey import survey
from tests.integration.contract import HOUR, KEY, Contract, Reply, Warehouse

MINUTE = 60_000
START = int(time.time() * 1000) - 8 * HOUR
COMPLETE = "SELECT channel, begins, events, polls FROM stream_coverage ORDER BY channel, opened_at"


@pytest.fixture(params=["nothing", "a subscription"])
def is_named(request: pytest.FixtureRequest, contract: Contract) -> bool:
    """Whether something names the channel `custom`, so that it is polled by itself too."""
    contract.shows_all.add("dc_a")
    if request.param == "a subscription":
        contract.subscribe("dc_a", "custom")
    return request.param == "a subscription"


def test_a_custom_event_is_no_overlap_for_the_default_channel(
    contract: Contract, warehouse: Warehouse, is_named: bool
) -> None:
    """50 events, one on another channel, a load, and 150 more events: 50 are lost, and told."""
    contract.stream("dc_a").emit_many(50, START)
    contract.stream("dc_a", "custom").emit(f"{START + 2 * MINUTE}-0")
    assert warehouse.load().exit_code == 0
    contract.stream("dc_a").emit_many(150, START + 3 * MINUTE)
    assert warehouse.load(fail_on_loss=True).exit_code == 4
    stored = warehouse.events()
    assert len(stored) == 151
    assert contract.emitted().items() >= stored.items()
    ((verdict, after, before, least, _, most),) = warehouse.gaps("dc_a")
    assert (verdict, after) == ("overrun", f"{START + 49_000}-0")
    assert before == f"{START + 3 * MINUTE + 50_000}-0"
    assert least <= 50 <= most
    assert warehouse.rows(COMPLETE) == [
        *(("", "origin", 50, 1), ("", "gap", 100, 1), ("custom", "origin", 1, 2)),
    ]


def test_the_default_channel_is_no_overlap_for_a_custom_one(
    contract: Contract, warehouse: Warehouse, is_named: bool
) -> None:
    default, custom = contract.stream("dc_a"), contract.stream("dc_a", "custom")
    default.emit_many(20, START)
    custom.emit_many(80, START + MINUTE)
    warehouse.load()
    custom.emit_many(150, START + 20 * MINUTE)
    default.emit_many(20, START + 40 * MINUTE)
    assert warehouse.load(fail_on_loss=True).exit_code == 4
    assert len(warehouse.events()) == 40 + 180
    ((channel, verdict),) = warehouse.rows("SELECT channel, verdict FROM event_gaps")
    assert (channel, verdict) == ("custom", "overrun")
    assert warehouse.status("dc_a", "verdict, last_id") == (
        *("contiguous", f"{START + 40 * MINUTE + 19_000}-0"),
    )


def test_every_channel_is_loaded_whole_and_once(
    contract: Contract, warehouse: Warehouse, is_named: bool
) -> None:
    """Two hundred rows in one answer, the same ids in both channels."""
    for n in range(4):
        for channel in ("", "custom"):
            contract.stream("dc_a", channel).emit_many(70, START + n * HOUR)
        assert warehouse.load(fail_on_loss=True).exit_code == 0
        assert warehouse.events() == contract.emitted()
    assert [row[:3] for row in warehouse.rows(COMPLETE)] == [
        *(("", "origin", 280), ("custom", "origin", 280)),
    ]


def test_a_channel_that_is_polled_by_itself_is_told_of_once(
    contract: Contract, warehouse: Warehouse
) -> None:
    """An event name that is not obeyed and an answer that holds all channels."""
    contract.shows_all.add("dc_a")
    contract.deaf_to_names.add("dc_a")
    contract.subscribe("dc_a", "custom")
    for n in range(2):
        for channel in ("", "custom"):
            contract.stream("dc_a", channel).emit_many(40, START + n * HOUR)
        report = warehouse.load(fail_on_loss=True)
        assert (report.exit_code, report.as_dict()["streams"]["polled"]) == (0, 2)
        assert warehouse.events() == contract.emitted()
    assert warehouse.rows(COMPLETE) == [("", "origin", 80, 2), ("custom", "origin", 80, 2)]


def test_a_failed_walk_keeps_the_rows_of_each_channel(
    contract: Contract, warehouse: Warehouse
) -> None:
    contract.shows_all.add("dc_a")
    for channel in ("", "custom"):
        contract.stream("dc_a", channel).emit_many(80, START)
    contract.stream("dc_a").answers = fails_on_its_second_page
    assert warehouse.load().exit_code in (1, 3)
    assert len(warehouse.events()) == 100
    contract.stream("dc_a").answers = None
    assert warehouse.load().exit_code == 0
    assert warehouse.events() == contract.emitted()
    assert warehouse.one("SELECT count(*) FROM event_gaps") == (0,)


def fails_on_its_second_page(query: dict[str, str]) -> Reply | None:
    return Reply(b"{}", 400) if "after" in query else None


def test_check_counts_each_channel_by_itself(contract: Contract, is_named: bool) -> None:
    contract.stream("dc_a").emit_many(50, START)
    contract.stream("dc_a", "custom").emit_many(9, START + HOUR)
    with PipedreamClient(KEY, base_url=contract.url) as client:
        found = survey(open_session(client), every_s=900)
    assert [(s.channel, s.window_size) for s in found.streams] == [("", 50), ("custom", 9)]


def test_a_workflow_shows_its_channels_in_one_answer_too(
    contract: Contract, warehouse: Warehouse
) -> None:
    contract.shows_all.add("p_a")
    contract.stream("p_a", "$errors")
    contract.stream("p_a").emit_many(50, START)
    contract.stream("p_a", "custom").emit(f"{START + 2 * MINUTE}-0")
    warehouse.load(workflow_ids=["p_a"])
    contract.stream("p_a").emit_many(150, START + 3 * MINUTE)
    assert warehouse.load(workflow_ids=["p_a"], fail_on_loss=True).exit_code == 4
    assert len(warehouse.events("workflow_emits")) == 151
    assert [row[0] for row in warehouse.gaps("p_a")] == ["overrun"]
