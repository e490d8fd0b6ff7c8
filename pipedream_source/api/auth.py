"""The key as an object that shows itself to nobody but the request it signs."""

from __future__ import annotations

import re
from collections.abc import Callable

from pipedream_source.core.redaction import Redactor
from pipedream_source.exceptions import ConfigurationError

# What an HTTP header can carry without being split or refused on the way.
_SENDABLE = re.compile(r"[\x21-\x7e]+").fullmatch


class BearerAuth:
    """Signs requests with a user API key (section "Authentication").

    The key is kept in a closure rather than an attribute, so that neither `repr`, nor `vars`, nor
    a traceback that prints locals shows it.

    Attributes:
        headers: returns what to add to a request's headers.
        redact: takes every form of the key out of a text.
    """

    __slots__ = ("headers", "redact")

    def __init__(self, api_key: str) -> None:
        """Check and wrap a key.

        Raises:
            ConfigurationError: the key is empty or holds characters that no header can carry.
        """
        key = api_key.strip()
        del api_key  # keep it out of tracebacks that print locals
        if not key:
            raise ConfigurationError(
                "No API key: set PIPEDREAM_API_KEY, or `api_key` under [sources.pipedream] in "
                ".dlt/secrets.toml. The key stands in your Pipedream account's settings."
            )
        if not _SENDABLE(key):
            del key
            raise ConfigurationError(
                "The API key holds a space, a line break or a character outside ASCII, which no "
                "HTTP header can carry: copy it again from your Pipedream account's settings."
            )

        self.headers: Callable[[], dict[str, str]] = lambda: {"Authorization": f"Bearer {key}"}
        self.redact = Redactor([key])

    def __repr__(self) -> str:
        """Show no secret."""
        return "BearerAuth(key hidden)"
