r"""The text of a payload, and the search for it: SQL for DuckDB, in which values are parameters.

The text of a payload is its JSON with each escape replaced by the character that it stands for, as
a JSON parser replaces it: keys, values, numbers and brackets, in the order and spelling in which
they were sent. `{"a":"x\u0026y"}` has the text `{"a":"x&y"}`.

In JSON a backslash always begins an escape, so a payload without one is its own text. Only payloads
with one are looked at twice: first as they stand, which finds nearly all that cannot match, then
with the escapes replaced, which decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipedream_source.core.text.sent_pattern import SentPattern, literal

#: How patterns are matched: small and capital letters alike, and a dot is a line break too.
FLAGS = "'is'"
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
        sent = SentPattern.of_text(text)
        return cls("".join(map(literal, text)), sent.usual, sent.rare)

    @classmethod
    def of_regex(cls, pattern: str) -> PayloadSearch:
        """Look for what a regular expression of RE2 matches."""
        sent = SentPattern.of_regex(pattern)
        return cls(pattern, sent.usual, sent.rare)

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
        possible = f"regexp_matches({raw}, $search_sent, {FLAGS})"
        if self.rare:
            # Most payloads have no such escape, and a look for two characters costs less.
            has_escape = rf"contains({raw}, '\u')"
            possible += f" OR ({has_escape} AND regexp_matches({raw}, $search_rare))"
        return (
            f"CASE WHEN NOT contains({raw}, {_BACKSLASH}) "
            f"THEN regexp_matches({raw}, $search_pattern, {FLAGS}) "
            f"WHEN {possible} "
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
