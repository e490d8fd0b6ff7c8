"""One call and one reply, free of ASGI: what endpoints take and give."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from pipedream_source.sandbox.protocol.errors import BadRequest

JSON_TYPE = "application/json; charset=utf-8"
_FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass
class Call:
    """A request as endpoints see it; `path` is decoded and has no trailing slash.

    Attributes:
        org_id: The workspace that an OAuth token is bound to; None for the user's own key.
    """

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ids: dict[str, str] = field(default_factory=dict)
    org_id: str | None = None

    @cached_property
    def given(self) -> dict[str, Any]:
        """All parameters: the query's as text, then the body's members, which win.

        Raises:
            BadRequest: there is a body that is no JSON object.
        """
        query = dict(parse_qsl(self.query, keep_blank_values=True)) if self.query else {}
        return query | self._members() if self.body else query

    @cached_property
    def params(self) -> dict[str, str]:
        """The parameters as text, wherever they stood (Common Parameters); null is absent."""
        if not self.body:
            return self.given
        return {name: as_text(v) for name, v in self.given.items() if v is not None}

    def _members(self) -> dict[str, Any]:
        if not self.body.strip():
            return {}
        content_type = self.headers.get("content-type", "")
        if content_type.startswith(_FORM_TYPE) and not self.body.lstrip().startswith(b"{"):
            return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))
        try:
            members = json.loads(self.body)
        except (ValueError, RecursionError):
            raise BadRequest from None
        if not isinstance(members, dict):
            raise BadRequest
        return members

    @property
    def bearer(self) -> str:
        """The key in the `Authorization` header, or nothing."""
        scheme, _, key = self.headers.get("authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""


def as_text(value: Any) -> str:
    """Write a body's value as a query would hold it; a list becomes comma-separated."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return json.dumps(value)


@dataclass(slots=True)
class Reply:
    """A response: status, body and the headers beyond `Date` and `Content-Length`."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": JSON_TYPE})

    @classmethod
    def json(cls, value: Any, status: int = 200) -> Reply:
        """Make a reply of any JSON value."""
        return cls(status, _encoded(value))

    @classmethod
    def empty(cls, status: int) -> Reply:
        """Make a reply without a body."""
        return cls(status, b"", {})

    @classmethod
    def error(cls, status: int, message: str) -> Reply:
        """Make a refusal in the API's form."""
        return cls.json({"error": message}, status)


def _encoded(value: Any) -> bytes:
    """Write compact JSON; half a surrogate pair that a client sent stays escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()
