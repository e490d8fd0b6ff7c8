"""Statuses, broken connections and waits: what is tried again, and when it ends."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipedream_source.exceptions import (
    ApiError,
    BadRequest,
    ConnectionFailed,
    Deferred,
    GaveUp,
    PipedreamError,
    ServerFailure,
    Unauthorized,
    Unavailable,
)
from pipedream_source.settings import GIVE_UP_AFTER_FAILURES, MAX_TRIES
from tests.integration import transports
from tests.integration.transports import ME, MakeTransport
from tests.integration.wire import (
    KEY,
    OK,
    Behaviour,
    Connection,
    WireServer,
    answer,
    error,
    everything_shown,
)

connect = transports.connect
no_waiting = transports.no_waiting
server = transports.server


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
