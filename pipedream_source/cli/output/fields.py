"""Fields of objects by their names: `event.error.code` leads into inner objects.

Quotes are those of DuckDB's paths: `event."a.b"` is the field `a.b` of `event`, which `event.a.b`
names only where there is no `b` within an `a`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipedream_source.core.text.sent_json import SentJson, read_json

#: Where an object has no such field.
MISSING = object()
_NAMES = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,])+').findall
_PART = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|([^.]*))(?:\.|$)')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def names_in(text: str | None) -> list[str]:
    """Read names of fields, separated by commas; within quotes a comma is part of a name."""
    return [name for part in _NAMES(text or "") if (name := part.strip())]


def field_of(item: Any, name: str) -> Any:
    """Return a field, or MISSING.

    Args:
        item: an object of the API or a row.
        name: of a field of its own, or a path into inner ones.
    """
    if isinstance(item, Mapping) and name in item:
        return item[name]
    return _found(item, _parts(name))


def last_part(name: str) -> str:
    """Return the name of the innermost field of a path."""
    return _parts(name)[-1][0]


def scalar(value: Any) -> Any:
    """Return what was sent as a text, a number, true, false or null as Python's value."""
    if not isinstance(value, SentJson) or value.text.lstrip()[:1] in ("{", "["):
        return value
    try:
        return read_json(value.text)
    except ValueError:
        return value


def _parts(name: str) -> list[tuple[str, bool]]:
    """Split a path into names, each with whether it stands in quotes."""
    parts, at = list[tuple[str, bool]](), 0
    while at <= len(name) and (match := _PART.match(name, at)):
        is_quoted = match[1] is not None
        parts.append((_ESCAPE.sub(r"\1", match[1]) if is_quoted else match[2], is_quoted))
        at = match.end() + (not match[0].endswith("."))
    return parts


def _found(item: Any, parts: Sequence[tuple[str, bool]]) -> Any:
    """Walk a path; names without quotes are also tried together, as one with dots."""
    if not parts:
        return item
    for count in range(1, len(parts) + 1):
        if count > 1 and any(is_quoted for _, is_quoted in parts[:count]):
            break
        inner = _child(item, ".".join(name for name, _ in parts[:count]))
        found = MISSING if inner is MISSING else _found(inner, parts[count:])
        if found is not MISSING:
            return found
    return MISSING


def _child(item: Any, name: str) -> Any:
    if isinstance(item, Mapping):
        return item.get(name, MISSING)
    return _member(item.text, name) if isinstance(item, SentJson) else MISSING


def _member(text: str, name: str) -> Any:
    """Return a member of an object's text; of a key that stands twice the first, as DuckDB does."""
    from pipedream_source.api.json_text import Malformed, members

    raw = text.strip(" \t\r\n").encode("utf-8", "surrogatepass")
    if not raw.startswith(b"{"):
        return MISSING
    try:
        for key, value in members(raw):
            if json.loads(key) == name:
                return SentJson(value.decode("utf-8", "surrogatepass"))
    except (Malformed, ValueError):
        pass
    return MISSING
