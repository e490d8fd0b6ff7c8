"""What to send and how to read what comes back; no I/O.

The API answers a wrong path with an error body, a proxy answers with an HTML page and status 200,
and either can look like "no events" to a careless reader. Here an answer that is not the
documented envelope is an error, always.
"""

from __future__ import annotations

import email.utils
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from pipedream_source.api.json_text import Malformed, sent_members
from pipedream_source.core.text.redaction import MARK, printable
from pipedream_source.core.text.sent_json import SentJson, read_json
from pipedream_source.exceptions import ConfigurationError, ProtocolError
from pipedream_source.settings import ERRORS_CHANNEL, PAGE_LIMIT

_ID = re.compile(r"[A-Za-z]{1,4}_[A-Za-z0-9]{1,64}").fullmatch
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_USERINFO = re.compile(r"(?<=//).*@", re.DOTALL)
_MAX_CURSOR_CHARS = 1000
_BOM = b"\xef\xbb\xbf"

#: Event summaries are read whole: without `expand=event` payloads over 1 KB may be cut, and a
#: `$errors` row holds nothing but its id (sections "Get Source Events", "Get Workflow Errors").
EVENT_PARAMS: Mapping[str, str] = {"expand": "event", "limit": str(PAGE_LIMIT)}


@dataclass(frozen=True, slots=True)
class Request:
    """A call before it is sent.

    Attributes:
        path: below the base URL.
        params: of the query.
        method: of HTTP.
        body: sent as JSON; None for no body. It may hold credentials, so `repr` leaves it out.
    """

    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A call's answer: status, headers by lower-case name, and the decoded body.

    Some servers echo the key, so a traceback that prints locals shows the status alone.

    Attributes:
        keeps_json: whoever reads the body keeps how its numbers were sent.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    keeps_json: bool = False


@dataclass(frozen=True, slots=True)
class PageInfo:
    """What a page says of itself; a field that is absent or of another type is None."""

    total_count: int | None = None
    end_cursor: str | None = None
    excluded_count: int = 0


def check_base_url(base_url: str) -> str:
    """Return the base URL without its trailing slash.

    Raises:
        ConfigurationError: it is not https (plain http is for loopback only), has no host, or
            carries a user, a query or a fragment.
    """
    shown = printable(_USERINFO.sub(MARK + "@", base_url))
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"base_url {shown!r} is not a URL: {error}") from None
    if not host or "?" in base_url or "#" in base_url or "@" in parts.netloc:
        raise ConfigurationError(
            f"base_url {shown!r} must be https://HOST[:PORT][/PATH], "
            "without user, query or fragment"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise ConfigurationError(
            f"base_url {shown!r} must begin with https://: the API key travels with each request "
            "(plain http is allowed for localhost only)"
        )
    return base_url.rstrip("/")


def check_id(value: object, what: str, *, kind: str = "") -> str:
    """Return an id that is safe to put into a path.

    Args:
        value: the id as given.
        what: its name for the message, e.g. `source_ids`.
        kind: the prefix it must have, e.g. `p` for workflows; empty for any.

    Raises:
        ConfigurationError: it does not match `<letters>_<letters and digits>`, or has another
            prefix. No request is sent.
    """
    if not isinstance(value, str) or not _ID(value):
        raise ConfigurationError(
            f"{what}: {printable(str(value))!r} is not an id of the form "
            "<1-4 letters>_<1-64 letters or digits>, such as dc_abc123"
        )
    if kind and value.split("_", 1)[0] != kind:
        raise ConfigurationError(f"{what}: {value!r} must begin with {kind}_")
    return value


def is_workflow(emitter_id: str) -> bool:
    """Tell a workflow (`p_…`) from a source (`dc_…`, `hi_…`, `ti_…`) by its id."""
    return emitter_id.startswith("p_")


def is_id(value: object) -> bool:
    """Tell whether a value from an answer is an id that can be put into a path."""
    return isinstance(value, str) and _ID(value) is not None


def events_request(emitter_id: str, channel: str) -> Request:
    """Build the first request for a stream's window.

    Sources take the channel as `event_name`, workflows in the path (sections "Get Source
    Events", "Get Workflow Emits", "Get Workflow Errors").
    """
    if not is_workflow(emitter_id):
        params = {**EVENT_PARAMS, "event_name": channel} if channel else EVENT_PARAMS
        return Request(f"/sources/{emitter_id}/event_summaries", params)
    if not channel:
        return Request(f"/workflows/{emitter_id}/event_summaries", EVENT_PARAMS)
    # Clients send `$errors` raw and encoded; both work, raw is what the section shows.
    name = quote(channel, safe=ERRORS_CHANNEL[0])
    return Request(f"/workflows/{emitter_id}/{name}/event_summaries", EVENT_PARAMS)


def read_object(answer: Answer, path: str) -> dict[str, Any]:
    """Return the object under `data`.

    Raises:
        ProtocolError: the body is not JSON, or `data` is not an object with an id.
    """
    data = read_envelope(answer, path).get("data")
    if not isinstance(data, dict) or not data.get("id"):
        raise protocol_error(answer, path, "`data` is not an object with an id")
    return data


def read_list(answer: Answer, path: str) -> tuple[list[dict[str, Any]], PageInfo]:
    """Return the objects under `data` and the page's description of itself.

    Raises:
        ProtocolError: the body is not JSON, or `data` is not a list of objects.
    """
    envelope = read_envelope(answer, path)
    data = envelope.get("data")
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise protocol_error(answer, path, "`data` is not a list of objects")
    return data, page_info(envelope.get("page_info"))


def page_info(value: object) -> PageInfo:
    """Read a `page_info` object, of which nothing is certain."""
    if not isinstance(value, dict):
        return PageInfo()
    cursor = value.get("end_cursor")
    return PageInfo(
        _count(value.get("total_count")),
        cursor if _can_be_sent(cursor) else None,
        _count(value.get("excluded_count")) or 0,
    )


def _count(value: object) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return None
    return value


def _can_be_sent(cursor: object) -> bool:
    """Tell whether a cursor can stand in a URL; half a surrogate pair cannot, nor a megabyte."""
    if not isinstance(cursor, str) or not 0 < len(cursor) <= _MAX_CURSOR_CHARS:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in cursor)


def read_envelope(answer: Answer, path: str) -> dict[str, Any]:
    """Return the object that a body is.

    Raises:
        ProtocolError: the body is not JSON, or no object.
    """
    try:
        value = (parse_sent_json if answer.keeps_json else parse_json)(answer.body)
    except (ValueError, RecursionError):
        raise protocol_error(answer, path, "the body is not JSON") from None
    if not isinstance(value, dict):
        raise protocol_error(answer, path, "the body is not an object")
    return value


def parse_json(body: bytes) -> Any:
    """Parse a body, first strictly, then as Python does (NaN, lone surrogates).

    Raises:
        ValueError: it is not JSON.
        RecursionError: it is nested too deeply.
    """
    text = body.removeprefix(_BOM)
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return json.loads(text)


def parse_sent_json(body: bytes) -> Any:
    """Parse a body and keep how its numbers were sent.

    Raises:
        ValueError: it is not JSON.
        RecursionError: it is nested too deeply.
    """
    return read_json(body.removeprefix(_BOM).decode("utf-8", "surrogatepass"))


def read_sent_list(answer: Answer, path: str) -> tuple[list[dict[str, Any]], PageInfo]:
    """Return the rows under `data` with their payloads as text, and the page's own description.

    Raises:
        ProtocolError: the body is not JSON, or `data` is not a list of objects.
    """
    rows, info = read_list(answer, path)
    try:
        sent = sent_members(answer.body.removeprefix(_BOM), "event")
    except Malformed:
        return rows, info
    # Names may be spelled with escapes: those rows stay as they were parsed.
    for row, event in zip(rows, sent, strict=False):
        if event is not None:
            row["event"] = SentJson(event.decode("utf-8", "surrogatepass"))
    return rows, info


def protocol_error(answer: Answer, path: str, why: str) -> ProtocolError:
    """Build the error for an answer that is not the documented envelope."""
    excerpt = printable(answer.body[:200].decode("utf-8", "replace"))
    what = f"it says {excerpt!r}" if excerpt else "the body is empty"
    return ProtocolError(
        f"{path}: the answer (status {answer.status}) is not what the API documents: {why}; {what}",
        path=path,
        status=answer.status,
        excerpt=excerpt,
    )


def error_text(answer: Answer) -> str:
    """Return the `error` of an error body, else its beginning, printable."""
    try:
        value = parse_json(answer.body)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and isinstance(value.get("error"), str):
        return printable(value["error"])
    return printable(answer.body[:200].decode("utf-8", "replace"))


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read a Retry-After header as seconds from the answer.

    Args:
        headers: of the answer, by lower-case name. A date counts from the answer's own `Date`, as
            the local clock may differ from the API's.
        now: the local time, for an answer without a `Date`.

    Returns:
        Seconds, never negative, for a number or an HTTP date; None when absent or unreadable.
        Source: RFC 9110, section 10.2.3.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]+)?", text):
        return float(text)
    moment = _http_date(text)
    if moment is None:
        return None
    return max((moment - (_http_date(headers.get("date", "")) or now)).total_seconds(), 0.0)


def date_ms(headers: Mapping[str, str]) -> int | None:
    """Return the answer's `Date` in Unix milliseconds; None when absent or unreadable."""
    moment = _http_date(headers.get("date", ""))
    return int(moment.timestamp() * 1000) if moment else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
