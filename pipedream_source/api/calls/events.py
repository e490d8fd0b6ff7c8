"""Calls for events, of sources and of workflows."""

from __future__ import annotations

from urllib.parse import quote

from pipedream_source.api import endpoints
from pipedream_source.api.arguments import (
    check_event_id,
    check_event_name,
    check_kind,
    check_source,
)
from pipedream_source.api.calls.parameters import Fields, page
from pipedream_source.api.protocol import Request
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.settings import ERRORS_CHANNEL, PAGE_LIMIT


def event_summaries(
    source_id: str,
    *,
    event_name: str = "",
    expand: bool = True,
    limit: int = PAGE_LIMIT,
    include: Fields = None,
    exclude: Fields = None,
) -> Request:
    """Ask for the newest events of a source; without `expand` those over 1 KB may be cut."""
    params = _page(expand, limit, include, exclude)
    if check_event_name(event_name):
        params["event_name"] = event_name
    return endpoints.SOURCE_EVENTS.request({"id": check_source(source_id)}, params)


def workflow_emits(
    workflow_id: str,
    *,
    event_name: str = "",
    expand: bool = True,
    limit: int = PAGE_LIMIT,
    include: Fields = None,
    exclude: Fields = None,
) -> Request:
    """Ask for the newest events that a workflow emitted; the channel stands in the path."""
    if check_event_name(event_name) == ERRORS_CHANNEL:
        return workflow_errors(
            workflow_id, expand=expand, limit=limit, include=include, exclude=exclude
        )
    ids, params = _workflow(workflow_id), _page(expand, limit, include, exclude)
    if not event_name:
        return endpoints.WORKFLOW_EMITS.request(ids, params)
    ids["channel"] = quote(event_name, safe="$")
    return endpoints.WORKFLOW_CHANNEL.request(ids, params)


def workflow_errors(
    workflow_id: str,
    *,
    expand: bool = True,
    limit: int = PAGE_LIMIT,
    include: Fields = None,
    exclude: Fields = None,
) -> Request:
    """Ask for the newest errors of a workflow."""
    params = _page(expand, limit, include, exclude)
    return endpoints.WORKFLOW_ERRORS.request(_workflow(workflow_id), params)


def delete_events(
    source_id: str,
    *,
    start_id: str | None = None,
    end_id: str | None = None,
    event_name: str | None = None,
) -> Request:
    """Delete a source's events from one id to another, both included; without ids all of them.

    The sequence within a range is the API's: `start_id` alone deletes it and all newer events,
    `end_id` alone it and all older ones.
    """
    start = check_event_id(start_id, "start_id") if start_id is not None else None
    end = check_event_id(end_id, "end_id") if end_id is not None else None
    if start and end and start > end:
        raise ConfigurationError(f"start_id {start} is newer than end_id {end}: no event is both")
    params = {"start_id": str(start or ""), "end_id": str(end or "")}
    params = {name: value for name, value in params.items() if value}
    if event_name is not None:
        params["event_name"] = check_event_name(event_name)
    return endpoints.DELETE_EVENTS.request({"id": check_source(source_id)}, params)


def _workflow(workflow_id: str) -> dict[str, str]:
    return {"workflow_id": check_kind(workflow_id, "workflow_id", "p")}


def _page(expand: bool, limit: int, include: Fields, exclude: Fields) -> dict[str, str]:
    expanded = {"expand": "event"} if expand else {}
    return {**expanded, **page(limit, include, exclude)}
