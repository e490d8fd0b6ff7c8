"""The table of endpoints against the documentation, the client and the stand-in."""

from __future__ import annotations

import re

import pytest

from pipedream_source.api import calls, endpoints
from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.endpoints import ENDPOINTS, Endpoint, endpoint_of
from pipedream_source.sandbox.http.routes import API_ROUTES

# The sections "Endpoint" of the API's documentation, in its order; queries and `/v1` left out.
DOCUMENTED = """
    POST /components
    GET /components/{key|id}
    GET /components/registry/{key}
    GET /sources/{id}/event_summaries
    DELETE /sources/{id}/events
    GET /workspaces/<workspace_id>
    GET /workspaces/<workspace_id>/subscriptions
    GET /orgs/<workspace_id>/sources
    GET /users/me/sources/
    POST /sources/
    PUT /sources/{id}
    DELETE /sources/{id}
    POST /subscriptions
    POST /auto_subscriptions
    DELETE /subscriptions
    POST /webhooks
    DELETE /webhooks/{id}
    GET /workflows/{workflow_id}/event_summaries
    GET /workflows/{workflow_id}/$errors/event_summaries
    GET /users/me
    GET /users/me/subscriptions
    GET /users/me/webhooks
"""
# What later documentation names or clients were seen to use.
UNDOCUMENTED = """
    GET /sources/{id}
    GET /workflows/{id}
    GET /workflows/{id}/{channel}/event_summaries
    GET /sources/{id}/events
    GET /orgs/{id}/subscriptions
    GET /workspaces/{id}/sources
    POST /oauth/token
"""
_PLACEHOLDER = re.compile(r"\{[^}]*\}|<[^>]*>")


def plain(text: str) -> list[str]:
    """Spell each line's placeholders alike, without a trailing slash."""
    lines = (line.strip().rstrip("/") for line in text.strip().splitlines())
    return [_PLACEHOLDER.sub("{}", line) for line in lines]


def _pattern(path: str) -> re.Pattern[str]:
    """Return what matches a path whose placeholders stand for one segment each."""
    return re.compile("[^/]+".join(re.escape(part) for part in _PLACEHOLDER.split(path)))


def spelled(endpoint: Endpoint) -> str:
    return plain(f"{endpoint.method} {endpoint.path}")[0]


def test_the_table_is_the_documentation() -> None:
    assert [spelled(e) for e in ENDPOINTS if e.documented] == plain(DOCUMENTED)
    assert [spelled(e) for e in ENDPOINTS if not e.documented] == plain(UNDOCUMENTED)
    assert len({spelled(e) for e in ENDPOINTS}) == len(ENDPOINTS)


def test_each_documented_endpoint_has_a_section_a_method_and_a_verb() -> None:
    for endpoint in ENDPOINTS:
        if endpoint.documented:
            assert endpoint.section, endpoint
            assert endpoint.name, endpoint
        if endpoint.name:
            assert re.fullmatch(r"[a-z]+ [a-z]+", endpoint.verb), endpoint


def test_each_call_of_the_client_is_in_the_table() -> None:
    named = {endpoint.name for endpoint in ENDPOINTS} - {""}
    assert named == set(calls.__all__) - {"request"}
    for name in named:
        assert PipedreamClient.__dict__.get(name) or getattr(PipedreamClient, name).__doc__


def test_each_public_method_of_the_client_is_a_call_or_known() -> None:
    public = {name for name in dir(PipedreamClient) if not name.startswith("_")}
    others = {"answers", "close", "redaction_salt", "request", "send", "walk_window"}
    assert public == others | ({endpoint.name for endpoint in ENDPOINTS} - {""})


def test_a_request_is_the_one_of_its_endpoint() -> None:
    ids = {"id": "dc_1", "key": "k", "org_id": "o_1", "workflow_id": "p_1", "channel": "c"}
    for endpoint in ENDPOINTS:
        request = endpoint.request(ids)
        assert endpoint_of(request.method, request.path) is endpoint
        assert endpoint_of(request.method, request.path + "/") is endpoint
        assert endpoint_of("PATCH", request.path) is None
    assert endpoint_of("GET", "/components/registry/a/b") is None
    assert endpoint_of("GET", "/") is None


# "These endpoints only work when using user API keys" (section "Users" of later documentation).
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=spelled)
def test_oauth_clients_are_kept_from_what_is_a_users(endpoint: Endpoint) -> None:
    users = endpoint.path.startswith(("/users/", "/components"))
    assert endpoint.oauth is not (users or endpoint is endpoints.CREATE_SOURCE)


def test_the_stand_in_has_each_of_them() -> None:
    served = [(route.method, _pattern(route.path)) for route in API_ROUTES]
    missing = [
        spelled(endpoint)
        for endpoint in ENDPOINTS
        if not any(
            method == endpoint.method and pattern.fullmatch(endpoint.path)
            for method, pattern in served
        )
    ]
    assert missing == []


def test_the_stand_in_has_nothing_else() -> None:
    known = set(plain(DOCUMENTED) + plain(UNDOCUMENTED))
    served = {plain(f"{route.method} {route.path}")[0] for route in API_ROUTES}
    assert served - known == set()
