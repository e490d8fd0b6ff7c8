"""The key as an object that shows itself to nobody but the request it signs."""

from __future__ import annotations

import re

import requests

from pipedream_source.core.redaction import Redactor
from pipedream_source.exceptions import ConfigurationError

# What an HTTP header can carry without being split or refused on the way.
_SENDABLE = re.compile(r"[\x21-\x7e]+").fullmatch


class BearerAuth(requests.auth.AuthBase):
    """Signs requests with a user API key (section "Authentication").

    The key is kept in a closure rather than an attribute, so that neither `repr`, nor `vars`, nor
    a traceback that prints locals shows it.
    """

    __slots__ = ("_sign", "redact")

    def __init__(self, api_key: str) -> None:
        """Check and wrap a key.

        Raises:
            ConfigurationError: the key is empty or holds characters that no header can carry.
        """
        key = api_key.strip()
        if not key:
            raise ConfigurationError(
                "No API key: set PIPEDREAM_API_KEY, or `api_key` under [sources.pipedream] in "
                ".dlt/secrets.toml. The key stands in your Pipedream account's settings."
            )
        if not _SENDABLE(key):
            raise ConfigurationError(
                "The API key holds a space, a line break or a character outside ASCII, which no "
                "HTTP header can carry: copy it again from your Pipedream account's settings."
            )

        def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["Authorization"] = f"Bearer {key}"
            return request

        self._sign = sign
        self.redact = Redactor([key])

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the Authorization header."""
        return self._sign(request)

    def __repr__(self) -> str:
        """Show no secret."""
        return "BearerAuth(key hidden)"
