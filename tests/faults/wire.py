"""Connections that break: before the headers, within them, within the body, or by lying of it."""

from __future__ import annotations

import gzip
import socket
import zlib
from collections.abc import Callable

from tests.faults.fault import Fault, Inject, Victim
from tests.integration.contract import Reply

# What a page could look like; believed, it would hide the stream's three new events.
NOTHING = b'{"page_info":{"total_count":0,"count":0},"data":[]}'
TRIES = 5
READS = 3


def sent(*pieces: bytes, reset: bool = False) -> Reply:
    """Answer with these bytes and an end, or a reset."""

    def send(sock: socket.socket) -> None:
        for piece in pieces:
            sock.sendall(piece)
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()

    return Reply(raw=send)


def head(*lines: str) -> bytes:
    return "\r\n".join(("HTTP/1.1 200 OK", *lines, "", "")).encode()


def packed(name: str, body: bytes) -> Reply:
    return Reply(body, headers={"Content-Encoding": name})


def always(reply: Reply) -> Inject:
    return lambda victim: victim.answer(then=reply)


def twice(reply: Reply) -> Inject:
    return lambda victim: victim.answer(reply, reply)


def whole(answer: Callable[[bytes], Reply]) -> Inject:
    """Answer with the true page, in a form of its own."""

    def inject(victim: Victim) -> None:
        page = victim.stream.page
        body = page({"limit": "100"}).body
        victim.times.clear()
        victim.answer(then=answer(body))

    return inject


def chunked(body: bytes) -> bytes:
    return head("Transfer-Encoding: chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def smuggled(body: bytes) -> Reply:
    """Append to the page an answer that nobody asked for: no news for who asks next."""
    extra = head(f"Content-Length: {len(NOTHING)}", "Content-Type: application/json") + NOTHING
    return sent(head(f"Content-Length: {len(body)}"), body, extra)


def dated(date: str | None) -> Inject:
    """Answer with the true page and this `Date`, which is taken for the API's clock."""
    lines = () if date is None else (f"Date: {date}",)
    return whole(lambda body: sent(head(*lines, f"Content-Length: {len(body)}"), body))


def broken(name: str, happens: str, reply: Reply, told: str, asked: int = TRIES) -> Fault:
    return Fault(
        name,
        happens,
        always(reply),
        exit_code=3,
        told=told,
        stored=0,
        verdict="unknown",
        asked=asked,
    )


_CHUNKS = head("Transfer-Encoding: chunked")
_INCOMPLETE = "no complete answer from 127.0.0.1:"
_BOMB = gzip.compress(bytes(200 << 20), 9)

FAULTS = (
    broken("reset", "reset before the headers", sent(reset=True), _INCOMPLETE),
    broken("closed", "closed before the headers", sent(), _INCOMPLETE),
    broken("resetHeaders", "reset within the headers", sent(head()[:20], reset=True), _INCOMPLETE),
    broken(
        "resetBody",
        "reset within the body",
        sent(head("Content-Length: 500"), NOTHING[:9], reset=True),
        _INCOMPLETE,
    ),
    broken(
        "shortBody", "a body shorter than its Content-Length", Reply(NOTHING, cut=9), _INCOMPLETE
    ),
    broken(
        "lessLength",
        "a Content-Length shorter than the body",
        sent(head("Content-Length: 9"), NOTHING),
        "is not what the API documents",
        READS,
    ),
    broken(
        "badChunk", "a chunk with a size that is none", sent(_CHUNKS, b"zz\r\n{}\r\n"), _INCOMPLETE
    ),
    broken(
        "cutChunk", "chunks that end before the last", sent(_CHUNKS, b"2\r\n{}\r\n"), _INCOMPLETE
    ),
    broken("noHttp", "bytes that are no HTTP", sent(b"\x16\x03\x01 what\r\n\r\n"), _INCOMPLETE),
    broken(
        "longHeader",
        "a header of 100 KB",
        sent(head("X: " + "y" * 100_000)),
        _INCOMPLETE,
    ),
    broken(
        "manyHeaders",
        "a thousand headers",
        sent(head(*(f"X-{n}: y" for n in range(1000)))),
        _INCOMPLETE,
    ),
    broken("noGzip", "a body that calls itself gzip", packed("gzip", NOTHING), _INCOMPLETE),
    broken(
        "cutGzip",
        "a gzip body cut short, with a length that fits",
        packed("gzip", gzip.compress(NOTHING * 99)[:40]),
        "is not what the API documents",
        READS,
    ),
    broken(
        "otherPacking",
        "a packing that was not asked for",
        packed("br", b"\x1b\x2f\x00"),
        "is not what the API documents",
        READS,
    ),
    broken(
        "bomb",
        "200 KB of gzip that unpack to 200 MB",
        packed("gzip", _BOMB),
        "larger than 128 MB",
        1,
    ),
    broken(
        "nestedBomb",
        "gzip within gzip: 1 KB that unpacks to 200 MB",
        packed("gzip, gzip", gzip.compress(_BOMB, 9)),
        "larger than 128 MB",
        1,
    ),
    Fault("resetTwice", "two resets, then an answer", twice(sent(reset=True)), asked=3),
    Fault(
        "shortTwice", "two bodies cut short, then a whole one", twice(Reply(b"{", cut=9)), asked=3
    ),
    Fault("gzip", "a packed body", whole(lambda body: packed("gzip", gzip.compress(body)))),
    Fault("deflate", "a deflated body", whole(lambda body: packed("deflate", zlib.compress(body)))),
    Fault("chunks", "a body in chunks", whole(lambda body: sent(chunked(body)))),
    Fault("noLength", "a body without a length", whole(lambda body: sent(head(), body))),
    *(
        Fault(f"date{name}", f"a `Date` {what}", dated(date))
        for name, what, date in (
            ("None", "that is not there", None),
            ("Garbage", "that is none", "yesterday"),
            ("Old", "of 1970", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("Far", "of 9999", "Fri, 31 Dec 9999 23:59:59 GMT"),
            ("Huge", "beyond any calendar", "Fri, 31 Dec 99999999999 23:59:59 GMT"),
        )
    ),
    Fault("smuggled", "an answer nobody asked for behind the page", whole(smuggled)),
)
