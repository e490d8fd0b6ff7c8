"""Where a look goes after a POST without an answer, what it takes for a find, and what it says."""

from __future__ import annotations

from typing import Any

import pytest

from pipedream_source.api import calls
from pipedream_source.api.methods.uncertain_posts import Look, is_new, look_for, tell
from pipedream_source.api.protocol import Request

SOURCE = calls.create_source(component_id="sc_1", name="feed")
PROPS = calls.create_source(
    component_url="https://a.b/c.mjs",
    configured_props={"url": "u", "timer": {"intervalSeconds": 6}},
)
WEBHOOK = calls.create_webhook("https://a.b/c", name="w")
SUBSCRIPTION = calls.create_subscription("dc_1", "p_1", event_name="$errors", org_id="o_2")


def raw(path: str, body: dict[str, Any]) -> Request:
    """A POST whose parameters travel in its body, which the API takes too."""
    return calls.request("POST", path, body=body)


def looked(request: Request, org_id: str | None = None, as_user: bool = True) -> list[str]:
    look = look_for(request, org_id, as_user)
    return [asked.path for asked in look.requests] if look else []


def test_a_look_goes_to_the_users_lists_and_to_the_workspaces() -> None:
    assert looked(SOURCE) == ["/users/me/sources"]
    assert looked(SOURCE, "o_1") == ["/users/me/sources", "/orgs/o_1/sources"]
    assert looked(SOURCE, "o_1", as_user=False) == ["/orgs/o_1/sources"]
    assert looked(WEBHOOK) == ["/users/me/webhooks"]
    subscriptions = ["/users/me/subscriptions", "/workspaces/o_2/subscriptions"]
    assert looked(SUBSCRIPTION, "o_1") == subscriptions


def test_a_workspace_may_be_named_in_the_body() -> None:
    lists = ["/users/me/sources", "/orgs/o_2/sources"]
    assert looked(raw("/sources", {"org_id": "o_2"}), "o_1") == lists
    assert looked(raw("/sources", {"org_id": "dc_2"})) == lists[:1]


def test_a_find_is_as_sure_as_what_was_compared() -> None:
    for request in (SOURCE, PROPS, WEBHOOK):
        look = look_for(request, None, as_user=True)
        assert look is not None
        assert look.sure
    look = look_for(calls.create_source(component_code="x"), None, as_user=True)
    assert look is not None
    assert "found new ones: dc_1. Nothing" in tell([{"id": "dc_1"}], look)
    assert "each may be another's" in tell([{"id": "dc_1"}], look)


@pytest.mark.parametrize(
    "request_",
    [
        calls.create_component(component_code="x"),
        calls.auto_subscribe("p_1", "$errors"),
        calls.request("POST", "/elsewhere"),
        calls.request("PATCH", "/sources/dc_1"),
    ],
    ids=lambda r: r.path,
)
def test_what_is_listed_nowhere_cannot_be_looked_for(request_: Request) -> None:
    assert look_for(request_, "o_1", as_user=True) is None


def test_without_a_list_that_can_be_read_nobody_looks() -> None:
    assert look_for(WEBHOOK, "o_1", as_user=False) is None
    assert look_for(SOURCE, None, as_user=False) is None


def fits(request: Request, item: dict[str, Any]) -> bool:
    look = look_for(request, None, as_user=True)
    assert look is not None
    return look.fits(item)


@pytest.mark.parametrize(
    ("request_", "item", "expected"),
    [
        (SOURCE, {"name": "feed", "component_id": "sc_1"}, True),
        (SOURCE, {"name": "feed", "component_id": "sc_2"}, False),
        (SOURCE, {"name": "other", "component_id": "sc_1"}, False),
        (SOURCE, {}, False),
        (calls.create_source(component_code="x"), {"name": "anything"}, True),
        (PROPS, {"configured_props": {"url": "u", "timer": {"interval_seconds": 6}}}, True),
        (PROPS, {"configured_props": {"url": "u", "timer": {"cron": None}, "more": 1}}, True),
        (PROPS, {"configured_props": {"url": "v", "timer": {}}}, False),
        (PROPS, {"configured_props": {"url": "u", "timer": {"intervalSeconds": 7}}}, False),
        (PROPS, {"configured_props": {"timer": {}}}, False),
        (PROPS, {"name": "anything"}, False),
        (raw("/sources", {"org_id": "o_2"}), {"name": "anything"}, False),
        (raw("/webhooks", {}), {"url": "https://a.b/c"}, False),
        (raw("/webhooks", {"url": "https://a.b/c"}), {"url": "https://a.b/c"}, True),
        (raw("/webhooks", {"url": "https://a.b/c"}), {"url": "https://a.b/d"}, False),
        (raw("/subscriptions", {}), {"emitter_id": "dc_1", "listener_id": "p_1"}, False),
        (raw("/subscriptions", {"event_name": "x"}), {"event_name": "x"}, False),
        (
            raw("/subscriptions", {"emitter_id": "dc_1", "listener_id": "p_1"}),
            {"emitter_id": "dc_1", "listener_id": "p_1"},
            True,
        ),
        (
            raw("/subscriptions", {"emitter_id": "dc_1", "listener_id": "p_1"}),
            {"emitter_id": "dc_2", "listener_id": "p_1"},
            False,
        ),
        (WEBHOOK, {"url": "https://a.b/c", "name": "w"}, True),
        (WEBHOOK, {"url": "https://a.b/c", "name": None}, False),
        (calls.create_webhook("https://a.b/c"), {"url": "https://a.b/c", "name": None}, True),
        (
            SUBSCRIPTION,
            {"emitter_id": "dc_1", "listener_id": "p_1", "event_name": "$errors"},
            True,
        ),
        (SUBSCRIPTION, {"emitter_id": "dc_1", "listener_id": "p_1", "event_name": ""}, False),
        (
            calls.create_subscription("dc_1", "p_1"),
            {"emitter_id": "dc_1", "listener_id": "p_1", "event_name": None},
            True,
        ),
        (
            calls.create_subscription("dc_1", "p_1"),
            {"emitter_id": "dc_1", "listener_id": "p_1", "event_name": "x"},
            False,
        ),
    ],
)
def test_what_fits(request_: Request, item: dict[str, Any], expected: bool) -> None:
    assert fits(request_, item) is expected


@pytest.mark.parametrize(
    ("created", "new"),
    [(1000, True), (991, True), (985, True), (984, False), (0, False), (None, True), ("x", True)],
)
def test_older_objects_are_not_the_one(created: object, new: bool) -> None:
    """The POST was sent 10 s before the list, whose clock shows 1000; 5 s are its tolerance."""
    assert is_new({"created_at": created}, 1000.0, 10.0) is new
    assert is_new({}, 1000.0, 10.0)
    assert is_new({"created_at": created}, None, 10.0)


LOOK = Look("sources", (), lambda _: True)


def test_it_says_what_was_found_and_what_to_do() -> None:
    assert "no list" in tell(None, None)
    assert "failed too (down): list them before you retry" in tell(None, LOOK, "down")
    assert "found nothing that fits" in tell([], LOOK)
    found = tell([{"id": "dc_1", "name": "feed\x1b[2J"}, {"id": "dc_2"}], LOOK)
    assert "dc_1 'feed\\\\x1b[2J', dc_2." in found
    many = tell([{"id": f"dc_{n}"} for n in range(9)], LOOK)
    assert "dc_4 and 4 more" in many
    assert "may be older" in tell([{"id": "sub_1"}], Look("subscriptions", (), LOOK.fits, False))
    for text in (found, many, tell([], LOOK), tell(None, None)):
        assert text.startswith("The request may have been carried out, so it was not repeated.")
