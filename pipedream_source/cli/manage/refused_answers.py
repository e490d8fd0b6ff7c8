"""Answers that a call was refused with, kept whole: an error says only their beginning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedream_source.api.client import PipedreamClient
from pipedream_source.api.http.auth import BearerAuth, OAuthClient
from pipedream_source.api.http.transport import Transport
from pipedream_source.api.protocol import Answer
from pipedream_source.exceptions import PipedreamError


class KeepingTransport(Transport):
    """A transport that keeps the last answer to each path, whatever its status.

    Attributes:
        kept: answers by path; none where the last try brought none.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        """Begin without answers."""
        super().__init__(*args, **settings)
        self.kept: dict[str, Answer] = {}

    def judge(
        self, outcome: Answer | PipedreamError, path: str, attempt: int
    ) -> Answer | PipedreamError:
        """Keep an answer before it is judged."""
        self.kept.pop(path, None)
        if isinstance(outcome, Answer):
            self.kept[path] = outcome
        return super().judge(outcome, path, attempt)


def keep_answers(
    client: PipedreamClient, credentials: Mapping[str, str], settings: Mapping[str, Any]
) -> KeepingTransport:
    """Give a client a transport that keeps answers, and return it.

    Args:
        client: that has sent nothing yet.
        credentials: with which it was made.
        settings: with which it was made.
    """
    known = {n: settings[n] for n in ("request_timeout_s", "ca_bundle") if n in settings}
    auth: BearerAuth | OAuthClient
    if "api_key" in credentials:
        auth = BearerAuth(credentials["api_key"])
    else:
        auth = OAuthClient(credentials["client_id"], credentials["client_secret"])
    transport = KeepingTransport(auth, client.transport.base_url, client.limiter, **known)
    client.transport.close()
    client.transport = transport
    client.redact = auth.redact
    return transport
