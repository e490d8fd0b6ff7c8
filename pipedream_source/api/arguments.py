"""Arguments of calls, checked before anything is sent; each message names the pattern and value."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pipedream_source.api.protocol import check_id
from pipedream_source.core.streams.event_id import EventId
from pipedream_source.core.text.redaction import MARK, printable
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.settings import MAX_NAME_CHARS, PAGE_LIMIT

_GLOBS = ("p_*", "dc_*")
# What each kind of object is called; sources have many prefixes (`dc_`, `hi_`, `ti_`), so that
# only those of others tell.
_KINDS = {
    "p": "workflow",
    "wh": "webhook",
    "o": "workspace",
    "u": "user",
    "sub": "subscription",
    "sc": "component",
    "d": "deployment",
}
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}").fullmatch
_FIELD = re.compile(r"[A-Za-z0-9_$][A-Za-z0-9_$.-]{0,127}").fullmatch
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]").search
_UNSENDABLE = re.compile(r"[\x00-\x20\x7f-\x9f\ud800-\udfff\\]").search
_URL_PASSWORD = re.compile(r"(?<=//)[^/?#]*@")


def refusal(what: str, value: object, pattern: str) -> ConfigurationError:
    """Build the error for an argument; the value is shown cut and printable."""
    return ConfigurationError(f"{what}: {printable(str(value))!r} is not {pattern}")


def check_kind(value: object, what: str, kind: str) -> str:
    """Return an id of one kind, such as `o` for workspaces.

    Raises:
        ConfigurationError: it is no id, or one of another kind; the message has an example.
    """
    try:
        return check_id(value, what, kind=kind)
    except ConfigurationError:
        wanted = f"a {_KINDS[kind]}'s id: it must begin with {kind}_, such as {kind}_abc123"
        raise refusal(what, value, wanted) from None


def check_source(value: object) -> str:
    """Return a source's id.

    Raises:
        ConfigurationError: it is no id, or that of another kind of object.
    """
    key = check_id(value, "source_id")
    other = _KINDS.get(key.partition("_")[0])
    if other:
        raise refusal("source_id", key, f"a source's id, such as dc_abc123, but a {other}'s")
    return key


def check_emitter(value: object) -> str:
    """Return an emitter's id, or the glob for all workflows or sources (section "Subscriptions").

    Raises:
        ConfigurationError: it is neither.
    """
    if isinstance(value, str) and value in _GLOBS:
        return value
    try:
        return check_id(value, "emitter_id")
    except ConfigurationError as error:
        raise ConfigurationError(f"{error}, nor one of the globs {' and '.join(_GLOBS)}") from None


def check_key(value: object, what: str) -> str:
    """Return a component's key or id, safe in a path.

    Raises:
        ConfigurationError: it holds anything but letters, digits, `_`, `-` and `.`.
    """
    if not isinstance(value, str) or not _KEY(value):
        raise refusal(
            what,
            value,
            "a component's key or id: 1-128 letters, digits, '_', '-' or '.', "
            "such as github-new-repository or sc_abc123",
        )
    return value


def check_text(value: object, what: str) -> str:
    """Return a name or a description.

    Raises:
        ConfigurationError: it is blank, too long or holds control characters.
    """
    if not isinstance(value, str) or not value.strip() or _too_odd(value):
        raise refusal(
            what, value, f"a text of 1-{MAX_NAME_CHARS} characters without control characters"
        )
    return value


def check_event_name(value: object, *, required: bool = False) -> str:
    """Return a channel's name; empty is the default channel.

    Raises:
        ConfigurationError: it is too long, holds control characters, is `.` or `..`, which a path
            cannot carry, or is empty although one is required.
    """
    usable = isinstance(value, str) and not _too_odd(value) and value not in (".", "..")
    if not usable or (required and not value):
        least = 1 if required else 0
        raise refusal(
            "event_name",
            value,
            f"a channel's name: {least}-{MAX_NAME_CHARS} characters without control characters, "
            "such as $errors",
        )
    return str(value)


def _too_odd(value: str) -> bool:
    return len(value) > MAX_NAME_CHARS or _CONTROL(value) is not None


def check_event_id(value: object, what: str) -> EventId:
    """Return an event's id (section "Delete source events").

    Raises:
        ConfigurationError: it is not `<ms>-<seq>`.
    """
    place = EventId.parse(value) if isinstance(value, str) else None
    if place is None:
        raise refusal(
            what, value, "an event id of the form <milliseconds>-<sequence>, as 1589486981597-0"
        )
    return place


def check_limit(value: object, what: str = "limit", most: int | None = PAGE_LIMIT) -> int:
    """Return a number of items (section "Pagination").

    Args:
        value: as given.
        what: the argument's name.
        most: the largest that is taken; None for any.

    Raises:
        ConfigurationError: it is not a whole number in the range.
    """
    highest = most or sys.maxsize
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= highest:
        return value
    raise refusal(what, value, f"a whole number from 1 to {highest}")


def check_url(value: object, what: str) -> str:
    """Return an http or https URL with a host (section "Create a webhook").

    Raises:
        ConfigurationError: it has another protocol, no host or characters that no URL holds.
    """
    if isinstance(value, str) and not _UNSENDABLE(value):
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if host and parts.scheme in ("http", "https"):
            return value
    shown = _URL_PASSWORD.sub(f"{MARK}@", str(value))
    raise refusal(what, shown, "a URL of the form http(s)://HOST[:PORT][/PATH]")


def check_fields(value: Sequence[str] | None, what: str) -> str | None:
    """Return names of fields as the API takes them: separated by commas.

    `id` always comes along: pages are told apart by it, and an object without it is no answer.

    Args:
        value: names; one text with commas is taken too.
        what: `include` or `exclude` (section "Common Parameters").

    Raises:
        ConfigurationError: a name is none, or `id` is to be left out.
    """
    if value is None:
        return None
    names = [n.strip() for n in value.split(",")] if isinstance(value, str) else list(value)
    for name in names:
        if not isinstance(name, str) or not _FIELD(name):
            raise refusal(what, name, "a field's name: 1-128 letters, digits, '_', '$', '.', '-'")
    if what == "exclude" and "id" in names:
        raise ConfigurationError("exclude: 'id' cannot be left out: objects are told apart by it")
    if what == "include" and names and "id" not in names:
        names.insert(0, "id")
    return ",".join(names) or None


def check_props(value: object) -> dict[str, Any]:
    """Return a source's `configured_props`.

    Raises:
        ConfigurationError: they are no JSON object, or hold a mark that replaced a credential:
            sent back, it would overwrite the credential. The message quotes no value.
    """
    what = "configured_props"
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{what}: must be a JSON object, not {type(value).__name__}")
    try:
        props: dict[str, Any] = json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise ConfigurationError(f"{what}: hold something that JSON cannot express") from None
    marked = ", ".join(_marked(props, what))
    if marked:
        raise ConfigurationError(
            f"{marked}: holds {MARK}, the mark that stands for a credential in what this client "
            "shows; put the credential itself there"
        )
    return props


def _marked(value: Any, where: str) -> Iterator[str]:
    """Yield where a mark stands instead of a value."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _marked(item, f"{where}.{printable(name)}")
    elif isinstance(value, list):
        for n, item in enumerate(value):
            yield from _marked(item, f"{where}[{n}]")
    elif isinstance(value, str) and MARK in value:
        yield where
