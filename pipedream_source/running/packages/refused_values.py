"""Tell that a server refuses a value of a package, which no wait and no rerun changes."""

from __future__ import annotations

from pathlib import Path

from pipedream_source.running.destination.errors import origins

# SQLSTATE of Postgres: no JSON, U+0000, a number out of range, too long, nested too deep.
_REFUSED = frozenset({"22P02", "22P05", "22003", "54000", "54001", "22021", "22008"})


def is_refused(error: BaseException) -> bool:
    """Tell whether Postgres cannot hold a value that a load brought, by its code."""
    return any(getattr(e, "pgcode", None) in _REFUSED for e in origins(error))


def advice(folder: Path) -> str:
    """Say what ends the failures, what costs nothing first."""
    return (
        "The server refuses a value of a pending package; what was polled is kept. If somebody "
        "changed the type of a column, or the database's encoding is not UTF8, mend that and load "
        "again: nothing is lost. If neither is so, an older version made the package. Its working "
        f"folder is {folder}: move it away, and the next load takes the cursors from the server "
        "and reads what the API still shows; what it does not show any more is told as a gap."
    )
