"""Take members out of a JSON object whose values a decoder refuses, as text.

An event may hold what no JSON decoder takes, such as half a surrogate pair or NaN. All that is
asked of it here is that its quotes and brackets close.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{},:]|[^\s"\[\]{},:]++', re.DOTALL)
_CLOSES = {b"{": b"}", b"[": b"]"}


class NotAnObject(ValueError):
    """The text is not one object whose quotes and brackets close."""


def set_aside(text: bytes, names: Collection[str]) -> tuple[bytes, dict[str, bytes]]:
    """Return an object with null in place of the named members' values, and those values' texts.

    Raises:
        NotAnObject: the text cannot be split.
    """
    taken: dict[str, bytes] = {}
    kept, done = [], 0
    for name, start, end in _members(text):
        if name in names:
            taken[name] = text[start:end]
            kept += [text[done:start], b"null"]
            done = end
    return b"".join((*kept, text[done:])), taken


def _members(text: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield the name of each member, and where its value begins and ends."""
    tokens = _tokens(text)
    _expect(tokens, b"{")
    closing = b","
    while closing == b",":
        name = next(tokens, None)
        if name is None or not name[0].startswith(b'"'):
            raise NotAnObject
        _expect(tokens, b":")
        start, end, closing = _value(tokens)
        yield name[0][1:-1].decode(errors="replace"), start, end
    if closing != b"}" or next(tokens, None) is not None:
        raise NotAnObject


def _value(tokens: Iterator[tuple[bytes, int]]) -> tuple[int, int, bytes]:
    """Return where a value begins and ends, and the comma or bracket behind it."""
    open_: list[bytes] = []
    start = end = -1
    for token, at in tokens:
        if not open_ and token in (b",", b"}") and start >= 0:
            return start, end, token
        if token in _CLOSES:
            open_.append(_CLOSES[token])
        elif open_ and token == open_[-1]:
            open_.pop()
        elif token in _CLOSES.values() or (not open_ and token in (b",", b":")):
            break
        start, end = (at if start < 0 else start), at + len(token)
    raise NotAnObject


def _expect(tokens: Iterator[tuple[bytes, int]], wanted: bytes) -> None:
    if next(tokens, (b"", 0))[0] != wanted:
        raise NotAnObject


def _tokens(text: bytes) -> Iterator[tuple[bytes, int]]:
    done = 0
    for match in _TOKEN.finditer(text):
        if text[done : match.start()].strip():
            raise NotAnObject
        yield match.group(), match.start()
        done = match.end()
    if text[done:].strip():
        raise NotAnObject
