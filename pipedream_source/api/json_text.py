"""JSON as text: find where values begin and end, check and repair them, without building any.

Nothing here recurses, so depth costs nothing; numbers stay text, so their size costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_SPACE = re.compile(rb"[ \t\r\n]*")
#: A string with its quotes, as a pattern; to be used with `re.DOTALL`.
STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_STRING = re.compile(STRING, re.DOTALL)
_SCALAR = re.compile(rb'[^ \t\r\n{}\[\]:,"]+')
_BRACKETS = re.compile(STRING + rb"|[{}\[\]]", re.DOTALL)
_STRUCTURE = re.compile(rb'["{}\[\]]')
_TOKEN = re.compile(
    rb"[ \t\r\n]*(?:(?P<open>[{\[])|(?P<close>[}\]])|(?P<comma>,)|(?P<colon>:)"
    rb'|(?P<string>"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*")'
    # NaN and the infinities are no JSON, but DuckDB stores them, so they need not be lost.
    rb"|(?P<scalar>true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
    rb"|NaN|-?Infinity)(?=[ \t\r\n{}\[\]:,]|$))"
)
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_PARTNER = {b"{": b"}", b"[": b"]"}


class Malformed(ValueError):
    """The text's quotes or brackets do not match."""


def skip_space(text: bytes, at: int) -> int:
    """Return the position of the next byte that is not white space."""
    match = _SPACE.match(text, at)
    return match.end() if match else at


def skip_value(text: bytes, at: int) -> int:
    """Return the position behind the value that begins at `at`.

    Raises:
        Malformed: no value begins there, or the text ends inside it.
    """
    first = text[at : at + 1]
    if first in (b"{", b"["):
        return _skip_brackets(text, at)
    match = (_STRING if first == b'"' else _SCALAR).match(text, at)
    if match is None:
        raise Malformed(f"no complete value at byte {at}")
    return match.end()


def _skip_brackets(text: bytes, at: int) -> int:
    depth = 0
    while True:
        found = _STRUCTURE.search(text, at)
        if found is None:
            raise Malformed("the text ends inside an object or a list")
        at = found.end()
        byte = found[0]
        if byte == b'"':
            at = skip_value(text, found.start())
        elif byte in (b"{", b"["):
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return at


def depth_of(text: bytes) -> int:
    """Return how many brackets stand within one another, at most."""
    deepest = depth = 0
    for found in _BRACKETS.finditer(text):
        byte = found[0]
        if byte in (b"{", b"["):
            depth += 1
            deepest = max(deepest, depth)
        elif byte in (b"}", b"]"):
            depth -= 1
    return deepest


def items(array: bytes) -> Iterator[bytes]:
    """Yield the text of each item of a list's text, brackets included.

    Raises:
        Malformed: items are not separated by commas.
    """
    at = skip_space(array, 1)
    while array[at : at + 1] != b"]":
        end = skip_value(array, at)
        yield array[at:end]
        at = _after_comma(array, end, b"]")


def members(obj: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the texts of key and value of each member of an object's text, braces included.

    Raises:
        Malformed: a key is not a string, or colons or commas are missing.
    """
    at = skip_space(obj, 1)
    while obj[at : at + 1] != b"}":
        if obj[at : at + 1] != b'"':
            raise Malformed(f"no key at byte {at}")
        end = skip_value(obj, at)
        key = obj[at:end]
        at = skip_space(obj, end)
        if obj[at : at + 1] != b":":
            raise Malformed(f"no colon at byte {at}")
        at = skip_space(obj, at + 1)
        end = skip_value(obj, at)
        yield key, obj[at:end]
        at = _after_comma(obj, end, b"}")


def sent_members(page: bytes, name: str) -> list[bytes | None]:
    """Return the text of one member of each row under `data`, None where a row has none.

    Args:
        page: the text of an object.
        name: of the member; of one that stands twice the last counts, as for Python.

    Raises:
        Malformed: brackets or quotes do not match.
    """
    quoted, found = b'"' + name.encode() + b'"', list[bytes | None]()
    for key, rows in members(page[skip_space(page, 0) :]):
        if key == b'"data"':
            found = [dict(members(row)).get(quoted) for row in items(rows)]
    return found


def _after_comma(text: bytes, at: int, closing: bytes) -> int:
    at = skip_space(text, at)
    if text[at : at + 1] == b",":
        return skip_space(text, at + 1)
    if text[at : at + 1] != closing:
        raise Malformed(f"no comma at byte {at}")
    return at


def repair_surrogates(text: bytes) -> bytes:
    r"""Replace each escape of half a surrogate pair by `\ufffd`; the rest stays byte for byte."""
    if b"\\u" not in text:
        return text
    return _ESCAPE.sub(lambda m: b"\\ufffd" if m["lone"] else m[0], text)


def is_json(text: bytes) -> bool:
    """Tell whether a text is one UTF-8 JSON value; NaN and Infinity count, as DuckDB takes them."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return _is_well_formed(text)


def _is_well_formed(text: bytes) -> bool:
    """Check the grammar with a stack of open brackets instead of recursion."""
    stack: list[bytes] = []
    wants, at = "value", 0
    while True:
        match = _TOKEN.match(text, at)
        if match is None:
            return wants == "end" and skip_space(text, at) == len(text)
        at = match.end()
        step = _step(str(match.lastgroup), match[match.lastgroup or 0], wants, stack)
        if step is None:
            return False
        wants = step


def _step(kind: str, token: bytes, wants: str, stack: list[bytes]) -> str | None:
    """Advance the grammar by one token: what is wanted next, or None when it does not fit."""
    if kind == "close":
        fits = wants in ("first", "after") and bool(stack) and _PARTNER[stack[-1]] == token
        if not fits:
            return None
        stack.pop()
        return "after" if stack else "end"
    if wants == "first":
        wants = "key" if stack[-1] == b"{" else "value"
    match kind, wants:
        case "string", "key":
            return "colon"
        case "colon", "colon":
            return "value"
        case "comma", "after":
            return "key" if stack[-1] == b"{" else "value"
        case "open", "value":
            stack.append(token)
            return "first"
        case (("string" | "scalar"), "value"):
            return "after" if stack else "end"
    return None
