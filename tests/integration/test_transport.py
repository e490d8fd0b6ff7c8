"""What the wire can do to a request, and what the client makes of it."""

from __future__ import annotations

import base64
import gzip
import logging
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from pipedream_source.api import limiter as limiter_module
from pipedream_source.api import wire as wire_module
from pipedream_source.api.auth import BearerAuth
from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.limiter import Limiter
from pipedream_source.api.protocol import Answer, Request
from pipedream_source.api.transport import Transport
from pipedream_source.exceptions import (
    AnswerTooLarge,
    ApiError,
    BadRequest,
    ConfigurationError,
    ConnectionFailed,
    DeadlineExceeded,
    Deferred,
    GaveUp,
    PipedreamError,
    ProtocolError,
    RedirectRefused,
    ServerFailure,
    Unauthorized,
    Unavailable,
)
from pipedream_source.settings import GIVE_UP_AFTER_FAILURES, MAX_TRIES
from tests.integration.wire import (
    KEY,
    OK,
    Behaviour,
    Connection,
    WireServer,
    answer,
    error,
    everything_shown,
    serving,
)

ME = Request("/users/me", {"a": "1"})
FORMS = [KEY, quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode()]

MakeTransport = Callable[..., Transport]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter_module, "BACKOFF_BASE_S", 0.0001)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[WireServer]:
    with serving() as running:
        yield running


@pytest.fixture
def connect(server: WireServer) -> Iterator[MakeTransport]:
    made: list[Transport] = []

    def make(url: str = "", budget_s: float = 60.0, **options: object) -> Transport:
        options = {"request_timeout_s": 5.0, **options}
        limiter = Limiter(budget_s)
        made.append(Transport(BearerAuth(KEY), url or server.url, limiter, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for transport in made:
        transport.close()


def test_a_request_is_signed_and_its_answer_given(
    server: WireServer, connect: MakeTransport
) -> None:
    server.plan(answer(200, OK, {"X-Case": "Kept"}))
    transport = connect()
    got = transport.send(ME)
    assert (got.status, got.body, got.headers["x-case"]) == (200, OK, "Kept")
    seen = server.seen[0]
    assert (seen.method, seen.target) == ("GET", "/v1/users/me?a=1")
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert (transport.requests, transport.nbytes) == (1, len(OK))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, Unauthorized),
        (402, BadRequest),
        (403, Unavailable),
        (404, Unavailable),
        (409, BadRequest),
        (422, BadRequest),
    ],
)
def test_what_retrying_cannot_mend_is_asked_once(
    server: WireServer, connect: MakeTransport, status: int, kind: type[PipedreamError]
) -> None:
    server.plan(error(status, "record not found\x1b[2J"))
    with pytest.raises(kind, match="record not found") as caught:
        connect().send(ME)
    assert len(server.seen) == 1
    assert "\x1b" not in str(caught.value)
    if isinstance(caught.value, ApiError):
        assert (caught.value.status, caught.value.path) == (status, "/users/me")


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 599])
def test_a_passing_failure_is_retried(
    server: WireServer, connect: MakeTransport, status: int
) -> None:
    server.plan(error(status), error(status), answer())
    transport = connect()
    assert transport.send(ME).body == OK
    assert (len(server.seen), transport.limiter.retries) == (3, 2)


@pytest.mark.parametrize("status", [408, 425, 500, 503])
def test_a_failure_for_ever_ends(server: WireServer, connect: MakeTransport, status: int) -> None:
    server.plan(error(status, "down"))
    with pytest.raises(ServerFailure, match="down") as caught:
        connect().send(ME)
    assert (len(server.seen), caught.value.status) == (MAX_TRIES, status)


def cut(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + OK)


def reset_in_body(connection: Connection) -> None:
    cut(connection)
    connection.reset()


def reset_in_headers(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    connection.reset()


def garbage(connection: Connection) -> None:
    connection.send(b"\x16\x03 what is this\r\n\r\n")


def many_headers(connection: Connection) -> None:
    lines = b"".join(b"X-%d: y\r\n" % n for n in range(500))
    connection.send(b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 0\r\n\r\n")


BREAKS: list[Behaviour] = [
    Connection.reset,
    reset_in_headers,
    reset_in_body,
    cut,
    garbage,
    many_headers,
    lambda connection: None,
    answer(200, b"not gzip", {"Content-Encoding": "gzip"}),
]
BREAK_NAMES = [
    *("reset", "reset-in-headers", "reset-in-body", "short-body", "garbage", "many-headers"),
    *("closed", "no-gzip"),
]


@pytest.mark.parametrize("broken", BREAKS, ids=BREAK_NAMES)
def test_a_broken_answer_is_retried(
    server: WireServer, connect: MakeTransport, broken: Behaviour
) -> None:
    server.plan(broken, broken, answer())
    assert connect().send(ME).body == OK
    assert len(server.seen) == 3


@pytest.mark.parametrize("broken", BREAKS, ids=BREAK_NAMES)
def test_an_answer_broken_for_ever_fails(
    server: WireServer, connect: MakeTransport, broken: Behaviour
) -> None:
    server.plan(broken)
    with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{server.port}") as caught:
        connect().send(ME)
    assert len(server.seen) == MAX_TRIES
    assert KEY not in everything_shown(caught.value)


def test_nobody_listens(connect: MakeTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{port}.*refused"):
        connect(f"http://127.0.0.1:{port}").send(ME)


def test_no_such_host(connect: MakeTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fail(host: str, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(ConnectionFailed, match=r"api\.invalid:443"):
        connect("https://api.invalid/v1").send(ME)
    assert asked == ["api.invalid"] * MAX_TRIES


@pytest.mark.parametrize("retry_after", ["0", "0.2", None, "-5", "soon", ""])
def test_a_rate_limit_within_the_budget_is_obeyed(
    server: WireServer, connect: MakeTransport, retry_after: str | None
) -> None:
    headers = {} if retry_after is None else {"Retry_After": retry_after}
    server.plan(error(429, "Throttled", **headers), answer())
    began = time.monotonic()
    assert connect().send(ME).body == OK
    if retry_after == "0.2":
        assert time.monotonic() - began >= 0.2
    assert len(server.seen) == 2


def test_a_date_to_retry_after_is_obeyed(server: WireServer, connect: MakeTransport) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    server.plan(error(429, Retry_After=format_datetime(at, usegmt=True)), answer())
    assert connect().send(ME).body == OK
    assert datetime.now(UTC) >= at


@pytest.mark.parametrize("asked", ["999999", "61", "99999999999"])
def test_a_wait_beyond_the_budget_defers(
    server: WireServer, connect: MakeTransport, asked: str
) -> None:
    server.plan(error(429, Retry_After=asked))
    began = time.time()
    with pytest.raises(Deferred, match="deferred until") as caught:
        connect(budget_s=60.0).send(ME)
    assert caught.value.retry_at == pytest.approx(began + float(asked), abs=5)
    assert (len(server.seen), caught.value.status) == (1, 429)


def test_the_budget_is_the_runs_not_the_requests(
    server: WireServer, connect: MakeTransport
) -> None:
    server.plan(error(429, Retry_After="0.2"), answer(), error(429, Retry_After="0.2"))
    transport = connect(budget_s=0.3)
    transport.send(ME)
    with pytest.raises(Deferred):
        transport.send(ME)


def test_a_rate_limit_for_ever_defers(server: WireServer, connect: MakeTransport) -> None:
    server.plan(error(429, Retry_After="0"))
    with pytest.raises(Deferred):
        connect().send(ME)
    assert len(server.seen) == MAX_TRIES


def test_one_rate_limit_slows_all_threads(server: WireServer, connect: MakeTransport) -> None:
    transport = connect(budget_s=10)
    assert transport.limiter.pause(0.3)
    began = time.monotonic()
    threads = [threading.Thread(target=transport.send, args=(ME,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 0.3
    assert len(server.seen) == 3


def test_stop_wakes_who_waits(server: WireServer, connect: MakeTransport) -> None:
    server.plan(error(429, Retry_After="50"))
    transport = connect(budget_s=60)
    caught: list[BaseException] = []

    def send() -> None:
        try:
            transport.send(ME)
        except GaveUp as error:
            caught.append(error)

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    while not server.seen:
        time.sleep(0.005)
    transport.limiter.stop()
    for thread in threads:
        thread.join(5)
    assert len(caught) == 3
    with pytest.raises(GaveUp):
        transport.send(ME)


def test_twenty_failures_in_a_row_are_enough(server: WireServer, connect: MakeTransport) -> None:
    server.plan(error(503))
    transport = connect()
    for _ in range(GIVE_UP_AFTER_FAILURES):
        with pytest.raises(ServerFailure):
            transport.send(ME)
    asked = len(server.seen)
    with pytest.raises(GaveUp):
        transport.send(ME)
    assert len(server.seen) == asked == GIVE_UP_AFTER_FAILURES * MAX_TRIES


@pytest.mark.parametrize("between", [answer(), error(404), error(422)], ids=["200", "404", "422"])
def test_an_answer_breaks_the_row_of_failures(
    server: WireServer, connect: MakeTransport, between: Behaviour
) -> None:
    transport = connect()
    for _ in range(GIVE_UP_AFTER_FAILURES - 1):
        transport.limiter.failed()
    server.plan(between, error(503))
    for _ in range(2):
        try:
            transport.send(ME)
        except (Unavailable, BadRequest, ServerFailure):
            continue
    with pytest.raises(ServerFailure):
        transport.send(ME)


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


def slow_body(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    connection.dribble(b"x" * 5000)


def slow_headers(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\n")
    connection.dribble(b"X-Slow: y\r\n" * 500)


def slow_gzip(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9999\r\n\r\n")
    connection.dribble(gzip.compress(bytes(range(256)) * 99))


def silence(connection: Connection) -> None:
    connection.stopped.wait(8)


@pytest.mark.parametrize("slow", [slow_body, slow_headers, slow_gzip, silence])
def test_an_answer_that_dribbles_ends_at_the_deadline(
    server: WireServer, connect: MakeTransport, slow: Behaviour
) -> None:
    server.plan(slow)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"within 0\.6 s") as caught:
        connect(request_timeout_s=0.6).send(ME)
    assert 0.6 <= time.monotonic() - began < 2.5
    assert len(server.seen) == 1
    assert KEY not in everything_shown(caught.value)


def test_a_slow_answer_within_the_deadline_arrives(
    server: WireServer, connect: MakeTransport
) -> None:
    def behave(connection: Connection) -> None:
        packed = gzip.compress(OK)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
        connection.send(head.encode())
        connection.dribble(packed, 0.001)

    server.plan(behave)
    assert connect().send(ME).body == OK


@pytest.mark.parametrize(
    ("name", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)],
)
def test_a_packed_body_is_decoded(
    server: WireServer, connect: MakeTransport, name: str, pack: Callable[[bytes], bytes]
) -> None:
    body = b'{"data":"' + b"z" * 500_000 + b'"}'
    server.plan(answer(200, pack(body), {"Content-Encoding": name}))
    assert connect().send(ME).body == body


def test_a_chunked_body_is_joined(server: WireServer, connect: MakeTransport) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (OK[:5], OK[5:])) + b"0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.plan(lambda connection: connection.send(head + chunks))
    assert connect().send(ME).body == OK


def test_a_bomb_stops_at_the_cap(
    server: WireServer, connect: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "MAX_BODY_BYTES", 1 << 20)
    server.plan(answer(200, gzip.compress(bytes(200 << 20), 9), {"Content-Encoding": "gzip"}))
    with pytest.raises(AnswerTooLarge, match="larger than 1 MB"):
        connect().send(ME)
    assert len(server.seen) == 1


def test_a_body_at_the_cap_passes(
    server: WireServer, connect: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "MAX_BODY_BYTES", len(OK))
    transport = connect()
    assert transport.send(ME).body == OK
    server.plan(answer(200, OK + b" "))
    with pytest.raises(AnswerTooLarge):
        transport.send(ME)


def test_large_bodies_take_turns_and_leave_no_seat_taken(
    server: WireServer, connect: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "LARGE_BODY_BYTES", 10)
    transport = connect(request_timeout_s=3.0)
    got: list[Answer] = []
    threads = [threading.Thread(target=lambda: got.append(transport.send(ME))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.body for one in got] == [OK] * 6


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


@pytest.mark.parametrize(
    "answered", [answer(200, b"<html>"), answer(204, b""), answer(200, b'{"data":null}')]
)
def test_what_is_no_envelope_is_asked_for_three_times(
    server: WireServer, answered: Behaviour
) -> None:
    server.plan(answered)
    with PipedreamClient(KEY, base_url=server.url) as client, pytest.raises(ProtocolError):
        client.me()
    assert len(server.seen) == 3
    server.plan(answered, answered, answer())
    with PipedreamClient(KEY, base_url=server.url) as client:
        assert client.me() == {"id": "u_1"}


@pytest.mark.parametrize("org_id", ["", "../users", "o_1/x", "o_é"])
def test_a_hostile_workspace_is_refused_before_anything_is_sent(
    server: WireServer, org_id: str
) -> None:
    with PipedreamClient(KEY, base_url=server.url) as client:
        for call in (client.sources, client.subscriptions):
            with pytest.raises(ConfigurationError, match="org_id"):
                list(call(org_id))
    assert server.seen == []
