"""What every call of the client shares: sending, reading, redacting, walking lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

from pipedream_source.api.arguments import check_limit
from pipedream_source.api.http.auth import Redact
from pipedream_source.api.http.limiter import Limiter
from pipedream_source.api.http.transport import Transport
from pipedream_source.api.pages.walk import channel_of, walk_events, walk_list
from pipedream_source.api.protocol import Answer, Request, read_list, read_object, read_sent_list
from pipedream_source.core.text.redaction import redact_object
from pipedream_source.exceptions import ProtocolError, Unavailable

# An answer that is no envelope may be a proxy's hiccup: asked again so often before it is believed.
_PROTOCOL_TRIES = 3

Read = TypeVar("Read")
Reader = Callable[[Answer, str], Read]
Json = dict[str, Any]


class Caller:
    """Sends requests for the groups of calls that a client is made of.

    Attributes:
        transport: sends and retries; counts `requests` and `nbytes`.
        limiter: the brake of all threads.
        redact: takes the client's secrets out of a text.
        org_id: the workspace that was given to the client, or None.
        redaction_salt: with one, marks in answers carry a short hash of what they replace.
    """

    transport: Transport
    limiter: Limiter
    redact: Redact
    org_id: str | None
    takes_user_paths: bool
    redaction_salt: str | None = None
    _shows_secrets: bool
    _keeps_json: bool = False

    def _ask(self, read: Reader[Read], request: Request) -> tuple[Answer, Read]:
        """Send a request and read its answer; one that is no envelope is asked for again."""
        attempt = 0
        while True:
            try:
                answer = self._kept(self.transport.send(request))
            except Unavailable as error:
                error.may_have_landed = error.may_have_landed or attempt > 0
                raise
            try:
                return answer, read(answer, request.path)
            except ProtocolError as error:
                failure = self._redacted(error)
            attempt += 1
            if attempt == _PROTOCOL_TRIES:
                # Outside of `except`, so that it carries no context that quotes the answer.
                raise failure
            self.limiter.back_off(attempt)

    def _kept(self, answer: Answer) -> Answer:
        return replace(answer, keeps_json=True) if self._keeps_json else answer

    def _redacted(self, error: ProtocolError) -> ProtocolError:
        """Take the key out of an error that quotes the answer: some servers echo it."""
        excerpt = self.redact(error.excerpt, cut=True)
        message = str(error).replace(repr(error.excerpt), repr(excerpt))
        return ProtocolError(
            self.redact(message), path=error.path, status=error.status, excerpt=excerpt
        )

    def _shown(self, item: Any) -> Any:
        """Return an object of an answer, its credentials redacted unless they are wanted."""
        return item if self._shows_secrets else redact_object(item, self.redaction_salt)

    def _object(self, request: Request) -> Json:
        found: Json = self._shown(self._ask(read_object, request)[1])
        return found

    def _list(self, request: Request, maximum: int | None) -> Iterator[Json]:
        """Walk a list lazily; a page is no longer than the whole that is wanted."""
        objects = walk_list(self._page, _shortened(request, maximum))
        return islice((self._shown(item) for item in objects), maximum)

    def _events(self, request: Request, channel: str, maximum: int | None) -> Iterator[Json]:
        """Walk a window lazily.

        Rows that name another channel than the one asked for are left out: the API may not know
        the parameter, and then answers with the default channel.
        """
        rows = walk_events(self._rows, _shortened(request, maximum))
        wanted = (row for row in rows if not channel or channel_of(row) in (channel, None))
        return islice(wanted, maximum)

    def _page(self, request: Request) -> Any:
        return self._ask(read_list, request)[1]

    def _rows(self, request: Request) -> Any:
        return self._ask(read_sent_list if self._keeps_json else read_list, request)[1]


def _shortened(request: Request, maximum: int | None) -> Request:
    if maximum is None:
        return request
    limit = min(check_limit(maximum, "maximum", most=None), int(request.params["limit"]))
    return Request(request.path, {**request.params, "limit": str(limit)})
