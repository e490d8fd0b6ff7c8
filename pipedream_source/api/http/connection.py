"""One exchange over one pool of connections: a request out, a whole answer in, or what went wrong.

`requests` follows redirects with the key attached, reads bodies of any size, never ends on a
server that dribbles, and takes credentials from ~/.netrc. None of that happens here.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3
from requests.utils import get_environ_proxies

from pipedream_source.api.http import failures
from pipedream_source.api.http.auth import Auth
from pipedream_source.api.http.deadline import DeadlineAdapter, seconds_left, start_deadline
from pipedream_source.api.protocol import LOOPBACK, Answer, Request, check_base_url
from pipedream_source.core.text.redaction import printable
from pipedream_source.exceptions import (
    AnswerTooLarge,
    ConfigurationError,
    PipedreamError,
    RedirectRefused,
)
from pipedream_source.settings import (
    CONNECT_TIMEOUT_S,
    LARGE_BODY_BYTES,
    MAX_BODY_BYTES,
    VERSION,
)

_CHUNK = 256 * 1024
_MAX_REDIRECTS = 5
_SEE_OTHER = 303
_JSON = {"Content-Type": "application/json"}
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": f"pipedream-source/{VERSION}",
}
_WIRE_ERRORS = (urllib3.exceptions.HTTPError, OSError, ValueError)


def _without_quote(record: logging.LogRecord) -> bool:
    """Keep what a server sent in place of headers out of urllib3's warning: it may echo the key."""
    if record.msg.startswith("Failed to parse headers"):
        record.msg, record.args, record.exc_info = "Failed to parse headers", (), None
    return True


logging.getLogger("urllib3.connection").addFilter(_without_quote)


class Connection:
    """A pool of connections to the API's host; thread-safe.

    Args:
        auth: what signs each request.
        base_url: the API's base URL.
        timeout_s: total seconds for one exchange, from connecting to the last byte.
        max_connections: size of the pool.
        ca_bundle: file of certificates to trust instead of the default ones.

    Attributes:
        requests, nbytes: requests sent and decoded bytes read so far.
        where: host and port, for messages.
    """

    def __init__(
        self,
        auth: Auth,
        base_url: str,
        *,
        timeout_s: float,
        max_connections: int,
        ca_bundle: str | None,
    ) -> None:
        """Prepare the pool; nothing is sent yet.

        Raises:
            ConfigurationError: the base URL or the CA bundle cannot be used.
        """
        self.base_url = check_base_url(base_url)
        parts = urlsplit(self.base_url)
        self.where = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
        self.requests = 0
        self.nbytes = 0
        self._root = parts.path
        self._auth = auth
        self._redact = partial(auth.redact, cut=True)
        self._timeout_s = timeout_s
        self._count_lock = threading.Lock()
        # At most two large bodies in memory at once, however many threads poll.
        self._large = threading.BoundedSemaphore(2)
        self._adapter = DeadlineAdapter(pool_connections=2, pool_maxsize=max_connections)
        self._pool = self._adapter.pool_for(
            self.base_url, _trusted_certificates(ca_bundle), _proxies(self.base_url)
        )

    def close(self) -> None:
        """Close all connections."""
        self._adapter.close()

    def exchange(self, request: Request) -> Answer | PipedreamError:
        """Send a request once and read its answer, following redirects on the same host.

        Errors are returned, not raised, so that they carry no frame that knows the headers.
        """
        start_deadline(self._timeout_s)
        try:
            return self._follow(request)
        except PipedreamError as error:
            found = error
        except _WIRE_ERRORS as error:
            found = failures.of_wire(error, request.path, self.where, self._redact)
            if seconds_left() <= 0 and not isinstance(found, ConfigurationError):
                found = failures.of_deadline(request.path, self.where, self._timeout_s)
        except KeyboardInterrupt as interrupt:
            # The frames below know the headers and the body.
            raise interrupt.with_traceback(None) from None
        return found.with_traceback(None)

    def _follow(self, request: Request) -> Answer:
        target = self._root + request.path
        if request.params:
            target += "?" + urlencode(request.params)
        for _ in range(_MAX_REDIRECTS):
            answer = self._send_to(target, request)
            if not 300 <= answer.status < 400:
                return answer
            target = self._redirected(target, answer, request)
        raise RedirectRefused(f"{request.path}: redirected in a circle", path=request.path)

    def _send_to(self, target: str, request: Request) -> Answer:
        with self._count_lock:
            self.requests += 1
        response = self._pool.urlopen(
            request.method,
            target,
            body=None if request.body is None else json.dumps(dict(request.body)).encode(),
            headers=self._headers(request.method),
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

    def _headers(self, method: str) -> dict[str, str]:
        """Return a request's headers; POST and PUT name JSON with or without a body.

        The documentation's own examples do so (section "Required headers").
        """
        if method == "GET":
            return {**_HEADERS, **self._auth.headers()}
        return {**_HEADERS, **_JSON, **self._auth.headers()}

    def _read(self, response: urllib3.BaseHTTPResponse, path: str) -> bytes:
        """Read a body up to the cap; each read waits only as long as the deadline allows."""
        chunks: list[bytes] = []
        size = 0
        with ExitStack() as stack:
            while chunk := response.read1(_CHUNK, decode_content=True):
                was_large = size > LARGE_BODY_BYTES
                chunks.append(chunk)
                size += len(chunk)
                if size > MAX_BODY_BYTES:
                    raise AnswerTooLarge(
                        f"{path}: the answer is larger than {MAX_BODY_BYTES >> 20} MB", path=path
                    )
                if size > LARGE_BODY_BYTES and not was_large:
                    self._wait_for_large(stack)
                if seconds_left() <= 0:
                    raise TimeoutError
        with self._count_lock:
            self.nbytes += size
        return b"".join(chunks)

    def _wait_for_large(self, stack: ExitStack) -> None:
        if self._large.acquire(timeout=seconds_left()):
            stack.callback(self._large.release)

    def _redirected(self, target: str, answer: Answer, request: Request) -> str:
        """Return where a redirect leads on the same host; a change is never followed by a GET."""
        path = request.path
        once = request.method in ("POST", "PATCH")
        # Many servers answer so after they did what was asked: only 307 and 308 say they did not.
        if (answer.status == _SEE_OTHER and request.method != "GET") or (
            once and answer.status in (301, 302)
        ):
            raise RedirectRefused(
                f"{path}: the API took the {request.method} and points elsewhere for its answer",
                path=path,
                status=answer.status,
            )
        here, location = urlsplit(self.base_url), answer.headers.get("location", "")
        try:
            there = urlsplit(urljoin(f"{here.scheme}://{here.netloc}{target}", location))
        except ValueError:
            raise RedirectRefused(
                f"{path}: the API redirects to what is no URL", path=path, status=answer.status
            ) from None
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise RedirectRefused(
                f"{path}: the API redirects to {printable(there.scheme)}://"
                f"{printable(there.hostname or '')}; the key is sent to no other host",
                path=path,
                status=answer.status,
            )
        return there.path + (f"?{there.query}" if there.query else "")


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
