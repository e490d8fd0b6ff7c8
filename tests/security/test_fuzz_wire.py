"""Whatever an HTTP server sends, the client fails as documented, in time, without the key."""

from __future__ import annotations

import gzip
import logging
import re
import time
import zlib
from typing import Any

import pytest
from hypothesis import strategies as st

from pipedream_source.api.client import PipedreamClient
from pipedream_source.exceptions import PipedreamError
from pipedream_source.settings import MAX_TRIES
from tests.integration import transports
from tests.integration.wire import KEY, OK, Behaviour, Connection, WireServer, everything_shown
from tests.security.canary import found_in
from tests.security.fuzzing import LENGTHS, fuzz, spoilt

no_waiting = transports.no_waiting
server = transports.server

DEADLINE_S = 0.4
# For a machine with more to do than one test: a hang would take for ever.
SLACK_S = 10.0

STATUS = [
    *(b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/2 200 OK", b"HTTP/1.1 99999 X", b"HTTP/0.9"),
    *(b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 206 Partial"),
    *(b"HTTP/1.1 401 No", b"HTTP/1.1 404 No", b"HTTP/1.1 429 Slow", b"HTTP/1.1 500 Oh"),
    *(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", b"HTTP/1.1 101 Switching"),
    *(b"HTTP/1.1 -1 X", b"HTTP/1.1 \xff", b"", b"\x16\x03\x01", b"HTTP/1.1 302 Found"),
]
HEADERS = [
    *(b"Content-Length: 21", b"Content-Length: -5", b"Content-Length: 99999999999999999999"),
    *(b"Content-Length: abc", b"Content-Length: 3\r\nContent-Length: 7", b"Content-Length: 0"),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: x"),
    *(b"Content-Encoding: gzip", b"Content-Encoding: deflate", b"Content-Encoding: br"),
    *(
        b"Content-Encoding: gzip, gzip, gzip",
        b"Content-Encoding: zstd",
        b"Content-Type: a/b; c=\xff",
    ),
    *(b"Location: /v1/users/me", b"Location: http://[", b"Location: //evil.invalid", b"Location:"),
    *(b"Location: http://127.0.0.1:99999/", b"Location: \xff\x00", b"Connection: keep-alive"),
    *(b"Retry-After: 0", b"Retry-After: -1", b"Retry-After: x", b"Date: never", b": no name"),
    *(b" folded: yes", b"no colon", b"X: " + b"y" * 70_000, b"\x00: \x00", b"Set-Cookie: a=b"),
    b"\r\n".join(b"X-%d: y" % n for n in range(150)),
]
PACKED = [gzip.compress(OK), zlib.compress(OK), gzip.compress(OK)[:-9], gzip.compress(OK) + b"junk"]
CHUNKED = [
    *(b"15\r\n" + OK + b"\r\n0\r\n\r\n", b"15\r\n" + OK, b"-1\r\n" + OK, b"zz\r\n", b"0\r\n\r\n"),
    *(b"ffffffffffffffffffff\r\n" + OK, b"15;x=y\r\n" + OK + b"\r\n0\r\nX: y\r\n\r\n", b"\r\n"),
]
BODIES = [
    OK,
    b"",
    b"<html>",
    b'{"data":[]}',
    b'{"error":"' + KEY.encode() + b'"}',
    *PACKED,
    *CHUNKED,
]


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Draw what a server could send, some of it as it should be."""
    head = [draw(st.sampled_from(STATUS)), *draw(st.lists(st.sampled_from(HEADERS), max_size=4))]
    text = b"\r\n".join(head) + b"\r\n\r\n" + draw(st.sampled_from(BODIES))
    pieces = [b"\r\n", b"\r", b"\n\n", b":", b"\x00", KEY.encode(), b"HTTP/1.1 200 OK\r\n"]
    return draw(st.just(text) | spoilt([text], pieces))


def sending(raw: bytes, manner: str) -> Behaviour:
    """Send some bytes, then end, go silent or hang up."""

    def behave(connection: Connection) -> None:
        connection.send(raw)
        if manner == "silent":
            connection.stopped.wait(DEADLINE_S * 2)
        elif manner == "reset":
            connection.reset()

    return behave


@LENGTHS
@pytest.mark.parametrize("call", ["me", "sources", "create_webhook"])
def test_no_response_breaks_the_client(server: WireServer, call: str, examples: int) -> None:
    def check(raw: bytes, manner: str) -> None:
        server.plan(sending(raw, manner))
        began = time.monotonic()
        shown = outcome_of(server, call)
        assert time.monotonic() - began < DEADLINE_S * (MAX_TRIES + 2) + SLACK_S
        # What a server spoils of the key before it repeats it is beyond recognition.
        whole = [found for found in found_in(shown, {"key": KEY}) if "half" not in found]
        assert whole == []

    manners = st.sampled_from(["end", "end", "end", "reset", "silent"])
    fuzz(examples, check, responses(), manners)


def outcome_of(server: WireServer, call: str) -> str:
    """Make a call and tell all that is shown of its failure; any other error is a crash."""
    arguments = ["https://example.com"] if call == "create_webhook" else []
    limits: dict[str, Any] = {"request_timeout_s": DEADLINE_S, "retry_budget_s": 0.01}
    with PipedreamClient(KEY, base_url=server.url, **limits) as client:
        try:
            found = getattr(client, call)(*arguments)
            return repr(found if isinstance(found, dict) else [*found])
        except PipedreamError as error:
            return everything_shown(error)


def test_headers_that_are_none_are_not_logged(
    server: WireServer, caplog: pytest.LogCaptureFixture
) -> None:
    """urllib3 warns of them, and would quote what the server said."""
    caplog.set_level(logging.DEBUG)
    server.plan(sending(b"HTTP/1.1 200 OK\r\n" + KEY.encode() + b"\r\n\r\n" + OK, "end"))
    outcome_of(server, "me")
    assert "Failed to parse headers" in caplog.text
    assert found_in(caplog.text, {"key": KEY}) == []


@pytest.mark.parametrize(
    "endless",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["continue", "headers", "chunks", "body"],
)
def test_a_server_that_never_ends_is_left(server: WireServer, endless: bytes) -> None:
    def behave(connection: Connection) -> None:
        connection.send(endless)
        again = endless if endless.startswith(b"HTTP/1.1 100") else endless[-6:]
        while not connection.stopped.wait(0.005):
            connection.send(again)

    server.plan(behave)
    began = time.monotonic()
    assert re.search("within|100 headers", outcome_of(server, "me"))
    assert time.monotonic() - began < DEADLINE_S * (MAX_TRIES + 2) + SLACK_S
