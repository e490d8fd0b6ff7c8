"""Values as JSON, and nothing that is not: what was sent as JSON is written as it was sent.

JSON has no NaN and no infinity, yet Python, DuckDB and some senders write them. Here they become
texts: those of our own numbers `nan`, `inf` and `-inf`, those inside a payload as they were sent,
such as `NaN` and `-Infinity`. What claims to be JSON and is not becomes a text as a whole.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipedream_source.core.text.redaction import ACTING
from pipedream_source.core.text.sent_json import SentJson, SentNumber

#: What JSON lacks and DuckDB takes for it; a text is matched to be passed over.
_NO_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|-?(?:nan|inf(?:inity)?)', re.IGNORECASE | re.DOTALL)
_MAY_BE_NONE = re.compile("nan|inf", re.IGNORECASE).search
_UNWRITABLE = re.compile(f"[{ACTING}]")
_ON_ONE_LINE = str.maketrans("\n\r", "  ")
_encode = json.JSONEncoder(ensure_ascii=False).encode


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else repr(value)


# Most rows hold nothing else, and Python's encoder writes them three times as fast. It refuses NaN.
_PLAIN = frozenset({str, int, float, bool, type(None), datetime})
_encode_plain = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_jsonable
).encode


def dumped(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON; on one line, unless there is an indent.

    Args:
        value: of JSON's kinds, `SentJson` among them; of others the text is written.
        indent: how many spaces a level is moved to the right.
    """
    text = _document(value, indent, "\n")
    # Terminals obey some of these, and half a surrogate pair cannot be written.
    return _UNWRITABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def as_json(text: str) -> str:
    """Return JSON as it was sent, on one line; what is not JSON becomes a text."""
    import msgspec

    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return _repaired(text)
    return text.translate(_ON_ONE_LINE)


def sound_line(line: str) -> str:
    """Return an object on a line, each member as JSON; nearly all lines are that already."""
    import msgspec

    from pipedream_source.api.json_text import members

    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        parts = members(line.encode())
        return (
            f"{{{','.join(f'{key.decode()}:{as_json(value.decode())}' for key, value in parts)}}}"
        )
    return line


def without_nan(text: str) -> str:
    """Return JSON in which NaN and the infinities, where they stand as numbers, are texts."""
    if not _MAY_BE_NONE(text):
        return text
    return _NO_JSON.sub(lambda match: match[0] if match[0][0] == '"' else f'"{match[0]}"', text)


def _repaired(text: str) -> str:
    from pipedream_source.api.json_text import is_json

    whole = without_nan(text)
    # What is nested too deeply for the parser is JSON all the same, and so is half a pair.
    is_fine = is_json(whole.encode("utf-8", "surrogatepass"))
    return whole.translate(_ON_ONE_LINE) if is_fine else _encode(text)


def _document(value: Any, indent: int | None, line: str) -> str:
    """Return a value as JSON; `line` is a line break and the spaces of its level."""
    if isinstance(value, str):
        return _encode(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        if indent is None and _PLAIN.issuperset(map(type, value.values())):
            with suppress(ValueError):
                return _encode_plain(value)
        inner = line + " " * (indent or 0)
        colon = ":" if indent is None else ": "
        members = (
            f"{_encode(str(key))}{colon}{_document(item, indent, inner)}"
            for key, item in value.items()
        )
        return _enclosed("{}", members, indent, line)
    if isinstance(value, list | tuple):
        inner = line + " " * (indent or 0)
        return _enclosed("[]", (_document(item, indent, inner) for item in value), indent, line)
    if isinstance(value, SentJson):
        return as_json(value.text) if indent is None else _indented(value.text, indent, line)
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    return json.dumps(value, default=_jsonable, ensure_ascii=False)


def _enclosed(brackets: str, parts: Iterable[str], indent: int | None, line: str) -> str:
    if indent is None:
        return f"{brackets[0]}{','.join(parts)}{brackets[1]}"
    inner = line + " " * indent
    text = f",{inner}".join(parts)
    return f"{brackets[0]}{inner}{text}{line}{brackets[1]}" if text else brackets


def _number(value: float) -> str:
    if isinstance(value, SentNumber):
        return value.text
    return float.__repr__(value) if math.isfinite(value) else f'"{value}"'


def _indented(text: str, indent: int, line: str) -> str:
    import msgspec

    fine = as_json(text)
    try:
        lines = msgspec.json.format(fine.encode(), indent=indent).decode().split("\n")
    except (msgspec.DecodeError, RecursionError):
        return fine
    return line.join(lines)
