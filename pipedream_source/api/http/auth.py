"""Credentials as objects that show themselves to nobody but the request they sign.

They are kept in closures rather than attributes, so that neither `repr`, nor `vars`, nor a
traceback that prints locals shows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from pipedream_source.api.endpoints import OAUTH_TOKEN
from pipedream_source.api.protocol import Request
from pipedream_source.core.text.redaction import Redactor
from pipedream_source.exceptions import ConfigurationError, NoCredentials

# What an HTTP header can carry without being split or refused on the way.
_SENDABLE = re.compile(r"[\x21-\x7e]+").fullmatch
# Answers of before the last renewals may still echo the tokens of their time.
_TOKENS_REDACTED = 4


class Redact(Protocol):
    """Takes secrets out of a text; `cut` says that the text may end within one."""

    def __call__(self, text: str, *, cut: bool = False) -> str:
        """Return the text without the secrets."""


class Auth(Protocol):
    """What signs requests.

    Attributes:
        headers: returns what to add to a request's headers.
        redact: takes every form of the secrets out of a text.
        kind: what it is called, e.g. `key`.
        remedy: what to do when the API answers 401.
    """

    @property
    def headers(self) -> Callable[[], dict[str, str]]:
        """Return what gives the headers."""

    @property
    def redact(self) -> Redact:
        """Return what takes the secrets out of a text."""

    @property
    def kind(self) -> str:
        """Name the kind of credentials."""

    @property
    def remedy(self) -> str:
        """Say what to do when the API answers 401."""


class BearerAuth:
    """Signs requests with a user API key (section "Authentication")."""

    __slots__ = ("headers", "kind", "redact", "remedy")

    def __init__(self, api_key: str) -> None:
        """Check and wrap a key.

        Raises:
            NoCredentials: the key is empty.
            ConfigurationError: it holds characters that no header can carry.
        """
        key = api_key.strip()
        del api_key  # keep it out of tracebacks that print locals
        if not key:
            raise NoCredentials(
                "No API key: set PIPEDREAM_API_KEY, or `api_key` under [sources.pipedream] in "
                ".dlt/secrets.toml. The key stands in your Pipedream account's settings. A "
                "workspace's OAuth client takes PIPEDREAM_CLIENT_ID and PIPEDREAM_CLIENT_SECRET."
            )
        if not _SENDABLE(key):
            del key
            raise ConfigurationError(
                "The API key holds a space, a line break or a character outside ASCII, which no "
                "HTTP header can carry: copy it again from your Pipedream account's settings."
            )

        self.headers: Callable[[], dict[str, str]] = lambda: {"Authorization": f"Bearer {key}"}
        self.redact: Redact = Redactor([key])
        self.kind = "key"
        self.remedy = "check PIPEDREAM_API_KEY against your Pipedream account's settings."

    def __repr__(self) -> str:
        """Show no secret."""
        return "BearerAuth(key hidden)"


class OAuthClient:
    """Signs requests with a token of a workspace's OAuth client (client credentials).

    It does no I/O: `request` builds the call for a token, `take` keeps what that call brought.

    Attributes:
        headers: returns what to add to a request's headers; nothing before the first token.
        redact: takes every form of the id, the secret and the latest tokens out of a text.
        kind: what it is called.
        remedy: what to do when the API answers 401.
        request: builds the call for a token.
        take: keeps a token in memory, in place of the one before.
        token_number: how many tokens were taken so far.
    """

    __slots__ = ("headers", "kind", "redact", "remedy", "request", "take", "token_number")

    def __init__(self, client_id: str, client_secret: str) -> None:
        """Check and wrap a client's id and secret.

        Raises:
            ConfigurationError: either is missing or holds characters that it never has.
        """
        given = [client_id.strip(), client_secret.strip()]
        del client_id, client_secret  # keep them out of tracebacks that print locals
        missing = not all(given)
        if missing or not all(map(_SENDABLE, given)):
            given.clear()
            raise ConfigurationError(
                "An OAuth client needs an id and a secret: set both PIPEDREAM_CLIENT_ID and "
                "PIPEDREAM_CLIENT_SECRET."
                if missing
                else "The OAuth client's id or secret holds a space, a line break or a character "
                "outside ASCII: copy it again from your workspace's API settings."
            )
        tokens: list[str] = []

        def redact(text: str, *, cut: bool = False) -> str:
            return Redactor([*given, *tokens])(text, cut=cut)

        def request() -> Request:
            names = ("grant_type", "client_id", "client_secret")
            values = ("client_credentials", *given)
            return OAUTH_TOKEN.request(body=dict(zip(names, values, strict=True)))

        def take(token: str) -> bool:
            if not _SENDABLE(token):
                return False
            tokens.append(token)
            del tokens[:-_TOKENS_REDACTED]
            self.token_number += 1
            return True

        def headers() -> dict[str, str]:
            return {"Authorization": f"Bearer {tokens[-1]}"} if tokens else {}

        self.headers: Callable[[], dict[str, str]] = headers
        self.redact: Redact = redact
        self.kind = "OAuth client"
        self.remedy = (
            "check PIPEDREAM_CLIENT_ID and PIPEDREAM_CLIENT_SECRET against your workspace's API "
            "settings."
        )
        self.request: Callable[[], Request] = request
        self.take: Callable[[str], bool] = take
        self.token_number = 0

    def __repr__(self) -> str:
        """Show no secret."""
        return "OAuthClient(secret hidden)"


class Unsigned:
    """Signs nothing: for the call that brings a token.

    Attributes:
        headers: returns nothing to add.
        redact: takes the secrets of an OAuth client out of a text.
        kind: what that is called.
        remedy: what to do when the API answers 401.
    """

    __slots__ = ("headers", "kind", "redact", "remedy")

    def __init__(self, client: OAuthClient) -> None:
        """Redact what the client keeps secret."""
        self.headers: Callable[[], dict[str, str]] = dict
        self.redact: Redact = client.redact
        self.kind = client.kind
        self.remedy = client.remedy
