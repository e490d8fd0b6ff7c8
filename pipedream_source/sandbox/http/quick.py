"""The short way for plain GETs: read and answered without the machinery of a full HTTP parser.

Nearly all of a load's calls are a GET with simple headers that arrives in one piece. They need a
fifth of the time this way. Whatever is not exactly that goes to the parser.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from pipedream_source.sandbox.http.targets import read_target
from pipedream_source.sandbox.protocol.exchange import Call, Reply

_PLAIN = re.compile(
    rb"GET (/[!-~]*) HTTP/1\.1\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t\x20-\x7e]*+\r\n)++)\r\n"
)
# With one of these, more than a GET may be meant.
_NOT_PLAIN = {"content-length", "transfer-encoding", "expect", "upgrade"}
_REASONS = {status.value: status.phrase for status in HTTPStatus}


def read_plain(data: bytes) -> Call | None:
    """Return the call that these bytes are, or None when they need the parser."""
    match = _PLAIN.fullmatch(data)
    if match is None:
        return None
    headers: dict[str, str] = {}
    for line in match[2][:-2].decode("ascii").split("\r\n"):
        name, _, value = line.partition(":")
        name = name.lower()
        if name in headers:
            return None
        headers[name] = value.strip(" \t")
    kept = headers.get("connection", "keep-alive").lower() == "keep-alive"
    if not kept or "host" not in headers or _NOT_PLAIN & headers.keys():
        return None
    path, _, query = match[1].decode("ascii").partition("?")
    return Call("GET", *read_target(path, query), headers)


def written(reply: Reply, date: str) -> bytes:
    """Return a reply as it goes over the wire."""
    lines = [f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, '')}", f"date: {date}"]
    lines.append(f"content-length: {len(reply.body)}")
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + reply.body
