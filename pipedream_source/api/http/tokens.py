"""Tokens of an OAuth client: had before they are needed, renewed once when one is refused.

A token lives for an hour and is bound to one workspace. It is kept in memory only, and renewed a
minute ahead by whichever thread comes first; the others wait for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pipedream_source.api.endpoints import OAUTH_TOKEN, takes_tokens
from pipedream_source.api.http.auth import OAuthClient
from pipedream_source.api.protocol import Answer, Request, parse_json
from pipedream_source.exceptions import (
    ApiError,
    BadRequest,
    ConfigurationError,
    ProtocolError,
    Unauthorized,
    Unavailable,
)
from pipedream_source.settings import TOKEN_AHEAD_S, TOKEN_LIFE_S

_PATH = OAUTH_TOKEN.path


class Tokens:
    """Keeps an OAuth client's token fresh; thread-safe.

    Args:
        client: what signs with the token.
        send: sends a request unsigned, and retries it: asking twice only makes another token.
    """

    def __init__(self, client: OAuthClient, send: Callable[[Request], Answer]) -> None:
        """Start without a token."""
        self._client = client
        self._send = send
        self._lock = threading.Lock()
        self._renew_at = 0.0

    def prepare(self, request: Request) -> int:
        """Make sure that there is a token that lives on for a while.

        Returns:
            The token's number, for `renew`.

        Raises:
            ConfigurationError: the endpoint takes no token; nothing was sent.
            Unauthorized: the API refused the client.
            ApiError: no token could be had.
        """
        if not takes_tokens(request.method, request.path):
            raise ConfigurationError(_refusal(request))
        if time.monotonic() >= self._renew_at:
            with self._lock:
                if time.monotonic() >= self._renew_at:
                    self._fetch()
        return self._client.token_number

    def renew(self, refused: int) -> None:
        """Replace a token that the API refused, unless another thread has done so.

        Args:
            refused: the token's number, as `prepare` returned it.

        Raises:
            Unauthorized: the API refused the client.
            ApiError: no token could be had.
        """
        with self._lock:
            if self._client.token_number == refused:
                self._fetch()

    def _fetch(self) -> None:
        began = time.monotonic()
        self._renew_at = began + self._keep(self._ask())

    def _ask(self) -> Answer:
        try:
            return self._send(self._client.request())
        except ApiError as error:
            # Whatever the token was for has not been sent.
            error.may_have_landed = False
            if not isinstance(error, BadRequest | Unavailable):
                raise
            told = f"The API refused the {self._client.kind}: {error}; {self._client.remedy}"
        raise Unauthorized(told)

    def _keep(self, answer: Answer) -> float:
        """Take the token of an answer; return the seconds after which to renew it.

        Raises:
            ProtocolError: it brings none. The message quotes nothing.
        """
        try:
            value = parse_json(answer.body)
        except (ValueError, RecursionError):
            value = None
        fields = value if isinstance(value, dict) else {}
        token = fields.get("access_token")
        taken = isinstance(token, str) and self._client.take(token)
        del value, token
        life = fields.get("expires_in")
        del fields
        if not taken:
            raise _no_token(answer.status)
        seconds = TOKEN_LIFE_S
        if isinstance(life, int | float) and 0 < life < TOKEN_LIFE_S:
            seconds = float(life)
        return seconds - min(TOKEN_AHEAD_S, seconds / 2)


def _no_token(status: int) -> ProtocolError:
    return ProtocolError(
        f"{_PATH}: the answer (status {status}) brings no access_token", path=_PATH, status=status
    )


def _refusal(request: Request) -> str:
    told = f"{request.method} {request.path}: not for an OAuth client, only for a user API key"
    if request.path.startswith("/users/"):
        told += " (a token belongs to a workspace, not to a user; name the workspace with org_id)"
    return f"{told}: set PIPEDREAM_API_KEY or give api_key. Nothing was sent."
