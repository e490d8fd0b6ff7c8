"""A POST whose answer was lost: it is done once at most, and the error says what there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipedream_source.api import calls
from pipedream_source.api.client import PipedreamClient
from pipedream_source.exceptions import ChangeUncertain, RedirectRefused
from pipedream_source.sandbox import Sandbox
from tests.integration import clients
from tests.integration.clients import CODE, MakeClient, sent

running = clients.running
sandbox = clients.sandbox
connect = clients.connect
client = clients.client

URL = "https://hooks.example.com/new"


def make_source(client: PipedreamClient) -> Any:
    return client.create_source(component_code=CODE, name="feed")


def make_webhook(client: PipedreamClient) -> Any:
    return client.create_webhook(URL, name="new")


def make_subscription(client: PipedreamClient) -> Any:
    source = next(client.sources())
    return client.create_subscription(source["id"], source["id"], event_name="again")


MAKERS: dict[str, Callable[[PipedreamClient], Any]] = {
    "sources": make_source,
    "webhooks": make_webhook,
    "subscriptions": make_subscription,
}


def listed(client: PipedreamClient, kind: str) -> set[str]:
    return {item["id"] for item in getattr(client, kind)()}


@pytest.mark.parametrize("kind", MAKERS)
def test_what_landed_is_found(client: PipedreamClient, sandbox: Sandbox, kind: str) -> None:
    before = listed(client, kind)
    sandbox.fault(method="POST", reset="after", count=1)
    with pytest.raises(ChangeUncertain) as caught:
        MAKERS[kind](client)
    (made,) = listed(client, kind) - before
    assert [item["id"] for item in caught.value.found or []] == [made]
    assert made in str(caught.value)
    assert len(sent(sandbox, "POST")) == 1


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("fault", [{"reset": "before"}, {"status": 502}], ids=["reset", "502"])
def test_what_did_not_land_is_not_found(
    client: PipedreamClient, sandbox: Sandbox, kind: str, fault: dict[str, Any]
) -> None:
    before = listed(client, kind)
    sandbox.fault(method="POST", count=1, **fault)
    with pytest.raises(ChangeUncertain, match="found nothing that fits") as caught:
        MAKERS[kind](client)
    assert caught.value.found == []
    assert listed(client, kind) == before
    assert len(sent(sandbox, "POST")) == 1


@pytest.mark.parametrize("kind", ["sources", "webhooks"])
def test_an_older_namesake_is_not_taken_for_it(
    client: PipedreamClient, sandbox: Sandbox, kind: str
) -> None:
    MAKERS[kind](client)
    sandbox.advance(600)
    sandbox.fault(method="POST", reset="before", count=1)
    with pytest.raises(ChangeUncertain, match="found nothing that fits"):
        MAKERS[kind](client)


def test_a_workspaces_list_is_looked_into(client: PipedreamClient, sandbox: Sandbox) -> None:
    sandbox.fault(method="POST", reset="after", count=1)
    with pytest.raises(ChangeUncertain) as caught:
        client.create_source(component_code=CODE, name="ours", org_id=sandbox.org_id)
    (found,) = caught.value.found or []
    assert found["id"] in {source["id"] for source in client.sources(sandbox.org_id)}


def test_the_clients_workspace_is_looked_into(connect: MakeClient, sandbox: Sandbox) -> None:
    client = connect(org_id=sandbox.org_id)
    source = next(client.sources(sandbox.org_id))
    sandbox.fault(method="POST", reset="after", count=1)
    with pytest.raises(ChangeUncertain) as caught:
        client.create_subscription(source["id"], source["id"], org_id=sandbox.org_id)
    assert len(caught.value.found or []) == 1


def test_a_look_that_fails_says_so(client: PipedreamClient, sandbox: Sandbox) -> None:
    sandbox.fault(method="POST", reset="after", count=1)
    sandbox.fault(path="/v1/users/me/webhooks", status=503)
    with pytest.raises(ChangeUncertain, match=r"failed too .*status 503") as caught:
        make_webhook(client)
    assert caught.value.found is None
    assert len(sent(sandbox, "POST")) == 1


@pytest.mark.parametrize("fault", [{"truncate": 5}, {"reset": "body"}], ids=["cut", "reset"])
def test_half_an_answer_is_none(
    client: PipedreamClient, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    sandbox.fault(method="POST", count=1, **fault)
    with pytest.raises(ChangeUncertain) as caught:
        make_source(client)
    assert len(caught.value.found or []) == 1


def test_a_slow_answer_is_looked_after(connect: MakeClient, sandbox: Sandbox) -> None:
    client = connect(request_timeout_s=0.3)
    sandbox.fault(method="POST", delay_s=1.0, count=1)
    with pytest.raises(ChangeUncertain, match=r"within 0\.3 s") as caught:
        make_webhook(client)
    assert len(caught.value.found or []) <= 1
    assert len(sent(sandbox, "POST")) <= 1


def test_what_is_listed_nowhere_is_not_looked_for(
    client: PipedreamClient, sandbox: Sandbox
) -> None:
    sandbox.fault(method="POST", reset="after", count=1)
    with pytest.raises(ChangeUncertain, match="has no list") as caught:
        client.create_component(component_code=CODE)
    assert caught.value.found is None
    assert client.component("my-component")["id"].startswith("sc_")


def test_a_raw_post_is_looked_after_too(client: PipedreamClient, sandbox: Sandbox) -> None:
    """The look follows the request, not the method that sent it."""
    sandbox.fault(method="POST", reset="after", count=2)
    for send in (
        lambda: client.request("POST", "/webhooks", params={"url": URL}),
        lambda: client.send(calls.create_webhook(URL + "/2")),
    ):
        with pytest.raises(ChangeUncertain) as caught:
            send()
        assert len(caught.value.found or []) == 1


@pytest.mark.parametrize("fault", [{"reset": "after"}, {"reset": "before"}, {"status": 500}])
def test_deletions_are_repeated_until_they_are_done(
    client: PipedreamClient, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    source, webhook = make_source(client), make_webhook(client)
    client.create_subscription(source["id"], webhook["id"])
    sandbox.fault(method="DELETE", count=1, **fault)
    client.delete_subscription(source["id"], webhook["id"])
    sandbox.fault(method="DELETE", count=1, **fault)
    client.delete_webhook(webhook["id"])
    sandbox.fault(method="DELETE", count=1, **fault)
    client.delete_events(source["id"])
    sandbox.fault(method="DELETE", count=1, **fault)
    client.delete_source(source["id"])
    assert source["id"] not in listed(client, "sources")
    assert webhook["id"] not in listed(client, "webhooks")


@pytest.mark.parametrize("fault", [{"reset": "after"}, {"reset": "before"}, {"status": 503}])
def test_an_update_is_repeated(
    client: PipedreamClient, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    source = make_source(client)
    sandbox.fault(method="PUT", count=2, **fault)
    assert client.update_source(source["id"], name="renamed")["name"] == "renamed"
    assert len(sent(sandbox, "PUT")) >= 1


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_post_that_is_redirected_away_may_have_been_carried_out(
    client: PipedreamClient, sandbox: Sandbox, status: int
) -> None:
    sandbox.fault(method="POST", redirect="https://elsewhere.invalid/", status=status, count=1)
    with pytest.raises(ChangeUncertain, match="may have been carried out") as caught:
        make_webhook(client)
    assert [item["url"] for item in caught.value.found or []] in ([], [URL])
    assert caught.value.status == status
    assert [entry["path"] for entry in sent(sandbox, "GET")][-1].endswith("/users/me/webhooks")
    assert len(sent(sandbox, "POST")) == 1


@pytest.mark.parametrize("status", [307, 308])
def test_a_post_that_is_to_go_elsewhere_was_not_carried_out(
    client: PipedreamClient, sandbox: Sandbox, status: int
) -> None:
    sandbox.fault(method="POST", redirect="https://elsewhere.invalid/", status=status, count=1)
    with pytest.raises(RedirectRefused):
        make_webhook(client)
    assert sent(sandbox, "GET") == []


def test_a_source_without_a_name_may_be_anothers(client: PipedreamClient, sandbox: Sandbox) -> None:
    client.create_source(component_code=CODE, configured_props={"url": "other"})
    sandbox.fault(method="POST", reset="after", count=2)
    with pytest.raises(ChangeUncertain, match="each may be another's") as caught:
        client.create_source(component_code=CODE)
    assert len(caught.value.found or []) == 2
    with pytest.raises(ChangeUncertain, match="found what fits") as caught:
        client.create_source(component_code=CODE, configured_props={"url": "mine"})
    assert [item["configured_props"]["url"] for item in caught.value.found or []] == ["mine"]


@pytest.mark.parametrize("status", [301, 302])
def test_a_post_is_not_sent_again_to_where_it_is_redirected(
    sandbox: Sandbox, client: PipedreamClient, status: int
) -> None:
    sandbox.fault(method="POST", redirect=f"{sandbox.url}/webhooks", status=status, count=1)
    with pytest.raises(ChangeUncertain):
        client.create_webhook("https://example.com/redirected")
    posts = [call for call in sandbox.journal() if call["method"] == "POST"]
    assert len(posts) == 1
