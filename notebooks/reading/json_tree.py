"""JSON to fold and unfold, as HTML: with every digit, key and order as it was sent.

A browser that reads JSON rounds integers over 2^53, writes 1.10 as 1.1 and keeps one of two keys of
the same name. So numbers stay the text that they are, and objects the list of their members.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

# Beyond this an object or list is cut, and a payload gets no tree: its text tells all.
_MOST_CHILDREN = 1_000
_MOST_NODES = 20_000
# How many levels are open at first.
_OPEN_LEVELS = 2
_CLOSED = "margin-left:1.2em"


class _Number(str):
    """A number as it was sent."""

    __slots__ = ()


class _Members(tuple[tuple[str, Any], ...]):
    """The members of an object in their order, also those of the same name."""

    __slots__ = ()


def tree(text: str) -> str | None:
    """Return JSON as HTML; None where it is too deep or too large, or no JSON.

    Args:
        text: a payload; it may hold anything, and nothing of it acts in the page.
    """
    try:
        value = json.loads(
            text,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_Number,
            object_pairs_hook=_Members,
        )
        return (
            f'<div style="font-family:monospace">{_node("", value, 0)}</div>'
            if _size(value) <= _MOST_NODES
            else None
        )
    except (ValueError, RecursionError):
        return None


def _size(value: Any) -> int:
    """Return how many lines a value takes; counting ends soon after the most that are shown."""
    children = [child for _, child in _children(value)]
    total = 1
    for child in children:
        total += _size(child)
        if total > _MOST_NODES:
            break
    return total


def _children(value: Any) -> Sequence[tuple[str, Any]]:
    """Return what is directly within a value, each with the words before it."""
    if isinstance(value, _Members):
        return [(f"{_quoted(name)}: ", member) for name, member in value[:_MOST_CHILDREN]]
    if isinstance(value, list):
        return [(f"{place}: ", element) for place, element in enumerate(value[:_MOST_CHILDREN])]
    return []


def _node(name: str, value: Any, level: int) -> str:
    if not isinstance(value, _Members | list):
        return f"<div>{escape(name + _leaf(value))}</div>"
    mark = "{}" if isinstance(value, _Members) else "[]"
    if not value:
        return f"<div>{escape(name)}{mark}</div>"
    opened = " open" if level < _OPEN_LEVELS else ""
    head = escape(f"{name}{mark[0]}{len(value):,}{mark[1]}")
    return (
        f"<details{opened}><summary>{head}</summary>"
        f'<div style="{_CLOSED}">{"".join(_inside(value, level))}</div></details>'
    )


def _inside(value: Any, level: int) -> Iterator[str]:
    for name, child in _children(value):
        yield _node(name, child, level + 1)
    if (more := len(value) - _MOST_CHILDREN) > 0:
        yield f"<div>… {more:,} more, see the text as sent</div>"


def _leaf(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    """Return a text as JSON, with what cannot be seen, or would turn the line round, escaped."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in quoted)
