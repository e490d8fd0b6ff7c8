"""More of the control plane: rates and patterns, chosen ids, a running clock, faults by chance."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from pipedream_source.sandbox import ControlError, Sandbox
from pipedream_source.sandbox.http.app import Application
from pipedream_source.sandbox.protocol.clock import Clock
from pipedream_source.sandbox.protocol.exchange import Call
from pipedream_source.sandbox.protocol.faults import Fault, Faults
from pipedream_source.sandbox.world.site import Site

FIXTURE_TESTS = """
import requests
from pipedream_source.sandbox.testing import sandbox  # noqa: F401

def count(sandbox):
    key = {"Authorization": f"Bearer {sandbox.api_key}"}
    url = f"{sandbox.url}/users/me/webhooks"
    return requests.get(url, headers=key, timeout=60).json()["page_info"]["total_count"]

def test_one(sandbox):
    key = {"Authorization": f"Bearer {sandbox.api_key}"}
    made = requests.post(
        f"{sandbox.url}/webhooks", json={"url": "http://localhost"}, headers=key, timeout=60
    )
    assert made.status_code == 200
    assert count(sandbox) == 3

def test_two(sandbox):
    assert count(sandbox) == 2
    assert sandbox.port
"""


@pytest.mark.parametrize(
    ("pattern", "least", "most"), [("steady", 45, 80), ("diurnal", 10, 80), ("bursty", 10, 70)]
)
def test_emitting_at_a_rate(sandbox, get, quiet, pattern, least, most):
    body = {"emitter_id": quiet, "per_hour": 60, "pattern": pattern, "event": {"n": 1}}
    assert sandbox.control("POST", "emit", body) == {"ids": []}
    sandbox.advance(3600 if pattern != "bursty" else 4 * 3600)
    page = get(f"/sources/{quiet}/event_summaries", expand="event").json()
    total = page["page_info"]["total_count"]
    assert least <= total <= most
    assert page["data"][0]["event"] == {"n": 1}
    sandbox.emit(quiet, per_hour=0)
    sandbox.advance(4 * 3600)
    assert get(f"/sources/{quiet}/event_summaries").json()["page_info"]["total_count"] == total


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("emit", {"emitter_id": "{quiet}", "per_hour": 5, "pattern": "wild"}, "steady"),
        ("emit", {"emitter_id": "{quiet}", "per_hour": -1}, "per_hour"),
        ("emit", {"emitter_id": "{quiet}", "delay_s": -1}, "delay_s"),
        ("emitters", {"id": "dc_new", "count": 2}, "one emitter"),
        ("emitters", {"id": "p_new"}, "dc_"),
        ("emitters", {"id": "{quiet}"}, "there is a"),
        ("emitters", {"on_event": "dance"}, "on_event"),
        ("listeners", {"emitter_id": "{quiet}", "on_event": "dance"}, "emit, fail, ignore"),
        ("components", {"url": "x", "code": "y", "kind": "spam"}, "github"),
        ("clock", {"speed": -1}, "speed"),
        ("faults", {"status": 500, "probability": 0}, "probability"),
    ],
)
def test_wrong_orders_are_refused(sandbox, quiet, path, body, says):
    body = {name: quiet if value == "{quiet}" else value for name, value in body.items()}
    with pytest.raises(ControlError, match="422") as refusal:
        sandbox.control("POST", path, body)
    assert says in str(refusal.value)


def test_emitters_of_chosen_ids_and_names(sandbox, get):
    assert sandbox.add_emitters(1, id="dc_abc123", name="Mine") == ["dc_abc123"]
    assert get("/sources/dc_abc123").json()["data"]["name_slug"] == "mine"
    assert sandbox.add_emitters(1, id="p_abc123", type="workflow") == ["p_abc123"]


def test_a_clock_runs_at_a_speed_from_now_on():
    seconds = iter([10.0, 11.0, 11.0, 13.0, 20.0])
    clock = Clock(elapsed=lambda: next(seconds))
    clock.advance(5)
    assert clock.now_ms() == clock.start_ms + 5_000
    clock.set(clock.now_ms(), 60)
    assert clock.now_ms() == clock.start_ms + 65_000
    clock.set(clock.now_ms(), 2)
    assert clock.now_ms() == clock.start_ms + 65_000 + 14_000


def test_the_clock_runs_freely_until_it_is_stopped(sandbox):
    sandbox.run_clock(100_000)
    first, second = sandbox.state()["now_ms"], sandbox.state()["now_ms"]
    assert first < second
    sandbox.run_clock(0)
    assert sandbox.state()["now_ms"] == sandbox.state()["now_ms"]
    sandbox.reset()
    assert sandbox.state()["now"] == "2026-11-02T09:00:00.000Z"


def test_a_fault_by_chance_follows_from_the_seed():
    def met(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add(Fault(status=500, probability=0.3))
        return [faults.take(Call("GET", "/v1/x")) is not None for _ in range(200)]

    assert met(1) == met(1)
    assert met(1) != met(2)
    assert 35 <= sum(met(1)) <= 85


def test_a_fault_may_be_a_proxy_s_page(get, sandbox):
    sandbox.fault(html=True, count=1)
    answer = get("/users/me")
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_fault_may_be_a_429_with_any_header(get, sandbox):
    limits = {"Retry-After": "3", "X-RateLimit-Remaining": "0"}
    sandbox.fault(status=429, body='{"error":"Throttled"}', headers=limits, count=1)
    answer = get("/users/me")
    assert (answer.status_code, answer.json()) == (429, {"error": "Throttled"})
    assert {n: answer.headers[n] for n in limits} == limits


def outward_address() -> str | None:
    """An address of this machine that is not loopback, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # A datagram socket: nothing is sent.
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if ipaddress.ip_address(address).is_loopback else address


def control_status(site: Site, client: str) -> int:
    """Call the control plane as from an address."""
    key = {"authorization": f"Bearer {site.control_key}"}
    scope = {"client": (client, 1), "server": ("127.0.0.1", 1)}
    return Application(site).beside(Call("GET", "/_sandbox/state", headers=key), scope).status


@pytest.mark.parametrize(
    ("client", "status"),
    [
        *(("127.0.0.1", 200), ("127.0.0.9", 200), ("::1", 200), ("::ffff:127.0.0.1", 200)),
        *(("10.0.0.7", 404), ("203.0.113.9", 404), ("2001:db8::1", 404)),
    ],
)
def test_the_control_plane_is_reached_on_loopback_only(client, status):
    assert control_status(Site(), client) == status


def test_another_interface_serves_the_api_but_not_the_control_plane():
    address = outward_address()
    with Sandbox(host="0.0.0.0") as open_to_all:
        api = {"Authorization": f"Bearer {open_to_all.api_key}"}
        control = {"Authorization": f"Bearer {open_to_all.control_key}"}
        for host, status in (("127.0.0.1", 200), *([(address, 404)] if address else [])):
            base = f"http://{host}:{open_to_all.port}"
            me = requests.get(f"{base}/v1/users/me", headers=api, timeout=60)
            state = requests.get(f"{base}/_sandbox/state", headers=control, timeout=60)
            assert (me.status_code, state.status_code) == (200, status)


def test_the_fixture_is_imported_by_users(tmp_path: Path):
    (tmp_path / "test_mine.py").write_text(FIXTURE_TESTS, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    command += ["-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)]
    # Others' plugins take seconds to load, and have no part in this.
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environ, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_the_package_needs_no_pytest():
    code = "import sys; sys.modules['pytest'] = None; import pipedream_source.sandbox.server"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
