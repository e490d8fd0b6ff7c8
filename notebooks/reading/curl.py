"""The command that sends an event to a workflow again.

Payloads come from strangers. Everything that goes into the command is quoted for a POSIX shell, and
nothing in it is read by curl as a file name (`@`), a range (`[1-9]`) or an option. JSON is sent as
it came, digit by digit, and a text byte for byte. Of a form, or of a body that was compressed, only
what the platform made of it is stored: that is sent as JSON, without the headers that told of the
body as it was.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

JSON_TYPE = "application/json"

# Headers of the connection that once carried the event, and of the machines in between.
_OF_TRANSPORT = re.compile(
    r"host|content-length|connection|keep-alive|transfer-encoding|te|trailer|upgrade|expect|via"
    r"|accept-encoding|content-encoding|forwarded|x-forwarded-.*|x-amzn-.*|x-real-ip|cf-.*|x-pd-.*",
    re.IGNORECASE,
)
# Headers that tell how the bytes of a body are to be read, or check them.
_OF_BODY = re.compile(
    r"content-(type|md5|digest|range|location|disposition)|digest|repr-digest", re.IGNORECASE
)
_JSON = re.compile(
    r"\s*application/([a-z0-9.!#$&^_-]+\+)?json\s*(;\s*charset=\"?(utf-8|us-ascii)\"?\s*)?",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# A single argument of a program may hold 128 KiB on Linux.
_LONGEST_ARGUMENT = 100_000


class NotSendable(ValueError):
    """No command can send this; the message says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to send.

    Attributes:
        url: where the event once came to; empty when it does not say.
        headers: names and values; a name may come several times, and None lets curl send none.
        body: its text; None for none.
    """

    method: str = "POST"
    url: str = ""
    headers: Sequence[tuple[str, str | None]] = ()
    body: str | None = None


def request_of(error_payload: str | None) -> Request:
    """Return the request that brings an error's original event again.

    An event of an HTTP trigger is the request that it once was, any other a POST of its JSON.

    Args:
        error_payload: the `event` of a row of `workflow_errors`; None where none is stored.

    Raises:
        NotSendable: it holds no original event.
    """
    if error_payload is None:
        raise NotSendable(
            "No payload of this error is stored: the API sent none, or `prune` moved it to an "
            "archive. There is nothing to send again."
        )
    outer = _members(error_payload)
    original = outer.get("original_event")
    if original is None:
        raise NotSendable("This error holds no `original_event`: there is nothing to send again.")
    parts = _members(original)
    method, headers = _value(parts.get("method")), _pairs(parts.get("headers"))
    if headers is None or not isinstance(method, str) or not _TOKEN.fullmatch(method):
        return Request(headers=[("Content-Type", JSON_TYPE)], body=_compact(original))
    url = _value(parts.get("url"))
    body, is_as_it_came = _body(parts)
    kept = list(_kept(headers))
    sent: list[tuple[str, str | None]] = list(kept)
    if body is not None:
        sent = list(_describing(kept, is_as_it_came=is_as_it_came))
    return Request(
        method.upper(),
        url if isinstance(url, str) and _is_web(url) else "",
        sent,
        body,
    )


def endpoint_of(error_payload: str | None, trigger_endpoint: str | None) -> str:
    """Return where to send an error's original event: where it came to, or its source's address.

    Args:
        error_payload: the `event` of a row of `workflow_errors`.
        trigger_endpoint: the address of the HTTP source that emitted it, if it was one.
    """
    try:
        return request_of(error_payload).url or trigger_endpoint or ""
    except NotSendable:
        return trigger_endpoint or ""


def try_command(endpoint: str, error_payload: str | None) -> tuple[str | None, str]:
    """Return the command, or none, and what stands against it."""
    try:
        return command(endpoint, request_of(error_payload)), ""
    except NotSendable as error:
        return None, str(error)


def command(endpoint: str, request: Request) -> str:
    """Return a curl command for a POSIX shell.

    Args:
        endpoint: where to send it: the workflow's own address, http or https.
        request: what to send.

    Raises:
        NotSendable: the address is none, or the body holds what no command can.
    """
    address = endpoint.strip()
    if not _is_web(address):
        raise NotSendable(
            "Name the workflow's own endpoint, such as `https://….m.pipedream.net`: it stands in "
            "the workflow's trigger."
        )
    lines = [f"curl --globoff --request {shlex.quote(request.method)} {shlex.quote(address)}"]
    lines += [f"--header {shlex.quote(_header(*header))}" for header in request.headers]
    if request.body is None:
        return _joined(lines)
    size, quoted = _size(request.body), shlex.quote(request.body)
    if size <= _LONGEST_ARGUMENT:
        return _joined([*lines, f"--data-raw {quoted}"])
    # Too long for a program's argument, but not for a command that is the shell's own.
    return f"printf %s {quoted} |\n  " + _joined([*lines, "--data-binary @-"])


def _joined(lines: Sequence[str]) -> str:
    return " \\\n  ".join(lines)


def _size(body: str) -> int:
    if "\0" in body:
        raise NotSendable("The body holds a NUL, which no argument of a command can.")
    try:
        return len(body.encode())
    except UnicodeEncodeError:
        raise NotSendable("The body holds half a character, which no shell can write.") from None


def _header(name: str, value: str | None) -> str:
    return f"{name}:" if value is None else f"{name}: {value}" if value else f"{name};"


def _kept(headers: Sequence[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the headers that can be sent again; a value may be a list of those that came."""
    for name, told in headers:
        if not _TOKEN.fullmatch(name) or _OF_TRANSPORT.fullmatch(name):
            continue
        for value in told if isinstance(told, list) else [told]:
            if isinstance(value, str) and not _CONTROL.search(value):
                yield name, value


def _describing(
    headers: Sequence[tuple[str, str]], *, is_as_it_came: bool
) -> Iterator[tuple[str, str | None]]:
    """Yield headers of which none contradicts the body.

    Args:
        headers: those that came.
        is_as_it_came: whether the body is the text that came, and not JSON of what it said.
    """
    types = [value for name, value in headers if name.lower() == "content-type"]
    if is_as_it_came:
        yield from headers
        if not types:
            yield "Content-Type", None  # curl would say that it is a form
        return
    yield from (header for header in headers if not _OF_BODY.fullmatch(header[0]))
    yield "Content-Type", types[0] if len(types) == 1 and _JSON.fullmatch(types[0]) else JSON_TYPE


def _body(parts: Mapping[str, bytes]) -> tuple[str | None, bool]:
    """Return the text of the body, and whether it is the one that came."""
    whole = _value(parts.get("bodyRaw"))
    if isinstance(whole, str):
        return whole, True
    body = parts.get("body")
    value = _value(body)
    if body is None or value is None:
        return None, False
    return (value, True) if isinstance(value, str) else (_compact(body), False)


def _pairs(text: bytes | None) -> list[tuple[str, Any]] | None:
    """Return an object's members, those of the same name too; None for what is no object."""
    value = _value(text, object_pairs_hook=_Pairs)
    return list(value) if isinstance(value, _Pairs) else None


class _Pairs(tuple[tuple[str, Any], ...]):
    """The members of an object, in the order in which they came."""

    __slots__ = ()


def _members(text: str | bytes) -> dict[str, bytes]:
    """Return an object's members, each as its text; none for what is no object."""
    try:
        found = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        return {name: bytes(raw) for name, raw in found.items()}
    except msgspec.DecodeError:
        # NaN and other texts that are no strict JSON.
        value = _value(text)
    members = value if isinstance(value, dict) else {}
    return {
        name: json.dumps(member, separators=(",", ":")).encode() for name, member in members.items()
    }


def _value(text: str | bytes | None, **hooks: Any) -> Any:
    try:
        return None if text is None else json.loads(text, **hooks)
    except (ValueError, RecursionError):
        return None


def _compact(text: bytes) -> str:
    """Return JSON on one line, so that no shell takes a part of it for a line of its own."""
    try:
        return msgspec.json.format(text, indent=-1).decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return text.decode("utf-8", "replace").replace("\n", " ").replace("\r", " ")


def _is_web(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    has_host = parts.scheme in ("http", "https") and bool(parts.hostname)
    return has_host and not re.search(r"[\s\x00-\x20\x7f]", text)
