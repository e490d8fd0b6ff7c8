"""Names and texts as they are written in SQL."""

from __future__ import annotations


def quoted(*names: str) -> str:
    """Return a name, with those of the database and schema before it, as an identifier."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    """Return a text as a constant."""
    return "'" + text.replace("'", "''") + "'"
