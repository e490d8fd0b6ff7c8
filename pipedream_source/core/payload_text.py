r"""The text of a payload, and the search for it: SQL for DuckDB, in which values are parameters.

The text of a payload is its JSON with each escape replaced by the character that it stands for, as
a JSON parser replaces it: keys, values, numbers and brackets, in the order and spelling in which
they were sent. `{"a":"x\u0026y"}` has the text `{"a":"x&y"}`.

In JSON a backslash always begins an escape, so a payload without one is its own text. Only payloads
with one are looked at twice: first as they stand, which finds nearly all that cannot match, then
with the escapes replaced, which decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: How patterns are matched: small and capital letters alike, and a dot is a line break too.
FLAGS = "'is'"
# JSON writers often escape these: quotes and slashes, what acts in HTML or a URL, line breaks.
_OFTEN_ESCAPED = frozenset("\"\\/&'+<>=`\x7f")
_SHORT = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", '"': '"', "\\": "\\", "/": "/"}
# Not in ASCII, and still equal to k and s where small and capital letters are alike.
_ALIKE = "\u212a\u017f"
_BACKSLASH = r"'\'"
# Turns JSON into the inside of a JSON string, whose value is the text. Pairs of backslashes go
# first: what is left of a run of them begins an escape.
_INSIDE = (
    (r"'\\'", r"'\u005c'"),
    (r"""'\"'""", r"'\u0022'"),
    ("""'"'""", r"""'\"'"""),
    ("chr(9)", r"'\t'"),
    ("chr(10)", r"'\n'"),
    ("chr(13)", r"'\r'"),
)


def payload_text(column: str) -> str:
    """Return an expression for the text of a payload; null has none, and broken JSON is its own.

    Args:
        column: an expression, such as `event`.
    """
    raw = _raw(column)
    return f"CASE WHEN contains({raw}, {_BACKSLASH}) THEN {_unescaped(raw)} ELSE {raw} END"


@dataclass(frozen=True, slots=True)
class PayloadSearch:
    """What is looked for in the text of payloads, small and capital letters alike.

    Attributes:
        pattern: of the text, as RE2 reads it.
        sent: of the JSON that may hold it; empty where nothing is known of that.
        rare: of escapes, one of which the JSON holds if `sent` is not in it.
    """

    pattern: str
    sent: str = ""
    rare: str = ""

    @classmethod
    def of_text(cls, text: str) -> PayloadSearch:
        """Look for a text, in which no character has a special meaning."""
        rare = {c for c in text if c.isascii() and not _is_often_escaped(c)}
        both = {form for c in rare for form in (c.lower(), c.upper())} | set(_ALIKE if rare else "")
        return cls(
            "".join(map(_literal, text)),
            "".join(map(_sent, text)),
            rf"\\u(?:{'|'.join(_hex(c) for c in sorted(both))})" if both else "",
        )

    @classmethod
    def of_regex(cls, pattern: str) -> PayloadSearch:
        """Look for what a regular expression of RE2 matches."""
        return cls(pattern)

    @property
    def parameters(self) -> dict[str, str]:
        """The values that a query with the condition takes."""
        named = {"pattern": self.pattern, "sent": self.sent, "rare": self.rare}
        return {f"search_{name}": value for name, value in named.items() if value}

    def condition(self, column: str) -> str:
        """Return an expression that is true for payloads with a match, for `parameters`.

        Args:
            column: an expression, such as `event`.
        """
        raw = _raw(column)
        if not self.sent:
            return f"regexp_matches({payload_text(column)}, $search_pattern, {FLAGS})"
        rare = f" OR regexp_matches({raw}, $search_rare)" if self.rare else ""
        return (
            f"CASE WHEN NOT contains({raw}, {_BACKSLASH}) "
            f"THEN regexp_matches({raw}, $search_pattern, {FLAGS}) "
            f"WHEN regexp_matches({raw}, $search_sent, {FLAGS}){rare} "
            f"THEN regexp_matches({_unescaped(raw)}, $search_pattern, {FLAGS}) ELSE false END"
        )


def _raw(column: str) -> str:
    return f"CAST({column} AS VARCHAR)"


def _unescaped(raw: str) -> str:
    inside = raw
    for text, escape in _INSIDE:
        inside = f"replace({inside}, {text}, {escape})"
    quoted = f"""'"' || {inside} || '"'"""
    return f"coalesce(TRY(json_extract_string({quoted}, '$')), {raw})"


def _is_often_escaped(character: str) -> bool:
    return character in _OFTEN_ESCAPED or character < " "


def _sent(character: str) -> str:
    """Return a pattern for a character as JSON usually spells it, and for more than that."""
    if character.isascii() and not _is_often_escaped(character):
        return _literal(character)
    forms = [_literal(character)]
    if short := _SHORT.get(character):
        forms.append(r"\\" + re.escape(short))
    if character.isascii():
        forms.append(rf"\\u{_hex(character)}")
    else:
        # Any escape, since the other letters that count as alike cannot be told here.
        forms.append(r"\\u[0-9a-fA-F]{4}" * (2 if character > "\uffff" else 1))
    return f"(?:{'|'.join(forms)})"


def _literal(character: str) -> str:
    return r"\x00" if character == "\0" else re.escape(character)


def _hex(character: str) -> str:
    digits = f"{ord(character):04x}"
    return "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in digits)
