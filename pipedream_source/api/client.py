"""The API's calls as methods.

The API cannot list workflows and mixes two names for a workspace in its paths; what is documented
is followed to the letter here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from pipedream_source.api.auth import BearerAuth
from pipedream_source.api.event_page import read_event_page
from pipedream_source.api.limiter import Limiter
from pipedream_source.api.paging import UNKNOWN, Known, WindowWalk, walk_list
from pipedream_source.api.protocol import (
    Answer,
    Request,
    check_id,
    events_request,
    read_list,
    read_object,
)
from pipedream_source.api.transport import Transport
from pipedream_source.core.redaction import redact_object
from pipedream_source.exceptions import ProtocolError, Unavailable
from pipedream_source.settings import (
    BASE_URL,
    MAX_WORKERS,
    REQUEST_TIMEOUT_S,
    RETRY_BUDGET_S,
)

# An answer that is no envelope may be a proxy's hiccup: asked again so often before it is believed.
_PROTOCOL_TRIES = 3

Read = TypeVar("Read")
Reader = Callable[[Answer, str], Read]


class PipedreamClient:
    """Reads a Pipedream account over its REST API; thread-safe, one connection pool.

    Use it as a context manager, or call `close`.

    Args:
        api_key: a user API key; by default the environment's PIPEDREAM_API_KEY.
        base_url: the API's base URL; https, or http on loopback.
        org_id: the workspace (`o_…`) that lists are restricted to.
        retry_budget_s: seconds a run may spend waiting because the API said so.
        request_timeout_s: total seconds for one request.
        max_connections: size of the connection pool.
        ca_bundle: file of certificates to trust instead of the default ones.

    Raises:
        ConfigurationError: no key, or an argument that cannot be used; nothing was sent.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str = BASE_URL,
        org_id: str | None = None,
        retry_budget_s: float = RETRY_BUDGET_S,
        request_timeout_s: float = REQUEST_TIMEOUT_S,
        max_connections: int = MAX_WORKERS,
        ca_bundle: str | None = None,
    ) -> None:
        """Check the arguments; nothing is sent yet."""
        given = [api_key or os.environ.get("PIPEDREAM_API_KEY", "")]
        del api_key  # keep it out of tracebacks that print locals
        auth = BearerAuth(given.pop())
        self.redact = auth.redact
        self.org_id = check_id(org_id, "org_id", kind="o") if org_id else None
        self.limiter = Limiter(retry_budget_s)
        self.transport = Transport(
            auth,
            base_url,
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

    def me(self) -> dict[str, Any]:
        """Return the user that the key belongs to (GET /users/me), credentials redacted.

        Raises:
            Unauthorized: the key is wrong.
            ApiError: the call failed.
        """
        return self._object("/users/me")

    def sources(self, org_id: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the user's sources, or a workspace's (GET /users/me/sources, /orgs/{id}/sources).

        Raises:
            ConfigurationError: `org_id` is not an id; nothing was sent.
            ApiError: a page failed; what was yielded before is not the whole list.
        """
        if org_id is None:
            return self._list("/users/me/sources")
        return self._list(f"/orgs/{check_id(org_id, 'org_id')}/sources")

    def subscriptions(self, org_id: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the user's subscriptions, or a workspace's.

        GET /users/me/subscriptions, GET /workspaces/{id}/subscriptions.

        Raises:
            ConfigurationError: `org_id` is not an id; nothing was sent.
            ApiError: a page failed; what was yielded before is not the whole list.
        """
        if org_id is None:
            return self._list("/users/me/subscriptions")
        return self._list(f"/workspaces/{check_id(org_id, 'org_id')}/subscriptions")

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

    def _ask(self, read: Reader[Read], request: Request) -> tuple[Answer, Read]:
        """Send a request and read its answer; one that is no envelope is asked for again."""
        attempt = 0
        while True:
            answer = self.transport.send(request)
            try:
                return answer, read(answer, request.path)
            except ProtocolError as error:
                failure = self._redacted(error)
            attempt += 1
            if attempt == _PROTOCOL_TRIES:
                # Outside of `except`, so that it carries no context that quotes the answer.
                raise failure
            self.limiter.back_off(attempt)

    def _redacted(self, error: ProtocolError) -> ProtocolError:
        """Take the key out of an error that quotes the answer: some servers echo it."""
        excerpt = self.redact(error.excerpt, cut=True)
        message = str(error).replace(repr(error.excerpt), repr(excerpt))
        return ProtocolError(
            self.redact(message), path=error.path, status=error.status, excerpt=excerpt
        )

    def _object(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = redact_object(self._ask(read_object, Request(path))[1])
        return found

    def _list(self, path: str) -> Iterator[dict[str, Any]]:
        objects = walk_list(lambda request: self._ask(read_list, request)[1], Request(path))
        return (redact_object(item) for item in objects)
