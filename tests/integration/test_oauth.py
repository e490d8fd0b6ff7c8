"""A workspace's OAuth client: tokens had, kept, renewed, refused; against the stand-in."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.endpoints import ENDPOINTS
from pipedream_source.api.http import tokens as tokens_module
from pipedream_source.exceptions import (
    ApiError,
    ChangeUncertain,
    ConfigurationError,
    ConnectionFailed,
    Deferred,
    GaveUp,
    ProtocolError,
    RedirectRefused,
    ServerFailure,
    Unauthorized,
)
from pipedream_source.sandbox import Sandbox
from pipedream_source.settings import MAX_TRIES
from tests.integration import clients, transports
from tests.integration.clients import MakeClient, sent
from tests.integration.every_call import EVERY_CALL
from tests.integration.wire import (
    OK,
    Behaviour,
    Connection,
    WireServer,
    answer,
    error,
    everything_shown,
    serving,
)

running = clients.running
sandbox = clients.sandbox
connect = clients.connect
no_waiting = transports.no_waiting
server = transports.server

SECRET = "client+secret/0123456789abcdef"
TOKEN = "/oauth/token"
# The documented ones that later documentation keeps from OAuth clients.
KEPT = {endpoint.name for endpoint in ENDPOINTS if not endpoint.oauth}
OFFERED = {endpoint.name for endpoint in ENDPOINTS if endpoint.oauth} - {""}


@pytest.fixture
def client(connect: MakeClient, sandbox: Sandbox) -> PipedreamClient:
    return connect(client_id=sandbox.client_id, client_secret=sandbox.client_secret)


Make = Callable[[], PipedreamClient]


@pytest.fixture
def make(server: WireServer) -> Iterator[Make]:
    """Make clients of the server that speaks raw bytes."""
    made: list[PipedreamClient] = []

    def build() -> PipedreamClient:
        made.append(PipedreamClient(client_id="id-1", client_secret=SECRET, base_url=server.url))
        return made[-1]

    yield build
    for client in made:
        client.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Hand the tokens a clock that stands still."""
    now = [1000.0]
    monkeypatch.setattr(tokens_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def token(number: int = 1, **more: Any) -> Behaviour:
    fields = {"access_token": f"token-number-{number}", "token_type": "Bearer", **more}
    return answer(200, json.dumps(fields).encode())


def targets(server: WireServer) -> list[str]:
    return [seen.target.removeprefix("/v1").partition("?")[0] for seen in server.seen]


def test_one_token_serves_many_calls(client: PipedreamClient, sandbox: Sandbox) -> None:
    sandbox.control("DELETE", "journal")
    assert client.workspace(sandbox.org_id)["id"] == sandbox.org_id
    assert list(client.sources(sandbox.org_id))
    list(client.subscriptions(sandbox.org_id))
    assert len(sent(sandbox, "POST", TOKEN)) == 1
    assert {entry["status"] for entry in sent(sandbox)} == {200}
    assert client.transport.requests == len(sent(sandbox))


def test_what_a_token_is_asked_with(server: WireServer, make: Make) -> None:
    server.plan(token(), answer())
    make().request("GET", "/workspaces/o_1")
    asked, used = server.seen
    assert (asked.method, asked.target) == ("POST", "/v1/oauth/token")
    assert "authorization" not in asked.headers
    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body) == {
        "grant_type": "client_credentials",
        "client_id": "id-1",
        "client_secret": SECRET,
    }
    assert used.headers["authorization"] == "Bearer token-number-1"


def test_threads_share_a_token(client: PipedreamClient, sandbox: Sandbox) -> None:
    sandbox.control("DELETE", "journal")
    threads = [threading.Thread(target=client.workspace, args=(sandbox.org_id,)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent(sandbox, "POST", TOKEN)) == 1
    assert len(sent(sandbox, "GET")) == 12


def test_an_expired_token_is_replaced_once(client: PipedreamClient, sandbox: Sandbox) -> None:
    client.workspace(sandbox.org_id)
    sandbox.advance(3700)
    sandbox.control("DELETE", "journal")
    client.workspace(sandbox.org_id)
    assert [entry["status"] for entry in sent(sandbox)] == [401, 200, 200]
    sandbox.advance(3700)
    sandbox.control("DELETE", "journal")
    assert client.create_webhook("https://example.com")["id"].startswith("wh_")
    assert [(e["method"], e["status"]) for e in sent(sandbox)] == [
        ("POST", 401),
        ("POST", 200),
        ("POST", 200),
    ]


def test_threads_replace_an_expired_token_once(client: PipedreamClient, sandbox: Sandbox) -> None:
    client.workspace(sandbox.org_id)
    sandbox.advance(3700)
    sandbox.control("DELETE", "journal")
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(client.workspace(sandbox.org_id)))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert len(sent(sandbox, "POST", TOKEN)) == 1


def test_a_new_token_that_is_refused_too_is_the_end(server: WireServer, make: Make) -> None:
    server.plan(token(1), error(401), token(2), error(401, "still no"))
    with pytest.raises(Unauthorized, match=r"still no.*PIPEDREAM_CLIENT_ID"):
        make().request("GET", "/workspaces/o_1")
    assert targets(server) == [TOKEN, "/workspaces/o_1"] * 2
    assert server.seen[3].headers["authorization"] == "Bearer token-number-2"


@pytest.mark.parametrize(
    ("expires_in", "renewed_after"),
    [
        (3600, 3540),
        (600, 540),
        (100, 50),
        (2, 1),
        (7200, 3540),
        (None, 3540),
        ("soon", 3540),
        (-1, 3540),
        (10**400, 3540),
    ],
)
def test_a_token_is_renewed_ahead(
    server: WireServer, make: Make, clock: list[float], expires_in: Any, renewed_after: float
) -> None:
    server.plan(token(1, expires_in=expires_in), answer(), answer(), token(2), answer())
    client = make()
    client.request("GET", "/workspaces/o_1")
    clock[0] += renewed_after - 0.001
    client.request("GET", "/workspaces/o_1")
    clock[0] += 0.002
    client.request("GET", "/workspaces/o_1")
    assert targets(server).count(TOKEN) == 2
    assert server.seen[-1].headers["authorization"] == "Bearer token-number-2"


@pytest.mark.parametrize("name", sorted(KEPT))
def test_a_users_calls_are_refused_before_anything_is_sent(
    client: PipedreamClient, name: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"only for a user API key.*Nothing was sent"):
        EVERY_CALL[name].call(client)
    assert client.transport.requests == 0


@pytest.mark.parametrize("name", sorted(OFFERED - KEPT))
def test_the_others_are_sent_with_a_token(server: WireServer, make: Make, name: str) -> None:
    case = EVERY_CALL[name]
    server.plan(token(), answer(200 if case.good else 204, case.good))
    case.call(make())
    assert server.seen[1].method == case.method
    assert server.seen[1].headers["authorization"] == "Bearer token-number-1"


@pytest.mark.parametrize("path", ["/users/me/", "/users/me/sources?limit=1", "/components/x"])
def test_raw_calls_are_refused_alike(client: PipedreamClient, path: str) -> None:
    with pytest.raises(ConfigurationError, match="Nothing was sent"):
        client.request("GET", path)
    assert client.transport.requests == 0


def test_a_workspaces_lists_serve_the_look_for_a_lost_post(
    connect: MakeClient, sandbox: Sandbox
) -> None:
    client = connect(
        client_id=sandbox.client_id, client_secret=sandbox.client_secret, org_id=sandbox.org_id
    )
    source = next(client.sources(sandbox.org_id))
    sandbox.fault(method="POST", path="/v1/subscriptions", reset="after", count=1)
    with pytest.raises(ChangeUncertain) as caught:
        client.create_subscription(source["id"], source["id"], org_id=sandbox.org_id)
    assert len(caught.value.found or []) == 1
    sandbox.fault(method="POST", path="/v1/webhooks", reset="after", count=1)
    with pytest.raises(ChangeUncertain, match="has no list") as caught:
        client.create_webhook("https://example.com")
    assert caught.value.found is None


def test_a_source_is_found_in_the_workspaces_list(connect: MakeClient, sandbox: Sandbox) -> None:
    client = connect(
        client_id=sandbox.client_id, client_secret=sandbox.client_secret, org_id=sandbox.org_id
    )
    source = next(client.sources(sandbox.org_id))
    sandbox.fault(path=f"/v1/sources/{source['id']}", status=404)
    assert client.source(source["id"]) == source


def test_a_wrong_secret_is_told(connect: MakeClient, sandbox: Sandbox) -> None:
    client = connect(client_id=sandbox.client_id, client_secret=SECRET)
    with pytest.raises(Unauthorized, match="PIPEDREAM_CLIENT_SECRET") as caught:
        client.workspace(sandbox.org_id)
    assert SECRET not in everything_shown(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refused_client_is_told(server: WireServer, make: Make, status: int) -> None:
    server.plan(error(status, f"no such client {SECRET}"))
    with pytest.raises(Unauthorized, match=f"status {status}") as caught:
        make().workspace("o_1")
    assert targets(server) == [TOKEN]
    assert SECRET not in everything_shown(caught.value)


@pytest.mark.parametrize(
    "passing",
    [error(500), error(429, Retry_After="0"), error(429), Connection.reset, lambda c: None],
    ids=["500", "429", "429-bare", "reset", "closed"],
)
def test_a_failure_on_the_way_to_a_token_is_tried_again(
    server: WireServer, make: Make, passing: Behaviour
) -> None:
    server.plan(passing, passing, token(), answer())
    assert make().workspace("o_1") == {"id": "u_1"}
    assert targets(server) == [TOKEN] * 3 + ["/workspaces/o_1"]


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (error(503), ServerFailure),
        (error(429, Retry_After="0"), Deferred),
        (Connection.reset, ConnectionFailed),
    ],
    ids=["503", "429", "reset"],
)
def test_a_change_without_a_token_has_not_landed(
    server: WireServer, make: Make, broken: Behaviour, kind: type[ApiError]
) -> None:
    server.plan(broken)
    with pytest.raises(kind) as caught:
        make().create_webhook("https://example.com")
    assert targets(server) == [TOKEN] * MAX_TRIES
    assert not caught.value.may_have_landed


def test_a_long_wait_for_a_token_defers(server: WireServer, make: Make) -> None:
    server.plan(error(429, Retry_After="99999"))
    with pytest.raises(Deferred, match="deferred until"):
        make().workspace("o_1")
    assert targets(server) == [TOKEN]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"[]",
        b'{"access_token":null}',
        b'{"access_token":7}',
        b'{"access_token":""}',
        b'{"access_token":"a\\r\\nX: secret-part"}',
        b'{"token":"secret-part-0123"}',
    ],
)
def test_an_answer_without_a_token_is_told_and_not_quoted(
    server: WireServer, make: Make, body: bytes
) -> None:
    server.plan(answer(200, body))
    with pytest.raises(ProtocolError, match="brings no access_token") as caught:
        make().workspace("o_1")
    # The test's own frames know the body.
    shown = everything_shown(caught.value).replace(repr(body), "")
    assert "secret-part" not in shown
    assert targets(server) == [TOKEN]


def test_no_redirect_takes_the_secret_elsewhere(server: WireServer, make: Make) -> None:
    with serving() as other:
        server.plan(answer(307, b"", {"Location": other.url + TOKEN}))
        with pytest.raises(RedirectRefused):
            make().workspace("o_1")
        assert other.seen == []


def test_a_stopped_run_asks_for_no_token(server: WireServer, make: Make) -> None:
    client = make()
    client.limiter.stop()
    with pytest.raises(GaveUp):
        client.workspace("o_1")
    assert server.seen == []


ECHOES: list[tuple[str, Callable[[str], Behaviour]]] = [
    ("401", lambda text: error(401, text)),
    ("404", lambda text: error(404, text, X_Echo=text)),
    ("500", lambda text: error(500, "x" * 180 + text)),
    ("html", lambda text: answer(200, f"<html>{text}".encode())),
    ("redirect", lambda text: answer(302, b"", {"Location": f"https://evil.invalid/?{text}"})),
    ("garbage", lambda text: lambda c: c.send(f"HTTP/1.1 {text}\r\n\r\n".encode())),
]


@pytest.mark.parametrize("at", ["token", "call"])
@pytest.mark.parametrize("echo", [echo for _, echo in ECHOES], ids=[name for name, _ in ECHOES])
def test_neither_secret_nor_token_is_shown(
    server: WireServer,
    make: Make,
    at: str,
    echo: Callable[[str], Behaviour],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    broken = echo(f"{SECRET} token-number-1")
    server.plan(*([broken] if at == "token" else [token(), broken]))
    client = make()
    with pytest.raises((ApiError, ConfigurationError)) as caught:
        client.workspace("o_1")
    shown = everything_shown(caught.value) + repr(client) + repr(vars(client)) + caplog.text
    assert SECRET[:12] not in shown
    if at == "call":
        assert "token-number-1" not in shown
    assert "token-number-1" not in repr(vars(client.transport))
    assert OK.decode() not in shown
