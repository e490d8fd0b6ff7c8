"""Bodies that come slowly, packed, too large or as no answer at all."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Callable

import pytest

from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.http import connection as wire_module
from pipedream_source.api.protocol import Answer
from pipedream_source.exceptions import (
    AnswerTooLarge,
    DeadlineExceeded,
    ProtocolError,
)
from tests.integration import transports
from tests.integration.transports import ME, MakeTransport
from tests.integration.wire import (
    KEY,
    OK,
    Behaviour,
    Connection,
    WireServer,
    answer,
    everything_shown,
)

connect = transports.connect
no_waiting = transports.no_waiting
server = transports.server


def slow_body(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    connection.dribble(b"x" * 5000)


def slow_headers(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\n")
    connection.dribble(b"X-Slow: y\r\n" * 500)


def slow_gzip(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9999\r\n\r\n")
    connection.dribble(gzip.compress(bytes(range(256)) * 99), 0.3)


def silence(connection: Connection) -> None:
    connection.stopped.wait(200)


@pytest.mark.parametrize("slow", [slow_body, slow_headers, slow_gzip, silence])
def test_an_answer_that_dribbles_ends_at_the_deadline(
    server: WireServer, connect: MakeTransport, slow: Behaviour
) -> None:
    server.plan(slow)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"within 0\.6 s") as caught:
        connect(request_timeout_s=0.6).send(ME)
    assert 0.6 <= time.monotonic() - began < 60
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
    transport = connect(request_timeout_s=30.0)
    got: list[Answer] = []
    threads = [threading.Thread(target=lambda: got.append(transport.send(ME))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.body for one in got] == [OK] * 6


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
