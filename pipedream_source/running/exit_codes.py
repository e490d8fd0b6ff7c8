"""Exit codes of the command, and what each error means among them."""

from __future__ import annotations

import signal

from pipedream_source.exceptions import (
    Busy,
    ConfigurationError,
    DestinationUnavailable,
    PipedreamError,
)

OK, FAILED, CONFIGURATION, SOME_FAILED, LOST, KEPT, BUSY = 0, 1, 2, 3, 4, 5, 75
#: A process that a signal ended has this plus the signal's number.
SIGNALED = 128
INTERRUPTED = SIGNALED + signal.SIGINT


def exit_code_of(error: PipedreamError) -> int:
    """Return the exit code that an error means."""
    match error:
        case Busy():
            return BUSY
        case ConfigurationError():
            return CONFIGURATION
        case DestinationUnavailable():
            return KEPT
    return FAILED
