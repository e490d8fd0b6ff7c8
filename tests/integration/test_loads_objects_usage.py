"""One snapshot of the user and of each workspace a load, so that usage can be plotted."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipedream_source import PipedreamClient, pipedream_source
from pipedream_source.resources.schema.tables import USERS, WORKSPACES
from pipedream_source.resources.session.arguments import open_session
from pipedream_source.running.context import LoadOptions
from pipedream_source.running.load.load_run import run_load
from pipedream_source.running.report import LoadReport
from pipedream_source.sandbox import Sandbox
from pipedream_source.source import ENTITY_RESOURCES
from tests.integration.contract import KEY, Contract, Reply, Warehouse

CREDITS = "daily_credits_quota, daily_credits_used"


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox(seed=7) as running:
        yield running


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    shared.reset()
    return shared


@pytest.fixture
def here(sandbox: Sandbox, tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path, sandbox.url)


def source_of(sandbox: Sandbox) -> str:
    return str(next(e["id"] for e in sandbox.state()["emitters"] if e["type"] == "source"))


def load(sandbox: Sandbox, here: Warehouse, org_id: str | None = None, **arguments) -> LoadReport:
    """Load, with an event so that there is something to do."""
    sandbox.emit(source_of(sandbox))
    options = LoadOptions(only=arguments.pop("only", "all"))
    with PipedreamClient(sandbox.api_key, base_url=sandbox.url, org_id=org_id) as client:
        report = run_load(here.target, open_session(client, **arguments), options)
    assert report.exit_code == 0, report.as_dict()
    return report


def asked(sandbox: Sandbox, since: int) -> list[str]:
    """Return the calls about the user and workspaces themselves."""
    paths = [entry["path"].split("?")[0] for entry in sandbox.journal()[since:]]
    return sorted(p for p in paths if p == "/v1/users/me" or p.rpartition("/")[2].startswith("o_"))


def test_each_load_adds_one_snapshot(sandbox: Sandbox, here: Warehouse) -> None:
    started = datetime.now(UTC)
    for _ in range(3):
        load(sandbox, here)
    org_ids = sandbox.state()["org_ids"]
    users = here.rows("SELECT snapshot_at, id, email, org_ids::VARCHAR FROM users ORDER BY 1")
    assert len(users) == 3
    assert all(a[0] < b[0] for a, b in pairwise(users))
    assert users[0][0] > started
    assert {row[1:] for row in users} == {
        (sandbox.state()["user_id"], users[0][2], json.dumps(org_ids, separators=(",", ":")))
    }
    counts = "SELECT id, count(*), count(DISTINCT snapshot_at), count(DISTINCT _dlt_id)"
    found = {row[0]: row[1:] for row in here.rows(f"{counts} FROM workspaces GROUP BY id")}
    assert found == dict.fromkeys(org_ids, (3, 3, 3))


def test_a_snapshot_costs_a_request_for_each_workspace(sandbox: Sandbox, here: Warehouse) -> None:
    load(sandbox, here)
    since = len(sandbox.journal())
    load(sandbox, here)
    org_ids = sandbox.state()["org_ids"]
    assert asked(sandbox, since) == [
        "/v1/users/me",
        *sorted(f"/v1/workspaces/{o}" for o in org_ids),
    ]


def test_the_numbers_are_the_apis(sandbox: Sandbox, here: Warehouse) -> None:
    load(sandbox, here)
    with PipedreamClient(sandbox.api_key, base_url=sandbox.url) as client:
        me: dict[str, Any] = {**client.me()}
        org: dict[str, Any] = {**client.workspace(sandbox.org_id)}
    names = [name for name in USERS.columns if name.startswith("daily_")]
    stored = here.one(f"SELECT {', '.join(names)} FROM users")
    assert dict(zip(names, stored, strict=True)) == {name: me.get(name) for name in names}
    kept = here.one(
        f"SELECT name, orgname, email, {CREDITS} FROM workspaces WHERE id = ?", org["id"]
    )
    assert kept[:3] == (org["name"], org["orgname"], org["email"])
    assert kept[3] == org["daily_credits_quota"]
    assert isinstance(kept[4], int)


def test_a_paid_users_seconds_are_times(sandbox: Sandbox, here: Warehouse) -> None:
    sandbox.switch(user_plan="paid", user_api_key="present")
    load(sandbox, here)
    with PipedreamClient(sandbox.api_key, base_url=sandbox.url) as client:
        me: dict[str, Any] = {**client.me()}
    start, end, used, extra = here.one(
        "SELECT billing_period_start_ts, billing_period_end_ts, billing_period_credits, "
        "extra::VARCHAR FROM users"
    )
    assert start == datetime.fromtimestamp(me["billing_period_start_ts"], UTC)
    assert end == datetime.fromtimestamp(me["billing_period_end_ts"], UTC)
    assert used == me["billing_period_credits"]
    # The key that some answers hold is redacted; any other unknown field stays.
    assert json.loads(extra)["api_key"].startswith("[redacted]")
    assert sandbox.api_key not in extra


def test_one_workspace_alone(sandbox: Sandbox, here: Warehouse) -> None:
    second = sandbox.state()["org_ids"][1]
    load(sandbox, here, org_id=second)
    assert here.rows("SELECT id FROM workspaces") == [(second,)]


def test_a_workspace_that_cannot_be_asked_is_told_of_by_the_user(
    sandbox: Sandbox, here: Warehouse
) -> None:
    sandbox.fault(path=f"/v1/workspaces/{sandbox.org_id}", status=404)
    load(sandbox, here)
    quota, used = here.one(f"SELECT {CREDITS} FROM workspaces WHERE id = ?", sandbox.org_id)
    assert quota > 0
    assert used >= 0


def test_without_discovery_no_workspace_is_asked(sandbox: Sandbox, here: Warehouse) -> None:
    since = len(sandbox.journal())
    load(sandbox, here, source_ids=[source_of(sandbox)], discover=False)
    assert asked(sandbox, since) == ["/v1/users/me"]
    assert here.one("SELECT count(*) FROM users") == (1,)
    assert here.one("SELECT count(daily_credits_quota) FROM workspaces") == (2,)


def test_events_alone_ask_for_none(sandbox: Sandbox, here: Warehouse) -> None:
    since = len(sandbox.journal())
    load(sandbox, here, only="events")
    assert asked(sandbox, since) == ["/v1/users/me"]
    load(sandbox, here, only="entities")
    assert here.one("SELECT count(*) FROM users") == (1,)


def test_an_extract_after_another_asks_anew(sandbox: Sandbox, here: Warehouse) -> None:
    source = pipedream_source(sandbox.api_key, base_url=sandbox.url)
    pipeline = here.pipeline()
    pipeline.run(source)
    since = len(sandbox.journal())
    sandbox.emit(source_of(sandbox))
    pipeline.run(source)
    assert asked(sandbox, since)[0] == "/v1/users/me"
    assert here.one("SELECT count(*) FROM users") == (2,)


def test_all_tables_exist_after_the_first_load(contract: Contract, warehouse: Warehouse) -> None:
    contract.lists["/users/me/webhooks"] = []
    assert warehouse.load().exit_code == 0
    for table in (*ENTITY_RESOURCES, "component_code"):
        count = 1 if table == USERS.name else 0
        assert warehouse.one(f"SELECT count(*) FROM {table}") == (count,), table
    columns = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = ?"
    kinds = dict(warehouse.rows(columns, WORKSPACES.name))
    assert kinds["billing_period_start_ts"] == kinds["snapshot_at"] == "TIMESTAMP WITH TIME ZONE"
    assert kinds["daily_credits_used"] == "BIGINT"
    assert kinds["extra"] == "JSON"


def test_workspaces_of_any_shape(contract: Contract, warehouse: Warehouse) -> None:
    contract.orgs = ["o_1", 5, None, "not an id", "o_2"]  # type: ignore[list-item]
    for org_id in ("o_1", "o_2"):
        contract.lists[f"/orgs/{org_id}/sources"] = []
        contract.lists[f"/workspaces/{org_id}/subscriptions"] = []
    contract.lists["/users/me/webhooks"] = []
    own = {"id": "o_1", "daily_credits_used": 7, "daily_credits_quota": "many", "plan": {"a": 1}}
    contract.broken["/workspaces/o_1", 0] = Reply(json.dumps({"data": own}).encode())
    assert warehouse.load(key=KEY).exit_code == 0
    found = warehouse.rows("SELECT id, daily_credits_used, extra FROM workspaces ORDER BY id")
    assert [row[:2] for row in found] == [("not an id", None), ("o_1", 7), ("o_2", None)]
    assert json.loads(found[1][2]) == {"daily_credits_quota": "many", "plan": {"a": 1}}
