"""Answers that go on a byte at a time: a total deadline ends them, and none is asked again."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable, Iterator
from itertools import repeat

from tests.faults.fault import Fault
from tests.faults.wire import always, head
from tests.integration.contract import Reply

# Long enough for a healthy answer of a machine that is busy.
TIMEOUT_S = "3"
_EVERY_S = 0.05
_LONGEST_S = 30


def dribbled(first: bytes, pieces: Callable[[], Iterator[bytes]]) -> Reply:
    """Send one piece after the other until nobody listens."""

    def send(sock: socket.socket) -> None:
        sock.sendall(first)
        until = time.monotonic() + _LONGEST_S
        for piece in pieces():
            if time.monotonic() > until:
                return
            sock.sendall(piece)
            time.sleep(_EVERY_S)

    return Reply(raw=send)


def silence(sock: socket.socket) -> None:
    """Wait until the client closes the connection."""
    sock.settimeout(_LONGEST_S)
    sock.recv(1)


def packed_bytes() -> Iterator[bytes]:
    return (bytes([byte]) for byte in gzip.compress(bytes(range(256)) * 400))


def unending(name: str, happens: str, reply: Reply, *, is_long: bool = False) -> Fault:
    return Fault(
        name,
        happens,
        always(reply),
        exit_code=3,
        told=f"within {TIMEOUT_S} s",
        stored=0,
        verdict="unknown",
        asked=1,
        is_long=is_long,
    )


FAULTS = (
    unending("silence", "no answer at all", Reply(raw=silence)),
    unending(
        "slowBody",
        "a body of one byte now and then",
        dribbled(head("Content-Length: 5000"), lambda: repeat(b" ")),
    ),
    unending(
        "slowHeaders",
        "headers that never end",
        dribbled(b"HTTP/1.1 200 OK\r\n", lambda: repeat(b"X: y\r\n")),
    ),
    unending(
        "slowLine",
        "one header that never ends",
        dribbled(b"HTTP/1.1 200 OK\r\nX: ", lambda: repeat(b"y")),
        is_long=True,
    ),
    unending(
        "slowGzip",
        "a packed body of one byte now and then",
        dribbled(head("Content-Encoding: gzip", "Content-Length: 9999"), packed_bytes),
    ),
    unending(
        "slowChunks",
        "chunks of one byte that never end",
        dribbled(head("Transfer-Encoding: chunked"), lambda: repeat(b"1\r\n \r\n")),
        is_long=True,
    ),
    unending(
        "continues",
        "100 Continue for ever",
        dribbled(b"", lambda: repeat(b"HTTP/1.1 100 Continue\r\n\r\n")),
        is_long=True,
    ),
)
