"""Tell that a server refuses a value of a package, which no wait and no rerun changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

# SQLSTATE of Postgres: no JSON, U+0000, a number out of range, too long, nested too deep.
_REFUSED = frozenset({"22P02", "22P05", "22003", "54000", "54001", "22021", "22008"})
# Where dlt's exceptions keep what they come from.
_KEPT_IN = ("client_exception", "dbapi_exception")


def is_refused(error: BaseException) -> bool:
    """Tell whether Postgres cannot hold a value that a load brought, by its code."""
    return any(getattr(e, "pgcode", None) in _REFUSED for e in _origins(error))


def advice(folder: Path) -> str:
    """Say what ends the failures: what is polled now holds no such value any more."""
    return (
        "The server cannot hold a value of a pending package, which an older version made. Its "
        f"working folder is {folder}: move it away, and the next load takes the cursors from the "
        "server and reads what the API still shows; what it does not show any more is told as a "
        "gap."
    )


def _origins(error: BaseException) -> Iterator[BaseException]:
    found = [error]
    while found:
        error = found.pop()
        yield error
        kept = (getattr(error, name, None) for name in _KEPT_IN)
        found += [e for e in (error.__cause__, *kept) if isinstance(e, BaseException)]
