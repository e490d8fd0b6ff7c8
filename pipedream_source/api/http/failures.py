"""What each way to fail means for the caller: statuses and broken connections become our errors."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime

import urllib3

from pipedream_source.api.http.auth import Auth
from pipedream_source.api.protocol import Answer, error_text
from pipedream_source.exceptions import (
    AnswerTooLarge,
    BadRequest,
    ConfigurationError,
    ConnectionFailed,
    DeadlineExceeded,
    Deferred,
    PipedreamError,
    RedirectRefused,
    ServerFailure,
    Unauthorized,
    Unavailable,
)

#: Takes the key out of a text, then cuts it and makes it printable.
Redact = Callable[[str], str]

RATE_LIMITED = 429
_RETRIED = frozenset({408, 425})
_SEE_OTHER = 303
_BROKEN_RECORDS = frozenset({"BAD_RECORD_MAC", "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"})
_CONNECTION = re.compile(r"^\w*Connection\([^)]*\): ").sub
_UNREACHED = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
_LAST_SECOND = 253402300799.0  # of the year 9999: a server may ask for a wait beyond any calendar


def of_status(answer: Answer, path: str, auth: Auth, tries: int) -> PipedreamError | None:
    """Return the error that a status means; None for success.

    Args:
        answer: of the API.
        path: of the request, below the base URL.
        auth: what signed the request.
        tries: how often the request was sent by now.
    """
    status = answer.status
    if 200 <= status < 300:
        return None
    said = auth.redact(error_text(answer), cut=True)
    told = f"{path}: status {status}" + (f", {said!r}" if said else "")
    if status == 401:
        return Unauthorized(
            f"The API refused the {auth.kind} (status 401, {said!r}): {auth.remedy}"
        )
    if status in (403, 404):
        return Unavailable(told, path=path, status=status)
    if status in _RETRIED or status >= 500:
        often = f" after {tries} tries" if tries > 1 else ""
        return ServerFailure(told + often, path=path, status=status)
    return BadRequest(told, path=path, status=status)


def of_wire(error: Exception, path: str, where: str, redact: Redact) -> PipedreamError:
    """Return the error that a broken connection means.

    Args:
        error: what the connection raised.
        path: of the request, below the base URL.
        where: host and port.
        redact: takes the key out of a text.
    """
    why = redact(_said(_innermost(error)))
    if isinstance(error, urllib3.exceptions.SSLError) and not _broke_off(error):
        return _of_tls(error, where, why)
    unsent = isinstance(_innermost(error), _UNREACHED)
    return ConnectionFailed(
        f"{path}: no complete answer from {where}: {why}", path=path, unsent=unsent
    )


def _of_tls(error: Exception, where: str, why: str) -> ConfigurationError:
    if isinstance(_innermost(error), ssl.SSLCertVerificationError):
        return ConfigurationError(
            f"{where}: the server's TLS certificate could not be verified ({why}). Behind a "
            "proxy with its own certificates, name their file with `ca_bundle`."
        )
    return ConfigurationError(
        f"{where}: no TLS connection could be made ({why}). Are the scheme and the port of "
        "base_url right, and is the file of `ca_bundle` one of certificates?"
    )


def of_deadline(path: str, where: str, seconds: float) -> DeadlineExceeded:
    """Return the error for an answer that did not end in time."""
    return DeadlineExceeded(
        f"{path}: no complete answer from {where} within {seconds:g} s", path=path
    )


def of_rate_limit(path: str, wait_s: float) -> Deferred:
    """Return the error for a wait that the retry budget does not allow."""
    return _deferred(path, "rate limited (429) beyond the retry budget", wait_s, unsent=False)


def of_hold(path: str, wait_s: float) -> Deferred:
    """Return the error for a request that is not sent, as the API asked the client to wait."""
    return _deferred(path, "not sent, as the API asked to wait (429)", wait_s, unsent=True)


def _deferred(path: str, why: str, wait_s: float, *, unsent: bool) -> Deferred:
    at = time.time() + wait_s
    until = datetime.fromtimestamp(min(at, _LAST_SECOND), UTC).isoformat(timespec="seconds")
    text = f"{path}: {why}; deferred until {until}"
    return Deferred(text, path=path, retry_at=at, wait_s=wait_s, unsent=unsent)


def may_have_landed(outcome: object) -> bool:
    """Tell whether a request may have been carried out although it failed.

    A refused connection, an unknown host or TLS that is not trusted come before the request, and
    with a 4xx the API says that it did nothing. What else is no answer leaves it open.
    """
    if isinstance(outcome, ConnectionFailed):
        return not outcome.unsent
    if isinstance(outcome, RedirectRefused):
        return outcome.status == _SEE_OTHER
    return isinstance(outcome, ServerFailure | DeadlineExceeded | AnswerTooLarge)


def _innermost(error: BaseException) -> BaseException:
    for inner in (getattr(error, "reason", None), *error.args[:1]):
        if isinstance(inner, BaseException):
            return _innermost(inner)
    return error


def _broke_off(error: BaseException) -> bool:
    """Tell TLS that broke on the way from TLS that cannot be verified."""
    cause = _innermost(error)
    broken = isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    return broken or getattr(cause, "reason", None) in _BROKEN_RECORDS


def _said(error: BaseException) -> str:
    """Say an error without addresses of objects or names of our classes."""
    text = error.args[-1] if error.args and isinstance(error.args[-1], str) else str(error)
    text = _CONNECTION("", text)
    hint = " (is the network up, and base_url right?)" if isinstance(error, _UNREACHED) else ""
    return f"{type(error).__name__}: {text}{hint}" if text else type(error).__name__
