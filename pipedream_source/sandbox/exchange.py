"""One call and one reply, free of ASGI: what endpoints take and give."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

JSON_TYPE = "application/json; charset=utf-8"


@dataclass
class Call:
    """A request as endpoints see it; `path` is decoded and has no trailing slash."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ids: dict[str, str] = field(default_factory=dict)

    @cached_property
    def params(self) -> dict[str, str]:
        """The query's parameters; the last of a repeated one counts."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def bearer(self) -> str:
        """The key in the `Authorization` header, or nothing."""
        scheme, _, key = self.headers.get("authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""


@dataclass(slots=True)
class Reply:
    """A response: status, body and the headers beyond `Date` and `Content-Length`."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": JSON_TYPE})

    @classmethod
    def json(cls, value: Any, status: int = 200) -> Reply:
        """Make a reply of any JSON value."""
        return cls(status, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())

    @classmethod
    def error(cls, status: int, message: str) -> Reply:
        """Make a refusal in the API's form."""
        return cls.json({"error": message}, status)
