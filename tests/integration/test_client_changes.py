"""Every call that changes something, against the stand-in, and what the change does there."""

from __future__ import annotations

import pytest

from pipedream_source.api.client import PipedreamClient
from pipedream_source.core.text.redaction import MARK
from pipedream_source.exceptions import BadRequest, ConfigurationError, Unavailable
from pipedream_source.sandbox import Sandbox
from tests.integration import clients
from tests.integration.clients import CODE, RSS, MakeClient, sent

running = clients.running
sandbox = clients.sandbox
connect = clients.connect
client = clients.client


def ids_of(objects: object) -> set[str]:
    return {item["id"] for item in objects}  # type: ignore[attr-defined]


def test_a_source_lives(client: PipedreamClient, sandbox: Sandbox) -> None:
    """The documentation's example, then renamed, switched off and on, and deleted."""
    source = client.create_source(
        component_url=RSS,
        name="your-name-here",
        configured_props={"url": "https://rss.m.pipedream.net", "timer": {"intervalSeconds": 60}},
    )
    assert source["name"] == "your-name-here"
    assert source["active"] is True
    assert source["configured_props"]["timer"]["interval_seconds"] == 60
    assert source["id"] in ids_of(client.sources())
    changed = client.update_source(source["id"], name="Feed", active=False)
    assert (changed["name"], changed["active"]) == ("Feed", False)
    assert client.update_source(source["id"], active=True)["active"] is True
    (seen,) = (entry for entry in sent(sandbox, "POST") if entry["path"] == "/v1/sources")
    assert seen["status"] == 200
    client.delete_source(source["id"])
    assert source["id"] not in ids_of(client.sources())
    with pytest.raises(Unavailable, match="record not found"):
        client.delete_source(source["id"])


def test_a_source_is_made_in_a_workspace(client: PipedreamClient, sandbox: Sandbox) -> None:
    source = client.create_source(
        component_code=CODE, org_id=sandbox.org_id, include=["name", "component_id"]
    )
    assert set(source) == {"id", "name", "component_id"}
    assert source["id"] in ids_of(client.sources(sandbox.org_id))
    assert client.component(source["component_id"])["code"] == CODE


def test_a_sources_code_is_replaced(client: PipedreamClient) -> None:
    source = client.create_source(component_code=CODE, name="mine")
    component = client.create_component(component_code=CODE.replace("0.0.1", "0.0.2"))
    changed = client.update_source(source["id"], component_id=component["id"])
    assert changed["component_id"] == component["id"]
    assert changed["name"] == "mine"


def test_a_component_is_made_of_code_or_of_a_url(client: PipedreamClient) -> None:
    made = client.create_component(component_code=CODE)
    assert (made["name"], made["version"]) == ("My component", "0.0.1")
    assert [prop["name"] for prop in made["configurable_props"]] == ["url"]
    assert client.create_component(component_url=RSS, exclude=["code"])["id"].startswith("sc_")
    with pytest.raises(BadRequest, match="status 4"):
        client.create_component(component_url="https://example.com/nothing.js")


def test_events_are_deleted(client: PipedreamClient, sandbox: Sandbox) -> None:
    source = client.create_source(component_code=CODE)
    first, second, third, fourth = sandbox.emit(source["id"], count=4)
    for ends in ({"end_id": first}, {"start_id": fourth}, {"start_id": second, "end_id": second}):
        client.delete_events(source["id"], **ends)
        list(client.event_summaries(source["id"]))
    assert ids_of(client.event_summaries(source["id"])) == {third}
    sandbox.emit(source["id"], "other")
    client.delete_events(source["id"], event_name="")
    list(client.event_summaries(source["id"]))
    assert list(client.event_summaries(source["id"])) == []
    assert len(list(client.event_summaries(source["id"], event_name="other"))) == 1
    client.delete_events(source["id"])
    list(client.event_summaries(source["id"], event_name="other"))
    assert list(client.event_summaries(source["id"], event_name="other")) == []


@pytest.mark.parametrize("event_name", ["", "$errors"])
def test_a_subscription_lives(client: PipedreamClient, event_name: str) -> None:
    source = client.create_source(component_code=CODE)
    listener = client.create_source(component_code=CODE)
    (made,) = client.create_subscription(source["id"], listener["id"], event_name=event_name)
    assert (made["emitter_id"], made["listener_id"]) == (source["id"], listener["id"])
    assert made["event_name"] == event_name
    assert made["id"] in ids_of(client.subscriptions())
    (gone,) = client.delete_subscription(source["id"], listener["id"], event_name=event_name)
    assert gone["id"] == made["id"]
    assert made["id"] not in ids_of(client.subscriptions())


def test_a_listener_hears_all_of_a_kind(client: PipedreamClient, sandbox: Sandbox) -> None:
    listener = client.create_source(component_code=CODE)
    (made,) = client.create_subscription(
        "p_*", listener["id"], event_name="$errors", org_id=sandbox.org_id, include=["emitter_id"]
    )
    assert made == {"id": made["id"], "emitter_id": "p_*"}
    assert made["id"] in ids_of(client.subscriptions(sandbox.org_id))


def test_a_listener_hears_what_is_made_later(client: PipedreamClient) -> None:
    listener = client.create_source(component_code=CODE)
    made = client.auto_subscribe(listener["id"], "$errors")
    assert all(item["listener_id"] == listener["id"] for item in made)


def test_a_webhook_lives(client: PipedreamClient) -> None:
    webhook = client.create_webhook(
        "https://endpoint.m.pipedream.net", name="name", description="description"
    )
    assert (webhook["url"], webhook["name"]) == ("https://endpoint.m.pipedream.net", "name")
    assert webhook["id"] in ids_of(client.webhooks())
    client.delete_webhook(webhook["id"])
    assert webhook["id"] not in ids_of(client.webhooks())
    bare = client.create_webhook("http://example.com", exclude=["user_id"])
    assert (bare["name"], "user_id" in bare) == (None, False)


@pytest.mark.parametrize("status", ["200", "201"])
def test_what_is_made_may_be_told_by_either_status(
    client: PipedreamClient, sandbox: Sandbox, status: str
) -> None:
    sandbox.switch(created_status=status)
    assert client.create_webhook("https://example.com")["id"].startswith("wh_")
    assert client.create_component(component_code=CODE)["id"].startswith("sc_")


def test_what_was_shown_redacted_is_not_sent_back(
    client: PipedreamClient, connect: MakeClient
) -> None:
    """Read, changed and written, a mark would overwrite the credential that it stands for."""
    (source,) = (s for s in client.sources() if "httpRequest" in s["configured_props"])
    props = source["configured_props"]
    before = client.transport.requests
    with pytest.raises(ConfigurationError, match=r"httpRequest\.auth\.token"):
        client.update_source(source["id"], configured_props=props)
    assert client.transport.requests == before
    open_client = connect(show_secrets=True)
    whole = open_client.source(source["id"])["configured_props"]
    changed = open_client.update_source(source["id"], configured_props=whole)
    assert changed["configured_props"]["httpRequest"] == whole["httpRequest"]
    redacted = client.update_source(source["id"], configured_props=whole)
    assert redacted["configured_props"]["httpRequest"]["auth"]["token"] == MARK


def test_any_other_change(client: PipedreamClient) -> None:
    answer = client.request("POST", "/webhooks", body={"url": "https://example.com", "name": "n"})
    assert b'"wh_' in answer.body
    assert client.request("post", "/webhooks?url=https://example.com").status == 200


WRONG = [
    ("create_source", (), {}),
    ("update_source", ("dc_1",), {}),
    ("delete_source", ("..",), {}),
    ("delete_events", ("dc_1",), {"start_id": "yesterday"}),
    ("create_component", (), {}),
    ("create_subscription", ("dc_1", "*"), {}),
    ("delete_subscription", ("", "p_1"), {}),
    ("auto_subscribe", ("p_1", ""), {}),
    ("create_webhook", ("mysql://user:pass@host:port",), {}),
    ("delete_webhook", ("dc_1",), {}),
    ("request", ("POST", "/a/../b"), {}),
]


@pytest.mark.parametrize(("name", "args", "named"), WRONG, ids=[name for name, _, _ in WRONG])
def test_nothing_is_sent_for_a_wrong_argument(
    client: PipedreamClient, name: str, args: tuple[str, ...], named: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError):
        getattr(client, name)(*args, **named)
    assert client.transport.requests == 0
