"""Requests that are tried again where that can help, under one brake for all threads."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from pipedream_source.api import failures
from pipedream_source.api.auth import BearerAuth
from pipedream_source.api.limiter import Limiter, backoff_s
from pipedream_source.api.protocol import Answer, Request, retry_after_s
from pipedream_source.api.wire import Wire
from pipedream_source.exceptions import (
    ApiError,
    ConnectionFailed,
    DeadlineExceeded,
    PipedreamError,
    ServerFailure,
)
from pipedream_source.settings import MAX_TRIES, MAX_WORKERS, REQUEST_TIMEOUT_S

_RATE_LIMITED = 429


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
        auth: BearerAuth,
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
        self._redact = partial(auth.redact, cut=True)
        self._wire = Wire(
            auth,
            base_url,
            timeout_s=request_timeout_s,
            max_connections=max_connections,
            ca_bundle=ca_bundle,
        )

    @property
    def base_url(self) -> str:
        """The API's base URL, without a trailing slash."""
        return self._wire.base_url

    @property
    def requests(self) -> int:
        """Requests sent so far, repeated ones included."""
        return self._wire.requests

    @property
    def nbytes(self) -> int:
        """Decoded bytes read so far."""
        return self._wire.nbytes

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    def send(self, request: Request) -> Answer:
        """Send a request, retry what can be retried, and return the answer.

        Raises:
            ApiError: the call failed for good; its class says how.
            ConfigurationError: the key was refused, or TLS could not be verified.
            GaveUp: the run stopped before the request was sent.
        """
        try:
            answer = self._send_with_retries(request)
        except (ServerFailure, ConnectionFailed, DeadlineExceeded):
            self.limiter.failed()
            raise
        except ApiError:
            # The API answered, if not as hoped.
            self.limiter.succeeded()
            raise
        self.limiter.succeeded()
        return answer

    def _send_with_retries(self, request: Request) -> Answer:
        failure: PipedreamError = failures.of_rate_limit(request.path, 0.0)
        for attempt in range(MAX_TRIES):
            self.limiter.wait_turn()
            outcome = self._wire.exchange(request)
            if isinstance(outcome, Answer) and outcome.status == _RATE_LIMITED:
                failure = self._pause_for(outcome, request.path, attempt)
                continue
            found = self._judged(outcome, request.path)
            if isinstance(found, Answer):
                return found
            failure = found
            if not isinstance(failure, ServerFailure | ConnectionFailed):
                break
            if attempt + 1 < MAX_TRIES:
                self.limiter.back_off(attempt)
        raise failure

    def _judged(self, outcome: Answer | PipedreamError, path: str) -> Answer | PipedreamError:
        if isinstance(outcome, Answer):
            return failures.of_status(outcome, path, self._redact) or outcome
        return outcome

    def _pause_for(self, answer: Answer, path: str, attempt: int) -> PipedreamError:
        """Hold all threads as long as the API asks, or raise when the budget does not allow it.

        Returns:
            The error to raise should this have been the last try.
        """
        asked = retry_after_s(answer.headers.get("retry-after"), datetime.now(UTC))
        seconds = asked if asked is not None else backoff_s(attempt + 1)
        if not self.limiter.pause(seconds):
            raise failures.of_rate_limit(path, seconds)
        return failures.of_rate_limit(path, 0.0)
