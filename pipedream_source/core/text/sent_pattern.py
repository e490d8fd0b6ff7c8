r"""Patterns of JSON as it is sent, each for a pattern of its text.

Replacing escapes costs several times as much as looking for a pattern. So a pattern of the JSON
tells first which payloads can match, and only in those escapes are replaced.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# JSON writers often escape these: quotes and slashes, what acts in HTML or a URL, line breaks.
_OFTEN_ESCAPED = frozenset("\"\\/&'+<>=`\x7f")
_SHORT = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", '"': '"', "\\": "\\", "/": "/"}
# Not in ASCII, and still equal to k and s where small and capital letters are alike.
_ALIKE = "\u212a\u017f"
# A character outside of the basic plane takes two escapes.
_ANY_ESCAPE = r'(?:\\u[0-9a-fA-F]{4}){1,2}|\\["\\/bfnrt]'
# More repeats would let the pattern grow and hardly tell more.
_MOST_REPEATS = 8
_LONGEST_REGEX = 500
_NAMED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
# Of RE2's syntax what has one meaning wherever it stands; flags, \Q and \p are not among it.
_TOKEN = re.compile(
    r"""
    (?P<open> \((?!\?) | \(\?: | \(\?P<\w+> )
    | (?P<close> \) )
    | (?P<bar> \| )
    | (?P<repeat> [*+?]\?? | \{(?P<least>[0-9]+)(?:,[0-9]*)?\}\?? )
    | (?P<end> [\^$] | \\[Az] )
    | (?P<border> \\[bB] )
    | (?P<kind> \. | \\[dDsSwW] | \[\^?\]?(?:[^\[\]\\]|\\.|\[:\^?[a-z]+:\])*\] )
    | \\(?P<named> [tnrfva] )
    | \\(?P<escaped> [!-/:-@\[-`{-~] )
    | (?P<plain> [^\\\[] )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class SentPattern:
    """What JSON holds whose text matches a pattern.

    Attributes:
        usual: a pattern, for the escapes that writers use; empty where nothing is known.
        rare: of escapes, one of which the JSON holds if `usual` is not in it.
    """

    usual: str = ""
    rare: str = ""

    @classmethod
    def of_text(cls, text: str) -> SentPattern:
        """Return what JSON holds whose text holds a text."""
        return cls("".join(map(_sent, text)), _rare(text))

    @classmethod
    def of_regex(cls, pattern: str) -> SentPattern:
        """Return what JSON holds whose text a regular expression of RE2 matches.

        Each character that it takes may be an escape, and a word may begin and end anywhere.
        """
        tokens = _tokens(pattern)
        usual = "".join(map(_usual, tokens))
        return cls(usual, _rare("".join(map(_literal_of, tokens)))) if usual else cls()


def literal(character: str) -> str:
    """Return a pattern for a character of the text."""
    return r"\x00" if character == "\0" else re.escape(character)


def _tokens(pattern: str) -> list[re.Match[str]]:
    """Take an expression apart; return nothing if not all of it is understood."""
    tokens = list[re.Match[str]]()
    depth, place, before = 0, 0, "open"
    while place < len(pattern) <= _LONGEST_REGEX:
        token = _TOKEN.match(pattern, place)
        kind = token.lastgroup if token else None
        if token is None or kind is None:
            return []
        depth += {"open": 1, "close": -1}.get(kind, 0)
        # What RE2 refuses is for its own message.
        if depth < 0 or (kind == "repeat" and before in ("open", "bar", "repeat", "border")):
            return []
        # DuckDB's optimizer takes an empty group for a text (2.0.1).
        if kind == "close" and before == "open":
            return []
        tokens.append(token)
        before = before if kind == "border" and before == "open" else kind
        place = token.end()
    return tokens if place == len(pattern) and not depth else []


def _literal_of(token: re.Match[str]) -> str:
    return token["plain"] or token["escaped"] or _NAMED.get(token["named"] or "", "")


def _usual(token: re.Match[str]) -> str:
    if character := _literal_of(token):
        return _sent(character)
    if token["kind"]:
        return f"(?:{token[0]}|{_ANY_ESCAPE})"
    if token["least"]:
        return f"{{{min(int(token['least']), _MOST_REPEATS)},}}"
    # Beside an escape, a word's border in the text is not one in the JSON.
    return "" if token["border"] else _group(token)


def _group(token: re.Match[str]) -> str:
    return "(?:" if token["open"] else token[0]


def _rare(literals: str) -> str:
    rare = {c for c in literals if c.isascii() and not _is_often_escaped(c)}
    both = {form for c in rare for form in (c.lower(), c.upper())} | set(_ALIKE if rare else "")
    return rf"\\u(?:{'|'.join(_hex(c) for c in sorted(both))})" if both else ""


def _is_often_escaped(character: str) -> bool:
    return character in _OFTEN_ESCAPED or character < " "


def _sent(character: str) -> str:
    """Return a pattern for a character as JSON usually spells it, and for more than that."""
    if character.isascii() and not _is_often_escaped(character):
        return literal(character)
    forms = [literal(character)]
    if short := _SHORT.get(character):
        forms.append(r"\\" + re.escape(short))
    if character.isascii():
        forms.append(rf"\\u{_hex(character)}")
    else:
        # Any escape, since the other letters that count as alike cannot be told here.
        forms.append(r"\\u[0-9a-fA-F]{4}" * (2 if character > "\uffff" else 1))
    return f"(?:{'|'.join(forms)})"


def _hex(character: str) -> str:
    digits = f"{ord(character):04x}"
    return "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in digits)
