"""What makes two errors the same: code, message and place in the code, as SQL for DuckDB.

`dbt/macros/errors.sql` has the same rule for the marts, and `tests/error_cases.py` the cases that
both are tested with.
"""

from __future__ import annotations

from collections.abc import Sequence

# A pattern, what replaces it, options.
_Step = tuple[str, str, str]

_MESSAGE: Sequence[_Step] = (
    (r"""[a-z][a-z0-9+.-]*://[^ \t\r\n"'`<>]+""", "<url>", "gi"),
    (r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+", "<email>", "g"),
    # Pipedream's ids without a digit; any other id has one.
    (
        r"(^|[^A-Za-z0-9_])(apn|c|d|dc|hi|o|p|proj|sc|sub|ti|u|wh)_[a-z]*[A-Z][A-Za-z0-9]*",
        r"\1<n>",
        "g",
    ),
    # IPv6: at least two colons and a digit.
    (
        r"(^|[^A-Za-z0-9_:.])(\[[0-9a-f:.]*:[0-9a-f:.]*\]"
        r"|[0-9a-f]*[0-9][0-9a-f]*:[0-9a-f:]*:[0-9a-f:]*"
        r"|[0-9a-f]*:[0-9a-f:]*:[0-9a-f:]*[0-9][0-9a-f:]*)",
        r"\1<n>",
        "gi",
    ),
    # An HTTP status is marked, passes over the next step, and loses its mark.
    (
        r"(^|[^A-Za-z0-9])(https?|https?/[0-9.]+|https? ?error|status|status of|status[ _-]?code"
        r"""|response|code)([ :=(#"']*)([1-5][0-9][0-9])($|[^A-Za-z0-9_])""",
        r"\1\2\3<#\4#>\5",
        "gi",
    ),
    (r"(<#[0-9][0-9][0-9]#>)|[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]*", r"\1<n>", "g"),
    (r"<#([0-9][0-9][0-9])#><n>", r"\1", "g"),
    # Fractions, thousands, times and addresses of several parts.
    (r"<n>([.,:+]?[.,:+]?<n>)+", "<n>", "g"),
    (r"[ \t\r\n\f\v]+", " ", "g"),
)
_FRAME: Sequence[_Step] = (
    (r"^async ", "", "g"),
    (r"[?][^):]*", "", "g"),
    (r"(:[0-9]+)+", "", "g"),
    (r"([/_.-])[0-9A-Fa-f]{12,}", r"\1<hash>", "g"),
    (r"@[0-9][^/]*", "@<version>", "g"),
)


def normalised_message(message: str) -> str:
    """Return SQL for a message with addresses, ids, numbers and times replaced.

    An HTTP status stays: an error 404 is another than an error 429.

    Args:
        message: a column, or another expression.
    """
    text = _replaced(f"substr({message}, 1, 3000)", _MESSAGE)
    return f"substr(trim({text}), 1, 300)"


def top_frame(own_line: str) -> str:
    """Return SQL for a line of a stack without line, column, hash of the code and query.

    Args:
        own_line: a column, or another expression: the `own_line` of the view `errors`.
    """
    return f"nullif(trim({_replaced(own_line, _FRAME)}), '')"


def fingerprint(code: str, message_normalised: str, top_frame: str) -> str:
    """Return SQL for the hash that errors share which are the same.

    Args:
        code, message_normalised, top_frame: columns, or other expressions.
    """
    return (
        f"md5(coalesce({code}, '') || chr(10) || coalesce({message_normalised}, '') || chr(10) "
        f"|| coalesce({top_frame}, ''))"
    )


def _replaced(text: str, steps: Sequence[_Step]) -> str:
    for pattern, replacement, options in steps:
        quoted = pattern.replace("'", "''")
        text = f"regexp_replace({text}, '{quoted}', '{replacement}', '{options}')"
    return text
