"""The control plane: its key, its orders, faults, the journal, and starting and stopping."""

from __future__ import annotations

import base64
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
import requests

from pipedream_source.sandbox import ControlError, Sandbox
from pipedream_source.sandbox.protocol.clock import Clock
from pipedream_source.sandbox.protocol.journal import Journal


def test_the_control_key_is_needed(sandbox, session):
    for headers in ({}, {"Authorization": f"Bearer {sandbox.api_key}"}, {"X-Sandbox-Key": "no"}):
        response = session.get(f"{sandbox.control_url}/state", headers=headers, timeout=60)
        assert (response.status_code, response.json()) == (401, {"error": "unauthorized"})
    ok = {"X-Sandbox-Key": sandbox.control_key}
    assert session.get(f"{sandbox.control_url}/state", headers=ok, timeout=60).status_code == 200
    missing = session.get(f"{sandbox.control_url}/nothing", headers=ok, timeout=60)
    assert (missing.status_code, missing.json()) == (404, {"error": "route not found"})


def test_the_control_key_opens_no_api(sandbox, session):
    headers = {"Authorization": f"Bearer {sandbox.control_key}"}
    assert session.get(f"{sandbox.url}/users/me", headers=headers, timeout=60).status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("switches", {"colour": "red"}, "order, after"),
        ("switches", {"order": "sideways"}, "newest, oldest, shuffled"),
        ("switches", {"order": None}, "newest"),
        ("faults", {"paht": "/v1/*"}, "paht"),
        ("faults", {"reset": "sometimes"}, "sometimes"),
        ("faults", {"body_base64": "a"}, "base64"),
        ("faults", {}, "does something: give one of status"),
        ("faults", {"path": "/v1/users/me", "skip": 1, "delay_s": 0}, "does something"),
        ("faults", {"path": "/users/me", "status": 500}, "path begins with /v1"),
        ("faults", {"path": "*", "status": 500}, "path begins with /v1"),
        ("clock", {"advance_s": -1}, "advance_s"),
        ("clock", {"advance_s": "soon"}, "float"),
        ("emit", {"channel": "x"}, "emitter_id"),
        ("emitters", {"kind": "spam"}, "github"),
        ("delete", {"emitter_id": "{quiet}", "start_id": "yesterday"}, "yesterday"),
    ],
)
def test_wrong_orders_are_refused_and_told_why(sandbox, quiet, path, body, says):
    body = {name: quiet if value == "{quiet}" else value for name, value in body.items()}
    with pytest.raises(ControlError, match="422") as refusal:
        sandbox.control("POST", path, body)
    assert says in str(refusal.value)
    assert refusal.value.status == 422


@pytest.mark.parametrize(
    "body",
    [
        *(b"\xff", b"{", b"[NaN]", b"NaN", b'{"event"}', b'{"event":NaN'),
        *(b'{"event":}', b'{"event":NaN}', b'{"event":NaN,}', b'{"event":NaN,"emitter_id":7}'),
        *(b'{"emitter_id":"x","event":[NaN}]}', b'{"emitter_id":"x","event":NaN}}'),
        *(b'{"emitter_id":"x","event":"\\ud83d}', b'{"emitter_id":"\\ud83d","event":1}'),
        b'{"emitter_id":"x","event":' + b"[" * 99_999,
    ],
)
def test_a_body_that_cannot_be_read_is_refused(sandbox, session, body):
    response = session.post(
        f"{sandbox.control_url}/emit",
        data=body,
        headers={"X-Sandbox-Key": sandbox.control_key},
        timeout=60,
    )
    assert response.status_code == 422
    assert response.json()["error"]


def test_unknown_emitters_are_refused(sandbox):
    with pytest.raises(ControlError, match="404: record not found"):
        sandbox.emit("dc_none")


def test_events_of_the_emitters_own_kind(get, sandbox, ids):
    for name in ids:
        sandbox.emit(ids[name], "fresh")
    workflow = ids["Order fulfilment"]
    sandbox.emit(workflow, "$errors")
    row = get(f"/workflows/{workflow}/$errors/event_summaries", limit=1, expand="event").json()
    assert "original_context" in row["data"][0]["event"]


def test_many_emitters(get, sandbox):
    made = sandbox.add_emitters(25, kind="rss", events=3, spread_s=60, org_id=sandbox.org_id)
    assert len(set(made)) == 25
    page = get(f"/orgs/{sandbox.org_id}/sources", limit=100).json()
    assert page["page_info"]["total_count"] == 36
    assert get(f"/sources/{made[-1]}/event_summaries").json()["page_info"]["total_count"] == 3
    workflow = sandbox.add_emitters(1, type="workflow", kind="result", per_hour=60)[0]
    sandbox.advance(3600)
    total = get(f"/workflows/{workflow}/event_summaries").json()["page_info"]["total_count"]
    assert 45 <= total <= 80
    event = sandbox.add_emitters(1, events=1, event={"x": 1})[0]
    assert get(f"/sources/{event}/event_summaries").json()["data"][0]["event"] == {"x": 1}


def test_the_journal_tells_calls_without_keys(get, sandbox):
    get("/users/me")
    get("/orgs/o_none/sources", api_key=sandbox.api_key, limit=3)
    entries = sandbox.journal()
    assert [(e["method"], e["path"], e["status"]) for e in entries] == [
        ("GET", "/v1/users/me", 200),
        ("GET", "/v1/orgs/o_none/sources", 404),
    ]
    assert entries[1]["query"] == "api_key=***&limit=3"
    assert entries[0]["clock"] == "2026-11-02T09:00:00.000Z"
    assert entries[0]["ms"] > 0
    text = json.dumps(entries)
    assert sandbox.api_key not in text
    assert sandbox.control_key not in text
    sandbox.control("DELETE", "journal")
    assert sandbox.journal() == []


def test_the_journal_is_bounded():
    journal = Journal(longest=3)
    for number in range(5):
        journal.add(method="GET", path=str(number), query="", status=200, ms=1, clock="")
    assert journal.as_dict()["dropped"] == 2
    assert [entry["path"] for entry in journal.as_dict()["data"]] == ["2", "3", "4"]


def test_a_fault_meets_as_many_calls_as_said(get, sandbox):
    sandbox.fault(path="/v1/users/*", skip=1, count=2, status=503, headers={"Retry-After": "7"})
    answers = [get("/users/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert answers[1].headers["Retry-After"] == "7"
    assert answers[1].json() == {"error": "fault 503"}
    assert [entry["status"] for entry in sandbox.journal()] == [200, 503, 503, 200]
    assert sandbox.control("GET", "faults") == {"faults": []}


def test_a_fault_for_ever_lasts_until_cleared(get, sandbox):
    sandbox.fault(
        path="/v1/*sources*", query="*limit=3*", body="<html>", headers={"Content-Type": None}
    )
    assert {get("/users/me/sources", limit=3).text for _ in range(3)} == {"<html>"}
    assert "Content-Type" not in get("/users/me/sources", limit=3).headers
    assert get("/users/me/sources").status_code == 200
    sandbox.clear_faults()
    assert get("/users/me/sources", limit=3).json()["data"]


def test_a_fault_may_redirect(get, sandbox):
    sandbox.fault(redirect="http://elsewhere.example.com/", count=1)
    answer = get("/users/me")
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        "http://elsewhere.example.com/",
    )


def test_a_fault_may_send_bytes(get, sandbox):
    packed = base64.b64encode(gzip.compress(b'{"data":[]}')).decode()
    sandbox.fault(body_base64=packed, headers={"Content-Encoding": "gzip"}, count=1)
    assert get("/users/me").json() == {"data": []}


@pytest.mark.parametrize("reset", [True, "before", "after", "body"])
def test_a_fault_may_reset_the_connection(get, sandbox, reset):
    sandbox.fault(reset=reset, count=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        get("/users/me")
    assert get("/users/me").status_code == 200


def test_a_fault_may_cut_the_body_short(get, sandbox):
    sandbox.fault(truncate=20, count=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="20 bytes read"):
        get("/users/me")
    assert sandbox.journal()[0]["status"] == 200


def test_a_fault_may_be_slow(get, sandbox):
    sandbox.fault(body='{"data":1}', dribble_s=0.002, count=1)
    sandbox.fault(delay_s=0.05, count=1)
    assert get("/users/me").json() == {"data": 1}
    assert get("/users/me").json()["data"]["id"]
    assert min(entry["ms"] for entry in sandbox.journal()) >= 15


def test_it_stops_cleanly_though_clients_hang():
    threads = threading.active_count()
    with Sandbox() as sandbox:
        sandbox.fault(delay_s=3600)
        with socket.create_connection((sandbox.host, sandbox.port)) as hanging:
            request = f"GET /v1/users/me HTTP/1.1\r\nHost: x\r\nX: {sandbox.api_key}\r\n\r\n"
            hanging.sendall(request.encode())
            idle = requests.Session()
            assert idle.get(sandbox.openapi_url, timeout=60).status_code == 200
            sandbox.__exit__(None, None, None)
            assert hanging.recv(10) == b""
        idle.close()
    assert threading.active_count() == threads
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((sandbox.host, sandbox.port))


def test_a_taken_port_is_told_at_once(server):
    with pytest.raises(OSError, match="in use"), Sandbox(port=server.port):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_one_json_line_and_returns_on_a_signal(number):
    code = "from pipedream_source.sandbox import serve; serve(json_output=True); print('bye')"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "error", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        try:
            about = json.loads(process.stdout.readline())
            headers = {"Authorization": f"Bearer {about['api_key']}"}
            user = requests.get(about["url"] + "/users/me", headers=headers, timeout=60).json()
        finally:
            process.send_signal(number)
        assert process.stdout.read() == "bye\n"
    assert process.returncode == 0
    assert list(about) == [
        *("url", "api_key", "control_url", "control_key", "openapi_url", "org_id"),
        *("client_id", "client_secret"),
    ]
    assert user["data"]["orgs"][0]["id"] == about["org_id"]


def test_a_clock_may_run_at_a_speed():
    seconds = iter([100.0, 100.5, 101.0])
    clock = Clock(speed=60, elapsed=lambda: next(seconds))
    assert clock.now_ms() == clock.start_ms + 30_000
    clock.advance(1)
    assert clock.now_ms() == clock.start_ms + 61_000
