"""The documented endpoints: their shapes, keys and refusals."""

from __future__ import annotations

import base64
import json
import re

import pytest
import requests

KSUID = re.compile(r"[0-9A-Za-z]{27}")
EVENT_ID = re.compile(r"\d{13}-\d+")


def test_users_me_names_the_user_and_the_workspaces(get, sandbox):
    user = get("/users/me").json()["data"]
    assert re.fullmatch(r"u_\w{6}", user["id"])
    assert {"username", "email", "daily_compute_time_quota", "daily_invocations_used"} <= set(user)
    assert user["orgs"][0]["id"] == sandbox.org_id
    assert len(user["orgs"]) == 2
    assert {"name", "orgname", "email", "daily_credits_quota"} <= set(user["orgs"][0])
    assert "api_key" not in user


def test_workspace_is_one_of_the_users(get, sandbox):
    assert get(f"/workspaces/{sandbox.org_id}").json()["data"]["id"] == sandbox.org_id


def test_sources_come_in_pages_of_ten(get, sandbox):
    page = get(f"/orgs/{sandbox.org_id}/sources").json()
    info, rows = page["page_info"], page["data"]
    assert (info["total_count"], info["count"], len(rows)) == (11, 10, 10)
    assert info["end_cursor"] == base64.urlsafe_b64encode(rows[-1]["id"].encode()).decode()
    rest = get(f"/workspaces/{sandbox.org_id}/sources", after=info["end_cursor"]).json()
    assert rest["page_info"]["count"] == 1
    assert rest["data"][0]["id"] not in {row["id"] for row in rows}
    before = get(f"/orgs/{sandbox.org_id}/sources", before=rest["page_info"]["start_cursor"])
    assert before.json()["data"] == rows


def test_a_source_has_the_documented_fields(get):
    source = get("/users/me/sources").json()["data"][0]
    assert {name: type(value) for name, value in source.items()} == {
        "id": str,
        "component_id": str,
        "configured_props": dict,
        "active": bool,
        "created_at": int,
        "updated_at": int,
        "name": str,
        "name_slug": str,
    }


def test_seeded_lists_hold_what_clients_must_cope_with(get, sandbox, ids):
    orgs = [org["id"] for org in get("/users/me").json()["data"]["orgs"]]
    lists = [get("/users/me/sources", limit=100)]
    lists += [get(f"/orgs/{org}/sources", limit=100) for org in orgs]
    rows = [row for page in lists for row in page.json()["data"]]
    seen = [row["id"] for row in rows]
    assert len(set(seen)) == 16
    assert seen.count(ids["Partner API"]) == 2
    assert [row["name"] for row in rows if not row["active"]] == ["Legacy inventory"]
    tokens = [row["configured_props"].get("httpRequest", {}).get("auth") for row in rows]
    assert any(token and token["token"] for token in tokens)


@pytest.mark.parametrize("scope", ["/workspaces/{}", "/orgs/{}"])
def test_subscriptions_have_no_page_info(get, sandbox, scope):
    body = get(scope.format(sandbox.org_id) + "/subscriptions").json()
    assert set(body) == {"data"}
    assert all(
        set(row) == {"id", "emitter_id", "listener_id", "event_name"} for row in body["data"]
    )
    assert ("p_*", "$errors") in {(row["emitter_id"], row["event_name"]) for row in body["data"]}


def test_user_subscriptions_and_webhooks(get):
    subscription = get("/users/me/subscriptions").json()["data"][0]
    webhooks = get("/users/me/webhooks").json()
    assert subscription["listener_id"] in {row["id"] for row in webhooks["data"]}
    assert webhooks["page_info"]["total_count"] == 2


def test_one_workflow_is_named_nowhere_and_one_only_in_an_error(get, ids):
    orgs = [org["id"] for org in get("/users/me").json()["data"]["orgs"]]
    paths = ["/users/me/subscriptions", *(f"/workspaces/{org}/subscriptions" for org in orgs)]
    errors = [
        get(f"/workflows/{workflow}/$errors/event_summaries", limit=100, expand="event").text
        for name, workflow in ids.items()
        if workflow.startswith("p_") and name not in ("Nightly backfill", "Invoice renderer")
    ]
    subscribed = "".join(get(path).text for path in paths)
    assert ids["Nightly backfill"] not in subscribed + "".join(errors)
    assert ids["Invoice renderer"] not in subscribed
    assert f'"workflow_id":"{ids["Invoice renderer"]}"' in "".join(errors)


def test_source_events_are_newest_first(get, ids):
    page = get(f"/sources/{ids['Shop orders']}/event_summaries").json()
    info, rows = page["page_info"], page["data"]
    assert (info["total_count"], info["count"], len(rows)) == (100, 10, 10)
    keys = [tuple(map(int, row["id"].split("-"))) for row in rows]
    assert keys == sorted(keys, reverse=True)
    assert (info["start_cursor"], info["end_cursor"]) == (rows[0]["id"], rows[-1]["id"])
    row = rows[0]
    assert list(row) == ["id", "indexed_at_ms", "event", "metadata"]
    assert EVENT_ID.fullmatch(row["id"])
    assert row["indexed_at_ms"] == keys[0][0]
    assert KSUID.fullmatch(row["metadata"]["emit_id"])
    assert row["metadata"]["emitter_id"] == ids["Shop orders"]
    assert row["metadata"]["name"] == ""


def test_workflow_emits_and_errors(get, ids):
    workflow = ids["Order fulfilment"]
    emits = get(f"/workflows/{workflow}/event_summaries", limit=1, expand="event").json()
    assert "raw_event" in emits["data"][0]["event"]
    errors = get(f"/workflows/{workflow}/$errors/event_summaries", limit=1, expand="event").json()
    event = errors["data"][0]["event"]
    assert set(event) == {"original_event", "original_context", "error"}
    assert {"id", "ts", "workflow_id", "workflow_name", "deployment_id", "project_id"} <= set(
        event["original_context"]
    )
    assert set(event["error"]) == {"code", "msg", "cellId", "ts", "stack"}
    assert KSUID.fullmatch(event["original_context"]["trace_id"])
    assert errors["data"][0]["metadata"]["name"] == "$errors"


def test_errors_path_is_raw_or_escaped_with_or_without_slash(get, ids):
    base = f"/workflows/{ids['Order fulfilment']}"
    paths = ("/$errors/event_summaries", "/%24errors/event_summaries", "/$errors/event_summaries/")
    texts = {get(base + path, limit=3).text for path in paths}
    assert len(texts) == 1


def test_errors_without_expand_have_only_id_and_time(get, ids):
    rows = get(f"/workflows/{ids['Order fulfilment']}/$errors/event_summaries").json()["data"]
    assert {tuple(row) for row in rows} == {("id", "indexed_at_ms")}


def test_channels_of_a_source(get, ids):
    path = f"/sources/{ids['Shop orders']}/event_summaries"
    placed = get(path, event_name="order.placed", limit=100).json()["data"]
    assert {row["metadata"]["name"] for row in placed} == {"order.placed"}
    assert get(path, event_name="").text == get(path).text
    logs = get(f"/sources/{ids['Company blog']}/event_summaries", event_name="$logs").json()
    assert isinstance(logs["data"][0]["event"], str)
    empty = get(path, event_name="nobody").json()
    assert empty["data"] == []
    assert empty["page_info"]["start_cursor"] is None


def test_include_and_exclude(get, quiet, sandbox):
    sandbox.emit(quiet, event={"a": 1})
    path = f"/sources/{quiet}/event_summaries"
    assert list(get(path, include="id").json()["data"][0]) == ["id"]
    assert list(get(path, exclude="event,metadata").json()["data"][0]) == ["id", "indexed_at_ms"]
    assert set(get("/users/me", include="id,email").json()["data"]) == {"id", "email"}
    assert "name" not in get("/users/me/sources", exclude="name").json()["data"][0]


@pytest.mark.parametrize(
    "path",
    ["/workflows", "/workflows/", "/orgs/o_1/workflows", "/projects/proj_1/workflows", "/", ""],
)
def test_unknown_routes(get, path):
    response = get(path)
    assert (response.status_code, response.json()) == (404, {"error": "route not found"})


@pytest.mark.parametrize(
    "path",
    [
        "/sources/dc_none/event_summaries",
        "/workflows/p_none/event_summaries",
        "/workflows/p_none/$errors/event_summaries",
        "/orgs/o_none/sources",
        "/workspaces/o_none/subscriptions",
        "/workspaces/o_none",
    ],
)
def test_unknown_records(get, path):
    response = get(path)
    assert (response.status_code, response.json()) == (404, {"error": "record not found"})


def test_a_workflow_is_no_source_and_the_other_way_round(get, ids, quiet):
    assert get(f"/sources/{ids['Ledger sync']}/event_summaries").status_code == 404
    assert get(f"/workflows/{quiet}/event_summaries").status_code == 404


@pytest.mark.parametrize("limit", ["0", "-1", "abc", "", "1.5", "1e2", "٣", "9" * 5000])
def test_bad_limits_are_refused(get, quiet, limit):
    response = get(f"/sources/{quiet}/event_summaries", limit=limit)
    assert response.status_code == 422
    assert "limit" in response.json()["error"]


@pytest.mark.parametrize("path", ["/users/me/sources", "/users/me/webhooks"])
@pytest.mark.parametrize("limit", ["0", "101", "abc"])
def test_limits_of_lists(get, sandbox, path, limit):
    assert get(path, limit=limit).status_code == (200 if limit == "101" else 422)
    sandbox.switch(limit_over_100="reject")
    assert get(path, limit=limit).status_code == 422
    assert get("/users/me/subscriptions", limit=limit).status_code == 422


def test_bad_cursors_are_refused(get, quiet):
    for cursor in ("nonsense", "12", "-", "1-x"):
        assert get(f"/sources/{quiet}/event_summaries", after=cursor).status_code == 422
    for cursor in ("%%%", "nonsense", "ä", "", "Z", "ZGNf", "ZGNfbm9uZQ%", "ZGNfbm9uZR", "MTItMA"):
        assert get("/users/me/sources", after=cursor).status_code == 422


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer ", "Basic {key}", "{key}"])
def test_a_wrong_key_is_refused_everywhere(sandbox, session, header):
    headers = {"Authorization": header.format(key=sandbox.api_key)} if header else {}
    for path in ("/users/me", "/sources/dc_none/event_summaries", "/workflows"):
        response = session.get(sandbox.url + path, headers=headers, timeout=60)
        assert (response.status_code, response.json()) == (401, {"error": "unauthorized"})


def test_the_date_is_the_sandboxs(get, sandbox):
    assert get("/users/me").headers["Date"] == "Mon, 02 Nov 2026 09:00:00 GMT"
    sandbox.advance(90)
    assert get("/users/me").headers["Date"] == "Mon, 02 Nov 2026 09:01:30 GMT"
    assert get("/users/me").headers["Content-Type"] == "application/json; charset=utf-8"


def test_a_content_type_without_a_body_does_no_harm(sandbox, session):
    headers = {"Authorization": f"Bearer {sandbox.api_key}", "Content-Type": "application/json"}
    response = session.get(f"{sandbox.url}/users/me/", headers=headers, timeout=60)
    assert response.status_code == 200


def test_the_description_lists_the_routes(sandbox):
    description = requests.get(sandbox.openapi_url, timeout=60).json()
    assert description["openapi"].startswith("3.")
    assert description["servers"] == [{"url": sandbox.url}]
    paths = description["paths"]
    assert {"/users/me", "/sources/{id}/event_summaries"} <= set(paths)
    names = [p["name"] for p in paths["/sources/{id}/event_summaries"]["get"]["parameters"]]
    assert names[0] == "id"
    assert {"limit", "after", "event_name", "expand"} <= set(names)


def test_github_events_are_the_real_payloads(get, ids):
    rows = get(f"/sources/{ids['GitHub organization']}/event_summaries", expand="event", limit=100)
    assert any(len(json.dumps(row["event"])) > 5_000 for row in rows.json()["data"])
    assert all({"id", "summary", "ts"} <= set(row["metadata"]) for row in rows.json()["data"])
