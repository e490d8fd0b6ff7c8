"""Any call, for what the other functions do not offer; its path leads nowhere but to the API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from pipedream_source.api.arguments import refusal
from pipedream_source.api.protocol import Request
from pipedream_source.exceptions import ConfigurationError

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SEGMENT = r"(?:[A-Za-z0-9_.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+"
_PATH = re.compile(f"/?{_SEGMENT}(?:/{_SEGMENT})*/?").fullmatch
_VERSION = re.compile(r"^/?v1(?=/)")
_HALF_PAIR = re.compile(r"[\ud800-\udfff]").search
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]").search


def request(
    method: str,
    path: str,
    *,
    params: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
) -> Request:
    """Build any request.

    Args:
        method: GET, POST, PUT, PATCH or DELETE, in any case.
        path: below the base URL, as `/users/me`; `v1` at its beginning, as the documentation
            has it now and then, is left out. It may carry a query.
        params: of the query, besides those of the path.
        body: sent as JSON.
    """
    verb = method.upper() if isinstance(method, str) else ""
    if verb not in _METHODS:
        raise refusal("method", method, f"one of {', '.join(_METHODS)}")
    plain, _, query = path.partition("?") if isinstance(path, str) else ("", "", "")
    named = {**dict(parse_qsl(query, keep_blank_values=True)), **_texts(params or {})}
    if body is not None:
        _check_body(body)
    return Request("/" + _checked(plain, path).lstrip("/"), named, verb, body)


def _checked(plain: str, path: object) -> str:
    below = _VERSION.sub("", plain)
    segments = [unquote(segment, errors="replace") for segment in below.strip("/").split("/")]
    odd = any(segment in (".", "..") or _UNSAFE(segment) for segment in segments)
    if not _PATH(below) or odd:
        raise refusal(
            "path",
            path,
            "a path below the API's base URL, such as /users/me: no host, no empty segment, "
            "no '..', other characters as %XX",
        )
    return below


def _texts(params: Mapping[str, str]) -> dict[str, str]:
    for name, value in params.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise refusal("params", f"{name}={value}", "text: give each parameter as a string")
        if _HALF_PAIR(name + value):
            raise refusal("params", f"{name}={value}", "text that a URL can carry")
    return dict(params)


def _check_body(body: Mapping[str, Any]) -> None:
    if not isinstance(body, Mapping):
        raise ConfigurationError(f"body: must be a JSON object, not {type(body).__name__}")
    try:
        json.dumps(dict(body), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise ConfigurationError("body: holds something that JSON cannot express") from None
