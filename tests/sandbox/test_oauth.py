"""OAuth client credentials: the token, its hour, its workspace, and where it is refused."""

from __future__ import annotations

import pytest


@pytest.fixture
def client(sandbox) -> dict[str, str]:
    names = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    return {"grant_type": "client_credentials", **names}


@pytest.fixture
def token(send, client) -> str:
    got: str = send("POST", "/oauth/token", client, key="").body["access_token"]
    return got


def test_a_token_lives_for_an_hour(sandbox, send, client):
    answer = send("POST", "/oauth/token/", client, key="")
    assert (answer.status, answer.body["token_type"], answer.body["expires_in"]) == (
        *(200, "Bearer", 3600),
    )
    token = answer.body["access_token"]
    sandbox.advance(3599)
    assert send("GET", "/users/me", key=token).status == 200
    sandbox.advance(1)
    late = send("GET", "/users/me", key=token)
    assert (late.status, late.body) == (401, {"error": "unauthorized"})
    assert send("POST", "/oauth/token", client, key="").body["access_token"] != token


def test_a_form_is_taken_too(send, client):
    form = "&".join(f"{name}={value}" for name, value in client.items()).encode()
    kind = "application/x-www-form-urlencoded"
    assert send("POST", "/oauth/token", form, key="", Content_Type=kind).status == 200


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": None}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "unsupported_grant_type"),
    ],
)
def test_a_wrong_client_gets_no_token(send, client, change, status, error):
    answer = send("POST", "/oauth/token", client | change, key="")
    assert (answer.status, answer.body["error"]) == (status, error)


def test_components_and_new_sources_refuse_a_token(sandbox, send, token):
    paths = (
        *(("POST", "/components"), ("GET", "/components/x"), ("GET", "/components/registry/x")),
        ("POST", "/sources"),
    )
    for method, path in paths:
        answer = send(method, path, key=token)
        assert (answer.status, "OAuth" in answer.body["error"]) == (403, True)
    sandbox.switch(oauth_refusal="401")
    assert send("POST", "/sources", key=token).status == 401


def test_a_token_sees_its_workspace_only(sandbox, send, token, ids):
    orgs = [org["id"] for org in send("GET", "/users/me").data["orgs"]]
    assert [org["id"] for org in send("GET", "/users/me", key=token).data["orgs"]] == orgs[:1]
    for path in ("/workspaces/{}", "/orgs/{}/sources", "/workspaces/{}/subscriptions"):
        assert send("GET", path.format(orgs[0]), key=token).status == 200
        assert send("GET", path.format(orgs[1]), key=token).status == 404
    own, other = ids["Shop orders"], ids["Leads sheet"]
    for path in ("/sources/{}", "/sources/{}/event_summaries", "/sources/{}/events"):
        assert send("GET", path.format(own), key=token).status == 200
        assert send("GET", path.format(other), key=token).status == 404
    rows = send("GET", "/users/me/sources?limit=100", key=token).data
    assert rows == send("GET", f"/orgs/{orgs[0]}/sources?limit=100").data
    assert send("DELETE", f"/sources/{other}", key=token).status == 404
    target = f"/subscriptions?emitter_id={other}&listener_id={ids['Ledger sync']}"
    assert send("POST", target, key=token).status == 404
    sandbox.switch(oauth_user="refused")
    assert send("GET", "/users/me", key=token).status == 403
    assert send("GET", "/users/me").status == 200


def test_a_token_manages_what_its_workspace_has(sandbox, send, token, ids):
    source, workflow = ids["Deploy hooks"], ids["Ledger sync"]
    target = f"/subscriptions?emitter_id={source}&listener_id={workflow}"
    (made,) = send("POST", target, key=token).data
    assert made in send("GET", "/users/me/subscriptions", key=token).data
    assert send("DELETE", target, key=token).data == [made]
    webhook = send("POST", "/webhooks?url=https://a.example.com", key=token).data
    assert [w["id"] for w in send("GET", "/users/me/webhooks", key=token).data] == [webhook["id"]]
    assert send("PUT", f"/sources/{source}", {"active": False}, key=token).status == 200
    assert send("DELETE", f"/webhooks/{webhook['id']}", key=token).status == 204


def test_the_secret_and_tokens_stand_in_no_journal(sandbox, send, client, token):
    query = "&".join(f"{name}={value}" for name, value in client.items())
    assert send("POST", f"/oauth/token?{query}", key="").status == 200
    assert sandbox.client_secret not in str(sandbox.journal())
