"""The calls that change something, as methods; a POST that may have landed is never repeated.

After a failure that leaves it open whether a POST was carried out, the client looks (it lists and
compares) and raises `ChangeUncertain`, which says what it found. PUT and DELETE do no harm when
they are carried out twice and are repeated like reads.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, cast

from pipedream_source.api import calls
from pipedream_source.api.calls.parameters import Fields
from pipedream_source.api.methods.base import Caller, Json, Read, Reader
from pipedream_source.api.methods.uncertain_posts import Look, is_new, look_for, tell
from pipedream_source.api.pages.walk import walk_list
from pipedream_source.api.protocol import Answer, Request, date_ms, read_list, read_object
from pipedream_source.api.replies import read_made, read_nothing, read_objects_if_any
from pipedream_source.api.types import Component, Source, Subscription, Webhook
from pipedream_source.exceptions import (
    ApiError,
    ChangeUncertain,
    PipedreamError,
    ProtocolError,
    RedirectRefused,
    Unavailable,
)

# With these the API says that the request is to be sent elsewhere (RFC 9110, section 15.4).
_NOT_CARRIED_OUT = (307, 308)


class Writes(Caller):
    """Calls that change something.

    All of them raise `ConfigurationError` for an argument that cannot be used, before anything is
    sent, `ApiError` when the call failed, and those that create `ChangeUncertain` when it is open
    whether they did. `calls` builds the same requests without sending them.
    """

    def send(self, request: Request) -> Answer:
        """Send a request and return its answer, whatever that holds.

        Raises:
            ChangeUncertain: a POST may have been carried out; nothing was repeated.
            ApiError: the call failed.
        """
        began = time.monotonic()
        try:
            return self.transport.send(request)
        except ApiError as error:
            if request.method not in ("POST", "PATCH") or not _may_have_landed(error):
                raise
            failure = error.with_traceback(None)
        raise self._uncertain(request, failure, began)

    def create_source(
        self,
        *,
        component_id: str | None = None,
        component_code: str | None = None,
        component_url: str | None = None,
        name: str | None = None,
        configured_props: Mapping[str, Any] | None = None,
        org_id: str | None = None,
        include: Fields = None,
        exclude: Fields = None,
    ) -> Source:
        """Make a source of a component (POST /sources); see `calls.create_source`."""
        request = calls.create_source(
            component_id=component_id,
            component_code=component_code,
            component_url=component_url,
            name=name,
            configured_props=configured_props,
            org_id=org_id,
            include=include,
            exclude=exclude,
        )
        return cast("Source", self._created(request, read_object))

    def update_source(
        self,
        source_id: str,
        *,
        component_id: str | None = None,
        component_code: str | None = None,
        component_url: str | None = None,
        name: str | None = None,
        active: bool | None = None,
        configured_props: Mapping[str, Any] | None = None,
        include: Fields = None,
        exclude: Fields = None,
    ) -> Source:
        """Change a source (PUT /sources/{id}) by what is given, and by nothing else.

        What the API makes of what is left out is told at `calls.update_source`: send along what is
        to stay as it is.
        """
        request = calls.update_source(
            source_id,
            component_id=component_id,
            component_code=component_code,
            component_url=component_url,
            name=name,
            active=active,
            configured_props=configured_props,
            include=include,
            exclude=exclude,
        )
        return cast("Source", self._object(request))

    def delete_source(self, source_id: str) -> None:
        """Delete a source (DELETE /sources/{id})."""
        self._delete(calls.delete_source(source_id), read_nothing, None)

    def delete_events(
        self,
        source_id: str,
        *,
        start_id: str | None = None,
        end_id: str | None = None,
        event_name: str | None = None,
    ) -> None:
        """Delete a source's events from one id to another, both included; without ids all.

        DELETE /sources/{id}/events is carried out later (202): rows may show for a while.
        """
        request = calls.delete_events(
            source_id, start_id=start_id, end_id=end_id, event_name=event_name
        )
        self._ask(read_nothing, request)

    def create_component(
        self,
        *,
        component_code: str | None = None,
        component_url: str | None = None,
        org_id: str | None = None,
        include: Fields = None,
        exclude: Fields = None,
    ) -> Component:
        """Save a component (POST /components)."""
        request = calls.create_component(
            component_code=component_code,
            component_url=component_url,
            org_id=org_id,
            include=include,
            exclude=exclude,
        )
        return cast("Component", self._created(request, read_object))

    def create_subscription(
        self,
        emitter_id: str,
        listener_id: str,
        *,
        event_name: str = "",
        org_id: str | None = None,
        include: Fields = None,
        exclude: Fields = None,
    ) -> list[Subscription]:
        """Let a listener hear an emitter, or all of a glob (POST /subscriptions)."""
        request = calls.create_subscription(
            emitter_id,
            listener_id,
            event_name=event_name,
            org_id=org_id,
            include=include,
            exclude=exclude,
        )
        return cast("list[Subscription]", self._created(request, read_made))

    def delete_subscription(
        self,
        emitter_id: str,
        listener_id: str,
        *,
        event_name: str = "",
        org_id: str | None = None,
        include: Fields = None,
        exclude: Fields = None,
    ) -> list[Subscription]:
        """End a subscription and return it (DELETE /subscriptions)."""
        request = calls.delete_subscription(
            emitter_id,
            listener_id,
            event_name=event_name,
            org_id=org_id,
            include=include,
            exclude=exclude,
        )
        gone: list[Json] = []
        return cast("list[Subscription]", self._delete(request, read_objects_if_any, gone))

    def auto_subscribe(
        self,
        listener_id: str,
        event_name: str,
        *,
        org_id: str | None = None,
        include: Fields = None,
        exclude: Fields = None,
    ) -> list[Subscription]:
        """Let a listener hear a channel of all that is made from now on.

        POST /auto_subscriptions; what it answers is not documented, so the list may be empty.
        """
        request = calls.auto_subscribe(
            listener_id, event_name, org_id=org_id, include=include, exclude=exclude
        )
        return cast("list[Subscription]", self._created(request, read_objects_if_any))

    def create_webhook(
        self,
        url: str,
        *,
        name: str | None = None,
        description: str | None = None,
        org_id: str | None = None,
        include: Fields = None,
        exclude: Fields = None,
    ) -> Webhook:
        """Make a webhook that points to a URL (POST /webhooks)."""
        request = calls.create_webhook(
            url,
            name=name,
            description=description,
            org_id=org_id,
            include=include,
            exclude=exclude,
        )
        return cast("Webhook", self._created(request, read_object))

    def delete_webhook(self, webhook_id: str) -> None:
        """Delete a webhook (DELETE /webhooks/{id})."""
        self._delete(calls.delete_webhook(webhook_id), read_nothing, None)

    def _created(self, request: Request, read: Reader[Read]) -> Read:
        """Send a POST and read what it made; an answer that cannot be read leaves it open."""
        began = time.monotonic()
        answer = self.send(request)
        try:
            made: Read = self._shown(read(answer, request.path))
        except ProtocolError as error:
            failure = self._redacted(error)
        else:
            return made
        raise self._uncertain(request, failure, began)

    def _delete(self, request: Request, read: Reader[Read], gone: Read) -> Read:
        """Send a DELETE; a 404 after a try that may have been carried out is what was wanted."""
        try:
            deleted: Read = self._shown(self._ask(read, request)[1])
        except Unavailable as error:
            if error.status != 404 or not error.may_have_landed:
                raise
            return gone
        return deleted

    def _uncertain(self, request: Request, failure: ApiError, began: float) -> ChangeUncertain:
        """Look for what a POST may have made; return the error that tells."""
        look = look_for(request, self.org_id, self.takes_user_paths)
        found, why = None, ""
        if look is not None:
            try:
                found = list(self._look(look, began))
            except PipedreamError as error:
                why = str(error)
        return ChangeUncertain(
            f"{failure}. {self.redact(tell(found, look, why))}",
            path=request.path,
            status=failure.status,
            found=found,
        )

    def _look(self, look: Look, began: float) -> Iterator[Json]:
        seen: set[object] = set()
        now_ms: int | None = None

        def page(request: Request) -> Any:
            nonlocal now_ms
            answer, read = self._ask(read_list, request)
            now_ms = date_ms(answer.headers)
            return read

        for request in look.requests:
            for item in walk_list(page, request):
                now_s = None if now_ms is None else now_ms / 1000
                fits = look.fits(item) and is_new(item, now_s, time.monotonic() - began)
                if fits and item.get("id") not in seen:
                    seen.add(item.get("id"))
                    yield self._shown(item)


def _may_have_landed(error: ApiError) -> bool:
    """Tell whether a POST may have been carried out; many servers redirect after they did it."""
    redirected = isinstance(error, RedirectRefused) and error.status not in _NOT_CARRIED_OUT
    return error.may_have_landed or redirected
