"""The wire: one pool of connections, and every way a request can fail mapped to our errors.

`requests` follows redirects with the key attached, reads bodies of any size, never ends on a
server that dribbles, and takes credentials from ~/.netrc. None of that happens here.
"""

from __future__ import annotations

import os
import ssl
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3
from requests.utils import get_environ_proxies

from pipedream_source.api.auth import BearerAuth
from pipedream_source.api.deadline import DeadlineAdapter, seconds_left, start_deadline
from pipedream_source.api.limiter import Limiter, backoff_s
from pipedream_source.api.protocol import (
    LOOPBACK,
    Answer,
    Request,
    check_base_url,
    error_text,
    retry_after_s,
)
from pipedream_source.core.redaction import printable
from pipedream_source.exceptions import (
    AnswerTooLarge,
    ApiError,
    BadRequest,
    ConfigurationError,
    ConnectionFailed,
    DeadlineExceeded,
    Deferred,
    RedirectRefused,
    ServerFailure,
    Unauthorized,
    Unavailable,
)
from pipedream_source.settings import (
    CONNECT_TIMEOUT_S,
    LARGE_BODY_BYTES,
    MAX_BODY_BYTES,
    MAX_TRIES,
    MAX_WORKERS,
    REQUEST_TIMEOUT_S,
    VERSION,
)

_CHUNK = 256 * 1024
_MAX_REDIRECTS = 5
_RETRIED = frozenset({408, 425, 500, 502, 503, 504})
_BROKEN_RECORDS = frozenset({"BAD_RECORD_MAC", "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"})
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": f"pipedream-source/{VERSION}",
}
_WIRE_ERRORS = (urllib3.exceptions.HTTPError, OSError, ValueError)


class Transport:
    """Sends requests and returns answers with status 2xx; thread-safe.

    Args:
        auth: what signs each request.
        base_url: the API's base URL.
        limiter: the run's brake.
        request_timeout_s: total seconds for one request, from connecting to the last byte.
        max_connections: size of the pool.
        ca_bundle: file of certificates to trust instead of the default ones.

    Attributes:
        requests, nbytes: requests sent and decoded bytes read so far.
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
        """Prepare the pool; nothing is sent yet.

        Raises:
            ConfigurationError: the base URL or the CA bundle cannot be used.
        """
        self.base_url = check_base_url(base_url)
        self._root = urlsplit(self.base_url).path
        self.limiter = limiter
        self.requests = 0
        self.nbytes = 0
        self._auth = auth
        self._timeout_s = request_timeout_s
        self._count_lock = threading.Lock()
        # At most two large bodies in memory at once, however many threads poll.
        self._large = threading.BoundedSemaphore(2)
        self._wire = DeadlineAdapter(pool_connections=2, pool_maxsize=max_connections)
        self._pool = self._wire.pool_for(
            self.base_url, _trusted_certificates(ca_bundle), _proxies(self.base_url)
        )

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
            self.limiter.succeeded()
            raise
        self.limiter.succeeded()
        return answer

    def _send_with_retries(self, request: Request) -> Answer:
        for attempt in range(MAX_TRIES):
            self.limiter.wait_turn()
            outcome = self._try_once(request)
            if isinstance(outcome, Answer):
                if outcome.status == 429:
                    self._pause_for(outcome, request.path, attempt)
                    continue
                found = self._failure(outcome, request.path)
                if found is None:
                    return outcome
                failure = found
            else:
                failure = outcome
            if not isinstance(failure, ServerFailure | ConnectionFailed):
                raise failure
            if attempt + 1 < MAX_TRIES:
                self.limiter.back_off(attempt)
        if isinstance(outcome, Answer) and outcome.status == 429:
            raise _deferred(request.path, 0.0)
        raise failure

    def _pause_for(self, answer: Answer, path: str, attempt: int) -> None:
        asked = retry_after_s(answer.headers.get("retry-after"), datetime.now(UTC))
        seconds = asked if asked is not None else backoff_s(attempt + 1)
        if not self.limiter.pause(seconds):
            raise _deferred(path, seconds)

    def _failure(self, answer: Answer, path: str) -> Exception | None:
        """Map a status to the error it means; None for success."""
        status = answer.status
        if 200 <= status < 300:
            return None
        said = self._auth.redact(error_text(answer), cut=True)
        told = f"{path}: status {status}" + (f", {said!r}" if said else "")
        if status == 401:
            return Unauthorized(
                f"The API refused the key (status 401, {said!r}): check PIPEDREAM_API_KEY against "
                "your Pipedream account's settings."
            )
        if status in (403, 404):
            return Unavailable(told, path=path, status=status)
        if status in _RETRIED or status >= 500:
            return ServerFailure(f"{told} after {MAX_TRIES} tries", path=path, status=status)
        return BadRequest(told, path=path, status=status)

    def _try_once(self, request: Request) -> Answer | Exception:
        """Send once; errors are returned, so that they carry no frame that knows the headers."""
        start_deadline(self._timeout_s)
        target = self._root + request.path
        if request.params:
            target += "?" + urlencode(request.params)
        try:
            for _ in range(_MAX_REDIRECTS):
                answer = self._exchange(request, target)
                if not 300 <= answer.status < 400:
                    return answer
                target = self._redirected(target, answer, request.path)
            return RedirectRefused(f"{request.path}: redirected in a circle", path=request.path)
        except (ApiError, ConfigurationError) as error:
            found: Exception = error
        except _WIRE_ERRORS as error:
            found = self._wire_failure(error, request.path)
        return found.with_traceback(None)

    def _exchange(self, request: Request, target: str) -> Answer:
        with self._count_lock:
            self.requests += 1
        response = self._pool.urlopen(
            request.method,
            target,
            headers={**_HEADERS, **self._auth.headers()},
            timeout=urllib3.Timeout(min(CONNECT_TIMEOUT_S, seconds_left()), self._timeout_s),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            body = self._read(response, request.path)
        except BaseException:
            # Half-read, the connection cannot serve another request.
            response.close()
            raise
        response.release_conn()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, body)

    def _read(self, response: urllib3.BaseHTTPResponse, path: str) -> bytes:
        """Read a body up to the cap; each read waits only as long as the deadline allows."""
        chunks: list[bytes] = []
        size = 0
        with ExitStack() as stack:
            while chunk := response.read1(_CHUNK, decode_content=True):
                is_large = size > LARGE_BODY_BYTES
                chunks.append(chunk)
                size += len(chunk)
                if size > MAX_BODY_BYTES:
                    raise AnswerTooLarge(
                        f"{path}: the answer is larger than {MAX_BODY_BYTES >> 20} MB", path=path
                    )
                if size > LARGE_BODY_BYTES and not is_large:
                    self._wait_for_large(stack)
                if seconds_left() <= 0:
                    raise TimeoutError
        with self._count_lock:
            self.nbytes += size
        return b"".join(chunks)

    def _wait_for_large(self, stack: ExitStack) -> None:
        if self._large.acquire(timeout=seconds_left()):
            stack.callback(self._large.release)

    def _redirected(self, target: str, answer: Answer, path: str) -> str:
        """Return where a redirect leads on the same host."""
        here = urlsplit(self.base_url)
        url = urljoin(f"{here.scheme}://{here.netloc}{target}", answer.headers.get("location", ""))
        there = urlsplit(url)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise RedirectRefused(
                f"{path}: the API redirects to {printable(there.scheme)}://"
                f"{printable(there.hostname or '')}; the key is sent to no other host",
                path=path,
                status=answer.status,
            )
        return there.path + (f"?{there.query}" if there.query else "")

    def _wire_failure(self, error: Exception, path: str) -> Exception:
        parts = urlsplit(self.base_url)
        where = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
        why = self._auth.redact(printable(_root_cause(error)), cut=True)
        if isinstance(error, urllib3.exceptions.SSLError) and not _broke_off(error):
            return ConfigurationError(
                f"{where}: the server's TLS certificate could not be verified ({why}). Behind a "
                "proxy with its own certificates, name their file with `ca_bundle`."
            )
        if seconds_left() <= 0:
            return DeadlineExceeded(
                f"{path}: no complete answer from {where} within {self._timeout_s:g} s", path=path
            )
        return ConnectionFailed(f"{path}: no complete answer from {where}: {why}", path=path)


def _deferred(path: str, seconds: float) -> Deferred:
    at = time.time() + seconds
    # A server may ask for a wait beyond any calendar.
    until = datetime.fromtimestamp(min(at, 253402300799.0), UTC).isoformat(timespec="seconds")
    return Deferred(
        f"{path}: rate limited (429) beyond the retry budget; deferred until {until}",
        path=path,
        retry_at=at,
    )


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


def _root_cause(error: BaseException) -> str:
    """Say the innermost reason of a nested network error, without addresses of objects."""
    error = _innermost(error)
    text = error.args[-1] if error.args and isinstance(error.args[-1], str) else str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _proxies(base_url: str) -> dict[str, str]:
    """Return the environment's proxies for this URL; none for loopback."""
    if urlsplit(base_url).hostname in LOOPBACK:
        return {}
    return dict(get_environ_proxies(base_url))


def _trusted_certificates(ca_bundle: str | None) -> str | bool:
    """Return the file of certificates to trust, or True for the default ones.

    Raises:
        ConfigurationError: the file does not exist.
    """
    named = ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    if named and not Path(named).exists():
        raise ConfigurationError(f"ca_bundle {printable(named)!r} does not exist")
    return named or True
