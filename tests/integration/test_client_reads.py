"""Every call that reads, against the stand-in, under each way the API may behave."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from pipedream_source.api import calls
from pipedream_source.api.client import PipedreamClient
from pipedream_source.core.text.redaction import MARK
from pipedream_source.exceptions import BadRequest, ConfigurationError, Unavailable
from pipedream_source.sandbox import Sandbox
from tests.integration import clients
from tests.integration.clients import MakeClient, sent

running = clients.running
sandbox = clients.sandbox
connect = clients.connect
client = clients.client


def emitter_of(sandbox: Sandbox, kind: str, channel: str = "") -> str:
    """Give an emitter whose channel holds events."""
    for emitter in sandbox.state()["emitters"]:
        held = emitter["channels"].get(channel)
        if emitter["type"] == kind and held and held["retained"] >= 10:
            return str(emitter["id"])
    raise AssertionError(kind)


def test_me(client: PipedreamClient, sandbox: Sandbox) -> None:
    user = client.me()
    assert user["id"] == sandbox.state()["user_id"]
    assert [org["id"] for org in user["orgs"]] == sandbox.state()["org_ids"]
    assert set(client.me(include=["username"])) == {"id", "username"}
    assert "email" not in client.me(exclude="email,orgs")


def test_sources_of_the_user_and_of_a_workspace(client: PipedreamClient, sandbox: Sandbox) -> None:
    emitters = sandbox.state()["emitters"]
    for scope in (None, *sandbox.state()["org_ids"]):
        owner = scope or sandbox.state()["user_id"]
        expected = {e["id"] for e in emitters if owner in e["listed_in"] and e["type"] == "source"}
        assert {source["id"] for source in client.sources(scope)} == expected
    named = list(client.sources(include=["name"]))
    assert named
    assert all(set(source) == {"id", "name"} for source in named)


@pytest.mark.parametrize("after", ["exclusive", "inclusive"])
@pytest.mark.parametrize("end_cursor", ["set", "null", "absent"])
def test_lists_are_walked_lazily_page_by_page(
    client: PipedreamClient, sandbox: Sandbox, after: str, end_cursor: str
) -> None:
    whole = [source["id"] for source in client.sources(sandbox.org_id)]
    assert len(whole) > 4
    sandbox.switch(after=after, end_cursor=end_cursor)
    sandbox.control("DELETE", "journal")
    walk = client.sources(sandbox.org_id, limit=2)
    assert sent(sandbox) == []
    assert [source["id"] for source in islice(walk, 2)] == whole[:2]
    assert len(sent(sandbox)) == 1
    assert [source["id"] for source in walk] == whole[2:]


def test_a_list_ends_at_its_maximum(client: PipedreamClient, sandbox: Sandbox) -> None:
    sandbox.control("DELETE", "journal")
    assert len(list(client.sources(sandbox.org_id, maximum=3))) == 3
    assert [entry["query"] for entry in sent(sandbox)] == ["limit=3"]
    assert len(list(client.sources(sandbox.org_id, limit=2, maximum=3))) == 3
    assert len(list(client.event_summaries(emitter_of(sandbox, "source"), maximum=7))) == 7
    for wrong in (0, -1, True, "3"):
        with pytest.raises(ConfigurationError, match="maximum"):
            client.webhooks(maximum=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("pages", ["whole", "paginated"])
def test_subscriptions(client: PipedreamClient, sandbox: Sandbox, pages: str) -> None:
    sandbox.switch(subscriptions=pages)
    users = list(client.subscriptions())
    assert users
    for scope in sandbox.state()["org_ids"]:
        users += list(client.subscriptions(scope, limit=1))
    for subscription in users:
        assert set(subscription) == {"id", "emitter_id", "listener_id", "event_name"}


def test_webhooks(client: PipedreamClient) -> None:
    webhooks = list(client.webhooks(limit=2))
    assert [type(webhook["created_at"]) for webhook in webhooks] == [int] * len(webhooks)
    assert len(webhooks) >= 2
    assert all(webhook["id"].startswith("wh_") for webhook in webhooks)


def test_workspace(client: PipedreamClient, sandbox: Sandbox) -> None:
    workspace = client.workspace(sandbox.org_id)
    assert workspace["id"] == sandbox.org_id
    assert 0 <= workspace["daily_credits_used"] <= workspace["daily_credits_quota"]
    with pytest.raises(Unavailable, match="record not found"):
        client.workspace("o_nobody1")


def test_one_source(client: PipedreamClient, sandbox: Sandbox) -> None:
    source_id = emitter_of(sandbox, "source")
    assert client.source(source_id)["id"] == source_id
    assert set(client.source(source_id, include=["name"])) == {"id", "name"}
    with pytest.raises(Unavailable, match="record not found"):
        client.source("dc_nobody1")


@pytest.mark.parametrize("named", [True, False])
def test_one_source_where_the_api_does_not_have_the_call(
    connect: MakeClient, sandbox: Sandbox, named: bool
) -> None:
    """GET /sources/{id} is undocumented: where it is missing, the documented lists serve."""
    client = connect(org_id=sandbox.org_id if named else None)
    sources = [next(client.sources()), next(client.sources(sandbox.org_id))]
    for source in sources:
        path = f"/v1/sources/{source['id']}"
        sandbox.fault(path=path, status=404, body='{"error":"route not found"}')
        assert client.source(source["id"]) == source
    sandbox.fault(path="/v1/sources/dc_nobody1", status=404, body='{"error":"route not found"}')
    with pytest.raises(Unavailable, match="route not found"):
        client.source("dc_nobody1")


@pytest.mark.parametrize("order", ["newest", "oldest", "shuffled"])
@pytest.mark.parametrize("after", ["exclusive", "inclusive"])
def test_events_of_a_source(
    client: PipedreamClient, sandbox: Sandbox, order: str, after: str
) -> None:
    source_id = emitter_of(sandbox, "source")
    held = sandbox.state()
    sandbox.switch(order=order, after=after)
    events = list(client.event_summaries(source_id, limit=30))
    (emitter,) = (e for e in held["emitters"] if e["id"] == source_id)
    assert len({event["id"] for event in events}) == len(events)
    assert len(events) == emitter["channels"][""]["retained"]
    assert emitter["channels"][""]["newest_id"] in {event["id"] for event in events}
    assert all(event["metadata"]["emitter_id"] == source_id for event in events)


def test_an_ignored_cursor_gives_one_page(client: PipedreamClient, sandbox: Sandbox) -> None:
    sandbox.switch(after="ignored")
    assert len(list(client.event_summaries(emitter_of(sandbox, "source"), limit=10))) == 10


def test_events_of_a_channel(client: PipedreamClient, sandbox: Sandbox) -> None:
    source_id = emitter_of(sandbox, "source")
    ids = sandbox.emit(source_id, "custom", {"token": "stays"}, count=3)
    events = list(client.event_summaries(source_id, event_name="custom"))
    assert {event["id"] for event in events} == set(ids)
    assert events[0]["event"] == {"token": "stays"}


def test_a_channel_that_the_api_ignores_brings_no_others_events(
    client: PipedreamClient, sandbox: Sandbox
) -> None:
    source_id = emitter_of(sandbox, "source")
    sandbox.switch(event_name="ignored")
    assert list(client.event_summaries(source_id, event_name="custom")) == []
    assert list(client.event_summaries(source_id, maximum=1))


def test_long_events_come_whole_unless_it_is_declined(
    client: PipedreamClient, sandbox: Sandbox
) -> None:
    source_id = emitter_of(sandbox, "source")
    long = {"text": "x" * 2000}
    sandbox.emit(source_id, event=long)
    (event,) = client.event_summaries(source_id, maximum=1)
    assert event["event"] == long
    (event,) = client.event_summaries(source_id, maximum=1, expand=False)
    assert event.get("event") != long


def test_emits_and_errors_of_a_workflow(client: PipedreamClient, sandbox: Sandbox) -> None:
    workflow_id = emitter_of(sandbox, "workflow", "$errors")
    errors = list(client.workflow_errors(workflow_id, limit=40))
    assert errors
    assert all("original_context" in event["event"] for event in errors)
    assert list(client.workflow_emits(workflow_id, event_name="$errors")) == errors
    sandbox.emit(workflow_id, event={"n": 1}, count=2)
    sandbox.emit(workflow_id, "alerts", {"n": 2})
    assert len(list(client.workflow_emits(workflow_id))) >= 2
    (event,) = client.workflow_emits(workflow_id, event_name="alerts")
    assert event["event"] == {"n": 2}


@pytest.mark.parametrize("place", ["sibling", "nested"])
def test_errors_wherever_their_metadata_is(
    client: PipedreamClient, sandbox: Sandbox, place: str
) -> None:
    workflow_id = emitter_of(sandbox, "workflow", "$errors")
    count = len(list(client.workflow_errors(workflow_id)))
    sandbox.switch(errors_metadata=place)
    assert len(list(client.workflow_errors(workflow_id, limit=7))) == count


def test_components(client: PipedreamClient) -> None:
    made = client.create_component(component_code=clients.CODE)
    assert client.component("my-component")["id"] == made["id"]
    found = client.component(made["id"], exclude=["code"])
    assert "code" not in found
    assert found["code_hash"] == made["code_hash"]
    with pytest.raises(Unavailable):
        client.component("nobody-knows-it")


def test_a_component_of_the_registry(client: PipedreamClient) -> None:
    assert client.registry_component("github-new-repository")["id"].startswith("sc_")
    with pytest.raises(Unavailable):
        client.registry_component("nobody-knows-it")


def test_a_workflow(client: PipedreamClient, sandbox: Sandbox) -> None:
    workflow_id = emitter_of(sandbox, "workflow", "$errors")
    workflow = client.workflow(workflow_id)
    assert {"triggers", "steps"} <= set(workflow)
    with pytest.raises(Unavailable):
        client.workflow("p_nobody1")


def test_answers_asks_for_one_event(client: PipedreamClient, sandbox: Sandbox) -> None:
    assert client.answers(emitter_of(sandbox, "source"))
    assert not client.answers("p_nobody1")


def test_any_other_call(client: PipedreamClient, sandbox: Sandbox) -> None:
    answer = client.request("get", "/v1/users/me?include=username")
    assert answer.status == 200
    assert b'"username"' in answer.body
    source_id = emitter_of(sandbox, "source")
    older = client.request("GET", f"/sources/{source_id}/events", params={"n": "2"})
    assert older.body.count(b'"e":') == 2
    assert client.send(calls.workspace(sandbox.org_id)).status == 200
    with pytest.raises(Unavailable, match="route not found"):
        client.request("GET", "/nothing/here")


def test_a_refused_parameter_is_told(client: PipedreamClient) -> None:
    with pytest.raises(BadRequest, match="status 4"):
        client.request("GET", "/users/me/sources", params={"limit": "0"})


def test_credentials_are_redacted_unless_they_are_wanted(connect: MakeClient) -> None:
    def token(client: PipedreamClient) -> Any:
        sources = [s["configured_props"] for s in client.sources()]
        (props,) = (p["httpRequest"] for p in sources if "httpRequest" in p)
        return props["auth"]["token"]

    shown = token(connect(show_secrets=True))
    assert token(connect()) == MARK
    assert MARK not in shown
    assert len(shown) > 8


def test_an_old_users_key_is_redacted(client: PipedreamClient, sandbox: Sandbox) -> None:
    sandbox.switch(user_api_key="present")
    user: Any = client.me()
    assert user["api_key"] == MARK


WRONG = [
    ("sources", ("dc_1",)),
    ("source", ("../users/me",)),
    ("subscriptions", ("o_1/x",)),
    ("workspace", ("",)),
    ("event_summaries", ("dc_1?x",)),
    ("workflow_emits", ("dc_1",)),
    ("workflow_errors", ("p_",)),
    ("workflow", ("p_1/x",)),
    ("component", ("a/b",)),
    ("registry_component", ("..",)),
    ("request", ("GET", "//evil.invalid/")),
]


@pytest.mark.parametrize(("name", "args"), WRONG)
def test_nothing_is_sent_for_a_wrong_argument(
    client: PipedreamClient, sandbox: Sandbox, name: str, args: tuple[str, ...]
) -> None:
    sandbox.control("DELETE", "journal")
    with pytest.raises(ConfigurationError):
        getattr(client, name)(*args)
    assert client.transport.requests == 0
