"""Where the key may go: redirects, proxies, and what errors show of it."""

from __future__ import annotations

import base64
import logging
from pathlib import Path
from urllib.parse import quote

import pytest

from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.protocol import Request
from pipedream_source.exceptions import (
    ConfigurationError,
    ConnectionFailed,
    PipedreamError,
    RedirectRefused,
)
from tests.integration import transports
from tests.integration.transports import ME, MakeTransport
from tests.integration.wire import (
    KEY,
    OK,
    Behaviour,
    WireServer,
    answer,
    error,
    everything_shown,
    serving,
)

connect = transports.connect
no_waiting = transports.no_waiting
server = transports.server


FORMS = [KEY, quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode()]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_key_to_another_host(
    server: WireServer, connect: MakeTransport, status: int
) -> None:
    with serving() as other:
        server.plan(answer(status, b"", {"Location": other.url + "/users/me"}))
        with pytest.raises(RedirectRefused):
            connect().send(ME)
        assert other.seen == []
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.1:{port}/v1/users/me",
        "//evil.invalid/v1/users/me",
        "http://evil.invalid@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}@evil.invalid/",
        "http://127.0.0.1.evil.invalid:{port}/",
        "ftp://127.0.0.1:{port}/",
        "javascript:alert(1)",
    ],
)
def test_a_redirect_elsewhere_is_refused(
    server: WireServer, connect: MakeTransport, location: str
) -> None:
    server.plan(answer(302, b"", {"Location": location.format(port=server.port)}))
    with pytest.raises(RedirectRefused) as caught:
        connect().send(ME)
    assert len(server.seen) == 1
    assert KEY not in everything_shown(caught.value)


@pytest.mark.parametrize("location", ["/v1/moved?a=1", "{url}/moved?a=1", "moved?a=1"])
def test_a_redirect_on_the_same_host_is_followed(
    server: WireServer, connect: MakeTransport, location: str
) -> None:
    server.plan(answer(302, b"", {"Location": location.format(url=server.url)}), answer())
    assert connect().send(Request("/users", {"a": "1"})).body == OK
    assert server.seen[1].target == "/v1/moved?a=1"
    assert server.seen[1].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("location", ["/v1/{}", "/v1/users/me", ""])
def test_a_circle_of_redirects_ends(
    server: WireServer, connect: MakeTransport, location: str
) -> None:
    server.plan(*[answer(302, b"", {"Location": location.format(n % 2)}) for n in range(20)])
    with pytest.raises(RedirectRefused, match="circle"):
        connect().send(ME)
    assert len(server.seen) <= 6


def test_netrc_and_proxies_never_replace_the_key(
    server: WireServer,
    connect: MakeTransport,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login evil password evil\ndefault login e password e\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with serving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://evil:evil@127.0.0.1:{proxy.port}")
        assert connect().send(ME).body == OK
        assert proxy.seen == []
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_proxy_never_sees_the_key_of_an_https_request(
    connect: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        proxy.plan(error(403))
        with pytest.raises(ConnectionFailed, match=r"api\.invalid:443"):
            connect("https://api.invalid/v1").send(ME)
    assert {seen.method for seen in proxy.seen} == {"CONNECT"}
    assert KEY not in repr(proxy.seen)


LEAKS: list[Behaviour] = [
    error(401, f"bad key {KEY}"),
    error(401, "x" * 180 + KEY),
    error(403, f"{FORMS[1]} and {FORMS[2]}", X_Echo=KEY, Set_Cookie=KEY),
    error(500, KEY),
    error(404, "y" * 175 + FORMS[2]),
    answer(418, f"<html>{KEY}".encode()),
    answer(302, b"", {"Location": f"https://evil.invalid/?{KEY}"}),
    answer(200, f"<html>{KEY}</html>".encode()),
    answer(200, b" " * 185 + KEY.encode()),
    answer(200, f'{{"error":"{KEY}"}}'.encode()),
    lambda connection: connection.send(f"HTTP/1.1 {KEY}\r\n\r\n".encode()),
    lambda connection: connection.send(f"{KEY * 9}\r\n\r\n".encode()),
]


@pytest.mark.parametrize("leak", LEAKS, ids=range(len(LEAKS)))
@pytest.mark.parametrize("call", ["me", "sources"])
def test_no_error_shows_the_key(
    server: WireServer, leak: Behaviour, call: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.plan(leak)
    caplog.set_level(logging.DEBUG)
    with (
        PipedreamClient(KEY, base_url=server.url) as client,
        pytest.raises(PipedreamError) as caught,
    ):
        list(getattr(client, call)())
    shown = everything_shown(caught.value)
    # The test's own frames know the key.
    shown = shown.replace(repr(KEY), "")
    begun = [form[:size] for form in FORMS for size in range(8, len(form) + 1)]
    assert [text for text in begun if text in shown] == []
    assert [form for form in FORMS if form in caplog.text] == []
    assert KEY not in repr(client) + repr(client.transport)


@pytest.mark.parametrize("key", ["two words0123456789", "line\nbreak0123456789", "schlüssel012345"])
def test_a_key_that_cannot_be_sent_is_not_shown(key: str) -> None:
    parts = [key]
    del key
    with pytest.raises(ConfigurationError, match="copy it again") as caught:
        PipedreamClient(parts.pop())
    shown = everything_shown(caught.value)
    assert "0123456" not in shown.replace("def test_a_key", "")


@pytest.mark.parametrize("org_id", ["", "../users", "o_1/x", "o_é"])
def test_a_hostile_workspace_is_refused_before_anything_is_sent(
    server: WireServer, org_id: str
) -> None:
    with PipedreamClient(KEY, base_url=server.url) as client:
        for call in (client.sources, client.subscriptions):
            with pytest.raises(ConfigurationError, match="org_id"):
                list(call(org_id))
    assert server.seen == []
