"""Workflows that only an error names are polled by the load that reads the error."""

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from pipedream_source import PipedreamClient, pipedream_source
from pipedream_source.resources.session.arguments import open_session
from pipedream_source.running.context import LoadOptions
from pipedream_source.running.load.load_run import run_load
from pipedream_source.running.report import LoadReport
from pipedream_source.sandbox import Sandbox
from pipedream_source.source import EVENT_RESOURCES
from tests.integration.contract import HOUR, KEY, Contract, Warehouse

# The sandbox's workflow that nothing but another one's errors names.
HIDDEN, NAME = "p_IFy5CF", "Invoice renderer"
START = int(time.time() * 1000) - HOUR


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=7) as running:
        yield running


@pytest.fixture
def here(sandbox: Sandbox, tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path, sandbox.url)


def load(here: Warehouse, key: str, only: str = "all", **arguments) -> LoadReport:
    with PipedreamClient(key, base_url=here.url) as client:
        return run_load(here.target, open_session(client, **arguments), LoadOptions(only=only))


def streams(here: Warehouse, emitter: str) -> set[str]:
    found = here.rows("SELECT channel FROM stream_status WHERE emitter_id = ?", emitter)
    return {channel for (channel,) in found}


def of(here: Warehouse, table: str, emitter: str) -> int:
    return sum(key[0] == emitter for key in here.events(table))


def test_one_load_polls_what_its_errors_name(sandbox: Sandbox, here: Warehouse) -> None:
    report = load(here, sandbox.api_key)
    assert report.exit_code == 0, report.as_dict()
    assert streams(here, HIDDEN) == {"", "$errors"}
    assert of(here, "workflow_emits", HIDDEN)
    assert of(here, "workflow_errors", HIDDEN)
    told = "SELECT name, discovered_by, reachable FROM workflows WHERE id = ?"
    name, how, reachable = here.one(told, HIDDEN)
    assert (name, json.loads(how), reachable) == (NAME, ["errors"], True)
    again = load(here, sandbox.api_key)
    assert again.tally.polled == report.tally.polled
    assert sum(again.tally.rows.get(table, 0) for table in EVENT_RESOURCES) == 0


def test_dlt_alone_does_the_same(sandbox: Sandbox, here: Warehouse) -> None:
    here.pipeline().run(pipedream_source(sandbox.api_key, base_url=sandbox.url))
    assert streams(here, HIDDEN) == {"", "$errors"}
    assert here.one("SELECT name FROM workflows WHERE id = ?", HIDDEN) == (NAME,)


@pytest.mark.parametrize("mode", ["fifo", "round_robin"])
def test_any_order_of_resources_finds_them(
    sandbox: Sandbox, here: Warehouse, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTRACT__NEXT_ITEM_MODE", mode)
    assert load(here, sandbox.api_key).exit_code == 0
    assert streams(here, HIDDEN) == {"", "$errors"}
    assert here.one("SELECT name FROM workflows WHERE id = ?", HIDDEN) == (NAME,)


def test_a_table_that_was_not_selected_is_not_written(sandbox: Sandbox, here: Warehouse) -> None:
    source = pipedream_source(sandbox.api_key, base_url=sandbox.url)
    here.pipeline().run(source.with_resources("workflow_errors"))
    assert streams(here, HIDDEN) == {"$errors"}
    tables = {name for (name,) in here.rows("SELECT table_name FROM information_schema.tables")}
    assert "workflow_errors" in tables
    assert not tables & {"workflow_emits", "workflows"}
    here.pipeline().run(pipedream_source(sandbox.api_key, base_url=sandbox.url))
    assert of(here, "workflow_emits", HIDDEN)


def test_without_discovery_only_the_named_are_polled(sandbox: Sandbox, here: Warehouse) -> None:
    load(here, sandbox.api_key, workflow_ids=["p_yIa0Gw"], discover=False)
    assert here.rows("SELECT DISTINCT emitter_id FROM stream_status") == [("p_yIa0Gw",)]


def test_one_error_leads_to_the_next(contract: Contract, warehouse: Warehouse) -> None:
    chain = [f"p_link{number}" for number in range(6)]
    contract.subscribe(chain[0])
    for this, following in pairwise(chain):
        contract.stream(this).emit(f"{START}-0", b'"emitted"')
        context = {"workflow_id": following, "workflow_name": f"after {this}"}
        error = {"original_context": context}
        contract.stream(this, "$errors").emit(f"{START}-0", json.dumps(error).encode())
    contract.stream(chain[-1]).emit(f"{START}-0", b'"emitted"')
    report = load(warehouse, KEY)
    assert {key[0] for key in warehouse.events("workflow_emits")} == set(chain)
    assert report.tally.polled + report.tally.failed == 2 * len(chain)
    names = dict(warehouse.rows("SELECT id, name FROM workflows"))
    assert names == {
        chain[0]: None,
        **{w: f"after {v}" for v, w in pairwise(chain)},
    }


@pytest.mark.parametrize("limit", [1, *(pytest.param(n, marks=pytest.mark.chaos) for n in (2, 3))])
def test_add_limit_brings_rows_of_a_first_load(
    sandbox: Sandbox, here: Warehouse, limit: int
) -> None:
    source = pipedream_source(sandbox.api_key, base_url=sandbox.url)
    here.pipeline().run(source.add_limit(limit))
    for table in EVENT_RESOURCES:
        assert here.events(table), table
    here.pipeline().run(pipedream_source(sandbox.api_key, base_url=sandbox.url))
    assert here.rows("SELECT * FROM event_gaps WHERE verdict = 'overrun'") == []


def test_an_empty_workspace_has_all_its_tables(contract: Contract, warehouse: Warehouse) -> None:
    assert load(warehouse, KEY).exit_code == 0
    assert contract.streams == {}
    for table in (*EVENT_RESOURCES, "event_gaps", "stream_status", "quarantine", "workflows"):
        assert warehouse.rows(f"SELECT * FROM {table}") == [], table


def test_address_and_workspace_come_from_the_environment(
    sandbox: Sandbox, here: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPEDREAM_API_KEY", sandbox.api_key)
    monkeypatch.setenv("PIPEDREAM_BASE_URL", sandbox.url)
    monkeypatch.setenv("PIPEDREAM_ORG_ID", sandbox.org_id)
    asked = len(sandbox.journal())
    here.pipeline().run(pipedream_source().with_resources("subscriptions"))
    paths = [entry["path"] for entry in sandbox.journal()[asked:]]
    assert {path.split("/")[-2] for path in paths if path.endswith("/sources")} == {
        "me",
        sandbox.org_id,
    }


def test_an_argument_and_dlts_configuration_go_before_the_environment(
    sandbox: Sandbox, here: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPEDREAM_BASE_URL", "http://localhost:9/v1")
    by_argument = pipedream_source(sandbox.api_key, base_url=sandbox.url)
    here.pipeline().run(by_argument.with_resources("subscriptions"))
    monkeypatch.setenv("SOURCES__PIPEDREAM__BASE_URL", sandbox.url)
    here.pipeline().run(pipedream_source(sandbox.api_key).with_resources("subscriptions"))


def test_a_stop_amid_a_walk_is_no_failure_of_the_stream(
    contract: Contract, warehouse: Warehouse
) -> None:
    stream = contract.stream("dc_cut", most=20)
    stream.emit_many(60, START)
    with PipedreamClient(KEY, base_url=contract.url) as client:
        session = open_session(client)
        stream.on_page = client.limiter.stop
        run_load(warehouse.target, session)
    assert (session.tally.skipped, session.tally.failed) == (1, 0)
    assert session.tally.errors == {}
    failures, why = warehouse.status("dc_cut", "failures, last_error")
    assert (failures, why) == (0, "cut short: the run was told to stop")
    assert len(warehouse.events()) == 20
    stream.on_page = None
    assert load(warehouse, KEY).exit_code == 0
    assert warehouse.events() == contract.emitted()
    assert warehouse.gaps("dc_cut") == []
