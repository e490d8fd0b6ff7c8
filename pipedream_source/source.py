"""The dlt source: arguments, which resources, and what they share."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, ParamSpec

import dlt
from dlt.common.typing import TSecretStrValue
from dlt.extract import DltResource, DltSource, SourceFactory
from dlt.extract.decorators import DltSourceFactoryWrapper

from pipedream_source.api.client import PipedreamClient
from pipedream_source.resources.events.event_resources import ListStreams, event_items
from pipedream_source.resources.objects.components import component_items
from pipedream_source.resources.objects.object_resources import (
    source_items,
    subscription_items,
    user_items,
    webhook_items,
    workflow_items,
    workspace_items,
)
from pipedream_source.resources.polls.polling import Stream
from pipedream_source.resources.schema.tables import (
    SOURCE_EVENT_SUMMARIES,
    WORKFLOW_EMITS,
    WORKFLOW_ERRORS,
    Table,
)
from pipedream_source.resources.session.arguments import open_session
from pipedream_source.resources.session.discovery import Inventory, source_streams, workflow_streams
from pipedream_source.resources.session.session import Session
from pipedream_source.settings import (
    MAX_WORKERS,
    QUIET_POLL_S,
    REQUEST_TIMEOUT_S,
    RETRY_BUDGET_S,
)

P = ParamSpec("P")

EVENT_RESOURCES = (SOURCE_EVENT_SUMMARIES.name, WORKFLOW_EMITS.name, WORKFLOW_ERRORS.name)
#: Workflows last of all: errors name them, and polls tell whether they answer.
_ENTITIES = {
    "sources": source_items,
    "subscriptions": subscription_items,
    "webhooks": webhook_items,
    "components": component_items,
    "users": user_items,
    "workspaces": workspace_items,
    "workflows": workflow_items,
}
ENTITY_RESOURCES = tuple(_ENTITIES)


class _Factory(DltSourceFactoryWrapper[P, DltSource]):
    """Makes the source; an error of its arguments carries no frame that knows the key.

    dlt's own frames hold what it injected, and tools that report errors show their locals.
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> DltSource:
        try:
            return super().__call__(*args, **kwargs)
        except Exception as error:
            failure = error.with_traceback(None)
            failure.__cause__ = failure.__context__ = None
        del args, kwargs
        raise failure


def _source(function: Callable[P, Iterable[DltResource]]) -> SourceFactory[P, DltSource]:
    """Decorate as `dlt.source` does."""
    factory = _Factory[P]()
    return factory.clone(name="pipedream", section="pipedream", max_table_nesting=0).bind(function)


@_source
def pipedream_source(
    api_key: TSecretStrValue | None = None,
    base_url: str | None = None,
    org_id: str | None = None,
    source_ids: Sequence[str] | None = None,
    workflow_ids: Sequence[str] | None = None,
    channels: Sequence[str] | None = None,
    since: str | None = None,
    discover: bool = True,
    full_window: bool = False,
    max_workers: int = MAX_WORKERS,
    retry_budget_s: float = RETRY_BUDGET_S,
    request_timeout_s: float = REQUEST_TIMEOUT_S,
    quiet_poll_s: float = QUIET_POLL_S,
    ca_bundle: str | None = None,
    client_id: TSecretStrValue | None = None,
    client_secret: TSecretStrValue | None = None,
) -> Iterable[DltResource]:
    """Load a Pipedream workspace: events, emits and errors, with proof of what was missed.

    Every argument also comes from dlt's configuration (`[sources.pipedream]` in config.toml or
    secrets.toml, or `SOURCES__PIPEDREAM__…` in the environment). Nothing is sent before the
    pipeline extracts.

    Args:
        api_key: a user API key; else the environment's PIPEDREAM_API_KEY.
        base_url: the API; https, or http on localhost; else the environment's PIPEDREAM_BASE_URL,
            else Pipedream's.
        org_id: this workspace (`o_…`) and the user's own objects; else the environment's
            PIPEDREAM_ORG_ID. By default those of every workspace of the user, too.
        source_ids: only these sources; by default all that the lists name.
        workflow_ids: these workflows besides those that subscriptions and errors name; the API
            cannot list workflows.
        channels: these event names instead of the default ones: `""` and those that
            subscriptions name for sources, `""` and `$errors` for workflows.
        since: yield only events from this time on, as ISO 8601 or a period such as `7d` or
            `12h`. It filters rows, never the verdict on completeness.
        discover: read the lists at all; without it only what is named is polled.
        full_window: yield whole windows again, for the destination's key to sort out.
        max_workers: threads that poll.
        retry_budget_s: seconds a run may wait because the API said so.
        request_timeout_s: total seconds for one request.
        quiet_poll_s: longest wait that `next_poll_at` suggests for a quiet stream.
        ca_bundle: file of certificates to trust instead of the default ones.
        client_id: of a workspace's OAuth client, instead of a key; name the workspace in `org_id`.
            By default, if there is no key, the environment's PIPEDREAM_CLIENT_ID.
        client_secret: of that client; else the environment's PIPEDREAM_CLIENT_SECRET.

    Returns:
        The resources `source_event_summaries`, `workflow_emits`, `workflow_errors`, `sources`,
        `subscriptions`, `webhooks`, `components` (with `component_code`), `users`, `workspaces`
        and `workflows`.

    Raises:
        ConfigurationError: an argument cannot be used.
    """
    session = open_session(
        PipedreamClient(
            api_key,
            client_id=client_id,
            client_secret=client_secret,
            base_url=base_url,
            org_id=org_id or os.environ.get("PIPEDREAM_ORG_ID"),
            retry_budget_s=retry_budget_s,
            request_timeout_s=request_timeout_s,
            max_connections=max_workers,
            ca_bundle=ca_bundle,
        ),
        source_ids=source_ids,
        workflow_ids=workflow_ids,
        channels=channels,
        since=since,
        discover=discover,
        full_window=full_window,
        max_workers=max_workers,
        quiet_poll_s=quiet_poll_s,
    )
    return resources(session)


def resources(session: Session) -> list[DltResource]:
    """Return the resources of a session, in the order in which they are extracted."""
    chosen = session.selection

    def sources(found: Inventory, known: Collection[Stream]) -> list[Stream]:
        return source_streams(found, chosen, known=known)

    def emits(found: Inventory, known: Collection[Stream]) -> list[Stream]:
        return workflow_streams(found, chosen, errors=False, known=known)

    def errors(found: Inventory, known: Collection[Stream]) -> list[Stream]:
        return workflow_streams(found, chosen, errors=True, known=known)

    events: tuple[tuple[Table, ListStreams], ...] = (
        (SOURCE_EVENT_SUMMARIES, sources),
        (WORKFLOW_EMITS, emits),
        (WORKFLOW_ERRORS, errors),
    )
    made = [_resource(table.name, event_items, session, table, names) for table, names in events]
    return made + [_resource(name, items, session) for name, items in _ENTITIES.items()]


def _resource(name: str, items: Any, *args: Any) -> DltResource:
    # The tables' hints travel with the items: variants would inherit the resource's own.
    resource: DltResource = dlt.resource(items, name=name)(*args)
    return resource
