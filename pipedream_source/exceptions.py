"""Every error this package raises, grouped by what the caller can do about it.

PipedreamError
├── ConfigurationError          fix an argument, the environment or a file; nothing was written
│   ├── NoCredentials           neither a key nor an OAuth client was given
│   └── Unauthorized            the API refused the key (401)
├── ApiError                    one call failed
│   ├── Unavailable             403 or 404: this object cannot be read with this key
│   ├── BadRequest              another 4xx: the API refused the request itself
│   ├── ServerFailure           408, 425 or 5xx, still after the last try
│   ├── Deferred                the API asked to wait beyond the budget: ask again at `retry_at`
│   ├── ConnectionFailed        no answer: refused, reset, DNS, cut short
│   ├── DeadlineExceeded        the answer did not end within the total deadline
│   ├── AnswerTooLarge          the decoded body passed the cap
│   ├── RedirectRefused         the API pointed to another host or to plain http
│   ├── ProtocolError           an answer that is not the documented envelope
│   └── ChangeUncertain         a POST may have been carried out; `found` says what a look found
├── GaveUp                      too many failures in a row: no request was started
├── DestinationUnavailable      polled and kept, but the destination cannot be reached now
└── Busy                        another run holds the lock
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class PipedreamError(Exception):
    """Base of every error of this package."""


class ConfigurationError(PipedreamError):
    """An argument, variable or file is wrong; the message says which, why and what to do."""


class NoCredentials(ConfigurationError):
    """Neither a key nor an OAuth client was given; nothing was sent."""


class ApiError(PipedreamError):
    """A call to the API failed.

    Attributes:
        status: HTTP status, or None when there was no answer.
        path: path of the request below the base URL.
        may_have_landed: some try of the request may have been carried out by the API, although
            no answer said so.
    """

    def __init__(self, message: str, *, path: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.status = status
        self.may_have_landed = False


class Unauthorized(ConfigurationError):
    """The API answered 401: the key is wrong, expired or of another account."""


class Unavailable(ApiError):
    """403 or 404: the object is gone, or this key may not read it."""


class BadRequest(ApiError):
    """A 4xx that retrying cannot mend."""


class ServerFailure(ApiError):
    """408, 425 or 5xx, still after the last try."""


class Deferred(ApiError):
    """429 whose wait passes the retry budget; it holds for every request of the client.

    Attributes:
        retry_at: when the API may be asked again, in Unix seconds.
        wait_s: seconds from the answer to then.
        unsent: another request got the answer, and this one was not sent because of it.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str,
        retry_at: float,
        wait_s: float = 0.0,
        unsent: bool = False,
    ) -> None:
        super().__init__(message, path=path, status=None if unsent else 429)
        self.retry_at = retry_at
        self.wait_s = wait_s
        self.unsent = unsent


class ConnectionFailed(ApiError):
    """The host could not be reached, or the connection broke before the answer ended.

    Attributes:
        unsent: there was no connection, so the API cannot have seen the request.
    """

    def __init__(self, message: str, *, path: str = "", unsent: bool = False) -> None:
        super().__init__(message, path=path)
        self.unsent = unsent


class DeadlineExceeded(ApiError):
    """The answer did not end within the total deadline; not retried."""


class AnswerTooLarge(ApiError):
    """The decoded body passed the size cap; not retried."""


class RedirectRefused(ApiError):
    """A redirect to another host or to plain http, which would carry the key there."""


class ProtocolError(ApiError):
    """The answer is not the documented envelope; never read as "no events".

    Attributes:
        excerpt: the first bytes of the body, made printable.
    """

    def __init__(
        self, message: str, *, path: str = "", status: int | None = None, excerpt: str = ""
    ) -> None:
        super().__init__(message, path=path, status=status)
        self.excerpt = excerpt


class ChangeUncertain(ApiError):
    """A POST went out, no usable answer came, and it was not repeated: it may have landed.

    Attributes:
        found: what a look afterwards found that fits the request, credentials redacted; empty if
            nothing fits, None if the API lists no such objects or the look failed too.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str = "",
        status: int | None = None,
        found: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(message, path=path, status=status)
        self.may_have_landed = True
        self.found = found


class GaveUp(PipedreamError):
    """Too many requests failed in a row, or the run was told to stop: none was started."""


class DestinationUnavailable(PipedreamError):
    """The destination is locked or unreachable; what was polled is kept for the next run.

    Attributes:
        known: what can be told all the same, for programs.
    """

    def __init__(self, message: str, known: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.known = dict(known or {})


class Busy(PipedreamError):
    """Another run of the same destination and dataset holds the lock."""
