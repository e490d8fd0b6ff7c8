"""Requests that are tried again where that can help, under one brake for all threads."""

from __future__ import annotations

from datetime import UTC, datetime

from pipedream_source.api.endpoints import OAUTH_TOKEN
from pipedream_source.api.http import failures
from pipedream_source.api.http.auth import Auth, OAuthClient, Unsigned
from pipedream_source.api.http.connection import Connection
from pipedream_source.api.http.limiter import Limiter, backoff_s
from pipedream_source.api.http.tokens import Tokens
from pipedream_source.api.protocol import Answer, Request, retry_after_s
from pipedream_source.exceptions import (
    ApiError,
    ConnectionFailed,
    DeadlineExceeded,
    Deferred,
    PipedreamError,
    ServerFailure,
    Unauthorized,
)
from pipedream_source.settings import MAX_TRIES, MAX_WORKERS, REQUEST_TIMEOUT_S

# Neither may be carried out twice.
_NEVER_TWICE = frozenset({"POST", "PATCH"})


class Transport:
    """Sends requests and returns answers with status 2xx; thread-safe.

    Args:
        auth: what signs each request.
        base_url: the API's base URL.
        limiter: the run's brake.
        request_timeout_s: total seconds for one request, from connecting to the last byte.
        max_connections: size of the pool.
        ca_bundle: file of certificates to trust instead of the default ones.
    """

    def __init__(
        self,
        auth: Auth,
        base_url: str,
        limiter: Limiter,
        *,
        request_timeout_s: float = REQUEST_TIMEOUT_S,
        max_connections: int = MAX_WORKERS,
        ca_bundle: str | None = None,
    ) -> None:
        """Prepare the connections; nothing is sent yet.

        Raises:
            ConfigurationError: the base URL or the CA bundle cannot be used.
        """
        self.limiter = limiter
        self._auth = auth
        self._connection = Connection(
            auth,
            base_url,
            timeout_s=request_timeout_s,
            max_connections=max_connections,
            ca_bundle=ca_bundle,
        )
        self._tokens: Tokens | None = None
        self._unsigned: Transport | None = None
        if isinstance(auth, OAuthClient):
            self._unsigned = Transport(
                Unsigned(auth),
                base_url,
                limiter,
                request_timeout_s=request_timeout_s,
                max_connections=1,
                ca_bundle=ca_bundle,
            )
            self._tokens = Tokens(auth, self._unsigned.send)

    @property
    def base_url(self) -> str:
        """The API's base URL, without a trailing slash."""
        return self._connection.base_url

    @property
    def requests(self) -> int:
        """Requests sent so far, repeated ones and those for tokens included."""
        return self._connection.requests + (self._unsigned.requests if self._unsigned else 0)

    @property
    def nbytes(self) -> int:
        """Decoded bytes read so far."""
        return self._connection.nbytes

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()
        if self._unsigned:
            self._unsigned.close()

    def send(self, request: Request) -> Answer:
        """Send a request, retry what can be retried, and return the answer.

        A POST or PATCH is repeated only when it certainly was not carried out: there was no
        connection, or the API answered 429 or, to an expired token, 401.

        Raises:
            ApiError: the call failed for good; its class says how, and `may_have_landed` whether
                it may have been carried out all the same.
            ConfigurationError: the key was refused, or TLS could not be verified.
            GaveUp: the run stopped before the request was sent.
        """
        token = self._tokens.prepare(request) if self._tokens else 0
        try:
            answer = self._send_with_retries(request, token)
        except (ServerFailure, ConnectionFailed, DeadlineExceeded):
            self.limiter.failed()
            raise
        except ApiError as error:
            if not (isinstance(error, Deferred) and error.unsent):
                # The API answered, if not as hoped.
                self.limiter.succeeded()
            raise
        self.limiter.succeeded()
        return answer

    def _send_with_retries(self, request: Request, token: int) -> Answer:
        uncertain = False
        failure: PipedreamError
        for attempt in range(MAX_TRIES):
            if held_s := self.limiter.wait_turn():
                failure = failures.of_hold(request.path, held_s)
                break
            found = self.judge(self._connection.exchange(request), request.path, attempt)
            if isinstance(found, Answer):
                return found
            failure = found
            uncertain = uncertain or failures.may_have_landed(failure)
            if isinstance(failure, Unauthorized) and self._tokens and token:
                self._tokens.renew(token)
                token = 0
            elif isinstance(failure, Deferred):
                if not self.limiter.pause(failure.wait_s):
                    break
            elif not _can_be_repeated(request, failure, uncertain):
                break
            elif attempt + 1 < MAX_TRIES:
                self.limiter.back_off(attempt)
        if isinstance(failure, ApiError):
            failure.may_have_landed = uncertain
        raise failure

    def judge(
        self, outcome: Answer | PipedreamError, path: str, attempt: int
    ) -> Answer | PipedreamError:
        """Return an answer, or the error that the outcome of one try means.

        Args:
            outcome: of the exchange; every try passes here, so a subclass may look at it.
            path: of the request.
            attempt: how many tries came before.
        """
        if not isinstance(outcome, Answer):
            return outcome
        if outcome.status == failures.RATE_LIMITED:
            asked = retry_after_s(outcome.headers, datetime.now(UTC))
            return failures.of_rate_limit(path, backoff_s(attempt + 1) if asked is None else asked)
        return failures.of_status(outcome, path, self._auth, attempt + 1) or outcome


def _can_be_repeated(request: Request, failure: PipedreamError, uncertain: bool) -> bool:
    """Tell whether a failure may pass, and being carried out twice would do no harm."""
    passing = isinstance(failure, ServerFailure | ConnectionFailed)
    harmless = request.method not in _NEVER_TWICE or request.path == OAUTH_TOKEN.path
    return passing and (harmless or not uncertain)
