"""Values as Python writes them, laid out as ruff and black would."""

from __future__ import annotations

import json
from collections.abc import Sequence


def listed(value: str | Sequence[str]) -> str:
    """Write a text, or a list of texts with each on a line of its own."""
    if isinstance(value, str):
        return _text(value)
    return "[\n" + "".join(f"    {_text(word)},\n" for word in value) + "]"


def _text(value: str) -> str:
    # JSON's escapes are Python's too, and these quotes are the ones that formatters want.
    is_plain = "'" in value or '"' not in value
    return json.dumps(value, ensure_ascii=False) if is_plain else repr(value)
