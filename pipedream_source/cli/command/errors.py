"""Errors of a verb: one message and an exit code, never a traceback that nobody asked for."""

from __future__ import annotations

import errno
import logging
import os
import traceback
import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer

from pipedream_source.cli.command.bundles import flattened
from pipedream_source.cli.command.error_json import failure, with_flags
from pipedream_source.cli.command.first_steps import print_first_steps
from pipedream_source.cli.output.console import err, print_json, shown
from pipedream_source.core.text.redaction import Redactor
from pipedream_source.exceptions import (
    ChangeUncertain,
    ConfigurationError,
    DestinationUnavailable,
    NoCredentials,
    PipedreamError,
)
from pipedream_source.running.exit_codes import (
    CONFIGURATION,
    FAILED,
    INTERRUPTED,
    exit_code_of,
)

P = ParamSpec("P")
Verb = Callable[P, None]

# What dlt raises for its files and credentials; named, as importing it takes half a second.
_DLT_CONFIGURATION = "dlt.common.configuration"
# The text of the RuntimeError that DuckDB makes of an interrupt while a query runs.
_DUCKDB_INTERRUPTED = "Query interrupted"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_SECRET_VARIABLES = ("PIPEDREAM_API_KEY", "PIPEDREAM_CLIENT_SECRET")
_LEVELS = ("CRITICAL", "INFO", "DEBUG")

_verbosity = 0
_secrets: set[str] = set()


def hide(secret: str | None) -> None:
    """Keep a secret out of whatever is said from now on."""
    if secret:
        _secrets.add(secret)


def redacted(text: str) -> str:
    """Return a text without the key, or an OAuth client's secret, in any of their forms."""
    given = (os.environ.get(name, "") for name in _SECRET_VARIABLES)
    return Redactor({*_secrets, *given})(text)


def verbosity() -> int:
    """Return how often `-v` was given."""
    return _verbosity


def set_verbosity(level: int) -> int:
    """Set what is logged; called before dlt is imported, which reads its level only then."""
    global _verbosity
    _verbosity = level
    if level:
        os.environ["RUNTIME__LOG_LEVEL"] = _LEVELS[min(level, 2)]
    else:
        os.environ.setdefault("RUNTIME__LOG_LEVEL", _LEVELS[0])
        # Libraries' deprecations are ours to mend, not the user's to read.
        warnings.simplefilter("ignore")
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    return level


class _Warnings(logging.Handler):
    """Writes the package's own warnings to stderr, a line each."""

    def emit(self, record: logging.LogRecord) -> None:
        err().print(f"[yellow]warning[/]  {shown(redacted(record.getMessage()), 600)}")


def show_warnings(*, wanted: bool) -> None:
    """Write the package's warnings to stderr, or not where a summary repeats them all."""
    logger = logging.getLogger("pipedream_source")
    logger.propagate = False
    logger.handlers = [_Warnings() if wanted else logging.NullHandler()]


def say_error(text: str) -> None:
    """Write one error message to stderr."""
    err().print(f"[bold red]Error[/]  {shown(redacted(text), 2_000)}")


def guarded(verb: Verb[P]) -> Verb[P]:
    """Turn a verb's errors into one message on stderr and an exit code.

    With `--json` the message is also the one object on stdout. Bundles of flags become flags.
    """
    flat = flattened(verb)

    @wraps(flat)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            flat(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            raise _ended(verb.__name__, "Stopped by SIGINT", INTERRUPTED, kwargs) from None
        except PipedreamError as error:
            end = _ended(verb.__name__, said(error), exit_code_of(error), kwargs, **_found(error))
            if isinstance(error, NoCredentials):
                print_first_steps(err())
            raise end from None
        except Exception as error:
            if type(error) is RuntimeError and str(error) == _DUCKDB_INTERRUPTED:
                raise _ended(verb.__name__, "Stopped by SIGINT", INTERRUPTED, kwargs) from None
            if type(error).__module__.startswith(_DLT_CONFIGURATION):
                raise _ended(verb.__name__, str(error), CONFIGURATION, kwargs) from None
            raise _ended(verb.__name__, _unexpected(error), FAILED, kwargs) from None

    return run


def said(error: PipedreamError) -> str:
    """Return an error's text, an argument's name with its flag."""
    return with_flags(str(error)) if isinstance(error, ConfigurationError) else str(error)


def _ended(
    verb: str, text: str, code: int, kwargs: dict[str, object], **more: object
) -> typer.Exit:
    say_error(text)
    if kwargs.get("as_json"):
        print_json(failure(verb, redacted(text), code, kwargs) | more)
    return typer.Exit(code)


def _found(error: PipedreamError) -> dict[str, object]:
    """Return what is known in spite of an error, for programs."""
    if isinstance(error, DestinationUnavailable):
        return error.known
    return {"found": error.found} if isinstance(error, ChangeUncertain) else {}


def _unexpected(error: Exception) -> str:
    """Say an error that nobody foresaw; its locals stay unseen, as they may hold the key."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return f"The output cannot be written ({error.strerror}): make room, or write elsewhere"
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if not _verbosity:
        return f"Unexpected {what}. Run it again with -v to see where."
    trace = "".join(traceback.format_exception(error))
    err().print(shown_lines(redacted(trace)), style="dim")
    return f"Unexpected {what}"


def shown_lines(text: str) -> str:
    """Make a text of several lines harmless, line by line."""
    return "\n".join(shown(line, 500) for line in text.splitlines())
