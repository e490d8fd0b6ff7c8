"""Dump and restore: the same answers follow, on this server and on another one."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from pipedream_source.sandbox import ControlError, Sandbox
from pipedream_source.sandbox.control.state_calls import dump, restore
from pipedream_source.sandbox.http.routes import API
from pipedream_source.sandbox.protocol.exchange import Call
from pipedream_source.sandbox.world.site import Site
from tests.sandbox.examples import RSS

DAY_S = 86_400


def ask(site: Site, method: str, path: str, body: Any = None, query: str = "") -> bytes:
    """Answer a call without a server."""
    site.now_ms()
    text = b"" if body is None else json.dumps(body).encode()
    return API.answer(site, Call(method, "/v1" + path, query, body=text)).body


def everything(site: Site) -> list[bytes]:
    """All that a client can read."""
    user = json.loads(ask(site, "GET", "/users/me"))["data"]
    lists = ["/users/me", "/users/me/sources", "/users/me/subscriptions", "/users/me/webhooks"]
    for org in user["orgs"]:
        lists += [f"/orgs/{org['id']}/sources", f"/orgs/{org['id']}/subscriptions"]
    answers = [ask(site, "GET", path, query="limit=100") for path in lists]
    for emitter in site.workspace.emitters.values():
        kind = "sources" if emitter.is_source else "workflows"
        for channel in emitter.streams:
            path, query = f"/{kind}/{emitter.id}/event_summaries", f"event_name={channel}"
            answers.append(ask(site, "GET", path, query=f"{query}&limit=100&expand=event"))
        if emitter.is_source:
            answers.append(ask(site, "GET", f"/components/{emitter.record['component_id']}"))
    return answers


def played(site: Site) -> Site:
    """A site with something of everything in its state."""
    workflow = next(e.id for e in site.workspace.emitters.values() if not e.is_source)
    timer = {"timer": {"intervalSeconds": 300}}
    body = {"component_url": RSS, "configured_props": timer}
    source = json.loads(ask(site, "POST", "/sources", body))["data"]["id"]
    other = json.loads(ask(site, "POST", "/sources", body))["data"]["id"]
    ask(site, "POST", "/subscriptions", {"emitter_id": source, "listener_id": workflow})
    ask(site, "POST", "/auto_subscriptions", {"event_name": "", "listener_id": workflow})
    ask(site, "POST", "/webhooks", {"url": "https://a.example.com/ü"})
    ask(site, "PUT", f"/sources/{other}", {"active": False})
    ask(site, "DELETE", f"/sources/{source}/events")
    ask(site, "POST", "/components", {"component_code": "export default { key: 'mine' }"})
    client = {"client_id": site.client_id, "client_secret": site.client_secret}
    ask(site, "POST", "/oauth/token", {"grant_type": "client_credentials", **client})
    return site


def order(site: Site, path: str, body: bytes) -> None:
    """Give an order to the control plane without a server."""
    from pipedream_source.sandbox.http.routes import CONTROL

    CONTROL.answer(site, Call("POST", f"/_sandbox/{path}", body=body))


@pytest.fixture
def site() -> Site:
    site = Site(seed=7)
    site.switches = site.switches.changed({"deliveries": "none"})
    return played(site)


def moved_on(site: Site) -> list[bytes]:
    """What follows when time passes and more is created and emitted."""
    answers = []
    for _ in range(3):
        site.clock.advance(DAY_S / 3)
        answers += everything(site)
        answers.append(ask(site, "POST", "/sources", {"component_id": "http-new-requests"}))
        emitter = next(iter(site.workspace.emitters))
        order(site, "emit", json.dumps({"emitter_id": emitter, "count": 2}).encode())
    return answers


def test_a_restored_state_gives_the_same_answers_byte_for_byte(site):
    quiet = next(e.id for e in site.workspace.emitters.values() if e.name == "Deploy hooks")
    for strange in (b'"event":NaN', b'"event":"\xff"', b'"row_text":"{"', b'"event":1,"id":"9-9"'):
        order(site, "emit", b'{"emitter_id":"%s",%s}' % (quiet.encode(), strange))
    order(site, "emit", b'{"emitter_id":"%s","delay_s":40000}' % quiet.encode())
    order(site, "emit", b'{"emitter_id":"%s","per_hour":3,"event":7}' % quiet.encode())
    order(site, "faults", b'{"status":500,"probability":0.5,"path":"/v1/none"}')
    order(site, "components", b'{"url":"https://x.example.com","code":"export default {}"}')
    kept = dump(site, Call("GET", "")).body
    other = Site(seed=8)
    restore(other, Call("POST", "", body=kept))
    assert dump(other, Call("GET", "")).body == kept
    assert moved_on(other) == moved_on(site)
    assert dump(other, Call("GET", "")).body == dump(site, Call("GET", "")).body


def test_a_dump_changes_nothing_and_stays_as_it_was(site):
    kept = dump(site, Call("GET", "")).body
    before = copy.copy(kept)
    first = moved_on(site)
    assert kept == before
    for _ in range(2):
        restore(site, Call("POST", "", body=kept))
        assert moved_on(site) == first


def test_over_http(sandbox, send, quiet):
    sandbox.advance(100)
    sandbox.switch(order="oldest")
    sandbox.fault(path="/v1/users/me", status=503, count=2, skip=1)
    sandbox.emit(quiet, event="then", count=4)
    kept = sandbox.dump()
    sandbox.emit(quiet, event="later")
    sandbox.reset(seed=9)
    sandbox.restore(kept)
    assert send("GET", "/users/me").status == 200
    assert [send("GET", "/users/me").status for _ in range(3)] == [503, 503, 200]
    rows = send("GET", f"/sources/{quiet}/event_summaries").data
    assert [row["event"] for row in rows] == ["then"] * 4
    assert sandbox.state()["switches"]["order"] == "oldest"
    sandbox.reset()
    assert sandbox.state()["now"] == "2026-11-02T09:00:00.000Z"


def test_a_token_survives_a_restore(sandbox, send):
    body = {"grant_type": "client_credentials", "client_id": sandbox.client_id}
    body["client_secret"] = sandbox.client_secret
    token = send("POST", "/oauth/token", body).body["access_token"]
    kept = sandbox.dump()
    sandbox.reset()
    assert send("GET", "/users/me", key=token).status == 401
    sandbox.restore(kept)
    assert send("GET", "/users/me", key=token).status == 200


def spoil(kept: dict[str, Any], what: str) -> dict[str, Any]:
    """A dump with something wrong in it."""
    workspace = kept["workspace"]
    if what == "format":
        kept["format"] = 99
    elif what == "rng":
        workspace["rng"] = "AAAA"
    elif what == "feed":
        workspace["feeds"][0]["emitter_id"] = "dc_none"
    elif what == "turn":
        workspace["turns"][0][1] = 10_000
    elif what == "event":
        workspace["events"] = []
    elif what == "switch":
        kept["switches"]["order"] = "sideways"
    else:
        del kept["workspace"]
    return kept


@pytest.mark.parametrize("what", ["format", "rng", "feed", "turn", "event", "switch", "missing"])
def test_what_cannot_be_restored_is_refused_and_changes_nothing(sandbox, what):
    before = sandbox.state()
    with pytest.raises(ControlError, match="422"):
        sandbox.restore(spoil(sandbox.dump(), what))
    assert sandbox.state() == before


def test_another_server_takes_it(sandbox, quiet):
    sandbox.emit(quiet, event=1)
    kept = sandbox.dump()
    with Sandbox(seed=99) as other:
        other.restore(kept)
        assert other.org_id == sandbox.org_id
        assert other.state() == sandbox.state()
        assert other.api_key != sandbox.api_key
