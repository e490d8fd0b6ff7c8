"""Wait for a destination that is locked or away, and tell that from one that never comes back.

Any lock on a DuckDB file stops dlt, even that of a reader: a notebook, a shell, a BI tool.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from dlt.common.configuration.exceptions import ConfigurationException

from pipedream_source.core.redaction import printable
from pipedream_source.exceptions import DestinationUnavailable

Result = TypeVar("Result")

_RETRY_EVERY_S = 0.5
# What a database says when it cannot be had now but may be later.
_PASSING = (
    "could not set lock",
    "conflicting lock",
    "connection refused",
    "could not connect",
    "connection to server",
    "connection reset",
    "timed out",
    "timeout expired",
    "database is locked",
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for the destination.

    Attributes:
        seconds: after which to give up.
        is_over: says that nobody waits any more, such as after a signal.
    """

    seconds: float
    is_over: Callable[[], bool] = lambda: False


def patiently(attempt: Callable[[], Result], patience: Patience, *, otherwise: str) -> Result:
    """Do something with the destination, again while it is locked or unreachable.

    Args:
        attempt: may be called several times.
        patience: how long to go on.
        otherwise: what it means for the user when it fails.

    Raises:
        DestinationUnavailable: it stayed locked or unreachable.
        Exception: it failed for another reason.
    """
    deadline = time.monotonic() + patience.seconds
    while True:
        try:
            return attempt()
        except Exception as error:  # a driver's own, too: dlt does not wrap a failed connect
            if not is_passing(error):
                raise
            why = printable(reason_of(error), 300)
        if time.monotonic() >= deadline or patience.is_over():
            raise DestinationUnavailable(
                f"The destination is locked or unreachable ({why}). {otherwise}"
            )
        time.sleep(_RETRY_EVERY_S)


def is_passing(error: BaseException) -> bool:
    """Tell a lock or a lost connection, which waiting may mend, from a lasting failure."""
    texts = " ".join(str(e).lower() for e in causes(error))
    return any(sign in texts for sign in _PASSING)


def is_configuration(error: BaseException) -> bool:
    """Tell an error of the user's dlt configuration, such as missing credentials."""
    return any(isinstance(e, ConfigurationException) for e in causes(error))


def root_cause(error: BaseException) -> BaseException:
    """Return what an error was raised from, at the bottom; not what was merely handled before."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def reason_of(error: BaseException) -> str:
    """Return what the destination itself said, without dlt's advice about credentials."""
    cause = root_cause(error)
    text = str(cause) or type(cause).__name__
    return " ".join(text.rpartition("The actual reason given is: ")[2].split())


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and whatever it came from or was raised while handling."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
