"""The objects' life through the API itself: made, changed, deleted, and loaded in between."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipedream_source import PipedreamClient
from pipedream_source.resources.session.arguments import open_session
from pipedream_source.running.load.load_run import run_load
from pipedream_source.running.report import LoadReport
from pipedream_source.sandbox import Sandbox
from tests.integration.contract import Warehouse

RSS = (
    "https://github.com/PipedreamHQ/pipedream/blob/master/components/rss/sources/"
    "new-item-in-feed/new-item-in-feed.js"
)
SECRET = "canary-7f3e1d"


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


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[PipedreamClient]:
    with PipedreamClient(sandbox.api_key, base_url=sandbox.url) as made:
        yield made


def oauth(sandbox: Sandbox, org_id: str | None) -> PipedreamClient:
    return PipedreamClient(
        client_id=sandbox.client_id,
        client_secret=sandbox.client_secret,
        base_url=sandbox.url,
        org_id=org_id,
    )


def load(here: Warehouse, client: PipedreamClient) -> LoadReport:
    report = run_load(here.target, open_session(client))
    assert report.exit_code == 0, report.as_dict()
    return report


def component_calls(sandbox: Sandbox) -> int:
    return sum("/components/" in entry["path"] for entry in sandbox.journal())


def test_a_sources_life(sandbox: Sandbox, here: Warehouse, client: PipedreamClient) -> None:
    def props(token: str) -> dict[str, object]:
        return {"url": f"https://x.example.com/feed?access_token={token}"}

    made = client.create_source(component_url=RSS, name="life", configured_props=props(SECRET))
    load(here, client)
    client.update_source(made["id"], active=True, configured_props=props(SECRET + "-new"))
    load(here, client)
    client.update_source(made["id"], active=False)
    load(here, client)
    load(here, client)
    client.delete_source(made["id"])
    load(here, client)
    versions = here.rows(
        "SELECT configured_props ->> '$.url', active, component_id, created_at IS NOT NULL, "
        "_dlt_valid_to IS NULL FROM sources WHERE id = ? ORDER BY _dlt_valid_from",
        made["id"],
    )
    assert [row[1:] for row in versions] == [
        (active, made["component_id"], True, False) for active in (True, True, False)
    ]
    first, second, third = [row[0] for row in versions]
    assert first != second == third
    assert all(SECRET not in url and "[redacted]-" in url for url in (first, second))


def test_every_component_of_the_workspace_is_read_once(
    sandbox: Sandbox, here: Warehouse, client: PipedreamClient
) -> None:
    client.create_source(component_url=RSS, name="feed")
    load(here, client)
    asked = component_calls(sandbox)
    distinct = "SELECT count(DISTINCT component_id) FROM sources"
    assert here.one(distinct) == (asked,)
    joined = here.rows(
        "SELECT s.name, c.name, c.version, length(k.code) > 0 FROM sources s "
        "JOIN components c ON c.id = s.component_id JOIN component_code k USING (code_hash) "
        "WHERE s.name = 'feed'"
    )
    assert joined == [("feed", "rss", "0.0.1", True)]
    hashes = "SELECT count(*), count(DISTINCT code_hash) FROM component_code"
    assert len(set(here.one(hashes))) == 1
    sandbox.emit(client.create_source(component_url=RSS, name="another")["id"])
    load(here, client)
    assert component_calls(sandbox) - asked <= 1


def test_a_webhooks_life(sandbox: Sandbox, here: Warehouse, client: PipedreamClient) -> None:
    load(here, client)
    seeded = here.one("SELECT count(*) FROM webhooks")[0]
    url = f"https://me:{SECRET}@hooks.example.com/a"
    made = client.create_webhook(url, name="mine", description="d")
    emitter = next(e["id"] for e in sandbox.state()["emitters"] if e["type"] == "source")
    client.create_subscription(emitter, made["id"])
    sandbox.emit(emitter)
    load(here, client)
    stored = "SELECT name, description, active, url FROM webhooks WHERE id = ?"
    name, description, active, shown = here.one(stored, made["id"])
    assert (name, description, active) == ("mine", "d", True)
    assert SECRET not in shown
    assert shown.endswith("@hooks.example.com/a")
    ends = "SELECT emitter_kind, listener_kind, event_name FROM subscriptions WHERE listener_id = ?"
    assert here.one(ends, made["id"]) == ("source", "webhook", "")
    client.delete_webhook(made["id"])
    sandbox.emit(emitter)
    load(here, client)
    current = "SELECT count(*) FROM webhooks WHERE _dlt_valid_to IS NULL"
    assert here.one(current) == (seeded,)
    assert here.one("SELECT count(*) FROM webhooks") == (seeded + 1,)


@pytest.mark.parametrize("oauth_user", ["workspace_only", "refused"])
def test_an_oauth_client_loads_its_workspace(
    sandbox: Sandbox, here: Warehouse, oauth_user: str
) -> None:
    sandbox.switch(oauth_user=oauth_user)
    with oauth(sandbox, sandbox.org_id) as client:
        report = load(here, client)
        again = load(here, client)
    assert len(report.tally.warnings) == 2
    assert again.tally.warnings == []
    paths = {entry["path"].split("?")[0] for entry in sandbox.journal()}
    assert not [path for path in paths if "/users/me" in path or "/components" in path]
    lists = here.rows("SELECT DISTINCT listed_in::VARCHAR FROM sources")
    assert [json.loads(listed) for (listed,) in lists] == [[sandbox.org_id]]
    assert here.rows("SELECT DISTINCT id FROM workspaces") == [(sandbox.org_id,)]
    for table in ("users", "webhooks", "components", "component_code"):
        assert here.rows(f"SELECT * FROM {table}") == [], table
    assert here.one("SELECT count(*) > 0 FROM source_event_summaries") == (True,)


def test_an_oauth_client_has_to_name_its_workspace(sandbox: Sandbox, here: Warehouse) -> None:
    with oauth(sandbox, None) as client:
        report = run_load(here.target, open_session(client))
    assert report.exit_code == 2
    assert "org_id" in str(report.error)
    assert not here.database.exists()
