"""The calls that read, as methods; lists are walked lazily to their end.

The API mixes two names for a workspace in its paths and answers some lists page by page and
others whole; what is documented is followed to the letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import cast

from pipedream_source.api import calls
from pipedream_source.api.calls.parameters import Fields
from pipedream_source.api.methods.base import Caller
from pipedream_source.api.protocol import is_id
from pipedream_source.api.replies import read_bare
from pipedream_source.api.types import (
    Component,
    EventSummary,
    Source,
    Subscription,
    User,
    Webhook,
    WorkflowDetails,
    Workspace,
)
from pipedream_source.exceptions import Unavailable
from pipedream_source.settings import PAGE_LIMIT


class Reads(Caller):
    """Calls that change nothing.

    All of them raise `ConfigurationError` for an argument that cannot be used, before anything is
    sent, and `ApiError` when the call failed; a list that fails halfway is not the whole list.

    Common arguments: `include` and `exclude` name the fields that are wanted or not (`id` always
    comes along); `limit` is the size of a page, 1 to 100; `maximum` ends a list early.
    """

    def me(self, *, include: Fields = None, exclude: Fields = None) -> User:
        """Return the user that the key belongs to (GET /users/me), credentials redacted.

        Raises:
            Unauthorized: the key is wrong.
            ApiError: the call failed.
        """
        return cast("User", self._object(calls.me(include=include, exclude=exclude)))

    def sources(
        self,
        org_id: str | None = None,
        *,
        limit: int = PAGE_LIMIT,
        maximum: int | None = None,
        include: Fields = None,
        exclude: Fields = None,
    ) -> Iterator[Source]:
        """Yield the user's sources, or a workspace's (GET /users/me/sources, /orgs/{id}/sources).

        Raises:
            ConfigurationError: `org_id` is not an id; nothing was sent.
            ApiError: a page failed; what was yielded before is not the whole list.
        """
        request = calls.sources(org_id, limit=limit, include=include, exclude=exclude)
        return cast("Iterator[Source]", self._list(request, maximum))

    def source(self, source_id: str, *, include: Fields = None, exclude: Fields = None) -> Source:
        """Return one source: from GET /sources/{id}, which is undocumented, else from the lists.

        Raises:
            Unavailable: there is no such source for this key.
            ApiError: a call failed.
        """
        request = calls.source(source_id, include=include, exclude=exclude)
        try:
            return cast("Source", self._object(request))
        except Unavailable as error:
            failure = error.with_traceback(None)
        lists = (
            self.sources(org_id, include=include, exclude=exclude) for org_id in self._scopes()
        )
        for source in chain.from_iterable(lists):
            if source.get("id") == source_id:
                return source
        raise failure

    def _scopes(self) -> Iterator[str | None]:
        """Yield whose lists there are: the user's own (None), then those of workspaces."""
        if self.takes_user_paths:
            yield None
        if self.org_id:
            yield self.org_id
        elif self.takes_user_paths:
            orgs = self.me().get("orgs")
            for org in orgs if isinstance(orgs, list) else []:
                if is_id(org.get("id")):
                    yield org["id"]

    def event_summaries(
        self,
        source_id: str,
        *,
        event_name: str = "",
        expand: bool = True,
        limit: int = PAGE_LIMIT,
        maximum: int | None = None,
        include: Fields = None,
        exclude: Fields = None,
    ) -> Iterator[EventSummary]:
        """Yield the events that the API still keeps of a source, as it sends them: newest first.

        GET /sources/{id}/event_summaries keeps the last 100 of each channel. Payloads are not
        redacted.

        Args:
            source_id: the source.
            event_name: the channel; empty for the default one.
            expand: ask for whole payloads; else those over 1 KB may be cut.
            limit: events in a page.
            maximum: events in all.
            include: fields that are wanted.
            exclude: fields that are not.
        """
        request = calls.event_summaries(
            source_id,
            event_name=event_name,
            expand=expand,
            limit=limit,
            include=include,
            exclude=exclude,
        )
        return cast("Iterator[EventSummary]", self._events(request, event_name, maximum))

    def workflow_emits(
        self,
        workflow_id: str,
        *,
        event_name: str = "",
        expand: bool = True,
        limit: int = PAGE_LIMIT,
        maximum: int | None = None,
        include: Fields = None,
        exclude: Fields = None,
    ) -> Iterator[EventSummary]:
        """Yield what a workflow emitted, newest first (GET /workflows/{id}/event_summaries)."""
        request = calls.workflow_emits(
            workflow_id,
            event_name=event_name,
            expand=expand,
            limit=limit,
            include=include,
            exclude=exclude,
        )
        return cast("Iterator[EventSummary]", self._events(request, event_name, maximum))

    def workflow_errors(
        self,
        workflow_id: str,
        *,
        expand: bool = True,
        limit: int = PAGE_LIMIT,
        maximum: int | None = None,
        include: Fields = None,
        exclude: Fields = None,
    ) -> Iterator[EventSummary]:
        """Yield a workflow's errors, newest first (GET /workflows/{id}/$errors/event_summaries).

        Without `expand` a row may hold its id and a time only.
        """
        request = calls.workflow_errors(
            workflow_id, expand=expand, limit=limit, include=include, exclude=exclude
        )
        return cast("Iterator[EventSummary]", self._events(request, "", maximum))

    def component(
        self, key_or_id: str, *, include: Fields = None, exclude: Fields = None
    ) -> Component:
        """Return a component of the account by its key or id (GET /components/{key|id})."""
        request = calls.component(key_or_id, include=include, exclude=exclude)
        return cast("Component", self._object(request))

    def registry_component(
        self, key: str, *, include: Fields = None, exclude: Fields = None
    ) -> Component:
        """Return a component of the global registry (GET /components/registry/{key})."""
        request = calls.registry_component(key, include=include, exclude=exclude)
        return cast("Component", self._object(request))

    def subscriptions(
        self,
        org_id: str | None = None,
        *,
        limit: int = PAGE_LIMIT,
        maximum: int | None = None,
        include: Fields = None,
        exclude: Fields = None,
    ) -> Iterator[Subscription]:
        """Yield the user's subscriptions, or a workspace's.

        GET /users/me/subscriptions, GET /workspaces/{id}/subscriptions.

        Raises:
            ConfigurationError: `org_id` is not an id; nothing was sent.
            ApiError: a page failed; what was yielded before is not the whole list.
        """
        request = calls.subscriptions(org_id, limit=limit, include=include, exclude=exclude)
        return cast("Iterator[Subscription]", self._list(request, maximum))

    def webhooks(
        self,
        *,
        limit: int = PAGE_LIMIT,
        maximum: int | None = None,
        include: Fields = None,
        exclude: Fields = None,
    ) -> Iterator[Webhook]:
        """Yield the user's webhooks (GET /users/me/webhooks)."""
        request = calls.webhooks(limit=limit, include=include, exclude=exclude)
        return cast("Iterator[Webhook]", self._list(request, maximum))

    def workspace(
        self, org_id: str, *, include: Fields = None, exclude: Fields = None
    ) -> Workspace:
        """Return a workspace with its credits (GET /workspaces/{id})."""
        request = calls.workspace(org_id, include=include, exclude=exclude)
        return cast("Workspace", self._object(request))

    def workflow(
        self,
        workflow_id: str,
        *,
        org_id: str | None = None,
        include: Fields = None,
        exclude: Fields = None,
    ) -> WorkflowDetails:
        """Return a workflow's triggers and steps (GET /workflows/{id}, undocumented).

        Raises:
            Unavailable: there is no such workflow, or the API does not have this call.
            ApiError: the call failed.
        """
        request = calls.workflow(workflow_id, org_id=org_id, include=include, exclude=exclude)
        return cast("WorkflowDetails", self._shown(self._ask(read_bare, request)[1]))
