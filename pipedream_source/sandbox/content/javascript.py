"""Reads the object that a component's code exports, without running it.

Only literals are understood: strings, numbers and their arithmetic, arrays, objects. Whatever
else stands where a value could (a name, a call, a function) becomes `Opaque`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<string>"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+')
    |(?P<template>`(?:[^`\\]|\\.)*+`)
    |(?P<number>0[xX][0-9a-fA-F]+|(?:\d[\d_]*)(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)
    |(?P<name>[\w$]+)
    |(?P<mark>\.\.\.|=>|.)""",
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])++/[a-z]*")
_BEFORE_REGEX = {*"(,=:[!&|?{};+-*%<>~^", "=>", "return", "typeof", ""}
_OPENS = {"{": "}", "[": "]", "(": ")"}
_WORDS = {"true": True, "false": False, "null": None, "undefined": None}
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r?\n|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
MOST_TOKENS = 200_000


@dataclass(frozen=True)
class Opaque:
    """A value that is no literal; `name` when it is a plain name."""

    name: str = ""


class _Token(NamedTuple):
    kind: str
    text: str


class _NotLiteral(Exception):
    pass


def exported_object(code: str) -> dict[str, Any] | None:
    """Return the members of the object that a module exports, or None when none is found."""
    try:
        reader = _Reader(_tokens(code))
        start = reader.export()
        return None if start is None else reader.object(start)[0]
    except (_NotLiteral, RecursionError, IndexError):
        return None


def _tokens(code: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(code) and len(tokens) < MOST_TOKENS:
        before = tokens[-1].text if tokens else ""
        regex = _REGEX.match(code, at) if code[at] == "/" and before in _BEFORE_REGEX else None
        match = _TOKEN.match(code, at)
        is_comment = match is not None and match.lastgroup == "space"
        if regex is not None and not is_comment:
            tokens.append(_Token("regex", regex.group()))
            at = regex.end()
        elif match is not None:
            at = match.end()
            if not is_comment:
                tokens.append(_Token(str(match.lastgroup), match.group()))
    return tokens


class _Reader:
    """Reads values out of tokens; each method takes and returns a place."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.texts = [token.text for token in tokens]

    def export(self) -> int | None:
        """Find the `{` of the exported object."""
        for words in (("export", "default"), ("module", ".", "exports", "=")):
            for at in range(len(self.texts)):
                if tuple(self.texts[at : at + len(words)]) == words:
                    return self._object_from(at + len(words))
        return None

    def _object_from(self, at: int) -> int | None:
        if self.texts[at] == "{":
            return at
        if self.texts[at + 1 : at + 3] == ["(", "{"]:
            return at + 2
        for word in ("const", "let", "var"):
            for place in range(len(self.texts) - 3):
                if self.texts[place : place + 3] == [word, self.texts[at], "="]:
                    # A declaration that names another name would never end.
                    found = place + 3
                    return found + 2 * (self.texts[found] != "{")
        return None

    def object(self, at: int) -> tuple[dict[str, Any], int]:
        """Read the object that begins here."""
        if self.texts[at] != "{":
            raise _NotLiteral
        members: dict[str, Any] = {}
        at += 1
        while self.texts[at] != "}":
            at = self._member(at, members)
            if self.texts[at] == ",":
                at += 1
        return members, at + 1

    def _member(self, at: int, members: dict[str, Any]) -> int:
        token, following = self.tokens[at], self.texts[at + 1]
        if token.kind in ("name", "string", "number") and following == ":":
            name = _string(token.text) if token.kind == "string" else token.text
            members[name], at = self.value(at + 2)
            return at
        if token.kind == "name" and following in (",", "}"):
            members[token.text] = Opaque(token.text)
            return at + 1
        return self._skip(at, method=True)

    def value(self, at: int) -> tuple[Any, int]:
        """Read the value that begins here; one that is no literal is skipped."""
        try:
            value, end = self._sum(at)
        except _NotLiteral:
            value, end = Opaque(), at
        else:
            if self.texts[end] in (",", "}", "]", ")", ";"):
                return value, end
        end = self._skip(at)
        is_name = end == at + 1 and self.tokens[at].kind == "name"
        return Opaque(self.texts[at] if is_name else ""), end

    def _sum(self, at: int) -> tuple[Any, int]:
        return self._chain(at, self._product, {"+": _add, "-": _subtract})

    def _product(self, at: int) -> tuple[Any, int]:
        return self._chain(at, self._factor, {"*": _multiply, "/": _divide})

    def _chain(
        self,
        at: int,
        part: Callable[[int], tuple[Any, int]],
        operations: dict[str, Callable[[Any, Any], Any]],
    ) -> tuple[Any, int]:
        value, at = part(at)
        while self.texts[at] in operations:
            operation = operations[self.texts[at]]
            other, at = part(at + 1)
            try:
                value = operation(value, other)
            except (TypeError, ArithmeticError):
                raise _NotLiteral from None
        return value, at

    def _factor(self, at: int) -> tuple[Any, int]:
        kind, text = self.tokens[at]
        if text == "{":
            return self.object(at)
        if text == "[":
            return self._array(at)
        if text == "-":
            value, end = self._factor(at + 1)
            return _subtract(0, value), end
        if text == "(":
            value, end = self._sum(at + 1)
            if self.texts[end] != ")":
                raise _NotLiteral
            return value, end + 1
        return _literal(kind, text), at + 1

    def _array(self, at: int) -> tuple[list[Any], int]:
        items = []
        at += 1
        while self.texts[at] != "]":
            item, at = self.value(at)
            items.append(item)
            if self.texts[at] == ",":
                at += 1
        return items, at + 1

    def _skip(self, at: int, *, method: bool = False) -> int:
        """Go to the comma or bracket that ends a member; a method ends with its body."""
        open_: list[str] = []
        while True:
            text = self.texts[at] if self.tokens[at].kind == "mark" else ""
            if open_ and text == open_[-1]:
                open_.pop()
                if method and not open_ and text == "}":
                    return at + 1
            elif text in _OPENS:
                open_.append(_OPENS[text])
            elif not open_ and text in (",", "}", "]", ")", ";"):
                return at
            at += 1


def _literal(kind: str, text: str) -> Any:
    if kind == "string":
        return _string(text)
    if kind == "template" and "${" not in text:
        return _string(text)
    if kind == "number":
        return _number(text.replace("_", ""))
    if kind == "name" and text in _WORDS:
        return _WORDS[text]
    raise _NotLiteral


def _number(text: str) -> int | float:
    if text[:2] in ("0x", "0X"):
        return int(text, 16)
    if len(text) > 300:
        raise _NotLiteral
    try:
        return int(text)
    except ValueError:
        return float(text)


def _string(text: str) -> str:
    def meant(match: re.Match[str]) -> str:
        escape = match[1]
        if escape[0] in "ux" and len(escape) > 1:
            number = int(escape[1:].strip("{}"), 16)
            return chr(number) if number < 0x110000 else "\ufffd"
        return "" if escape.endswith("\n") else _ESCAPES.get(escape, escape)

    # Surrogate pairs are joined; half of one would fit into no answer.
    plain = _ESCAPE.sub(meant, text[1:-1]).encode("utf-16", "surrogatepass")
    return plain.decode("utf-16", "replace")


def _add(one: Any, other: Any) -> Any:
    if isinstance(one, str) != isinstance(other, str):
        return f"{one}{other}"
    return one + other


def _subtract(one: Any, other: Any) -> Any:
    return one - other


def _multiply(one: Any, other: Any) -> Any:
    if isinstance(one, str) or isinstance(other, str):
        raise TypeError
    return one * other


def _divide(one: Any, other: Any) -> Any:
    quotient = one / other
    return int(quotient) if quotient == int(quotient) else quotient
