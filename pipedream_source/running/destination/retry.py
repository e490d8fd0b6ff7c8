"""Retry while the destination is locked or unreachable.

Any lock on a DuckDB file stops dlt, even that of a reader: a notebook, a shell, a BI tool.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import DestinationUnavailable
from pipedream_source.running.destination.errors import is_passing, reason_of

Result = TypeVar("Result")

_RETRY_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class RetryLimit:
    """How long to wait for the destination.

    Attributes:
        seconds: after which to give up.
        is_over: says that nobody waits any more, such as after a signal.
    """

    seconds: float
    is_over: Callable[[], bool] = lambda: False


def retry(attempt: Callable[[], Result], limit: RetryLimit, *, otherwise: str) -> Result:
    """Do something with the destination, again while it is locked or unreachable.

    Args:
        attempt: may be called several times.
        limit: how long to go on.
        otherwise: what it means for the user when it fails.

    Raises:
        DestinationUnavailable: it stayed locked or unreachable.
        Exception: it failed for another reason.
    """
    deadline = time.monotonic() + limit.seconds
    while True:
        try:
            return attempt()
        except Exception as error:  # a driver's own, too: dlt does not wrap a failed connect
            if not is_passing(error):
                raise
            why = printable(reason_of(error), 300)
        if time.monotonic() >= deadline or limit.is_over():
            raise DestinationUnavailable(
                f"The destination is locked or unreachable ({why}). {otherwise}"
            )
        time.sleep(_RETRY_EVERY_S)
