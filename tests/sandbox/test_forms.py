"""Requests in every form that clients send them, over plain sockets where it matters."""

from __future__ import annotations

import json
import re
import socket

import pytest

from pipedream_source.sandbox.http.quick import read_plain
from pipedream_source.sandbox.http.routes import API_ROUTES
from tests.sandbox.examples import RSS


def raw(sandbox, *pieces: bytes) -> bytes:
    """Send pieces one after the other, and return all that comes back until the end."""
    with socket.create_connection((sandbox.host, sandbox.port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while more := connection.recv(65_536):
            answer += more
    return answer


def head(sandbox, line: str, *headers: str) -> bytes:
    lines = (line, "Host: x", f"Authorization: Bearer {sandbox.api_key}", *headers, "", "")
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("route", API_ROUTES, ids=lambda r: f"{r.method} {r.path}")
def test_a_trailing_slash_is_answered_directly(sandbox, send, ids, route):
    workflow = route.path.startswith("/workflows")
    real = {"id": ids["Ledger sync" if workflow else "Deploy hooks"], "channel": "$errors"}
    real |= {"org_id": sandbox.org_id, "key": "http-new-requests"}
    path = re.sub(r"{(\w+)}", lambda match: real[match[1]], route.path)
    sandbox.switch(deletion="at_once")
    answers = []
    for slash in ("", "/", "//"):
        sandbox.reset()
        answer = send(route.method, path + slash, key="" if route.keyless else None)
        answers.append((answer.status, answer.body))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] < 500


@pytest.mark.parametrize("route", API_ROUTES, ids=lambda r: f"{r.method} {r.path}")
def test_a_key_is_needed_and_ids_must_exist(send, route):
    path = re.sub(r"{\w+}", "none", route.path)
    without = send(route.method, path, key="")
    if route.keyless:
        assert without.status == 400
        return
    assert (without.status, without.body) == (401, {"error": "unauthorized"})
    if "{" in route.path:
        unknown = send(route.method, path)
        assert (unknown.status, unknown.body) == (404, {"error": "record not found"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/sources"),
        ("PUT", "/users/me"),
        ("POST", "/users/me"),
        ("DELETE", "/components/x"),
    ],
)
def test_other_methods_are_unknown_routes(send, method, path):
    answer = send(method, path)
    assert (answer.status, answer.body) == (404, {"error": "route not found"})


@pytest.mark.parametrize("channel", ["", "$errors/"])
@pytest.mark.parametrize("odd", ["&expand=event", "/&expand=event/", "&expand=event?limit=10"])
def test_the_printed_ampersand_in_the_path(sandbox, send, ids, channel, odd):
    path = f"/workflows/{ids['Order fulfilment']}/{channel}event_summaries"
    wanted = send("GET", f"{path}?expand=event")
    assert wanted.data[0]["event"]
    assert send("GET", path + odd).body == wanted.body
    assert send("GET", path + odd, user_agent="ä").body == wanted.body
    assert send("GET", f"{path}&limit=1?expand=event").body["page_info"]["count"] == 1
    assert send("GET", path.replace("event_summaries", "event&x=1")).status == 404


@pytest.mark.parametrize("origin", ["http://api.example.com", "HTTPS://x:8443", "http://[::1]:1"])
def test_a_target_in_absolute_form(sandbox, origin, quiet):
    for target in ("/v1/users/me", f"/v1/sources/{quiet}/event_summaries?limit=3&expand=event"):
        short, whole = (
            raw(sandbox, head(sandbox, f"GET {start}{target} HTTP/1.1", "Connection: close"))
            for start in ("", origin)
        )
        assert short.startswith(b"HTTP/1.1 200 ")
        assert whole.partition(b"\r\n\r\n")[2] == short.partition(b"\r\n\r\n")[2]
    for rest in ("", "?x=/v1/users/me", "/"):
        answer = raw(sandbox, head(sandbox, f"GET {origin}{rest} HTTP/1.1", "Connection: close"))
        assert answer.startswith(b"HTTP/1.1 404 ")
    assert {entry["path"] for entry in sandbox.journal()} == {
        *("/v1/users/me", f"/v1/sources/{quiet}/event_summaries"),
    }


def test_parameters_stand_in_the_query_or_in_the_body(send, quiet, ids):
    listener = ids["Ledger sync"]
    by_query = send("POST", f"/subscriptions?emitter_id={quiet}&listener_id={listener}")
    by_body = send("POST", "/subscriptions", {"emitter_id": quiet, "listener_id": listener})
    mixed = send("POST", f"/subscriptions?emitter_id={quiet}", {"listener_id": listener})
    assert by_query.data == by_body.data == mixed.data
    body = {"emitter_id": quiet, "listener_id": listener, "event_name": None}
    assert send("DELETE", "/subscriptions", body).data == by_query.data
    query = f"component_url={RSS}&name=by-query"
    assert send("POST", f"/sources?{query}").data["name"] == "by-query"


def test_pages_and_fields_are_asked_for_in_a_body_too(send):
    page = send("GET", "/users/me/sources", {"limit": 2, "include": "id"}).body
    assert page["page_info"]["count"] == 2
    assert [list(row) for row in page["data"]] == [["id"], ["id"]]
    assert send("GET", "/users/me/sources", {"limit": "2"}).body["page_info"]["count"] == 2
    for limit in (0, 1.5, True, ["x"], "x"):
        assert send("GET", "/users/me/sources", {"limit": limit}).status == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/components", {"component_url": RSS}),
        ("POST", "/sources", {"component_url": RSS}),
        ("PUT", "/sources/{quiet}", {}),
        ("POST", "/webhooks", {"url": "https://a.example.com"}),
        ("POST", "/subscriptions", {"emitter_id": "dc_*", "listener_id": "{workflow}"}),
        ("POST", "/auto_subscriptions", {"event_name": "x", "listener_id": "{workflow}"}),
    ],
)
def test_include_and_exclude_hold_for_changes(send, quiet, ids, method, path, body):
    real = {"{workflow}": ids["Ledger sync"]}
    body = {name: real.get(value, value) for name, value in body.items()}
    path = path.format(quiet=quiet)

    def fields(answer) -> set[str]:
        data = answer.data[0] if isinstance(answer.data, list) else answer.data
        return set(data)

    assert fields(send(method, path, {**body, "include": "id,active"})) <= {"id", "active"}
    assert fields(send(method, f"{path}?include=id", body)) == {"id"}
    assert "id" not in fields(send(method, path, {**body, "exclude": ["id"]}))


def test_a_workflow_has_no_wrapper(sandbox, send, ids):
    workflow = ids["Ledger sync"]
    details = send("GET", f"/workflows/{workflow}?org_id={sandbox.org_id}").body
    assert set(details) == {"triggers", "steps"}
    assert details["triggers"][0]["id"] == ids["Stripe payments"]
    assert set(send("GET", f"/workflows/{workflow}?include=steps").body) == {"steps"}
    assert send("GET", f"/workflows/{workflow}?org_id=o_none").status == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b"7", b"[" * 50_000])
def test_a_body_that_is_no_object_is_refused(send, quiet, body):
    for method, path in (("POST", "/webhooks"), ("PUT", f"/sources/{quiet}"), ("GET", "/users/me")):
        answer = send(method, path, body)
        assert answer.status == 400
        assert answer.body == {"error": "request body must be a JSON object"}


def test_a_body_that_is_too_large_is_refused(send):
    assert send("POST", "/components", b" " * (8 * 1024 * 1024 + 1)).status == 413


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_json_without_a_body_is_accepted(sandbox, send, quiet, ids, body):
    target = f"/subscriptions?emitter_id={quiet}&listener_id={ids['Ledger sync']}"
    for method in ("POST", "DELETE"):
        assert send(method, target, body, Content_Type="application/json").status == 200
    line = f"POST /v1{target} HTTP/1.1"
    answer = raw(sandbox, head(sandbox, line, "Content-Type: application/json"))
    assert answer.startswith(b"HTTP/1.1 200")


def test_dollars_and_stars_are_sent_unescaped(sandbox, send, ids):
    listener = ids["Ledger sync"]
    made = send("POST", f"/subscriptions?emitter_id=p_*&listener_id={listener}&event_name=$errors")
    escaped = f"/subscriptions?emitter_id=p_%2A&listener_id={listener}&event_name=%24errors"
    assert send("DELETE", escaped).data == made.data


def test_invalid_parameters_may_be_answered_with_400(sandbox, send):
    sandbox.switch(invalid_status="400")
    assert send("GET", "/users/me/sources?limit=abc").status == 400


def test_what_is_created_may_be_answered_with_201(sandbox, send):
    sandbox.switch(created_status="201")
    assert send("POST", "/webhooks?url=https://a.example.com").status == 201
    assert send("POST", "/sources", {"component_url": RSS}).status == 200


def test_head_is_get_without_a_body(sandbox):
    answer = raw(sandbox, head(sandbox, "HEAD /v1/users/me HTTP/1.1"))
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n")


def test_a_request_may_come_in_pieces_or_with_others(sandbox):
    request = head(sandbox, "GET /v1/users/me HTTP/1.1")
    whole = raw(sandbox, request)
    body = whole.partition(b"\r\n\r\n")[2]
    assert json.loads(body)["data"]["username"] == "ada"
    for cut in (1, 40, len(request) - 2):
        assert raw(sandbox, request[:cut], request[cut:]).endswith(body)
    post = head(sandbox, "POST /v1/webhooks HTTP/1.1", "Content-Length: 32")
    sent = post + b'{"url":"https://w.example.com" }'
    assert raw(sandbox, request + sent + request).count(b"HTTP/1.1 200") == 3
    assert raw(sandbox, request, request, sent, request).count(b"HTTP/1.1 200") == 4


def test_curl_s_expectation_is_met(sandbox):
    request = head(
        sandbox, "POST /v1/webhooks HTTP/1.1", "Expect: 100-continue", "Content-Length: 31"
    )
    answer = raw(sandbox, request, b'{"url":"https://w.example.com"}')
    assert answer.startswith(b"HTTP/1.1 100")
    assert b"HTTP/1.1 200" in answer


def test_only_plain_requests_are_read_the_short_way(sandbox):
    plain = head(sandbox, "GET /v1/users/%6De/?a=%20b HTTP/1.1", "X-Y: z ")
    call = read_plain(plain)
    assert call is not None
    assert (call.path, call.query, call.headers["x-y"]) == ("/v1/users/me", "a=%20b", "z")
    for other in (
        plain[:-1],
        plain + b"x",
        plain.replace(b"GET", b"PUT"),
        plain.replace(b"1.1", b"1.0"),
        plain.replace(b"X-Y: z ", b"Connection: close"),
        plain.replace(b"X-Y: z ", b"Content-Length: 0"),
        plain.replace(b"X-Y: z ", b"Transfer-Encoding: chunked"),
        plain.replace(b"X-Y", b"Host"),
        plain.replace(b"Host", b"Most"),
        plain.replace(b"X-Y: z ", b" folded: z"),
        plain.replace(b"z ", b"\xff"),
    ):
        assert read_plain(other) is None
