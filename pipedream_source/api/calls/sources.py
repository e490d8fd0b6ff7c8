"""Calls of the section "Sources"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedream_source.api import endpoints
from pipedream_source.api.arguments import check_kind, check_props, check_source
from pipedream_source.api.calls.parameters import (
    Fields,
    code,
    fields,
    in_workspace,
    page,
    texts,
)
from pipedream_source.api.protocol import Request
from pipedream_source.exceptions import ConfigurationError
from pipedream_source.settings import PAGE_LIMIT


def sources(
    org_id: str | None = None,
    *,
    limit: int = PAGE_LIMIT,
    include: Fields = None,
    exclude: Fields = None,
) -> Request:
    """Ask for the first page of the user's sources, or of a workspace's."""
    params = page(limit, include, exclude)
    if org_id is None:
        return endpoints.USER_SOURCES.request(params=params)
    return endpoints.ORG_SOURCES.request({"org_id": check_kind(org_id, "org_id", "o")}, params)


def source(source_id: str, *, include: Fields = None, exclude: Fields = None) -> Request:
    """Ask for one source; the documentation leaves this call out."""
    return endpoints.SOURCE.request(_ids(source_id), fields(include, exclude))


def create_source(
    *,
    component_id: str | None = None,
    component_code: str | None = None,
    component_url: str | None = None,
    name: str | None = None,
    configured_props: Mapping[str, Any] | None = None,
    org_id: str | None = None,
    include: Fields = None,
    exclude: Fields = None,
) -> Request:
    """Make a source of a component; of several that are given, the id counts, then the code."""
    body = code(component_id, component_code, component_url)
    if not body:
        raise ConfigurationError(
            "One of component_id, component_code or component_url is required."
        )
    body.update(_settings(name, configured_props))
    body.update(fields(include, exclude))
    return endpoints.CREATE_SOURCE.request(params=in_workspace(org_id), body=body)


def update_source(
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
) -> Request:
    """Change a source; only what is given is sent, to the letter.

    The documentation demands one of the three that name the code, takes the component's slug for
    an absent name and true for an absent `active`, while clients that send `active` alone are
    common. To keep what is not to change, send it along as `source` shows it.
    """
    body = code(component_id, component_code, component_url)
    body.update(_settings(name, configured_props))
    if active is not None:
        if not isinstance(active, bool):
            raise ConfigurationError("active: must be True or False")
        body["active"] = active
    if not body:
        raise ConfigurationError(f"{source_id}: nothing was given that would change the source")
    body.update(fields(include, exclude))
    return endpoints.UPDATE_SOURCE.request(_ids(source_id), body=body)


def delete_source(source_id: str) -> Request:
    """Delete a source."""
    return endpoints.DELETE_SOURCE.request(_ids(source_id))


def _ids(source_id: str) -> dict[str, str]:
    return {"id": check_source(source_id)}


def _settings(name: str | None, configured_props: Mapping[str, Any] | None) -> dict[str, Any]:
    body: dict[str, Any] = texts(name=name)
    if configured_props is not None:
        body["configured_props"] = check_props(configured_props)
    return body
