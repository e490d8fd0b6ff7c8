"""The API's objects as rows: columns by their documented names, whatever else in `extra`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipedream_source.core.text.redaction import redact_object
from pipedream_source.resources.schema.tables import Table

_EXTRA = "extra"
_MAX_BIGINT = 2**63
# What neither UTF-8 nor DuckDB's JSON can hold, and what Postgres refuses in a text.
_UNSTORABLE = re.compile("[\ud800-\udfff\x00]")


def row_of(table: Table, item: Mapping[str, Any], salt: str | None = None) -> dict[str, Any]:
    """Fit an object of the API into a table's columns; fields without one go to `extra`.

    Args:
        table: its columns have the API's field names; `extra` is one of them.
        item: the object; its times are in Unix seconds. The client redacts credentials as they
            arrive; what it was told to leave is redacted here.
        salt: of the marks.
    """
    item = redact_object(item, salt)
    row = {
        name: _value(kind, item.get(name)) for name, kind in table.columns.items() if name != _EXTRA
    }
    # A value of another type than the column's is kept beside it rather than lost.
    extra = {k: v for k, v in item.items() if k not in row or (row[k] is None and v is not None)}
    row[_EXTRA] = _value("json", extra) if extra else None
    return row


def _value(kind: str, value: Any) -> Any:
    """Convert a value to a column's type; None when it is of another."""
    if value is None:
        return None
    match kind:
        case "json":
            text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
            return _storable(text)
        case "timestamp":
            return _seconds(value)
        case "bool":
            return value if isinstance(value, bool) else None
        case "bigint":
            return _integer(value)
        case _:
            return _storable(value) if isinstance(value, str) else None


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)


def _integer(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -_MAX_BIGINT <= value < _MAX_BIGINT else None


def _seconds(value: Any) -> datetime | None:
    """Read an object's time, which the API gives in Unix seconds (events have milliseconds)."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def ordered(objects: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return objects in the order of their ids."""
    return [objects[key] for key in sorted(objects)]
