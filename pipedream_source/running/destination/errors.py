"""What an error of dlt, of a database or of a driver means: try again later, or never.

Decided by types and codes. Messages quote rows, paths and names, so they are a last resort: of
errors whose driver gives neither, and only where no row can be in them.
"""

from __future__ import annotations

import errno
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.destination.exceptions import SqlClientNotAvailable
from dlt.destinations.exceptions import DestinationConnectionError

from pipedream_source.running.duckdb.file import is_damaged, is_locked

#: What dlt raises for a destination that has no SQL; the last two where a library changed.
NO_SQL = (SqlClientNotAvailable, NotImplementedError, AttributeError, TypeError)
# Where errors keep what they come from: dlt's, SQLAlchemy's.
_KEPT_IN = ("client_exception", "inner_exc", "dbapi_exception", "orig")
_PASSING_TYPES = {
    *("ConnectionError", "TimeoutError", "Timeout", "gaierror"),  # Python's and requests'
    *("HTTPClientError", "ServiceRequestError", "ServiceResponseError"),  # botocore's, Azure's
    *("ServiceUnavailable", "TooManyRequests", "RetryError", "GatewayTimeout"),  # Google's
}
_PASSING_ERRNO = {
    *(errno.ETIMEDOUT, errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED),
    *(errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.ESTALE),
}
# SQLSTATE: connection exceptions; and of the rest what another session or a restart causes.
_CONNECTION = "08"
_PASSING_STATES = {
    *("57P01", "57P02", "57P03", "53300", "55P03", "40001", "40P01", "HYT00", "HYT01"),
}
_SQLSTATE = re.compile(r"[0-9A-Z]{5}").fullmatch
_SQLITE_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_MYSQL = ("pymysql", "MySQLdb", "mysql")
# Too many connections, no connection, gone away, lost; lock wait, deadlock.
_MYSQL_PASSING = {1040, 2002, 2003, 2006, 2013, 1205, 1213}
# libpq's words for a server that answers and refuses: some of them pass.
_REFUSED = re.compile(r"FATAL:\s+(.*)").search
_SOON = (
    "the database system is ",
    "sorry, too many clients",
    "remaining connection slots",
    "too many connections",
    "terminating connection",
)
_NO_CONNECTION = (
    "connection to server",
    "could not connect",
    "could not translate host name",
    "connection refused",
    "connection reset",
    "server closed the connection",
    "timed out",
    "timeout expired",
)


def origins(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it comes from; not what was merely handled before."""
    found, seen = [error], set()
    while found:
        error = found.pop()
        if id(error) in seen:
            continue
        seen.add(id(error))
        yield error
        kept = (getattr(error, name, None) for name in _KEPT_IN)
        found += [e for e in (error.__cause__, *kept) if isinstance(e, BaseException)]


def root_cause(error: BaseException) -> BaseException:
    """Return what an error comes from, at the bottom."""
    return list(origins(error))[-1]


def reason_of(error: BaseException) -> str:
    """Return what the destination itself said, without dlt's advice about credentials."""
    cause = root_cause(error)
    return " ".join((str(cause) or type(cause).__name__).split())


def is_passing(error: BaseException) -> bool:
    """Tell a lock or a lost connection, which waiting may mend, from a lasting failure."""
    chain = list(origins(error))
    if any(_passes(e) for e in chain):
        return True
    is_opening = any(isinstance(e, DestinationConnectionError) for e in chain)
    return _tells_no_connection(chain[-1], is_opening=is_opening)


def is_configuration(error: BaseException) -> bool:
    """Tell an error of the user's dlt configuration, such as missing or wrong credentials."""
    return any(isinstance(e, ConfigurationException) or _is_refused(e) for e in origins(error))


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether DuckDB needs more memory than it may take."""
    return any(isinstance(e, duckdb.OutOfMemoryException) for e in origins(error))


def damage_told_by(error: BaseException, database: Path) -> str | None:
    """Return what DuckDB says of a database that is damaged; None if it says something else."""
    return next((str(e) for e in origins(error) if is_damaged(e, database)), None)


def is_of_driver(error: BaseException) -> bool:
    """Tell an error that a database's driver raised by itself: dlt wraps not all of them."""
    return _has_type(error, {"DatabaseError", "InterfaceError"})


def _passes(error: BaseException) -> bool:
    if isinstance(error, duckdb.Error):
        return is_locked(error)
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE_BUSY
    if isinstance(error, OSError) and error.errno in _PASSING_ERRNO:
        return True
    state = _sqlstate(error)
    if state.startswith(_CONNECTION) or state in _PASSING_STATES:
        return True
    if type(error).__module__.split(".")[0] in _MYSQL:
        return bool(error.args) and error.args[0] in _MYSQL_PASSING
    return _has_type(error, _PASSING_TYPES)


def _has_type(error: BaseException, names: set[str]) -> bool:
    """Tell an error's type by its name, as its library may not be installed."""
    return any(kind.__name__ in names for kind in type(error).__mro__)


def _sqlstate(error: BaseException) -> str:
    """Return the code that a driver gives: psycopg2 and 3, Snowflake's, ODBC; empty without."""
    first = error.args[0] if error.args else None
    given = (getattr(error, "pgcode", None), getattr(error, "sqlstate", None), first)
    is_odbc = type(error).__module__.split(".")[0] == "pyodbc"
    for code in given if is_odbc else given[:2]:
        if isinstance(code, str) and _SQLSTATE(code):
            return code
    return ""


def _is_refused(error: BaseException) -> bool:
    """Tell whether Postgres refuses to let this user in, for which libpq has no code."""
    refused = _REFUSED(str(error)) if _opening_of_postgres(error) else None
    return refused is not None and not refused[1].startswith(_SOON)


def _opening_of_postgres(error: BaseException) -> bool:
    """Tell an error of libpq's own: of a statement it would have a code."""
    is_libpq = type(error).__module__.split(".")[0] in ("psycopg2", "psycopg")
    return is_libpq and _has_type(error, {"OperationalError"}) and not _sqlstate(error)


def _tells_no_connection(error: BaseException, *, is_opening: bool) -> bool:
    """Read the words of an error of unknown type, where they cannot come from a row.

    Args:
        error: what is at the bottom of a failure.
        is_opening: whether no statement was sent yet; if not, only how the message begins counts.
    """
    if isinstance(error, duckdb.Error | sqlite3.Error) or _is_refused(error):
        return False
    text = str(error).lower()
    if is_opening or _opening_of_postgres(error):
        return any(sign in text for sign in (*_NO_CONNECTION, *_SOON))
    return text.startswith(_NO_CONNECTION)
