"""What each call would send: the documentation's examples, and what its text asks for."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedream_source.api import calls
from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.protocol import Request, events_request
from pipedream_source.exceptions import ConfigurationError

RSS = (
    "https://github.com/PipedreamHQ/pipedream/blob/master/components/rss/sources/"
    "new-item-in-feed/new-item-in-feed.js"
)
PAGE = {"limit": "100"}
EVENTS = {"expand": "event", "limit": "100"}


def sent(request: Request) -> tuple[str, str, dict[str, str], Any]:
    return request.method, request.path, dict(request.params), request.body


# Each as the documentation's section writes it; `limit` and `expand` are always sent.
EXAMPLES: list[tuple[Request, tuple[str, str, dict[str, str], Any]]] = [
    (
        calls.create_component(component_url=RSS),
        ("POST", "/components", {}, {"component_url": RSS}),
    ),
    (calls.component("my-component"), ("GET", "/components/my-component", {}, None)),
    (calls.component("sc_JDi8EB"), ("GET", "/components/sc_JDi8EB", {}, None)),
    (
        calls.registry_component("github-new-repository"),
        ("GET", "/components/registry/github-new-repository", {}, None),
    ),
    (
        calls.event_summaries("dc_abc123"),
        ("GET", "/sources/dc_abc123/event_summaries", EVENTS, None),
    ),
    (
        calls.event_summaries("dc_abc123", limit=10, expand=False),
        ("GET", "/sources/dc_abc123/event_summaries", {"limit": "10"}, None),
    ),
    (
        calls.event_summaries("dc_abc123", event_name="$logs"),
        ("GET", "/sources/dc_abc123/event_summaries", {**EVENTS, "event_name": "$logs"}, None),
    ),
    (calls.delete_events("dc_abc123"), ("DELETE", "/sources/dc_abc123/events", {}, None)),
    (
        calls.delete_events("dc_abc123", start_id="1589486981598-0"),
        ("DELETE", "/sources/dc_abc123/events", {"start_id": "1589486981598-0"}, None),
    ),
    (
        calls.delete_events(
            "dc_abc123", start_id="1589486981598-0", end_id="1589486981598-0", event_name=""
        ),
        (
            "DELETE",
            "/sources/dc_abc123/events",
            {"start_id": "1589486981598-0", "end_id": "1589486981598-0", "event_name": ""},
            None,
        ),
    ),
    (calls.workspace("o_Qa8I1Z"), ("GET", "/workspaces/o_Qa8I1Z", {}, None)),
    (
        calls.subscriptions("o_abc123"),
        ("GET", "/workspaces/o_abc123/subscriptions", PAGE, None),
    ),
    (calls.sources("o_abc123"), ("GET", "/orgs/o_abc123/sources", PAGE, None)),
    (calls.sources(), ("GET", "/users/me/sources", PAGE, None)),
    (
        calls.sources(limit=3, include=["name"]),
        ("GET", "/users/me/sources", {"limit": "3", "include": "id,name"}, None),
    ),
    (
        calls.create_source(
            component_url=RSS,
            name="your-name-here",
            configured_props={
                "url": "https://rss.m.pipedream.net",
                "timer": {"intervalSeconds": 60},
            },
        ),
        (
            "POST",
            "/sources",
            {},
            {
                "component_url": RSS,
                "name": "your-name-here",
                "configured_props": {
                    "url": "https://rss.m.pipedream.net",
                    "timer": {"intervalSeconds": 60},
                },
            },
        ),
    ),
    (
        calls.create_source(component_id="sc_1", org_id="o_abc123", include=["name"]),
        (
            "POST",
            "/sources",
            {"org_id": "o_abc123"},
            {"component_id": "sc_1", "include": "id,name"},
        ),
    ),
    (
        calls.update_source("dc_1", active=False),
        ("PUT", "/sources/dc_1", {}, {"active": False}),
    ),
    (
        calls.update_source("dc_1", component_code="export default {}", name="n"),
        ("PUT", "/sources/dc_1", {}, {"component_code": "export default {}", "name": "n"}),
    ),
    (calls.delete_source("dc_1"), ("DELETE", "/sources/dc_1", {}, None)),
    (
        calls.create_subscription("dc_def456", "p_abc123"),
        ("POST", "/subscriptions", {"emitter_id": "dc_def456", "listener_id": "p_abc123"}, None),
    ),
    (
        calls.create_subscription("p_*", "dc_1", event_name="$errors", include=["emitter_id"]),
        (
            "POST",
            "/subscriptions",
            {"emitter_id": "p_*", "listener_id": "dc_1", "event_name": "$errors"},
            {"include": "id,emitter_id"},
        ),
    ),
    (
        calls.auto_subscribe("p_abc123", "$errors"),
        (
            "POST",
            "/auto_subscriptions",
            {"event_name": "$errors", "listener_id": "p_abc123"},
            None,
        ),
    ),
    (
        calls.delete_subscription("dc_def456", "p_abc123"),
        (
            "DELETE",
            "/subscriptions",
            {"emitter_id": "dc_def456", "listener_id": "p_abc123", "event_name": ""},
            None,
        ),
    ),
    (
        calls.create_webhook(
            "https://endpoint.m.pipedream.net", name="name", description="description"
        ),
        (
            "POST",
            "/webhooks",
            {
                "url": "https://endpoint.m.pipedream.net",
                "name": "name",
                "description": "description",
            },
            None,
        ),
    ),
    (calls.delete_webhook("wh_abc123"), ("DELETE", "/webhooks/wh_abc123", {}, None)),
    (
        calls.workflow_emits("p_abc123", limit=1),
        (
            "GET",
            "/workflows/p_abc123/event_summaries",
            {"expand": "event", "limit": "1"},
            None,
        ),
    ),
    (
        calls.workflow_errors("p_abc123", limit=1),
        (
            "GET",
            "/workflows/p_abc123/$errors/event_summaries",
            {"expand": "event", "limit": "1"},
            None,
        ),
    ),
    (calls.me(), ("GET", "/users/me", {}, None)),
    (calls.subscriptions(), ("GET", "/users/me/subscriptions", PAGE, None)),
    (calls.webhooks(), ("GET", "/users/me/webhooks", PAGE, None)),
    # Undocumented ones.
    (calls.source("dc_1"), ("GET", "/sources/dc_1", {}, None)),
    (
        calls.workflow("p_1", org_id="o_1"),
        ("GET", "/workflows/p_1", {"org_id": "o_1"}, None),
    ),
    (
        calls.workflow_emits("p_1", event_name="a/b"),
        ("GET", "/workflows/p_1/a%2Fb/event_summaries", EVENTS, None),
    ),
]


@pytest.mark.parametrize(("request_", "expected"), EXAMPLES, ids=lambda v: "")
def test_a_call_sends_what_the_documentation_shows(
    request_: Request, expected: tuple[str, str, dict[str, str], Any]
) -> None:
    assert sent(request_) == expected


def test_each_builder_has_a_method_of_the_client_with_its_arguments() -> None:
    """Whatever can be shown can be sent, and takes the same arguments."""
    for name in calls.__all__:
        builder = inspect.signature(getattr(calls, name)).parameters
        method = dict(inspect.signature(getattr(PipedreamClient, name)).parameters)
        method.pop("self")
        method.pop("maximum", None)
        assert list(method) == list(builder), name
        for parameter, found in builder.items():
            assert method[parameter].kind == found.kind, (name, parameter)
            assert method[parameter].default == found.default, (name, parameter)


@pytest.mark.parametrize("channel", ["", "$errors", "a/b?c", "temperature"])
@pytest.mark.parametrize("emitter", ["dc_1", "p_1"])
def test_loads_and_calls_ask_for_events_alike(emitter: str, channel: str) -> None:
    build = calls.workflow_emits if emitter == "p_1" else calls.event_summaries
    assert sent(build(emitter, event_name=channel)) == sent(events_request(emitter, channel))


REFUSED: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("create_source", (), {}, "One of component_id"),
    ("create_source", (), {"name": "x"}, "One of component_id"),
    ("create_source", (), {"component_id": "sc/1"}, "component_id"),
    ("create_source", (), {"component_id": ""}, "empty"),
    ("create_source", (), {"component_code": " "}, "component_code"),
    ("create_source", (), {"component_url": "ftp://x/y"}, "component_url"),
    ("create_source", (), {"component_url": ""}, "empty"),
    ("create_source", (), {"component_id": "sc_1", "org_id": "dc_1"}, "must begin with o_"),
    ("create_source", (), {"component_id": "sc_1", "configured_props": []}, "JSON object"),
    ("create_component", (), {}, "One of component_code"),
    ("update_source", ("dc_1",), {}, "nothing was given"),
    ("update_source", ("dc_1",), {"include": ["name"]}, "nothing was given"),
    ("update_source", ("dc_1",), {"active": 1}, "True or False"),
    ("update_source", ("../me",), {"active": True}, "source_id"),
    ("delete_source", ("dc_1/events",), {}, "source_id"),
    ("delete_events", ("dc_1",), {"start_id": "1"}, "start_id"),
    ("delete_events", ("dc_1",), {"start_id": ""}, "start_id"),
    ("delete_events", ("dc_1",), {"start_id": "2-10", "end_id": "2-9"}, "newer than"),
    ("delete_webhook", ("dc_1",), {}, "must begin with wh_"),
    ("create_webhook", ("example.com",), {}, "url"),
    ("create_webhook", ("https://a.b",), {"name": ""}, "name"),
    ("create_subscription", ("*", "p_1"), {}, "emitter_id"),
    ("create_subscription", ("dc_1", "p_*"), {}, "listener_id"),
    ("auto_subscribe", ("p_1", ""), {}, "event_name"),
    ("workspace", ("u_1",), {}, "must begin with o_"),
    ("workflow", ("dc_1",), {}, "must begin with p_"),
    ("workflow_emits", ("dc_1",), {}, "must begin with p_"),
    ("workflow_emits", ("p_1",), {"event_name": ".."}, "event_name"),
    ("component", ("a/b",), {}, "key_or_id"),
    ("registry_component", ("..",), {}, "key"),
    ("sources", (), {"limit": 0}, "limit"),
    ("me", (), {"exclude": ["id"]}, "exclude"),
]


@pytest.mark.parametrize(("name", "args", "named", "told"), REFUSED)
def test_a_wrong_argument_is_refused(
    name: str, args: tuple[Any, ...], named: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        getattr(calls, name)(*args, **named)


def test_a_request_does_not_show_its_body() -> None:
    request = calls.create_source(
        component_id="sc_1", configured_props={"httpRequest": {"auth": {"token": "hunter2"}}}
    )
    assert "hunter2" not in repr(request)


def test_what_the_caller_hands_in_is_not_shared() -> None:
    props: dict[str, Any] = {"timer": {"intervalSeconds": 60}}
    request = calls.create_source(component_id="sc_1", configured_props=props)
    props["timer"]["intervalSeconds"] = 1
    assert request.body is not None
    assert request.body["configured_props"] == {"timer": {"intervalSeconds": 60}}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("get", "users/me", ("GET", "/users/me", {}, None)),
        ("GET", "/v1/workspaces/o_1", ("GET", "/workspaces/o_1", {}, None)),
        ("GET", "/users/me/sources/", ("GET", "/users/me/sources/", {}, None)),
        ("GET", "/sources?limit=3&after=", ("GET", "/sources", {"limit": "3", "after": ""}, None)),
        (
            "GET",
            "/workflows/p_1/%24errors/event_summaries",
            ("GET", "/workflows/p_1/%24errors/event_summaries", {}, None),
        ),
        (
            "GET",
            "/workflows/p_1/$errors/event_summaries",
            ("GET", "/workflows/p_1/$errors/event_summaries", {}, None),
        ),
    ],
)
def test_a_raw_call(method: str, path: str, expected: Any) -> None:
    assert sent(calls.request(method, path)) == expected


def test_a_raw_call_has_parameters_and_a_body() -> None:
    request = calls.request("post", "/x?a=1&b=2", params={"a": "3"}, body={"c": [4]})
    assert sent(request) == ("POST", "/x", {"a": "3", "b": "2"}, {"c": [4]})


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "//evil.invalid/x", "https://evil.invalid/x", "/a//b", "/../x"),
        *("/a/../b", "/a/./b", "..", "/a/%2e%2e/b", "/a/%2E./b", "/a/.%2e", "/a%2fb"),
        *("/a%2F..%2fb", "http://x"),
        *("/a%5cb", "/a\\b", "/a b", "/a\nb", "/a%0ab", "/a%00", "/a%zz", "/a%2", "/é", "\ud83d"),
        *("/x#y", "v1/../x", "/v1//x", "?a=1", "/a@evil.invalid:80/../x", None, 5),
    ],
)
def test_a_raw_path_that_leads_elsewhere_is_refused(path: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"path: .* below the API's base URL"):
        calls.request("GET", path)


@given(st.text("/.%25eEfFaA\\?#@:$v1", max_size=14))
def test_no_path_leaves_the_base_url(path: str) -> None:
    try:
        request = calls.request("GET", path)
    except ConfigurationError:
        return
    assert request.path.startswith("/")
    assert not request.path.startswith("//")
    lowered = request.path.lower().replace("%2e", ".")
    assert not {"..", "."} & set(lowered.split("/"))
    assert not any(odd in lowered for odd in ("%2f", "%5c", "\\", "?", "#"))


def test_a_long_path_is_judged_at_once() -> None:
    with pytest.raises(ConfigurationError):
        calls.request("GET", "/a" * 50_000 + "\\")


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"params": {"a": 1}}, "params"),
        ({"params": {"a": "\ud83d"}}, "params"),
        ({"body": [1]}, "body"),
        ({"body": {"a": float("nan")}}, "body"),
        ({"body": {"a": object()}}, "body"),
    ],
)
def test_a_raw_call_that_cannot_be_sent_is_refused(named: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        calls.request("POST", "/x", **named)


@pytest.mark.parametrize("method", ["", "HEAD", "TRACE", "GET\r\n", "get post", None])
def test_another_method_is_refused(method: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"method: .* is not one of GET"):
        calls.request(method, "/x")
