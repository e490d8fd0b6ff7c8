"""Fields of a call whose keys nest: `a[b]=x` is an object in an object, `a[]=x` an item of a list.

Keys are read as `gh api` reads them, so that what is known from there works here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import typer

from pipedream_source.core.text.redaction import printable

Pair = tuple[str, Any]

_KEY = re.compile(r"[^\[\]]+(?:\[[^\[\]]*\])*").fullmatch
_PART = re.compile(r"[^\[\]]+|\[\]").findall
_ITEM = "[]"
#: The value of a key without one, such as `a[]`: an empty list.
NO_VALUE = object()


def nested(pairs: Iterable[Pair]) -> dict[str, Any]:
    """Return fields as a JSON object; of a plain key that comes twice, the last counts.

    Raises:
        typer.BadParameter: a key cannot be read, or is of another shape than one before it.
    """
    fields: dict[str, Any] = {}
    for key, value in pairs:
        if not _KEY(key) or not _put(fields, _PART(key), value):
            raise typer.BadParameter(
                f"{printable(key, 60)!r} is no key such as name, name[inner], name[] or "
                "name[][inner], or contradicts one before it"
            )
    return fields


def _put(into: dict[str, Any], parts: list[str], value: Any) -> bool:
    """Put a value in its place; tell whether there is such a place."""
    name, rest = parts[0], parts[1:]
    if not rest:
        into[name] = value
        return True
    if rest[0] == _ITEM:
        items = into.setdefault(name, [])
        return isinstance(items, list) and _append(items, rest[1:], value)
    inner = into.setdefault(name, {})
    return isinstance(inner, dict) and _put(inner, rest, value)


def _append(items: list[Any], parts: list[str], value: Any) -> bool:
    """Add an item, or to the last one what it lacks yet."""
    if not parts:
        if value is not NO_VALUE:
            items.append(value)
        return True
    if parts[0] == _ITEM:
        return False
    last = items[-1] if items else None
    if not isinstance(last, dict) or parts[0] in last:
        last = {}
        items.append(last)
    return _put(last, parts, value)
