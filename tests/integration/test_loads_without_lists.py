"""Known streams are polled whatever list or single object fails; a refused key stops a run."""

import json
import shutil
import time
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from pipedream_source.cli.app import app
from tests.integration.contract import KEY, Contract, Reply, Warehouse

START = int(time.time() * 1000) - 3_600_000
FAILS = Reply(b'{"error":"oops"}', 503)
Fails = Callable[[str], bool]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipedream_source.api.http.limiter.BACKOFF_CAP_S", 0.02)


def populate(contract: Contract) -> None:
    """Fill an account: a source of each list, a subscription's channel and workflow, an error's."""
    contract.stream("dc_mine").emit(f"{START}-0")
    contract.stream("dc_mine", "orders").emit(f"{START}-0")
    contract.subscribe("dc_mine", "orders", listener="p_listens")
    contract.stream("p_listens").emit(f"{START}-0")
    context = b'{"original_context":{"workflow_id":"p_failed"}}'
    contract.stream("p_listens", "$errors").emit(f"{START}-0", context)
    contract.stream("p_failed").emit(f"{START}-0")
    contract.stream("p_failed", "$errors").emit(f"{START}-0")
    contract.orgs.append("o_1")
    contract.lists["/orgs/o_1/sources"] = []
    contract.lists["/workspaces/o_1/subscriptions"] = []
    contract.stream("dc_ours").emit(f"{START}-0")
    contract.lists["/orgs/o_1/sources"].append(contract.lists["/users/me/sources"].pop())


def emit(contract: Contract, number: int) -> None:
    for stream in contract.streams.values():
        stream.emit(f"{START + number * 60_000}-0")


def everything(contract: Contract) -> dict[tuple[str, str, str], bytes | None]:
    return contract.emitted() | contract.emitted(workflows=True)


def loaded(warehouse: Warehouse) -> dict[tuple, bytes | None]:
    tables = ("source_event_summaries", "workflow_emits", "workflow_errors")
    return {key: row for table in tables for key, row in warehouse.events(table).items()}


def fail(contract: Contract, fails: Fails) -> None:
    route = type(contract)._route
    contract._route = lambda path, query: (  # type: ignore[method-assign]
        FAILS if fails(path) else route(contract, path, query)
    )


OUTAGES: dict[str, Fails] = {
    "owner": lambda path: path == "/users/me",
    "sources": lambda path: path == "/users/me/sources",
    "workspaces_sources": lambda path: path == "/orgs/o_1/sources",
    "subscriptions": lambda path: path.endswith("/subscriptions"),
    "all": lambda path: not path.endswith("/event_summaries"),
}


@pytest.mark.parametrize(
    ("outage", "only"),
    [*((outage, "all") for outage in OUTAGES), ("subscriptions", "events"), ("all", "events")],
)
def test_known_streams_are_polled_without_lists(
    contract: Contract, warehouse: Warehouse, outage: str, only: str
) -> None:
    populate(contract)
    assert warehouse.load(only=only).exit_code == 0
    fail(contract, OUTAGES[outage])
    for number in (1, 2):
        emit(contract, number)
        report = warehouse.load(only=only)
        assert report.exit_code == 3, report.as_dict()
        assert report.tally.failed == 0
        assert loaded(warehouse) == everything(contract)
    (told,) = [text for text in report.tally.warnings if "may be missing" in text]
    named = {"owner": "users/me", "workspaces_sources": "o_1/sources", "all": "users/me"}
    assert f"Not read whole: {named.get(outage, f'users/me/{outage}')}" in told
    fail(contract, lambda _: False)
    emit(contract, 3)
    assert warehouse.load(only=only).exit_code == 0
    assert loaded(warehouse) == everything(contract)
    assert warehouse.rows("SELECT * FROM event_gaps") == []


def test_a_new_folder_takes_the_streams_from_the_dataset(
    contract: Contract, warehouse: Warehouse
) -> None:
    populate(contract)
    assert warehouse.load().exit_code == 0
    shutil.rmtree(warehouse.target.folder)
    emit(contract, 1)
    fail(contract, OUTAGES["all"])
    assert warehouse.load().exit_code == 3
    assert loaded(warehouse) == everything(contract)


def test_what_is_named_is_polled_in_a_first_load_too(
    contract: Contract, warehouse: Warehouse
) -> None:
    populate(contract)
    fail(contract, OUTAGES["all"])
    report = warehouse.load(source_ids=["dc_mine"], workflow_ids=["p_failed"])
    assert report.exit_code == 3
    assert {key[0] for key in loaded(warehouse)} == {"dc_mine", "p_failed"}


def test_a_pipeline_without_the_command_polls_them_too(
    contract: Contract, warehouse: Warehouse
) -> None:
    populate(contract)
    warehouse.pipeline().run(warehouse.source())
    emit(contract, 1)
    fail(contract, OUTAGES["all"])
    warehouse.pipeline().run(warehouse.source())
    assert loaded(warehouse) == everything(contract)


def test_a_pipeline_that_knows_nothing_fails_loudly(
    contract: Contract, warehouse: Warehouse
) -> None:
    populate(contract)
    fail(contract, OUTAGES["all"])
    with pytest.raises(Exception, match="/users/me: status 503"):
        warehouse.pipeline().run(warehouse.source())


def test_a_single_object_stops_nothing(contract: Contract, warehouse: Warehouse) -> None:
    populate(contract)
    fail(contract, lambda path: path in ("/workspaces/o_1", "/components/sc_1"))
    report = warehouse.load()
    assert report.exit_code == 3
    assert set(report.tally.errors) == {"components/sc_1"} | (
        set(report.tally.errors) & {"workspaces/o_1"}
    )
    assert loaded(warehouse) == everything(contract)


def test_a_key_that_is_refused_stops_a_run(contract: Contract, warehouse: Warehouse) -> None:
    populate(contract)
    assert warehouse.load().exit_code == 0
    emit(contract, 1)
    before = loaded(warehouse)
    fail(contract, OUTAGES["owner"])
    contract.key_works = lambda asked: False
    assert warehouse.load().exit_code == 2
    assert loaded(warehouse) == before


def test_check_reads_what_it_can(contract: Contract) -> None:
    populate(contract)
    environment = {"PIPEDREAM_API_KEY": KEY, "PIPEDREAM_BASE_URL": contract.url}
    fail(contract, OUTAGES["owner"])
    done = CliRunner(env=environment).invoke(app, ["check", "--json"])
    assert done.exit_code == 3, done.output
    found = json.loads(done.stdout)
    assert found["failed_lists"].keys() == {"users/me"}
    assert [s["emitter_id"] for s in found["streams"]].count("dc_mine") == 2
    told = CliRunner(env=environment).invoke(app, ["check"])
    assert "not verified" in told.stdout
    fail(contract, OUTAGES["all"])
    assert CliRunner(env=environment).invoke(app, ["check"]).exit_code == 1
