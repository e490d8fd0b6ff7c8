"""The API's calls as methods: how the client is set up, and the calls that fit no group."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self

from pipedream_source.api import calls
from pipedream_source.api.http.auth import Auth, BearerAuth, OAuthClient
from pipedream_source.api.http.limiter import Limiter
from pipedream_source.api.http.transport import Transport
from pipedream_source.api.methods.reads import Reads
from pipedream_source.api.methods.writes import Writes
from pipedream_source.api.pages.event_page import read_event_page
from pipedream_source.api.pages.walk import UNKNOWN, Known, WindowWalk
from pipedream_source.api.protocol import Answer, Request, check_id, events_request
from pipedream_source.exceptions import ConfigurationError, Unavailable
from pipedream_source.settings import (
    BASE_URL,
    MAX_WORKERS,
    REQUEST_TIMEOUT_S,
    RETRY_BUDGET_S,
)

_VARIABLES = ("PIPEDREAM_API_KEY", "PIPEDREAM_CLIENT_ID", "PIPEDREAM_CLIENT_SECRET")


class PipedreamClient(Reads, Writes):
    """Calls the Pipedream REST API; thread-safe, one connection pool.

    Use it as a context manager, or call `close`. Credentials inside the objects that it returns
    are replaced by a mark, payloads of events are not touched.

    Args:
        api_key: a user API key; by default the environment's PIPEDREAM_API_KEY.
        client_id: of a workspace's OAuth client, instead of a key; by default, if there is no
            key, the environment's PIPEDREAM_CLIENT_ID.
        client_secret: of that client; by default PIPEDREAM_CLIENT_SECRET.
        base_url: the API's base URL; https, or http on loopback. By default the environment's
            PIPEDREAM_BASE_URL, else Pipedream's.
        org_id: the workspace (`o_…`) that a load is restricted to. Calls take their own.
        retry_budget_s: seconds a run may spend waiting because the API said so.
        request_timeout_s: total seconds for one request.
        max_connections: size of the connection pool.
        ca_bundle: file of certificates to trust instead of the default ones.
        show_secrets: leave the credentials in the objects that are returned. A source's
            `configured_props` may hold some.
        keeps_json: a payload is its text (`SentJson`), and a number that Python spells otherwise
            remembers how it was sent (`SentNumber`, a float).

    Raises:
        ConfigurationError: no key, or an argument that cannot be used; nothing was sent.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        base_url: str | None = None,
        org_id: str | None = None,
        retry_budget_s: float = RETRY_BUDGET_S,
        request_timeout_s: float = REQUEST_TIMEOUT_S,
        max_connections: int = MAX_WORKERS,
        ca_bundle: str | None = None,
        show_secrets: bool = False,
        keeps_json: bool = False,
    ) -> None:
        """Check the arguments; nothing is sent yet."""
        given = [api_key, client_id, client_secret]
        del api_key, client_id, client_secret  # keep them out of tracebacks that print locals
        auth = _credentials(given)
        self.redact = auth.redact
        self.takes_user_paths = isinstance(auth, BearerAuth)
        self._shows_secrets = show_secrets
        self._keeps_json = keeps_json
        self.org_id = check_id(org_id, "org_id", kind="o") if org_id else None
        self.limiter = Limiter(retry_budget_s)
        self.transport = Transport(
            auth,
            base_url or os.environ.get("PIPEDREAM_BASE_URL") or BASE_URL,
            self.limiter,
            request_timeout_s=request_timeout_s,
            max_connections=max_connections,
            ca_bundle=ca_bundle,
        )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        self.close()

    def __repr__(self) -> str:
        """Show no secret."""
        # A traceback that prints locals may ask before `__init__` has ended.
        transport = getattr(self, "transport", None)
        return f"PipedreamClient({transport.base_url!r})" if transport else "PipedreamClient()"

    def close(self) -> None:
        """Close all connections."""
        self.transport.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send any request and return its answer as it came, credentials included.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: below the base URL, as `/users/me`; it may carry a query.
            params: of the query.
            body: sent as JSON.

        Raises:
            ConfigurationError: the path would lead elsewhere; nothing was sent.
            ChangeUncertain: a POST may have been carried out; nothing was repeated.
            ApiError: the call failed.
        """
        return self.send(calls.request(method, path, params=params, body=body))

    def walk_window(
        self, walk: WindowWalk, emitter_id: str, channel: str, known: Known = UNKNOWN
    ) -> None:
        """Read a stream's window into a walk, pages that are no envelope asked again.

        Args:
            walk: takes the rows of this channel; it holds what was read even when this raises.
            emitter_id: a source or a workflow.
            channel: the event name; empty for the default channel.
            known: see `WindowWalk.run`.

        Raises:
            ApiError: a page could not be had.
            GaveUp: the run stopped before the window was read.
        """
        request = events_request(check_id(emitter_id, "emitter id"), channel)
        fetch = partial(self._ask, partial(read_event_page, known=known.digest))
        walk.run(fetch, request, known)

    def answers(self, emitter_id: str) -> bool:
        """Tell whether an emitter's default channel can be read, by asking for one event.

        Raises:
            ApiError: the call failed for another reason than 403 or 404.
        """
        request = events_request(check_id(emitter_id, "emitter id"), "")
        try:
            self._ask(read_event_page, Request(request.path, {"limit": "1"}))
        except Unavailable:
            return False
        return True


def _credentials(given: list[str | None]) -> Auth:
    """Make the credentials of a key or of an OAuth client; empties the list.

    What is passed goes before the environment, and there a key, which opens every call, before an
    OAuth client.
    """
    if given[0] and any(given[1:]):
        given.clear()
        raise ConfigurationError("Give api_key, or client_id and client_secret, but not both.")
    as_client = any(given[1:])
    for n, variable in enumerate(_VARIABLES):
        given[n] = given[n] or os.environ.get(variable, "")
    if as_client or (any(given[1:]) and not given[0]):
        del given[0]
        return OAuthClient(given.pop(0) or "", given.pop(0) or "")
    del given[1:]
    return BearerAuth(given.pop() or "")
